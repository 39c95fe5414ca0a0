"""Training data that comes in batches of its own: generators, sequences, loaders."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .data import Batch
from .endless import is_endless

ORDER = 4  # the last word of the seeds of the order of batches
NO_STREAMS = (np.ndarray, list, tuple, str, bytes, set, frozenset, range, Mapping)


def is_stream(x: Any) -> bool:
    """Return whether x is something to iterate over that yields batches, and no array, nor a list of them."""
    if isinstance(x, NO_STREAMS):
        return False
    if hasattr(x, "__array__") or hasattr(x, "__array_interface__"):  # also of pandas and PyTorch
        return False
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


class Stream:
    """Batches that somebody else makes.

    Args:
        data: an iterable over batches, or a sequence of them with `__getitem__` and `__len__`, such as a
            `PyDataset`.
        check: turns what comes, (x,), (x, y) or (x, y, sample_weight), into a batch, or raises.
        method: whose argument data is, for error messages.
        bounded: whether somebody counts the steps, so that the data may have no end.
        shuffle: whether a sequence gives its batches in another order each epoch.
        seed: of that order.

    Attributes:
        steps: how many batches there are, if that is known.
        once: whether the data is over after one epoch, as an iterator is.

    Raises:
        ValueError: the data surely has no end, and nobody counts the steps.
    """

    def __init__(
        self,
        data: Any,
        check: Callable[..., Batch],
        method: str,
        bounded: bool,
        shuffle: bool = False,
        seed: int = 0,
    ) -> None:
        self.data, self.check, self.shuffle, self.seed = data, check, shuffle, seed
        self.is_sequence = hasattr(data, "__getitem__") and hasattr(data, "__len__")
        self.steps = length_of(data)
        self.first: list[Any] = []  # a batch that was looked at before the first epoch
        self.iterator: Iterator[Any] | None = None
        if self.is_sequence:
            self.once = False
        else:
            iterator = iter(data)
            self.once = iterator is data
            endless = getattr(data, "num_batches", 0) is None or is_endless(iterator)  # a PyDataset says so
            if not bounded and self.steps is None and endless:
                steps = "steps_per_epoch" if method == "fit" else "steps"
                raise ValueError(
                    f"{method}: x yields batches without end, so an epoch would never be over: give "
                    f"{steps}=, the number of batches to take."
                )

    def peek(self) -> Any:
        """Return the first batch as it comes, which the first epoch yields again; None if there is none."""
        if self.is_sequence:
            return self.data[0] if self.steps else None
        self.iterator = iter(self.data)
        self.first = [*itertools.islice(self.iterator, 1)]
        return self.first[0] if self.first else None

    def get_state(self) -> Any:
        """Return what a sequence counts itself, if it says so; see `BackupAndRestore`."""
        return self.data.get_state() if self.is_sequence and hasattr(self.data, "get_state") else None

    def set_state(self, state: Any) -> None:
        """Let a sequence go on from there."""
        if state is not None and hasattr(self.data, "set_state"):
            self.data.set_state(state)

    def epoch(self, epoch: int, done: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, without the first ones, which were done before."""
        begin, end = (getattr(self.data, f"on_epoch_{name}", None) for name in ("begin", "end"))
        if begin is not None and self.is_sequence:
            begin()
        for item in self.in_order(epoch, done):
            yield self.check(*parts_of(item))
        if end is not None and self.is_sequence:
            end()

    def in_order(self, epoch: int, done: int = 0) -> Iterator[Any]:
        """Yield the batches of an epoch, without the first ones, as they come."""
        if not self.is_sequence:
            rest = iter(self.data) if self.iterator is None else self.iterator
            first, self.first, self.iterator = self.first, [], None
            yield from itertools.islice(itertools.chain(first, rest), done, None)
            return
        steps = length_of(self.data) or 0  # which may change between epochs
        order = np.random.default_rng((self.seed, epoch, ORDER)).permutation(steps)
        yield from (self.data[int(i)] for i in (order if self.shuffle else range(steps))[done:])


def length_of(data: Any) -> int | None:
    """Return how many batches an iterable yields, if it knows."""
    try:
        return len(data)
    except TypeError:  # also of what has __len__ and raises, as a DataLoader of an unknown length does
        return None


def parts_of(item: Any) -> tuple[Any, ...]:
    """Return what a batch consists of: x, and the targets and weights if it has them."""
    parts = tuple(item) if isinstance(item, list | tuple) else (item,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(
            f"A batch must be x, (x, y) or (x, y, sample_weight); the data yields {len(parts)} parts. "
            "Several inputs belong together: ((x1, x2), y)."
        )
    return parts
