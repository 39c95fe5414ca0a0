"""Data that comes batch by batch, as Keras's `PyDataset` (Keras 2: `Sequence`)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any


class PyDataset:
    """Data that is made or read a batch at a time: derive from it, and define `__getitem__` and `__len__`.

    `fit`, `evaluate` and `predict` take it in place of arrays. Keras 2 calls it `Sequence`.

    Define:
        __getitem__(index): the batch of this number, from 0: `(x, y)`, `(x, y, sample_weight)`, or `x` alone.
        __len__(): how many batches there are. Data without an end define the property `num_batches` instead,
            which is None then.
        on_epoch_begin(), on_epoch_end(): what happens before and after each epoch, such as shuffling; nothing
            by default.

    Args:
        workers: taken and kept as Keras does, without effect: batches are asked for one after another, on the
            caller's thread; default 1.
        use_multiprocessing: likewise; default False.
        max_queue_size: likewise; default 10.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 2
        ...     def __getitem__(self, index):
        ...         x = np.arange(3 * index, 3 * index + 3)
        ...         return x, x**2
        >>> [y.tolist() for x, y in Squares(workers=4)]
        [[0, 1, 4], [9, 16, 25]]
    """

    # Also there if a class of one's own does not call `super().__init__()`.
    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers, self.use_multiprocessing = workers, use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Return the batch of this number: a class of one's own defines this."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define __getitem__(self, index), which returns a batch, (x, y)."
        )

    def __iter__(self) -> Iterator[Any]:
        """Go through the batches once; without an end, if there is none."""
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    @property
    def num_batches(self) -> int | None:
        """The number of batches, or None for data without an end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__} does not define __len__(self), the number of its batches; data without "
            "an end define the property num_batches, which returns None."
        )

    def on_epoch_begin(self) -> None:
        """Do what comes before an epoch: nothing, unless a class of one's own defines it."""

    def on_epoch_end(self) -> None:
        """Do what comes after an epoch: nothing, unless a class of one's own defines it."""
