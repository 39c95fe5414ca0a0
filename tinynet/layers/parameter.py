"""Parameters: learned arrays, and where they lie in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..constraints import Constraint
from ..regularizers import L1L2
from ..waiting import Place

Array = NDArray[Any]


class Parameter:
    """A learned array and its gradient, of one shape.

    Assigning to `value` and `grad` copies the numbers into the arrays that are there. Once a model is built,
    the arrays of its parameters never move: recorded steps hold their addresses, and models may share them.

    Args:
        name: its name in its layer, such as "kernel".
        value: the current values.
        grad: the gradient that the last backward pass left; it is overwritten, never added to.
        trainable: False for what a layer keeps up to date itself, such as a running mean; default True.

    Attributes:
        regularizer: the penalty on the values that a model which trains them adds to its loss; None for none.
        constraint: what the values must fulfil after each of its steps; None for nothing.

    Raises:
        ValueError: what is assigned has another shape.

    Example:
        >>> bias = Parameter("bias", np.ones(3), np.zeros(3))
        >>> bias.value = [1, 2, 3]
        >>> bias.value
        array([1., 2., 3.])
    """

    def __init__(self, name: str, value: Array, grad: Array, trainable: bool = True) -> None:
        self.name, self.trainable = name, trainable
        self.regularizer: L1L2 | None = None
        self.constraint: Constraint | None = None
        self.home: Place | None = None  # who trains the vector that it is a part of, once it is placed
        self.source: Parameter | None = None  # whose values it shares
        self._value, self._grad = value, grad

    def place(self, value: Array, grad: Array, home: Place) -> None:
        """Move to these arrays, where the parameter stays from now on."""
        if self.placed:
            raise RuntimeError(f"Parameter {self.name!r} is part of a model: it never moves.")
        value[...], grad[...] = self._value, self._grad
        self._value, self._grad, self.home = value, grad, home

    def share(self, source: Parameter) -> None:
        """Have the values of another parameter from now on, wherever they lie; the gradient is its own."""
        self.source, self._value = source, np.empty(0, source.value.dtype)  # its own are not needed any more

    @property
    def placed(self) -> bool:
        """Whether it is part of a model."""
        return self.home is not None

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse what would have no effect."""
        if name in ("name", "trainable") and vars(self).get("home") is not None:
            raise AttributeError(
                f"Parameter {self.name!r} is part of a model, which has used its {name}: to keep it from "
                "training, set layer.trainable = False and compile again."
            )
        object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        """Let a copy be placed anew: its arrays are its own."""
        return vars(self) | {"home": None}

    @property
    def value(self) -> Array:
        """The current values."""
        return self._value if self.source is None else self.source.value

    @value.setter
    def value(self, new: ArrayLike) -> None:
        self._copy(new, self.value, "value")

    @property
    def grad(self) -> Array:
        """The gradient that the last backward pass left."""
        return self._grad

    @grad.setter
    def grad(self, new: ArrayLike) -> None:
        self._copy(new, self._grad, "grad")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return self.value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the values."""
        return self.value.dtype

    def numpy(self) -> Array:
        """Return a copy of the values, which training does not change: Keras's word.

        Example:
            >>> Parameter("bias", np.ones(2), np.zeros(2)).numpy()
            array([1., 1.])
        """
        return self.value.copy()

    def assign(self, value: ArrayLike) -> None:
        """Set the values, as assigning to `value` does: Keras's word.

        Args:
            value: of the parameter's shape.

        Raises:
            ValueError: it has another shape.

        Example:
            >>> bias = Parameter("bias", np.ones(2), np.zeros(2))
            >>> bias.assign([1, 2])
            >>> bias.value
            array([1., 2.])
        """
        self.value = value

    def _copy(self, new: ArrayLike, target: Array, what: str) -> None:
        if np.shape(new) != target.shape:
            raise ValueError(
                f"The {what} of parameter {self.name!r} has shape {target.shape}; got {np.shape(new)}."
            )
        target[...] = new

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, shape={self.value.shape}, dtype={self.value.dtype})"


def place(parameters: Sequence[Parameter]) -> None:
    """Lay parameters that have no place yet side by side, the trainable ones first.

    Args:
        parameters: of one model; those that it shares with an older one stay where they are.
    """
    free = [parameter for parameter in parameters if not parameter.placed]
    for trainable in (True, False):
        chosen = [parameter for parameter in free if parameter.trainable == trainable]
        sizes = [parameter.value.size for parameter in chosen]
        values, gradients = (np.zeros(sum(sizes), chosen[0].value.dtype if chosen else None) for _ in "vg")
        home: Place = {}
        for parameter, end in zip(chosen, np.cumsum(sizes, dtype=int), strict=True):
            shape, part = parameter.value.shape, slice(end - parameter.value.size, end)
            parameter.place(values[part].reshape(shape), gradients[part].reshape(shape), home)


class Run(Parameter):
    """Parameters that lie side by side as a flat one, so that one loop can go over all of them.

    Args:
        parameters: placed, in order.

    Attributes:
        sizes: how many elements each of them has.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        value, grad = (_join([getattr(one, name) for one in parameters]) for name in ("value", "grad"))
        super().__init__("run", value, grad)
        self.sizes = [one.value.size for one in parameters]


def runs_of(parameters: Sequence[Parameter]) -> list[Run]:
    """Join parameters that lie side by side.

    Args:
        parameters: placed, in order.

    Returns:
        Flat parameters that hold the same elements in the same order, as few as possible.
    """
    runs: list[list[Parameter]] = []
    for parameter in parameters:
        if runs and _follows(runs[-1][-1], parameter):
            runs[-1].append(parameter)
        elif parameter.value.size:
            runs.append([parameter])
    return [Run(run) for run in runs]


def _follows(first: Parameter, second: Parameter) -> bool:
    """Return whether the second one begins where the first one ends, in values as in gradients."""
    pairs = (first.value, second.value), (first.grad, second.grad)
    return all(
        a.base is not None and a.base is b.base and a.ctypes.data + a.nbytes == b.ctypes.data
        for a, b in pairs
    )


def _join(arrays: Sequence[Array]) -> Array:
    """Return arrays that lie one after the other in one vector as a part of it."""
    whole = arrays[0].base
    if whole is None:
        return arrays[0].reshape(-1)
    begin = (arrays[0].ctypes.data - whole.ctypes.data) // whole.itemsize
    return whole[begin : begin + sum(array.size for array in arrays)]


def bias_of(layer: Any, what: str = "value") -> Array:
    """Return the value or the gradient ("grad") of a layer's bias, of size 0 where there is none."""
    return getattr(layer.bias, what) if layer.use_bias else np.empty(0, layer.dtype)
