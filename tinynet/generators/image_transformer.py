"""How images are transformed at random and standardized, one or a batch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..execution.parallel import cut, get_num_threads, run
from ..images.loading import channels_last
from ..names import unknown
from .drawing import IDENTITY, Parameters, Ranges
from .settings import number, pair, shift, span
from .standardizing import Standard
from .transforming import FILL_MODES, transform

Array = NDArray[Any]

WORTH_A_THREAD = 2**16  # pixels


class ImageTransformer:
    """What `ImageDataGenerator` does to images; its arguments are explained there."""

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: float | Sequence[float] = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[Array], Any] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: DTypeLike | None = None,
    ) -> None:
        channels_last("ImageDataGenerator", data_format)
        if fill_mode not in FILL_MODES:
            raise ValueError(f"ImageDataGenerator: {unknown('fill_mode', fill_mode, FILL_MODES)}")
        if interpolation_order not in (0, 1):
            raise ValueError(
                f"ImageDataGenerator: interpolation_order must be 0 or 1; got {interpolation_order!r}."
            )
        self.dtype = np.dtype(np.float32 if dtype is None else dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"ImageDataGenerator: dtype must be float32 or float64, not {self.dtype}.")
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(
                "ImageDataGenerator: validation_split must be 0, or between 0 and 1; got "
                f"{validation_split!r}."
            )
        self.rotation_range = number("rotation_range", rotation_range)
        self.width_shift_range = shift("width_shift_range", width_shift_range)
        self.height_shift_range = shift("height_shift_range", height_shift_range)
        self.brightness_range = (
            None if brightness_range is None else pair("brightness_range", brightness_range)
        )
        self.shear_range = number("shear_range", shear_range)
        self.zoom_range = span("zoom_range", zoom_range)
        self.channel_shift_range = number("channel_shift_range", channel_shift_range)
        self.fill_mode, self.cval = fill_mode, number("cval", cval)
        self.horizontal_flip, self.vertical_flip = bool(horizontal_flip), bool(vertical_flip)
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.data_format, self.interpolation_order = "channels_last", interpolation_order
        self.validation_split = validation_split
        if zca_whitening and featurewise_std_normalization:
            warnings.warn(
                "ImageDataGenerator: zca_whitening leaves nothing to featurewise_std_normalization, which is "
                "switched off.",
                stacklevel=2,
            )
        self.zca_whitening, self.zca_epsilon = bool(zca_whitening), zca_epsilon
        self.featurewise_std_normalization = bool(featurewise_std_normalization and not zca_whitening)
        self.featurewise_center = bool(featurewise_center or featurewise_std_normalization or zca_whitening)
        self.samplewise_std_normalization = bool(samplewise_std_normalization)
        self.samplewise_center = bool(samplewise_center or samplewise_std_normalization)
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None

    def get_random_transform(self, img_shape: Sequence[int], seed: int | None = None) -> Parameters:
        """Draw the parameters of a random transformation.

        Args:
            img_shape: of the image, (height, width, channels).
            seed: an integer, or None (the default) for NumPy's `np.random` as it is.

        Returns:
            What `apply_transform` takes: theta and shear in degrees; tx and ty, in pixels, how far to the
            right of it and below it a pixel is read; zx and zy, how far apart pixels are read across and
            down; flip_horizontal and flip_vertical; channel_shift_intensity and brightness, each None if it
            is not wanted.
        """
        drawn = self._ranges.draw(_random(seed), img_shape[0], img_shape[1], 1)
        return {name: None if value is None else value[0].item() for name, value in drawn.items()}

    def apply_transform(self, x: ArrayLike, transform_parameters: Parameters) -> Array:
        """Return a transformed copy of an image.

        Args:
            x: (height, width, channels).
            transform_parameters: see `get_random_transform`; those that are not there do nothing.

        Returns:
            A new array of the same shape, in the generator's dtype.

        Raises:
            ValueError: another shape, or an unknown parameter.
        """
        image = np.asarray(x, self.dtype)
        if image.ndim != 3:
            raise ValueError(
                f"apply_transform: expected one image (height, width, channels), got the shape {image.shape}."
            )
        for name in transform_parameters:
            if name not in IDENTITY:
                raise ValueError(f"apply_transform: {unknown('parameter', name, IDENTITY)}")
        parameters = {
            name: None if value is None else np.array([value])
            for name, value in (IDENTITY | transform_parameters).items()
        }
        return self._on_threads(image[np.newaxis], parameters, None).reshape(image.shape)

    def random_transform(self, x: ArrayLike, seed: int | None = None) -> Array:
        """Return a randomly transformed copy of an image; see the two methods above."""
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))

    def standardize(self, x: Array) -> Array:
        """Bring the pixels of an image, or of a batch, to the scale that the generator was told.

        Args:
            x: (..., height, width, channels); floats are overwritten, as in Keras.

        Returns:
            The same array, or a new one for integers, after `preprocessing_function` and after whitening.
        """
        standard = self._standard
        standard.warn()
        if standard.function:
            x = standard.function(x)
        x = np.asarray(x)
        x = x if x.dtype.kind == "f" else x.astype(self.dtype)
        standard.apply(x, tuple(range(x.ndim)))
        return standard.whitened(x)

    def fit(self, x: ArrayLike, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Find in training images what featurewise standardization and whitening need.

        Args:
            x: (N, height, width, channels), as `flow` gets them; not written to.
            augment: whether it is found in transformed images; default False.
            rounds: how many transformations of each image then; default 1.
            seed: of these, an integer; None (the default) for NumPy's `np.random` as it is.
        """
        self.check_images("fit", np.asarray(x))
        images = np.array(x, self.dtype)
        if self.rescale:
            images *= self.rescale
        if augment:
            drawn = self._ranges.draw(_random(seed), images.shape[1], images.shape[2], rounds * len(images))
            images = self._on_threads(np.tile(images, (rounds, 1, 1, 1)), drawn, None)
        standard = self._standard
        standard.find(images)
        self.mean, self.std, self.zca_whitening_matrix = standard.mean, standard.deviation, standard.matrix

    def batch(self, images: Array, random: Any) -> Array:
        """Return images transformed at random and standardized.

        Args:
            images: (N, height, width, channels).
            random: a `RandomState`, or the module `numpy.random`.

        Returns:
            A new array of the same shape, in the generator's dtype.
        """
        standard = self._standard
        standard.warn()
        drawn = self._ranges.draw(random, images.shape[1], images.shape[2], len(images))
        made = self._on_threads(images, drawn, None if standard.function else standard)
        if standard.function:  # which need not be made for threads
            for image in made:
                image[:] = standard.function(image)
            standard.apply(made, (1, 2, 3))
        return standard.whitened(made)

    def check_images(self, owner: str, images: Array) -> None:
        """Raise if an array is not (N, height, width, channels); warn if axes may be in another order."""
        if images.ndim != 4 or images.dtype.kind not in "buif":
            raise ValueError(
                f"{owner}: expected images (N, height, width, channels), got {images.dtype} {images.shape}; "
                "x[..., np.newaxis] adds a channel axis."
            )
        if self.brightness_range is not None and images.dtype.kind == "f" and images.max(initial=0) <= 1:
            warnings.warn(
                f"{owner}: brightness_range is for pixels from 0 to 255, and cuts off fractions, as in "
                f"Keras; these are at most {images.max(initial=0)}. Give pixels to 255, and rescale=1/255.",
                stacklevel=4,
            )
        if images.shape[3] not in (1, 3, 4):
            warnings.warn(
                f"{owner}: expected 1, 3 or 4 channels on the last axis, got the shape {images.shape}.",
                stacklevel=4,
            )

    def split_of(self, subset: str) -> float:
        """Return the share of the data that is for validation, the first; raise for an unknown subset."""
        if subset not in ("training", "validation"):
            raise ValueError(unknown("subset", subset, ("training", "validation")))
        return self.validation_split

    @property
    def _ranges(self) -> Ranges:
        return Ranges(
            self.rotation_range,
            self.width_shift_range,
            self.height_shift_range,
            self.shear_range,
            tuple(self.zoom_range),  # type: ignore[arg-type]
            self.horizontal_flip,
            self.vertical_flip,
            self.channel_shift_range,
            self.brightness_range,
        )

    @property
    def _standard(self) -> Standard:
        return Standard(
            self.preprocessing_function,
            self.rescale,
            self.samplewise_center,
            self.samplewise_std_normalization,
            self.featurewise_center,
            self.featurewise_std_normalization,
            self.zca_whitening,
            self.zca_epsilon,
            self.mean,
            self.std,
            self.zca_whitening_matrix,
        )

    def _on_threads(self, images: Array, parameters: Parameters, standard: Standard | None) -> Array:
        """Return images transformed and, if that is wanted, standardized, on several threads."""
        made = np.empty(images.shape, self.dtype)
        shards = cut(len(images), min(get_num_threads(), 1 + images.size // WORTH_A_THREAD))

        def work(i: int) -> None:
            part = np.ascontiguousarray(images[shards[i]], self.dtype)
            own = {name: None if value is None else value[shards[i]] for name, value in parameters.items()}
            transform(part, own, self.fill_mode, self.cval, self.interpolation_order, made[shards[i]])
            if standard is not None:
                standard.apply(made[shards[i]], (1, 2, 3))

        run(work, len(shards))
        return made


def _random(seed: int | None) -> Any:
    """Return where random numbers come from: Keras's own source, NumPy's legacy generator."""
    return np.random if seed is None else np.random.RandomState(seed)
