"""Blocks of the gradient: what one thread sums over the shards, and updates, at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers import Layer, Parameter
from ..optim import BLOCK
from ..regularizers import L1L2

Array = NDArray[Any]

ROWS_AT_ONCE = 168  # of a Dense kernel's gradient: a multiple of the tiles' rows, 14 or 6


@dataclass(frozen=True)
class Piece:
    """Consecutive elements of one parameter.

    Args:
        sources: where gradients of it come from: which of the layers, and which of its parameters; more than
            one if a layer is called more than once.
        part: which of its elements; its rows (the first axis) if the gradient is of the whole batch.
        total: where the gradient goes.
        whole: whether it is one of the whole batch.
        value: the parameter's values of these elements.
        penalty: the regularizer of the parameter, or None.
    """

    sources: list[tuple[int, int]]
    part: slice
    total: Array
    whole: bool
    value: Array
    penalty: L1L2 | None


@dataclass
class Block:
    """What one thread finishes the gradients of, and updates, at a time: consecutive elements of one run.

    Args:
        run: which of the runs of parameters.
        part: which of its elements.
        pieces: what they are made of.
    """

    run: int
    part: slice
    pieces: list[Piece]


def blocks_of(
    layers: Sequence[Layer], parameters: Sequence[Parameter], runs: Sequence[Parameter], defers: bool
) -> list[Block]:
    """Cut the parameters that train into blocks of about BLOCK elements.

    Args:
        layers: those that are called, built.
        parameters: those of their parameters that train.
        runs: the same, joined where they lie side by side.
        defers: whether gradients of the whole batch are computed at the end of the step.
    """
    owners = {parameter.value.ctypes.data: parameter for parameter in parameters if parameter.value.size}
    sources: dict[int, list[tuple[int, int]]] = {address: [] for address in owners}
    for i, layer in enumerate(layers):
        for k, parameter in enumerate(layer.parameters):
            if parameter.value.size and parameter.value.ctypes.data in sources:
                sources[parameter.value.ctypes.data].append((i, k))
    blocks: list[Block] = []
    for address, found in sources.items():  # in the order of the runs, so that blocks have no gaps
        if found:
            layer = layers[found[0][0]]
            whole = defers and layer.parameters[found[0][1]] is layer.batch_parameter
            add_blocks(blocks, owners[address], found, whole, runs)
    return blocks


def add_blocks(
    blocks: list[Block],
    parameter: Parameter,
    sources: list[tuple[int, int]],
    whole: bool,
    runs: Sequence[Parameter],
) -> None:
    """Add the elements of one parameter to the last of the blocks, and to new ones."""
    run = next(n for n, run in enumerate(runs) if np.may_share_memory(run.grad, parameter.grad))
    row = parameter.value[0].size if whole else 1
    rows, step = parameter.value.size // row, max(BLOCK // row // ROWS_AT_ONCE, 1) * ROWS_AT_ONCE
    gradients = parameter.grad.reshape(-1)
    begin = (gradients.ctypes.data - runs[run].grad.ctypes.data) // gradients.itemsize
    for first in range(0, rows, step):
        part = slice(first, min(first + step, rows))
        start, stop = begin + part.start * row, begin + part.stop * row
        last = blocks[-1] if blocks else None
        full = last is not None and last.part.stop - last.part.start >= BLOCK
        if last is None or full or last.run != run or last.part.stop != start:
            blocks.append(last := Block(run, slice(start, start), []))
        last.part = slice(last.part.start, stop)
        elements = slice(start - begin, stop - begin)
        last.pieces.append(
            Piece(
                sources,
                part,
                gradients[elements],
                whole,
                parameter.value.reshape(-1)[elements],
                parameter.regularizer,
            )
        )


def adjacent(arrays: Sequence[Any]) -> bool:
    """Return whether arrays lie one after the other in memory."""
    ends = [array.ctypes.data + array.nbytes for array in arrays]
    return all(array.ctypes.data == end for array, end in zip(arrays[1:], ends, strict=False))


def join(arrays: Sequence[Any]) -> Array:
    """Return adjacent arrays as one, of all their rows."""
    rows = sum(len(array) for array in arrays)
    return np.lib.stride_tricks.as_strided(arrays[0], (rows, *arrays[0].shape[1:]))
