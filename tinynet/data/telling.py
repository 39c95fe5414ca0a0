"""What an idx file is that is not MNIST's: another dataset of the same form, or MNIST's, damaged."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from .idx import decode_idx

# Of MNIST's files: three places in each, 784 bytes of images or 64 labels, and their CRC-32. A damaged file
# still has one of them, most likely; another dataset has none.
MARKS = {
    "train-images-idx3-ubyte": {16: 2427004754, 23520016: 108049352, 47039232: 1655297405},
    "train-labels-idx1-ubyte": {8: 2926931949, 30008: 1247184199, 59944: 2999498325},
    "t10k-images-idx3-ubyte": {16: 2125712646, 3920016: 1541075261, 7839232: 4049437131},
    "t10k-labels-idx1-ubyte": {8: 2489664788, 5008: 1818387527, 9944: 3099826971},
}
FASHION_MNIST = {  # SHA-256 of its files, unpacked
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
KMNIST = {  # and of KMNIST's, as they are published, .gz
    "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
    "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
    "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
    "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
}
EMNIST = {  # samples, which no other of these datasets has
    697_932: "byclass or bymerge", 116_323: "byclass or bymerge", 112_800: "balanced", 18_800: "balanced",
    124_800: "letters", 20_800: "letters", 240_000: "digits", 40_000: "digits",
}  # fmt: skip


def what_it_is(name: str, content: bytes, packed: bytes, known: dict[str, str]) -> str:
    """Return what a file is that was taken for one of MNIST's, and what to do: the end of an error message.

    Args:
        name: the file of MNIST's that it was taken for.
        content: the bytes of the file, unpacked.
        packed: as they lie in the file.
        known: the SHA-256 of MNIST's files by their names.
    """
    digest = hashlib.sha256(content).hexdigest()
    for other, expected in known.items():
        if digest == expected:
            return f"it is MNIST's {other}: rename it"
    if digest in FASHION_MNIST:
        return "it is Fashion-MNIST's, " + _read_by("fashion_mnist")
    if hashlib.sha256(packed).hexdigest() in KMNIST:
        return "it is KMNIST's, " + _read_by("kmnist")
    size = 784 if "images" in name else 64
    for place, mark in MARKS[name].items():
        if zlib.crc32(content[place : place + size]) == mark:
            return f"it is damaged, {SO}"
    try:
        array = decode_idx(content, name)
    except ValueError:
        return f"it is damaged, or no idx file, {SO}"
    return _other(array)


SO = "so move it away to have it fetched again"


def _other(array: npt.NDArray[Any]) -> str:
    """Return what a whole idx array is in which there is nothing of MNIST's."""
    split = EMNIST.get(len(array) if array.ndim else 0)
    if split and array.dtype == np.uint8 and array.shape[1:] in ((), (28, 28)):
        return f"it is EMNIST's, of the split {split}, " + _read_by("emnist")
    return (
        f"it is whole, {array.dtype} {array.shape}, and another dataset's, such as KMNIST's: data.read_idx "
        "reads any such file; for MNIST give another folder"
    )


def _read_by(module: str) -> str:
    """Return what reads another dataset."""
    return f"which datasets.{module}.load_data() reads; for MNIST give another folder"
