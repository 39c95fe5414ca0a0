"""Batches of transformed images that are in memory: what `ImageDataGenerator.flow` returns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .image_transformer import ImageTransformer
from .iterator import Iterator

Array = NDArray[Any]


class NumpyArrayIterator(Iterator):
    """Go through images in memory; see `ImageDataGenerator.flow`, whose arguments these are.

    Example:
        >>> from tinynet.generators import ImageDataGenerator
        >>> batches = ImageDataGenerator(rescale=0.5).flow(np.ones((4, 8, 8, 1)), [0, 1, 2, 3], 2, False)
        >>> images, labels = next(batches)
        >>> type(batches).__name__, images.max(), labels
        ('NumpyArrayIterator', np.float32(0.5), array([0, 1]))
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: ImageTransformer,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
    ) -> None:
        images, *others = (x[0], *(x[1] if isinstance(x[1], list) else [x[1]])) if _several(x) else (x,)
        arrays = {"x": np.asarray(images)}
        arrays |= {f"x[1][{i}]": np.asarray(other) for i, other in enumerate(others)}
        arrays |= {
            name: np.asarray(array)
            for name, array in (("y", y), ("sample_weight", sample_weight))
            if array is not None
        }
        for name, array in arrays.items():
            if array.shape[:1] != arrays["x"].shape[:1]:
                raise ValueError(
                    f"flow: expected as many rows of {name} as images, got {array.shape} and "
                    f"{arrays['x'].shape}; check that they belong together."
                )
        image_data_generator.check_images("flow", arrays["x"])
        if subset is not None:
            at = int(len(arrays["x"]) * image_data_generator.split_of(subset))
            if "y" in arrays and not ignore_class_split:
                _check_classes(arrays["y"][:at], arrays["y"][at:])
            kept = slice(at) if subset == "validation" else slice(at, None)
            arrays = {name: array[kept] for name, array in arrays.items()}
        if not len(arrays["x"]):
            raise ValueError("flow: there are no images" + (f" in the subset {subset!r}." if subset else "."))
        super().__init__(len(arrays["x"]), batch_size, shuffle, seed)
        self.x = arrays.pop("x")
        self.y, self.sample_weight = arrays.pop("y", None), arrays.pop("sample_weight", None)
        self.x_misc = list(arrays.values())
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format

    def _get_batches_of_transformed_samples(self, index_array: Array) -> Any:
        images = self.image_data_generator.batch(self.x.take(index_array, axis=0), self._random)
        self._save(images, index_array, 10_000)
        inputs = [images, *(other[index_array] for other in self.x_misc)] if self.x_misc else images
        rest = [array[index_array] for array in (self.y, self.sample_weight) if array is not None]
        return (inputs, *rest) if self.y is not None else inputs


def _several(x: Any) -> bool:
    """Return whether x is a pair of images and what goes with them."""
    return isinstance(x, tuple | list) and len(x) == 2 and np.ndim(x[0]) == 4


def _check_classes(validation: Array, training: Array) -> None:
    if not np.array_equal(np.unique(validation), np.unique(training)):
        raise ValueError(
            "flow: the validation subset, which is the first part of the images, has other classes in y than "
            "the training subset. Shuffle x and y together first, or give ignore_class_split=True."
        )
