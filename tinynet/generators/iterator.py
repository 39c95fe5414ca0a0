"""What goes through images batch by batch, without end, as Keras's iterators do."""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator as EndlessIterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.py_dataset import PyDataset
from ..images.loading import array_to_img

Array = NDArray[Any]


class Iterator(PyDataset):
    """Batches of images: `next(iterator)` gives one after another, without end, `iterator[i]` a certain one.

    `fit`, `evaluate` and `predict` take it: an epoch has `len(iterator)` batches, the last of which may be
    smaller. With a seed, batches are what Keras's are with it: batch number b that is asked for, counted from
    0, follows from seed + b. Without one, they follow from NumPy's `np.random`.

    Args:
        n: how many samples there are.
        batch_size: samples in a batch.
        shuffle: whether each epoch goes through them in another order.
        seed: an integer, or None.
        **kwargs: see `PyDataset`.

    Example:
        >>> from tinynet.generators import ImageDataGenerator
        >>> batches = ImageDataGenerator().flow(np.zeros((5, 8, 8, 1)), batch_size=2)
        >>> isinstance(batches, Iterator), len(batches), next(batches).shape, batches[2].shape
        (True, 3, (2, 8, 8, 1), (1, 8, 8, 1))
    """

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer; got {batch_size!r}.")
        self.n, self.batch_size, self.shuffle, self.seed = n, int(batch_size), shuffle, seed
        self.batch_index = self.total_batches_seen = 0
        self.index_array: Array | None = None
        self.lock = threading.RLock()  # a signal handler may ask for a batch, too
        self._random: Any = np.random if seed is None else np.random.RandomState(seed)

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        """Return the batch of this number in the current epoch, transformed anew each time."""
        if not 0 <= operator.index(idx) < len(self):
            raise IndexError(f"There are batches 0 to {len(self) - 1}; got {idx}.")
        with self.lock:
            self._seed()
            if self.index_array is None:
                self._set_index_array()
            return self._batch(idx)

    def __iter__(self) -> EndlessIterator[Any]:
        """Return the iterator itself, which has no end."""
        return self

    def __next__(self) -> Any:
        """Return the next batch; after the last one of an epoch, the first of another."""
        with self.lock:
            self._seed()
            if self.batch_index == 0:
                self._set_index_array()
            idx = self.batch_index
            self.batch_index = (idx + 1) % len(self)
            return self._batch(idx)

    def next(self) -> Any:
        """Return the next batch, as `next(iterator)` does."""
        return next(self)

    def reset(self) -> None:
        """Let `next` begin a new epoch."""
        self.batch_index = 0

    def get_state(self) -> dict[str, Any]:
        """Return what `BackupAndRestore` keeps, with the state of the random numbers."""
        counts = {"total_batches_seen": self.total_batches_seen, "batch_index": self.batch_index}
        return {"counts": counts | {"index_array": self.index_array}, "random": self._random.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        vars(self).update(state["counts"])
        self._random.set_state(tuple(state["random"]))

    def on_epoch_end(self) -> None:
        """Put the samples into another order for the next epoch, if they are shuffled."""
        with self.lock:
            self._set_index_array()

    def _seed(self) -> None:
        if self.seed is not None:
            self._random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1

    def _set_index_array(self) -> None:
        self.index_array = self._random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _batch(self, idx: int) -> Any:
        assert self.index_array is not None
        return self._get_batches_of_transformed_samples(
            self.index_array[idx * self.batch_size : (idx + 1) * self.batch_size]
        )

    def _get_batches_of_transformed_samples(self, index_array: Array) -> Any:
        """Return the batch of these samples."""
        raise NotImplementedError

    def _save(self, images: Array, index_array: Array, hashes: int) -> None:
        """Write the images of a batch to the folder `save_to_dir`, if there is one, for people to look at."""
        if self.save_to_dir is None:
            return
        for image, index in zip(images, index_array, strict=True):
            name = f"{self.save_prefix}_{index}_{self._random.randint(hashes)}.{self.save_format}"
            array_to_img(image).save(Path(self.save_to_dir) / name)

    save_to_dir: Any = None
    save_prefix: str = ""
    save_format: str = "png"
