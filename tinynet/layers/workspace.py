"""The arrays that a replica of a layer works in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .geometry import Shape

Array = NDArray[Any]


LINE = 64  # bytes of a line of the cache


def empty(shape: Shape, dtype: np.dtype[Any]) -> Array:
    """Return an uninitialised array that begins where a line of the cache does.

    NumPy's begin 16 bytes after one, where each load and store of a long vector touches two lines.
    """
    size = math.prod(shape) * dtype.itemsize
    buffer = np.empty(size + LINE, np.uint8)
    start = -buffer.ctypes.data % LINE
    return buffer[start : start + size].view(dtype).reshape(shape)


class Workspace:
    """The arrays that the replica of a layer works in, from one training step to the next.

    What holds a row for each sample of the replica's shard is part of an array for the whole batch.

    Args:
        whole: the batch's arrays by name, shared by the replicas of this layer; filled as they are needed.
        shard: which samples are this replica's; default: of no batch.
        samples: the size of the batch.
    """

    def __init__(
        self, whole: dict[str, Array] | None = None, shard: slice = slice(0, 0), samples: int = 0
    ) -> None:
        self.whole, self.shard, self.samples = {} if whole is None else whole, shard, samples
        self.kept: dict[str, Array] = {}
        self.given: set[str] = set()  # names, in this step

    def empty(self, name: str, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return the array of this name, as it was left; uninitialised if new or of another shape.

        Raises:
            RuntimeError: it was asked for in this step before: the layer runs twice, and would overwrite its
                results.
        """
        if self.samples and name in self.given:
            raise RuntimeError(
                "A layer ran twice in one training step, and would overwrite what it needs to go backward: "
                "use two layers."
            )
        self.given.add(name)
        array = self.kept.get(name)
        if array is None or array.shape != shape:
            if self.samples and shape and shape[0] == self.shard.stop - self.shard.start:
                whole = self.whole.setdefault(name, empty((self.samples, *shape[1:]), dtype))
                array = whole[self.shard]
            else:
                array = empty(shape, dtype)
            self.kept[name] = array
        return array
