"""From idx bytes to batches: read, find, scale, split and augment images."""

from .augment import Augmentation
from .batches import batches, scale_pixels, train_validation_split
from .idx import read_idx, write_idx
from .mnist import load_mnist

__all__ = [
    "Augmentation",
    "batches",
    "load_mnist",
    "read_idx",
    "scale_pixels",
    "train_validation_split",
    "write_idx",
]
