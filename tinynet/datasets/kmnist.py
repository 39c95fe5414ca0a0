"""KMNIST (Kuzushiji-MNIST): cursive Japanese characters of old books, 28 × 28, in 10 classes.

The data is by the ROIS-DS Center for Open Data in the Humanities, under CC BY-SA 4.0; Clanuwat et al., "Deep
Learning for Classical Japanese Literature", 2018. Source: http://codh.rois.ac.jp/kmnist/
"""

from __future__ import annotations

from .idx_files import IdxFiles, Split

__all__ = ["load_data"]

FOLDERS = ["kmnist", "KMNIST/raw"]  # the second is torchvision's
SHA256 = {  # of the files as they are published
    "train-images-idx3-ubyte.gz": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
    "train-labels-idx1-ubyte.gz": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
    "t10k-images-idx3-ubyte.gz": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
    "t10k-labels-idx1-ubyte.gz": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
}
SAMPLES = {"train": 60_000, "t10k": 10_000}
SOURCES = [
    "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    "https://storage.googleapis.com/kuzushiji-mnist/",
]


def load_data() -> tuple[Split, Split]:
    """Load KMNIST, and fetch it the first time.

    Its four files are looked for, plain or .gz, in the folder kmnist (or torchvision's KMNIST/raw) of the one
    that `TINYNET_DATA` names, and in kmnist of tinynet's cache and of Keras's cache. In the folder of
    `TINYNET_DATA` itself only the published .gz files count, because other datasets have the same names. What
    is fetched (21 MB) is verified by its checksum, and kept in tinynet's cache. The classes are the
    characters o, ki, su, tsu, na, ha, ma, ya, re, wo.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8: images (60000, 28, 28) and (10000, 28, 28), black
        0 to white 255, and labels (60000,) and (10000,) from 0 to 9.

    Raises:
        ConnectionError: it is nowhere; says what was tried, and which files to put where.

    Example:
        >>> from tinynet.datasets import kmnist
        >>> (x_train, y_train), (x_test, y_test) = kmnist.load_data()  # doctest: +SKIP
        >>> x_train.shape, y_train.shape  # doctest: +SKIP
        ((60000, 28, 28), (60000,))
    """
    return IdxFiles("KMNIST", FOLDERS, SAMPLES, sources=SOURCES, sha256=SHA256).load()


def __dir__() -> list[str]:
    return __all__
