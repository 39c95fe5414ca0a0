"""What an optimizer can update: the checks of parameters, and their cut into blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BLOCK = 2**16  # elements that are updated at a time: small enough to stay in cache, large enough for a thread


class Parameter(Protocol):
    """What an optimizer can update: a value, in place, and its gradient; arrays of one shape and type."""

    @property
    def value(self) -> Array: ...  # noqa: D102
    @property
    def grad(self) -> Array: ...  # noqa: D102


def layout_of(parameters: Sequence[Parameter]) -> list[str]:
    """Check parameters, and return the shape and type of each."""
    # Not any iterable: a set would give the parameters in another order in each run.
    if not isinstance(parameters, Sequence):
        raise TypeError(f"An optimizer takes a list of parameters, not {type(parameters).__name__}.")
    layout = []
    for index, parameter in enumerate(parameters):
        arrays = getattr(parameter, "value", None), getattr(parameter, "grad", None)
        for name, array in zip(("value", "grad"), arrays, strict=True):
            if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float64):
                what = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
                raise TypeError(f"Parameter {index}: .{name} must be a float32 or float64 array, not {what}.")
            if not array.flags.c_contiguous:
                raise ValueError(f"Parameter {index}: .{name} must be contiguous.")
        value, grad = parameter.value, parameter.grad
        if value.shape != grad.shape or value.dtype != grad.dtype:
            raise ValueError(
                f"Parameter {index}: .value is {value.dtype} {value.shape}, .grad {grad.dtype} {grad.shape}."
            )
        if not value.flags.writeable:
            raise ValueError(f"Parameter {index}: .value is read-only, and a step updates it in place.")
        layout.append(f"{value.dtype} {value.shape}")
    return layout


def blocks_of(parameters: Sequence[Parameter]) -> list[tuple[int, slice]]:
    """Return the blocks of all parameters: the index of each one's parameter, and where it lies in that."""
    return [
        (index, slice(begin, begin + BLOCK))
        for index, parameter in enumerate(parameters)
        for begin in range(0, parameter.value.size, BLOCK)
    ]


def cut_like(parameters: Sequence[Parameter], arrays: Sequence[Array]) -> list[Array]:
    """Return the elements of some arrays, in their order, as arrays like the values of parameters."""
    whole = np.concatenate([array.reshape(-1) for array in arrays]) if arrays else np.empty(0)
    ends = np.cumsum([parameter.value.size for parameter in parameters], dtype=int)
    return [
        whole[end - p.value.size : end].reshape(p.value.shape)
        for p, end in zip(parameters, ends, strict=True)
    ]


def run_in_turn(function: Callable[[int], Any], count: int) -> None:
    """Call function(0), ..., function(count - 1)."""
    for number in range(count):
        function(number)
