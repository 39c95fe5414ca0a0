"""Pictures in folders as data for training: Keras's `image_dataset_from_directory`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images.loading import channels_last, check_color_mode
from ..names import unknown
from .folders import class_folders, picture_files
from .image_dataset import ImageDataset
from .resizing import METHODS

Array = NDArray[Any]

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
LABEL_MODES = ("int", "categorical", "binary")
OWNER = "image_dataset_from_directory"


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int = 32,
    image_size: tuple[int, int] | int = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    verbose: bool = True,
) -> Any:
    """Make data for training of the pictures in a folder, as in Keras; they are read batch by batch.

    The order of files and the parts for training and validation are Keras's for the same seed.

    Args:
        directory: a folder that has a folder for each class, if labels are inferred. Pictures are the files
            that end in .bmp, .gif, .jpeg, .jpg or .png.
        labels: "inferred" (the default) from the folders' names; a list of integers, one a file in the order
            of their sorted paths; or None for no labels.
        label_mode: "int" (the default) for int32 (N,), "binary" for float32 0 and 1 (N, 1), "categorical" for
            float32 one-hot rows (N, classes), None for no labels.
        class_names: the folders' names, in the order of the class numbers; default None for all, sorted.
        color_mode: "rgb" (the default), "rgba" or "grayscale".
        batch_size: pictures in a batch; default 32.
        image_size: (height, width) that all pictures get, or one number for both; default (256, 256).
        shuffle: whether files are mixed, and each epoch has another order; default True. Else they are
            sorted.
        seed: of the order; None (the default) takes one from NumPy's `np.random`.
        validation_split: the share of the files that is for validation; default None. Then `subset` is
            needed, and a seed, if files are shuffled.
        subset: "training", "validation" or "both"; default None.
        interpolation: how pictures get their size: "bilinear" (the default), "nearest", "bicubic", "area",
            "lanczos3", "lanczos5", "gaussian" or "mitchellcubic", as TensorFlow does it.
        follow_links: whether links to folders are followed; default False.
        crop_to_aspect_ratio: whether the middle of the picture is taken that has the size's proportions; else
            (default) the picture is stretched.
        pad_to_aspect_ratio: or whether it is put amid zeros; default False.
        data_format: None or "channels_last"; tinynet has no other.
        verbose: whether to print how many files there are; default True.

    Returns:
        An `ImageDataset`, which `fit`, `evaluate` and `predict` take: batches `(images, labels)`, or of
        images alone, float32 (N, *image_size, channels) from 0 to 255. It has `class_names` and `file_paths`.
        With "both", a list of two, for training and validation.

    Raises:
        FileNotFoundError: there is no such folder.
        tinynet.ImageError: when a batch is made: a file is damaged; the message names it.
        ValueError: no pictures, or settings that do not fit.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from pathlib import Path
        >>> from tinynet.utils import save_img
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("cats", "dogs"):
        ...         (Path(folder) / name).mkdir()
        ...         save_img(Path(folder) / name / "1.png", np.zeros((30, 40, 3)))
        ...     data = image_dataset_from_directory(folder, image_size=(8, 8), seed=0, verbose=False)
        ...     images, labels = next(iter(data))
        >>> data.class_names, images.shape, sorted(labels.tolist())
        (['cats', 'dogs'], (2, 8, 8, 3), [0, 1])
    """
    channels_last(OWNER, data_format)
    check_color_mode(OWNER, color_mode)
    size = _size(image_size)
    for name, value, known in (
        ("interpolation", interpolation.lower(), METHODS),
        ("label_mode", label_mode or "int", LABEL_MODES),
    ):
        if value not in known:
            raise ValueError(f"{OWNER}: {unknown(name, value, known)}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(f"{OWNER}: give one of crop_to_aspect_ratio and pad_to_aspect_ratio, not both.")
    _check_split(validation_split, subset, shuffle, seed)
    labels = None if label_mode is None else labels
    files, numbers, names = find_files(directory, labels, class_names, follow_links)
    if label_mode == "binary" and names is not None and len(names) != 2:
        raise ValueError(f"{OWNER}: label_mode 'binary' is for two classes; there are {len(names)}: {names}.")
    if label_mode == "categorical" and numbers is not None and len(files):
        least, greatest, count = numbers.min(), numbers.max(), len(names or ())
        if least < 0 or greatest >= count:
            raise ValueError(
                f"{OWNER}: label_mode 'categorical' needs labels from 0 to {count - 1}, of {count} classes; "
                f"got some from {least} to {greatest}."
            )
    if verbose:
        print(
            f"Found {len(files)} files" + ("." if names is None else f" belonging to {len(names)} classes.")
        )
    if seed is None:
        seed = int(np.random.randint(1_000_000))  # noqa: NPY002  (as Keras does)
    order = np.random.RandomState(seed).permutation(len(files)) if shuffle else np.arange(len(files))

    def made(part: str | None, chosen: Array, mixed: bool) -> ImageDataset:
        if verbose and part is not None:
            print(f"Using {len(chosen)} files for {part}.")
        if not len(chosen):
            raise ValueError(
                f"{OWNER}: found no pictures" + (f" for {part}" if part else "") + f" in "
                f"{os.fspath(directory)!r}; their names end in {', '.join(SUFFIXES)}."
            )
        return ImageDataset(
            [files[i] for i in chosen],
            None if numbers is None else numbers[chosen],
            names,
            label_mode,
            color_mode,
            batch_size,
            size,
            mixed,
            seed,
            interpolation.lower(),
            crop_to_aspect_ratio,
            pad_to_aspect_ratio,
        )

    at = len(files) - int((validation_split or 0) * len(files))
    if subset == "both":
        return [made("training", order[:at], shuffle), made("validation", order[at:], False)]
    return made(subset, order[at:] if subset == "validation" else order[:at], shuffle)


def find_files(
    directory: Any, labels: Any, class_names: Sequence[str] | None, follow_links: bool
) -> tuple[list[str], Array | None, list[str] | None]:
    """Find the pictures in a folder and their labels.

    Args:
        directory, labels, class_names, follow_links: see `image_dataset_from_directory`.

    Returns:
        The files; their labels (N,) int32, or None; and what the labels' numbers mean, or None.
    """
    folders = [name for name in class_folders(OWNER, directory) if not name.startswith(".")]
    if labels is not None and not isinstance(labels, str):
        labels = list(labels)
    elif labels not in ("inferred", None):
        raise ValueError(f"{OWNER}: labels must be 'inferred', None or a list of integers; got {labels!r}.")
    if labels == "inferred":
        names = folders if class_names is None else list(class_names)
        for name in names:
            if name not in folders:
                raise ValueError(f"{OWNER}: {unknown('class', name, folders)}")
        found = [list(picture_files(Path(directory) / name, SUFFIXES, follow_links)) for name in names]
        numbers = np.repeat(np.arange(len(names), dtype=np.int32), [len(files) for files in found])
        return [file for files in found for file in files], numbers, names
    if class_names is not None:
        raise ValueError(f"{OWNER}: class_names are for labels='inferred' alone.")
    files = list(picture_files(directory, SUFFIXES, follow_links))
    if labels is None:
        return files, None, None
    numbers = np.array(labels)
    if numbers.shape != (len(files),) or numbers.dtype.kind not in "iu":
        raise ValueError(
            f"{OWNER}: expected labels of {len(files)} integers, one for each file in "
            f"{os.fspath(directory)!r}; got {numbers.dtype} {numbers.shape}."
        )
    return files, numbers.astype(np.int32), [str(label) for label in sorted(set(labels))]


def _size(image_size: Any) -> tuple[int, int]:
    """Return the size as two numbers."""
    size = (image_size, image_size) if isinstance(image_size, int | np.integer) else image_size
    if not isinstance(size, tuple | list) or len(size) != 2 or not all(int(side) >= 1 for side in size):
        raise ValueError(f"{OWNER}: image_size must be (height, width) in pixels; got {image_size!r}.")
    return int(size[0]), int(size[1])


def _check_split(share: float | None, subset: str | None, shuffle: bool, seed: int | None) -> None:
    """Raise unless what is said of validation belongs together."""
    if subset not in (None, "training", "validation", "both"):
        raise ValueError(f"{OWNER}: {unknown('subset', subset, ('training', 'validation', 'both'))}")
    if bool(share) != (subset is not None):
        raise ValueError(f"{OWNER}: validation_split and subset go together; got {share!r} and {subset!r}.")
    if share and not 0 < share < 1:
        raise ValueError(f"{OWNER}: validation_split must be between 0 and 1; got {share!r}.")
    if share and shuffle and seed is None:
        raise ValueError(
            f"{OWNER}: validation_split with shuffle=True needs a seed, the same one for both subsets: else "
            "some files are in both."
        )
