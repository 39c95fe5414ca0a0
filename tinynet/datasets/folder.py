"""Pictures in folders as arrays, read as `predict_image` reads them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import images
from ..execution.parallel import run
from ..generators.folders import class_folders, picture_files
from ..names import unknown

CHANNELS = {"rgb": 3, "grayscale": 1}


def image_folder(
    directory: str | os.PathLike[str],
    size: tuple[int, int],
    color_mode: str = "rgb",
    crop_to_aspect_ratio: bool = False,
    seed: int | None = 0,
) -> tuple[NDArray[np.uint8], NDArray[np.int32], list[str]]:
    """Load all pictures in a folder that has a folder for each class.

    They are read as `predict_image` reads those that a model trained on them gets: the right way up, and
    transparent pixels white. For more pictures than fit into memory, `utils.image_dataset_from_directory`
    reads them batch by batch, and as Keras does.

    Args:
        directory: the folder. Pictures are the files whose names end as pictures' do: .png, .jpg, .webp,
            .tif and so on, but what is hidden.
        size: (height, width) that all pictures get; of a larger picture, all of its pixels count.
        color_mode: "rgb" (the default) or "grayscale".
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
    if color_mode not in CHANNELS:
        raise ValueError(f"image_folder: {unknown('color_mode', color_mode, CHANNELS)}")
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"image_folder: size must be (height, width) in pixels; got {size!r}.")
    names = [name for name in class_folders("image_folder", directory) if not name.startswith(".")]
    found = [
        (file, label)
        for label, name in enumerate(names)
        for file in picture_files(Path(directory) / name, images.SUFFIXES, follow_links=False)
        if not Path(file).name.startswith(".")
    ]
    if not found:
        raise ValueError(
            f"image_folder: found no pictures in folders of {os.fspath(directory)!r}; each class needs a "
            f"folder, with files that end in {', '.join(images.SUFFIXES)}."
        )
    order = np.arange(len(found)) if seed is None else np.random.RandomState(seed).permutation(len(found))
    x = np.empty((len(found), *size, CHANNELS[color_mode]), np.uint8)

    def read(place: int) -> None:
        pixels = images.open_photo(found[order[place]][0], CHANNELS[color_mode])
        if crop_to_aspect_ratio:
            pixels = middle(pixels, *size)
        x[place] = np.rint(255 * images.resized(pixels, *size)).reshape(x.shape[1:])

    run(read, len(found))
    return x, np.array([found[place][1] for place in order], np.int32), names


def middle(pixels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Return the largest part amid a picture (H, W, ...) that has the proportions of height and width."""
    sides = pixels.shape[:2]
    scale = min(sides[0] / height, sides[1] / width)
    kept = [max(round(scale * side), 1) for side in (height, width)]
    top, left = ((side - part) // 2 for side, part in zip(sides, kept, strict=True))
    return pixels[top : top + kept[0], left : left + kept[1]]
