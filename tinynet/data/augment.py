"""Random distortions of training images: a new variant of every image in every epoch."""

from __future__ import annotations

import dataclasses
import math
import operator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import kernels

Float = TypeVar("Float", np.float32, np.float64)


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Distort training images at random, by an affine map about the centre and an elastic displacement.

    Each image is scaled, sheared, rotated and shifted by amounts that are uniform in the given ranges.
    The elastic displacement is noise, uniform and independent at each pixel, smoothed by a Gaussian and
    scaled so that each pixel's expected squared displacement is ``elastic_alpha ** 2`` in each direction,
    at the border as in the middle. (The paper scales a Gaussian of sum 1 by 34 at a sigma of 4 pixels:
    that is an ``elastic_alpha`` of 1.4.) Pixels are interpolated bilinearly; outside the image is zero.
    The defaults suit handwritten digits of 28×28 pixels.

    Calling it as ``augment(images, seed=..., epoch=..., indices=...)`` returns the distorted images. A
    result depends on the image, the seed, the epoch and the sample's index alone: not on the other
    images of the batch, their order or the thread. ``fit(augment=...)`` takes any callable with this
    signature that never writes into ``images`` and may be called from several threads at once.

    Args:
        rotation: largest rotation, in degrees, in both directions.
        shift: largest shift, in pixels, in each of the four directions.
        scale: largest change of size, as a fraction below 1: 0.1 scales by 0.9 to 1.1.
        shear: largest slant, in pixels to the side per pixel of height.
        elastic_alpha: root mean square of the elastic displacement in each direction, in pixels;
            0 for none.
        elastic_sigma: standard deviation of the smoothing Gaussian, in pixels: the larger, the stiffer.

    Raises:
        ValueError: if a range is negative or not finite, ``scale`` is not below 1 or ``elastic_sigma`` is
            not above 0.

    Example:
        >>> import numpy as np
        >>> from tinynet.data.augment import Augmentation
        >>> augment = Augmentation(rotation=15.0, elastic_alpha=1.0)
        >>> images = np.ones((2, 28, 28, 1), np.float32)
        >>> distorted = augment(images, seed=0, epoch=3, indices=np.array([10, 11]))
        >>> distorted.shape, distorted.dtype
        ((2, 28, 28, 1), dtype('float32'))
        >>> again = augment(images[1:], seed=0, epoch=3, indices=np.array([11]))
        >>> np.array_equal(again, distorted[1:])
        True

    Paper:
        Simard, Steinkraus, Platt. "Best practices for convolutional neural networks applied to visual
        document analysis." ICDAR 2003.
    """

    rotation: float = 10.0
    shift: float = 2.0
    scale: float = 0.1
    shear: float = 0.1
    elastic_alpha: float = 0.0
    elastic_sigma: float = 4.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not 0 <= value < math.inf:
                raise ValueError(f"Augmentation: {name} must be a finite number of at least 0, got {value}")
        if self.scale >= 1:
            raise ValueError(f"Augmentation: scale is a fraction below 1 (0.1 for ±10%), got {self.scale}")
        if self.elastic_sigma == 0:
            raise ValueError("Augmentation: elastic_sigma must be above 0; elastic_alpha=0 turns elastic off")

    def __call__(
        self, images: NDArray[Float], *, seed: int, epoch: int, indices: NDArray[np.integer[Any]]
    ) -> NDArray[Float]:
        """Return a distorted copy of each image.

        Args:
            images: (samples, height, width, channels), float32 or float64; not written to.
            seed: of the training run.
            epoch: the number of the epoch; another epoch gives other distortions.
            indices: (samples,) integers, the samples' positions in the training set.

        Returns:
            A new array of the shape and dtype of ``images``.

        Raises:
            TypeError: if ``images`` are not float32 or float64, or ``indices`` are not integers.
            ValueError: if a shape is wrong.
        """
        images, indices = np.ascontiguousarray(images), np.ascontiguousarray(indices)
        if images.dtype not in (np.float32, np.float64):
            raise TypeError(
                f"augment: images must be float32 or float64, got {images.dtype}; "
                "data.scale_pixels turns integer pixels into float32"
            )
        if images.ndim != 4:
            raise ValueError(
                f"augment: images must be (samples, height, width, channels), got {images.shape}; "
                "images[..., np.newaxis] adds a channel axis"
            )
        if indices.dtype.kind not in "iu":
            raise TypeError(f"augment: indices must be integers, got {indices.dtype}")
        if indices.shape != images.shape[:1]:
            raise ValueError(
                f"augment: {len(images)} images need indices ({len(images)},), got {indices.shape}"
            )
        distorted = np.empty_like(images)
        kernels.warp.distort(
            images,
            operator.index(seed),
            operator.index(epoch),
            indices.astype(np.int64, copy=False),
            (math.radians(self.rotation), float(self.shift), float(self.scale), float(self.shear)),
            float(self.elastic_alpha),
            float(self.elastic_sigma),
            distorted,
        )
        return distorted
