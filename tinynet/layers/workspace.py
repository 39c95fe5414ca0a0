"""The arrays that a replica of a layer works in."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..waiting import hold_over_fork
from .geometry import Shape

Array = NDArray[Any]


LINE = 64  # bytes of a line of the cache
BLOCK_BYTES = 2**24  # of memory at a time: much larger than a page of 2 MiB, and most of it is never touched
STAGGER = (
    5 * LINE
)  # between arrays: those of 4 KiB, or several, would compete for the same lines of the cache

_laying = threading.RLock()
hold_over_fork(_laying)


def empty(shape: Shape, dtype: np.dtype[Any]) -> Array:
    """Return an uninitialised array that begins where a line of the cache does.

    NumPy's begin 16 bytes after one, where each load and store of a long vector touches two lines.
    """
    size = math.prod(shape) * dtype.itemsize
    buffer = np.empty(size + LINE, np.uint8)
    start = -buffer.ctypes.data % LINE
    return buffer[start : start + size].view(dtype).reshape(shape)


class Room:
    """Memory in which arrays lie side by side, from its beginning on.

    The system gives large blocks in large pages. Who makes a new room of the same blocks lays other arrays
    over the ones before.

    Args:
        blocks: (bytes,) uint8 each; more are appended as they are needed.
    """

    def __init__(self, blocks: list[Array]) -> None:
        self.blocks, self.number, self.taken, self.nbytes = blocks, 0, 0, 0

    def empty(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return the next array, uninitialised; several threads may call this at once."""
        size = math.prod(shape) * dtype.itemsize
        with _laying:
            while self.number < len(self.blocks) and self.taken + size > self.blocks[self.number].size:
                self.number, self.taken = self.number + 1, 0
            if self.number == len(self.blocks):
                self.blocks.append(empty((max(size, BLOCK_BYTES),), np.dtype(np.uint8)))
            block, start = self.blocks[self.number], self.taken
            step = -(-size // LINE) * LINE + STAGGER
            self.taken, self.nbytes = self.taken + step, self.nbytes + step
        return block[start : start + size].view(dtype).reshape(shape)


class Workspace:
    """The arrays that the replica of a layer works in, from one training step to the next.

    What holds a row for each sample of the replica's shard is part of an array for the whole batch. Steps for
    batches of other sizes work in the same memory, so that what an array holds lasts for one step.

    Args:
        whole: the batch's arrays by name, shared by the replicas of this layer; filled as they are needed.
        shard: which samples are this replica's; default: of no batch.
        samples: the size of the batch.
        room: where the arrays lie; default: anywhere.
        scratch: bytes by name, shared by all layers of this replica; filled as they are needed.
    """

    def __init__(
        self,
        whole: dict[str, Array] | None = None,
        shard: slice = slice(0, 0),
        samples: int = 0,
        room: Room | None = None,
        scratch: dict[str, Array] | None = None,
    ) -> None:
        self.whole, self.shard, self.samples = {} if whole is None else whole, shard, samples
        self.scratch = {} if scratch is None else scratch
        self.new = empty if room is None else room.empty
        self.kept: dict[str, Array] = {}
        self.given: set[str] = set()  # names, in this step

    def empty(self, name: str, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return the array of this name, uninitialised.

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
                whole = self.whole.get(name)
                if whole is None:
                    whole = self.whole.setdefault(name, self.new((self.samples, *shape[1:]), dtype))
                array = whole[self.shard]
            else:
                array = self.new(shape, dtype)
            self.kept[name] = array
        return array

    def for_now(self, name: str, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return an uninitialised array that is the caller's until it returns; see `Layer.for_now`."""
        size = math.prod(shape) * dtype.itemsize
        buffer = self.scratch.get(name)
        if buffer is None or buffer.size < size:
            buffer = self.scratch[name] = self.new((size,), np.dtype(np.uint8))
        return buffer[:size].view(dtype).reshape(shape)
