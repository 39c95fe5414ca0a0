"""How pixels are brought to a common scale: image by image, or by what was found in the training data."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

TINY = 1e-6  # is added to standard deviations, as in Keras


@dataclasses.dataclass
class Standard:
    """What is done to pixels, in this order: a function, a factor, image by image, by the data, whitening.

    Args:
        function: of one image (height, width, channels), or None.
        factor: that pixels are multiplied by, or None.
        samplewise_center, samplewise_std: whether each image gets the mean 0 and the standard deviation 1.
        center, std: whether each channel gets them over the training data.
        whitening: whether pixels are made uncorrelated over the training data (ZCA).
        epsilon: added to the singular values of the data.
    """

    function: Callable[[Array], Any] | None
    factor: float | None
    samplewise_center: bool
    samplewise_std: bool
    center: bool
    std: bool
    whitening: bool
    epsilon: float
    mean: Array | None = None  # (1, 1, channels)
    deviation: Array | None = None  # (1, 1, channels)
    matrix: Array | None = None  # (height · width · channels, the same)

    def find(self, x: Array) -> None:
        """Find mean, deviation and whitening matrix of the training data x (N, ...), which it overwrites."""
        if self.center:
            self.mean = x.mean((0, 1, 2)).reshape(1, 1, -1)
            x -= self.mean
        if self.std:
            self.deviation = x.std((0, 1, 2)).reshape(1, 1, -1)
            x /= self.deviation + TINY
        if self.whitening:
            vectors, values, _ = np.linalg.svd(x.reshape(len(x), -1).T, full_matrices=False)
            self.matrix = (vectors * (np.sqrt(len(x)) / (values + self.epsilon))) @ vectors.T

    def warn(self) -> None:
        """Warn if what is to be found in the data was not."""
        missing = [
            name
            for name, wanted, found in (
                ("featurewise_center", self.center, self.mean),
                ("featurewise_std_normalization", self.std, self.deviation),
                ("zca_whitening", self.whitening, self.matrix),
            )
            if wanted and found is None
        ]
        if missing:
            warnings.warn(
                f"ImageDataGenerator: {' and '.join(missing)} left out, because the data are not known: "
                "call generator.fit(x) with the training images first.",
                stacklevel=4,
            )

    def apply(self, x: Array, axes: tuple[int, ...]) -> None:
        """Do in place what neither the function nor whitening does.

        Args:
            x: (..., height, width, channels), overwritten.
            axes: over which an image's own mean and standard deviation are.
        """
        if self.factor:
            x *= self.factor
        if self.samplewise_center:
            x -= x.mean(axes, keepdims=True)
        if self.samplewise_std:
            x /= x.std(axes, keepdims=True) + TINY
        if self.center and self.mean is not None:
            x -= self.mean
        if self.std and self.deviation is not None:
            x /= self.deviation + TINY

    def whitened(self, x: Array) -> Array:
        """Return images (..., height, width, channels) with their pixels uncorrelated, if that is wanted."""
        if not self.whitening or self.matrix is None:
            return x
        return (x.reshape(-1, math.prod(x.shape[-3:])) @ self.matrix).reshape(x.shape).astype(x.dtype)
