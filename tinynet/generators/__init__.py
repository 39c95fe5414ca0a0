"""Images in batches for training: transformed at random, from memory or read from folders, as in Keras."""

from __future__ import annotations

from .array_iterator import NumpyArrayIterator
from .dataframe_iterator import DataFrameIterator
from .dataset_from_directory import image_dataset_from_directory
from .directory_iterator import DirectoryIterator
from .image_data_generator import ImageDataGenerator
from .image_dataset import ImageDataset
from .iterator import Iterator

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "ImageDataset",
    "Iterator",
    "NumpyArrayIterator",
    "image_dataset_from_directory",
]


def __dir__() -> list[str]:
    return __all__
