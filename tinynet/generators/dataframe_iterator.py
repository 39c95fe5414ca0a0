"""Batches of pictures that stand in a table: what `ImageDataGenerator.flow_from_dataframe` returns."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from ..names import unknown
from .directory_iterator import CLASS_MODES, SUFFIXES
from .file_iterator import FileIterator
from .image_transformer import ImageTransformer

WITH_CLASSES = ("categorical", "binary", "sparse")


class DataFrameIterator(FileIterator):
    """Go through pictures in a table: the arguments are those of `ImageDataGenerator.flow_from_dataframe`.

    Example:
        >>> import tempfile
        >>> from tinynet.generators import ImageDataGenerator
        >>> from tinynet.utils import save_img
        >>> table = {"filename": ["a.png", "b.png"], "class": ["cat", "dog"]}  # or a pandas.DataFrame
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in table["filename"]:
        ...         save_img(os.path.join(folder, name), np.zeros((8, 8, 3)))
        ...     batches = ImageDataGenerator().flow_from_dataframe(table, folder, target_size=(8, 8))
        Found 2 validated image filenames belonging to 2 classes.
        >>> batches.class_indices
        {'cat': 0, 'dog': 1}
    """

    def __init__(
        self,
        dataframe: Any,
        directory: Any,
        image_data_generator: ImageTransformer,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
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
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        validate_filenames: bool = True,
    ) -> None:
        modes = (*CLASS_MODES, "raw", "multi_output")
        if class_mode is not None and class_mode not in modes:
            raise ValueError(f"flow_from_dataframe: {unknown('class_mode', class_mode, modes)}")
        if class_mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(f"flow_from_dataframe: with 'multi_output', y_col must be a list; got {y_col!r}.")

        def column(name: str) -> list[Any]:
            if name not in dataframe:
                raise ValueError(f"flow_from_dataframe: {unknown('column', name, map(str, dataframe))}")
            return list(dataframe[name])

        names = column(x_col)
        if not all(isinstance(name, str) for name in names):
            raise TypeError(f"flow_from_dataframe: the column {x_col!r} must hold file names, strings.")
        paths = [os.path.join(directory or "", name) for name in names]  # noqa: PTH118 (names stay as they are)
        rows = list(range(len(names)))
        if validate_filenames:
            rows = [row for row in rows if _is_picture(paths[row])]
            if len(rows) < len(names):
                warnings.warn(
                    f"flow_from_dataframe: {len(names) - len(rows)} of {len(names)} file names in the column "
                    f"{x_col!r} are left out: there are no such pictures.",
                    stacklevel=3,
                )
        if class_mode in WITH_CLASSES:
            rows = self._find_classes(column(y_col), rows, classes)
        if subset is not None:
            at = int(len(rows) * image_data_generator.split_of(subset))
            rows = rows[:at] if subset == "validation" else rows[at:]
        if not rows:
            raise ValueError(
                "flow_from_dataframe: no pictures are left; check the file names and the subset."
            )
        if class_mode in WITH_CLASSES:
            self.classes = [self._numbers[row] for row in rows]
        elif class_mode == "raw":
            self.targets = np.array(column(y_col))[rows]
        elif class_mode == "multi_output":
            self.targets = [np.array(column(name))[rows] for name in y_col]
        self.sample_weight = None if weight_col is None else np.array(column(weight_col), np.float64)[rows]
        self.filenames = [names[row] for row in rows]
        self.directory = directory or ""
        super().__init__(
            image_data_generator,
            [paths[row] for row in rows],
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
        kinds = f" belonging to {len(self.class_indices)} classes" if class_mode in WITH_CLASSES else ""
        checked = "validated" if validate_filenames else "non-validated"
        print(f"Found {self.samples} {checked} image filenames{kinds}.")

    def _find_classes(self, labels: list[Any], rows: list[int], classes: Any) -> list[int]:
        """Give the classes numbers, and return the rows that have one."""
        several = {row: list(labels[row]) for row in rows if isinstance(labels[row], list | tuple)}
        lists = {row: several.get(row, [labels[row]]) for row in rows}
        for row, names in lists.items():
            if not all(isinstance(name, str) for name in names):
                raise TypeError(
                    f"flow_from_dataframe: classes must be strings, or lists of them, got {labels[row]!r}; "
                    "use class_mode='raw' for numbers, or make them strings with .astype(str)."
                )
        known = (
            list(dict.fromkeys(classes))
            if classes
            else sorted({n for names in lists.values() for n in names})
        )
        self.class_indices = {name: i for i, name in enumerate(known)}
        kept = {
            row: [self.class_indices[n] for n in names if n in self.class_indices]
            for row, names in lists.items()
        }
        self._numbers: dict[int, Any] = {
            row: numbers if row in several else numbers[0] for row, numbers in kept.items() if numbers
        }
        return list(self._numbers)


def _is_picture(path: str) -> bool:
    return path.lower().endswith(SUFFIXES) and os.path.isfile(path)  # noqa: PTH113 (any string may stand there)
