"""What scripts do around a model, under Keras's names: labels, data in batches, seeds, pictures of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..data.py_dataset import PyDataset
from ..data.py_dataset import PyDataset as Sequence  # its name in Keras 2
from ..generators.dataset_from_directory import image_dataset_from_directory
from ..images.loading import array_to_img, img_to_array, load_img, save_img
from ..seeds import set_random_seed
from .arrays import normalize, to_categorical

if TYPE_CHECKING:
    from ..plotting import plot_model

__all__ = [
    "PyDataset",
    "Sequence",
    "array_to_img",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "plot_model",
    "save_img",
    "set_random_seed",
    "to_categorical",
]


def __getattr__(name: str) -> Any:
    if name != "plot_model":
        raise AttributeError(f"tinynet.utils has no {name!r}; it has {', '.join(__all__)}")
    from ..plotting import plot_model  # on first use, so that `import tinynet` does not wait for it

    return plot_model


def __dir__() -> list[str]:
    return __all__
