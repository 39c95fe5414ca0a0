"""From idx bytes to batches: read, find, scale, split and augment images."""

from .augment import Augmentation
from .batches import batches, scale_pixels, train_validation_split
from .idx import read_idx, write_idx
from .mnist import fetch_mnist, load_mnist, mnist_directory, verify_mnist

AUTOTUNE = -1  # TensorFlow's `tf.data.AUTOTUNE`, for `prefetch`

__all__ = [
    "AUTOTUNE",
    "Augmentation",
    "batches",
    "fetch_mnist",
    "load_mnist",
    "mnist_directory",
    "read_idx",
    "scale_pixels",
    "train_validation_split",
    "verify_mnist",
    "write_idx",
]


def __getattr__(name: str) -> object:
    reason = ": models train on arrays, generators and PyDatasets" if name == "Dataset" else ""
    raise AttributeError(f"tinynet.data has no {name!r}{reason}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
