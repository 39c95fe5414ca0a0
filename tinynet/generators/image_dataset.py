"""Pictures in files as data for training."""

from __future__ import annotations

import copy
import itertools
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.batches import batches
from ..data.py_dataset import PyDataset
from ..execution.parallel import run
from ..images.loading import load_8_bits
from .resizing import fitted

Array = NDArray[Any]


class ImageDataset(PyDataset):
    """Pictures from files, read batch by batch, and labels: what `image_dataset_from_directory` returns.

    Going through it once is an epoch; if it is shuffled, the next one has another order.

    Args:
        file_paths: the files.
        labels: (N,) integers, or None.
        class_names: what the labels' numbers mean, or None.
        label_mode, color_mode, batch_size, image_size, shuffle, seed, interpolation: see
            `image_dataset_from_directory`.
        crop, pad: see `fitted`.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from tinynet.utils import image_dataset_from_directory, save_img
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("cat", "dog"):
        ...         (Path(folder) / name).mkdir()
        ...         save_img(Path(folder) / name / "1.png", np.zeros((8, 8, 3)))
        ...     dataset = image_dataset_from_directory(folder, image_size=(8, 8))
        ...     images, labels = dataset[0]
        Found 2 files belonging to 2 classes.
        >>> dataset.class_names, images.shape
        (['cat', 'dog'], (2, 8, 8, 3))
    """

    def __init__(
        self,
        file_paths: Sequence[str],
        labels: Array | None,
        class_names: list[str] | None,
        label_mode: str | None,
        color_mode: str,
        batch_size: int,
        image_size: tuple[int, int],
        shuffle: bool,
        seed: int,
        interpolation: str,
        crop: bool,
        pad: bool,
    ) -> None:
        super().__init__()
        self.file_paths, self.labels, self.class_names = list(file_paths), labels, class_names
        self.label_mode, self.color_mode, self.batch_size = label_mode, color_mode, batch_size
        self.image_size, self.is_shuffled, self.seed = image_size, shuffle, seed
        self.interpolation, self.crop, self.pad = interpolation, crop, pad
        self._epoch = 0
        self._set_order()

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self._order)

    def __getitem__(self, index: int) -> Any:
        """Return the batch of this number: float32 images from 0 to 255 and their labels, or images alone."""
        if not 0 <= operator.index(index) < len(self):
            raise IndexError(f"There are batches 0 to {len(self) - 1}; got {index}.")
        chosen = self._order[index]
        images = np.stack(run(lambda i: self._image(self.file_paths[chosen[i]]), len(chosen)))
        if self.labels is None:
            return images
        labels = self.labels[chosen]
        if self.label_mode == "binary":
            return images, labels.astype(np.float32)[:, np.newaxis]
        if self.label_mode == "categorical":
            return images, np.eye(len(self.class_names or ()), dtype=np.float32)[labels]
        return images, labels

    def __iter__(self) -> Iterator[Any]:
        """Go through the batches once."""
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()

    def take(self, count: int) -> Iterator[Any]:
        """Go through the first batches."""
        return itertools.islice(iter(self), count)

    def cache(self, filename: str = "") -> ImageDataset:
        """Return the data set itself: pictures are read anew in each epoch."""
        return self

    def prefetch(self, buffer_size: int | None = None) -> ImageDataset:
        """Return the data set itself: `fit` asks for a batch when it needs it."""
        return self

    def shuffle(
        self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True
    ) -> ImageDataset:
        """Return the data with all pictures in another order in each epoch, whatever the buffer's size."""
        if self.is_shuffled:
            return self
        shuffled = copy.copy(self)
        shuffled.is_shuffled, shuffled.seed = True, self.seed if seed is None else seed
        shuffled._set_order()
        return shuffled

    def get_state(self) -> dict[str, Any]:
        """Return what `BackupAndRestore` keeps, from which the order follows."""
        return {"epoch": self._epoch}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        self._epoch = state["epoch"]
        self._set_order()

    def on_epoch_end(self) -> None:
        """Put the pictures into another order, if they are shuffled."""
        self._epoch += 1
        self._set_order()

    def _set_order(self) -> None:
        self._order = list(
            batches(
                len(self.file_paths),
                self.batch_size,
                shuffle=self.is_shuffled,
                seed=self.seed,
                epoch=self._epoch,
            )
        )

    def _image(self, path: str) -> Array:
        """Return a picture, (*image_size, channels) float32 from 0 to 255."""
        pixels = load_8_bits(path, self.color_mode)
        return fitted(pixels, self.image_size, self.interpolation, self.crop, self.pad)
