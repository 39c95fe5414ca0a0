"""Batches of transformed pictures that are read from files when they are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..execution.parallel import run
from ..images.loading import CHANNELS, INTERPOLATIONS, check_color_mode, img_to_array, load_img
from ..names import unknown
from .image_transformer import ImageTransformer
from .iterator import Iterator

Array = NDArray[Any]


class FileIterator(Iterator):
    """Go through picture files: what iterators over folders and over tables share.

    Args:
        generator: transforms and standardizes.
        filepaths: the files.
        class_mode: what y is; see `ImageDataGenerator.flow_from_directory`.
        target_size, color_mode, interpolation, keep_aspect_ratio: see `load_img`.
        settings: see `Iterator` and its attributes for saving.
    """

    classes: Any = None  # class numbers, (N,), or lists of them
    class_indices: dict[str, int]  # their numbers by their names
    targets: Any = None  # (N, ...), or a list of such
    sample_weight: Array | None = None

    def __init__(
        self,
        generator: ImageTransformer,
        filepaths: Sequence[str],
        class_mode: str | None,
        target_size: tuple[int, int],
        color_mode: str,
        interpolation: str,
        keep_aspect_ratio: bool,
        save_to_dir: Any,
        save_prefix: str,
        save_format: str,
        **settings: Any,
    ) -> None:
        check_color_mode("flow", color_mode)
        if interpolation not in INTERPOLATIONS:
            raise ValueError(unknown("interpolation", interpolation, INTERPOLATIONS))
        if len(target_size) != 2 or not all(size >= 1 for size in target_size):
            raise ValueError(f"target_size must be (height, width) in pixels; got {target_size!r}.")
        super().__init__(len(filepaths), **settings)
        self.image_data_generator, self.class_mode = generator, class_mode
        self.filepaths, self.samples, self.dtype = list(filepaths), len(filepaths), generator.dtype
        self.target_size, self.color_mode = (int(target_size[0]), int(target_size[1])), color_mode
        self.image_shape = (*self.target_size, CHANNELS[color_mode])
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format

    @property
    def labels(self) -> Any:
        """The class number of every picture, or its targets."""
        return self.classes if self.targets is None else self.targets

    def _get_batches_of_transformed_samples(self, index_array: Array) -> Any:
        images = np.empty((len(index_array), *self.image_shape), self.dtype)

        def read(i: int) -> None:
            images[i] = img_to_array(
                load_img(
                    self.filepaths[index_array[i]],
                    self.color_mode,
                    self.target_size,
                    self.interpolation,
                    self.keep_aspect_ratio,
                ),
                dtype=self.dtype,
            )

        run(read, len(images))
        images = self.image_data_generator.batch(images, self._random)
        self._save(images, index_array, 10_000_000)
        if self.class_mode is None:
            return images
        y = self._targets_of(images, index_array)
        weight = self.sample_weight
        return (images, y) if weight is None else (images, y, weight[index_array])

    def _targets_of(self, images: Array, index_array: Array) -> Any:
        """Return what comes beside the images of a batch."""
        if self.class_mode == "input":
            return images.copy()
        if self.class_mode == "multi_output":
            return [column[index_array] for column in self.targets]
        if self.class_mode == "raw":
            return self.targets[index_array]
        numbers = [self.classes[i] for i in index_array]
        if self.class_mode in ("binary", "sparse"):
            return np.array(numbers, self.dtype)
        rows = np.zeros((len(images), len(self.class_indices)), self.dtype)
        for row, number in zip(rows, numbers, strict=True):
            row[number] = 1
        return rows
