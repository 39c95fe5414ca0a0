"""EMNIST: handwritten letters and digits, 28 × 28, in six splits.

The data is by Cohen, Afshar, Tapson and van Schaik, "EMNIST: Extending MNIST to handwritten letters", 2017.
Source: https://www.nist.gov/itl/products-and-services/emnist-dataset
"""

from __future__ import annotations

import string

import numpy as np

from ..names import unknown
from .idx_files import IdxFiles, Split

__all__ = ["class_names", "load_data"]

MERGED = string.digits + string.ascii_uppercase + "abdefghnqrt"  # whose small letters look otherwise
SPLITS = {  # and their classes
    "letters": string.ascii_uppercase,
    "digits": string.digits,
    "mnist": string.digits,
    "balanced": MERGED,
    "bymerge": MERGED,
    "byclass": string.digits + string.ascii_uppercase + string.ascii_lowercase,
}
FOLDERS = ["emnist", "EMNIST/raw", "gzip", "emnist/gzip"]
ARCHIVE = "gzip.zip"
ADVICE = (
    "gzip.zip (562 MB), from https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip or by way of "
    "https://www.nist.gov/itl/products-and-services/emnist-dataset, as it is or these files of it,"
)


def load_data(split: str = "letters") -> tuple[Split, Split]:
    """Load a split of EMNIST from your files; it is not fetched, because all splits are in one large archive.

    They are looked for in the folder emnist (or torchvision's EMNIST/raw) of the one that `TINYNET_DATA`
    names and in that one itself, and in emnist of tinynet's cache and of Keras's cache: gzip.zip as it is
    published, or the files in it, plain or .gz. In the files images lie on their sides, mirrored; here they
    are upright, as in MNIST. Letters are numbered from 0 here, in the files from 1.

    Args:
        split: "letters" (the default: 26 classes, in which capital and small letters are one), "digits",
            "mnist" (10), "balanced", "bymerge" (47: digits, capitals, and the small letters that look
            otherwise), or "byclass" (62).

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8: images (N, 28, 28), black 0 to white 255, and
        labels (N,), which are places in `class_names(split)`.

    Raises:
        ConnectionError: it is nowhere; says which files to put where.
        ValueError: another split, or files of different versions.

    Example:
        >>> from tinynet.datasets import emnist
        >>> (x_train, y_train), (x_test, y_test) = emnist.load_data("letters")  # doctest: +SKIP
        >>> x_train.shape, y_train.min(), y_train.max()  # doctest: +SKIP
        ((124800, 28, 28), 0, 25)
    """
    names = class_names(split)
    first = int(split == "letters")
    parts = IdxFiles(
        f"EMNIST's {split}",
        FOLDERS,
        {"train": None, "test": None},
        classes=first + len(names),
        prefix=f"emnist-{split}-",
        archive=ARCHIVE,
        advice=ADVICE,
    ).load()
    if first and min(y.min() for _, y in parts) < first:
        raise ValueError("EMNIST's letters: expected labels from 1 in the files, got 0")
    upright = [(np.ascontiguousarray(x.transpose(0, 2, 1)), y - np.uint8(first)) for x, y in parts]
    return upright[0], upright[1]


def class_names(split: str = "letters") -> list[str]:
    """Return what the labels of a split mean.

    Args:
        split: as for `load_data`; default "letters".

    Returns:
        The characters, in the order of the labels.

    Raises:
        ValueError: another split.

    Example:
        >>> class_names("letters")[:3], len(class_names("balanced"))
        (['A', 'B', 'C'], 47)
    """
    if split not in SPLITS:
        raise ValueError(f"emnist: {unknown('split', split, SPLITS)}")
    return [*SPLITS[split]]


def __dir__() -> list[str]:
    return __all__
