"""How arrays are broadcast to a larger shape, as `kernels/merging.py` wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .geometry import Shape

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Spread:
    """Where the elements of a smaller array, the part, go in a larger one, the whole; see the kernels.

    Args:
        lead: how many rows a sample is; 0 if both have the same shape, and all samples are one row.
        r, s: int64 offsets.
    """

    lead: int
    r: Array
    s: Array

    @classmethod
    def of(cls, part: Shape, whole: Shape) -> Spread:
        """Return how a sample of shape `part` is broadcast to shape `whole`.

        The shapes are aligned at the right; sizes that differ are 1 in the part.
        """
        part = (1,) * (len(whole) - len(part)) + part
        # The axes of the whole, each with whether the part has it, too. Neighbours of one kind are one axis.
        axes: list[tuple[int, bool]] = []
        for size, own in zip(whole, part, strict=True):
            if size > 1:
                before = axes.pop()[0] if axes and axes[-1][1] == (own == size) else 1
                axes.append((before * size, own == size))
        r = s = np.zeros(1, np.int64)
        if all(has for _, has in axes):
            return cls(0, r, s)
        lead = axes.pop(0)[0] if axes[0][1] else 1
        step, _ = axes.pop()  # the kernels' width
        for size, has in reversed(axes):
            places = np.arange(size)[:, None] * step
            if has:
                r = (places + r).reshape(-1)
            else:
                s = (places + s).reshape(-1)
            step *= size
        return cls(lead, r, s)

    def rows(self, array: Array) -> Array:
        """Return a batch of parts or of wholes as the rows that the kernels work on."""
        return as_rows(array, len(array) * self.lead if self.lead else 1)


def as_rows(array: Array, rows: int) -> Array:
    """Return a contiguous array as so many rows, also where it is empty."""
    return array.reshape(rows, array.size // max(rows, 1))
