"""Gradients that are too large: by Keras's clipnorm, clipvalue and global_clipnorm."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from .parameters import Array, Block, Parameter


def scales_of(
    parameters: Sequence[Parameter],
    blocks: Sequence[Block],
    run: Callable[..., Any],
    clipnorm: float | None,
    global_clipnorm: float | None,
) -> list[float]:
    """Return what the gradient of each variable is multiplied by; an empty list if nothing limits norms.

    Args:
        parameters: what is updated.
        blocks: all blocks of their variables, in order.
        run: calls a function of an index a number of times, in any order; see `Optimizer.step`.
        clipnorm: the largest norm of a variable's gradient.
        global_clipnorm: the largest joint norm of all.

    Returns:
        A number for each variable: 1 where the norm is small enough, NaN where it is not finite and so is
        everything that Keras computes from it.
    """
    if clipnorm is None and global_clipnorm is None:
        return []
    squares = np.zeros(len(blocks))

    def add_squares(number: int) -> None:
        index, part, _ = blocks[number]
        squares[number] = kernels.update.sum_of_squares(parameters[index].grad.reshape(-1)[part])

    run(add_squares, len(blocks))
    # Block by block, so that the sums do not depend on which thread came first.
    sums = [0.0] * (blocks[-1].variable + 1 if blocks else 0)
    for block, square in zip(blocks, squares.tolist(), strict=True):
        sums[block.variable] += square
    if clipnorm is not None:
        return [scale_to(math.sqrt(square), clipnorm) for square in sums]
    assert global_clipnorm is not None
    norm = math.sqrt(sum(sums))
    return [scale_to(norm, global_clipnorm) if math.isfinite(norm) else math.nan] * len(sums)


def scale_to(norm: float, limit: float) -> float:
    """Return what takes a vector of this norm to the limit, if it is longer."""
    return 1.0 if norm <= limit else limit / norm


def clipped(gradient: Array, scale: float | None, settings: Array) -> Array:
    """Return a block of the gradient times the scale, or, without one, clipped as the settings say."""
    result = np.empty_like(gradient)
    if scale is None:
        kernels.update.clip(gradient, result, settings)
    else:
        kernels.update.scale(gradient, result, scale)
    return result
