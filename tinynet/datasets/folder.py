"""Pictures in folders as arrays."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from ..generators.dataset_from_directory import image_dataset_from_directory


def image_folder(
    directory: str | os.PathLike[str],
    size: tuple[int, int],
    color_mode: str = "rgb",
    crop_to_aspect_ratio: bool = False,
    seed: int | None = 0,
) -> tuple[NDArray[np.uint8], NDArray[np.int32], list[str]]:
    """Load all pictures in a folder that has a folder for each class.

    For more pictures than fit into memory, `utils.image_dataset_from_directory` reads them batch by batch.

    Args:
        directory: the folder. Pictures are the files that end in .bmp, .gif, .jpeg, .jpg or .png.
        size: (height, width) that all pictures get; each pixel is the mean of what it covers.
        color_mode: "rgb" (the default), "rgba" or "grayscale".
        crop_to_aspect_ratio: whether the middle of the picture is taken that has the size's proportions; else
            (default) the picture is stretched.
        seed: of the order, in which the classes are mixed, as `fit(validation_split=...)` needs it; default
            0. None sorts them.

    Returns:
        `(x, y, class_names)`: images (N, height, width, channels), uint8; labels (N,), int32, which are
        places in class_names, the folders' names, sorted.

    Raises:
        FileNotFoundError: there is no such folder.
        tinynet.ImageError: a file is damaged; the message names it.
        ValueError: there are no pictures, or an argument is wrong.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from tinynet.utils import save_img
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("cats", "dogs"):
        ...         (Path(folder) / name).mkdir()
        ...         save_img(Path(folder) / name / "1.png", np.zeros((30, 40, 3)))
        ...     x, y, class_names = image_folder(folder, size=(28, 28))
        >>> x.shape, sorted(y.tolist()), class_names
        ((2, 28, 28, 3), [0, 1], ['cats', 'dogs'])
    """
    data = image_dataset_from_directory(
        directory,
        color_mode=color_mode,
        image_size=size,
        shuffle=seed is not None,
        seed=seed,
        interpolation="area",
        crop_to_aspect_ratio=crop_to_aspect_ratio,
        verbose=False,
    )
    count, start = len(data.file_paths), 0
    y = np.empty(count, np.int32)
    for images, labels in data:
        if not start:
            x = np.empty((count, *images.shape[1:]), np.uint8)
        stop = start + len(images)
        np.rint(images, out=x[start:stop], casting="unsafe")
        y[start:stop] = labels
        start = stop
    return x, y, data.class_names
