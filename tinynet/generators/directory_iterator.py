"""Batches of pictures in a folder for each class: what `ImageDataGenerator.flow_from_directory` returns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..names import unknown
from .file_iterator import FileIterator
from .folders import class_folders, picture_files
from .image_transformer import ImageTransformer

SUFFIXES = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")
CLASS_MODES = ("categorical", "binary", "sparse", "input")


class DirectoryIterator(FileIterator):
    """Go through pictures in folders: arguments as of `ImageDataGenerator.flow_from_directory`.

    Example:
        >>> import tempfile
        >>> from tinynet.generators import ImageDataGenerator
        >>> from tinynet.utils import save_img
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("cat", "dog"):
        ...         (Path(folder) / name).mkdir()
        ...         save_img(Path(folder) / name / "1.png", np.zeros((8, 8, 3)))
        ...     batches = ImageDataGenerator().flow_from_directory(folder, (8, 8))
        Found 2 images belonging to 2 classes.
        >>> batches.class_indices
        {'cat': 0, 'dog': 1}
    """

    def __init__(
        self,
        directory: Any,
        image_data_generator: ImageTransformer,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> None:
        if class_mode is not None and class_mode not in CLASS_MODES:
            raise ValueError(f"flow_from_directory: {unknown('class_mode', class_mode, CLASS_MODES)}")
        folders = class_folders("flow_from_directory", directory)
        names = list(classes) if classes else folders
        for name in names:
            if name not in folders:
                raise ValueError(f"flow_from_directory: {unknown('class', name, folders)}")
        share = None if subset is None else image_data_generator.split_of(subset)
        self.directory, self.class_indices = directory, {name: i for i, name in enumerate(names)}
        self.num_classes = len(names)
        files: list[str] = []
        numbers: list[int] = []
        for number, name in enumerate(names):
            found = list(picture_files(Path(directory) / name, SUFFIXES, follow_links))
            if share is not None:
                at = int(share * len(found))
                found = found[:at] if subset == "validation" else found[at:]
            files += found
            numbers += [number] * len(found)
        if not files:
            raise ValueError(
                f"flow_from_directory: found no pictures in {os.fspath(directory)!r}"
                + (f" for the subset {subset!r}" if subset else "")
                + f"; it must have a folder for each class, with files that end in {', '.join(SUFFIXES)}."
            )
        self.classes = np.array(numbers, np.int32)
        self.filenames = [os.path.relpath(file, directory) for file in files]
        super().__init__(
            image_data_generator,
            files,
            class_mode,
            target_size,
            color_mode,
            interpolation,
            keep_aspect_ratio,
            save_to_dir,
            save_prefix,
            save_format,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
        )
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
