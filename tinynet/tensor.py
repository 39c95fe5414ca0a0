"""Results of computing on arrays, as scripts written for TensorFlow use them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Tensor(np.ndarray[Any, Any]):
    """An array that has TensorFlow's method `numpy`, and is one in all else.

    Example:
        >>> np.ones(2).view(Tensor).numpy()
        array([1., 1.])
    """

    def numpy(self) -> NDArray[Any]:
        """Return the array."""
        return self.view(np.ndarray)

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray))


class Number(float):
    """A float that has TensorFlow's method `numpy`.

    Example:
        >>> Number(0.5).numpy()
        0.5
    """

    def numpy(self) -> float:
        """Return the number."""
        return float(self)


def as_tensors(result: Any) -> Any:
    """Return what a layer gave, an array or a list of arrays, as `Tensor`.

    Example:
        >>> as_tensors(np.ones(2)).numpy()
        array([1., 1.])
    """
    if isinstance(result, list):
        return [as_tensors(one) for one in result]
    return result.view(Tensor) if type(result) is np.ndarray else result
