"""What an optimizer can update: the checks of parameters, and their cut into blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BLOCK = 2**16  # elements that are updated at a time: small enough to stay in cache, large enough for a thread


class Parameter(Protocol):
    """What an optimizer can update: a value, in place, and its gradient; arrays of one shape and type.

    Example:
        >>> from types import SimpleNamespace
        >>> from tinynet.optim import SGD
        >>> weights = SimpleNamespace(value=np.ones(2), grad=np.array([1.0, -1.0]))
        >>> SGD(learning_rate=0.5).step([weights])
        >>> weights.value
        array([0.5, 1.5])
    """

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


def sizes_of(parameter: Parameter) -> list[int]:
    """Return the sizes of the variables that a model joined to a parameter, or of the parameter itself."""
    return getattr(parameter, "sizes", None) or [parameter.value.size]


class Block(NamedTuple):
    """What is updated at a time: elements of one parameter.

    Args:
        parameter: which parameter.
        part: which of its elements.
        variable: the number of the variable that they belong to, counted through all parameters.
    """

    parameter: int
    part: slice
    variable: int


def blocks_of(parameters: Sequence[Parameter]) -> list[Block]:
    """Cut the variables of all parameters into blocks of at most BLOCK elements."""
    blocks, variable = list[Block](), 0
    for index, parameter in enumerate(parameters):
        begin = 0
        for size in sizes_of(parameter):
            end = begin + size
            blocks += [
                Block(index, slice(start, min(start + BLOCK, end)), variable)
                for start in range(begin, end, BLOCK)
            ]
            begin, variable = end, variable + 1
    return blocks


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
