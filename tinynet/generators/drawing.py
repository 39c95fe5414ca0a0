"""What a random transformation of an image is: drawn as Keras draws it, number for number.

Keras draws from NumPy's legacy generator, one number after another, image after image; the same numbers come
faster from one table, an image a row. So the same seed gives the same transformations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Parameters = dict[str, Any]  # by Keras's names: a number an image, in an array (N,); or None

IDENTITY: Parameters = {
    "theta": 0.0, "tx": 0.0, "ty": 0.0, "shear": 0.0, "zx": 1.0, "zy": 1.0,
    "flip_horizontal": False, "flip_vertical": False, "channel_shift_intensity": None, "brightness": None,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Ranges:
    """From which ranges transformations are drawn: the arguments of `ImageDataGenerator`, checked."""

    rotation: float
    width_shift: Any
    height_shift: Any
    shear: float
    zoom: tuple[float, float]
    horizontal_flip: bool
    vertical_flip: bool
    channel_shift: float
    brightness: tuple[float, float] | None

    @property
    def draws(self) -> int:
        """How many numbers a transformation takes."""
        one_each = (self.rotation, self.height_shift, self.width_shift, self.shear, self.channel_shift)
        zooms = 0 if self.zoom == (1, 1) else 2
        return sum(map(bool, one_each)) + zooms + 2 + (self.brightness is not None)

    def draw(self, random: Any, height: int, width: int, count: int) -> Parameters:
        """Draw the parameters of transformations.

        Args:
            random: a `RandomState`, or the module `numpy.random`, which is one, too.
            height: of the images in pixels.
            width: likewise.
            count: how many.

        Returns:
            Each parameter, (count,), by its name; None for a channel shift or a brightness that is not
            wanted.
        """
        if _chooses(self.height_shift) or _chooses(self.width_shift):  # takes an unknown count of numbers
            each = [self._drawn(random.random_sample, random, height, width) for _ in range(count)]
            return {
                name: None if value is None else np.array([one[name] for one in each])
                for name, value in each[0].items()
            }
        columns = iter(random.random_sample((count, self.draws)).T)
        drawn = self._drawn(columns.__next__, random, height, width)
        return {
            name: value if value is None or isinstance(value, np.ndarray) else np.full(count, value)
            for name, value in drawn.items()
        }

    def _drawn(self, following: Callable[[], Any], random: Any, height: int, width: int) -> Parameters:
        """Return parameters that are made of following numbers, 0 to 1."""

        def uniform(low: float, high: float) -> Any:
            return low + (high - low) * following()

        def shift(extent: Any, size: int) -> Any:
            if not extent:
                return 0.0
            if _chooses(extent):
                value = random.choice(extent) * random.choice([-1, 1])
            else:
                value = uniform(-extent, extent)
            return value * size if np.max(extent) < 1 else value

        drawn = dict(IDENTITY)
        if self.rotation:
            drawn["theta"] = uniform(-self.rotation, self.rotation)
        drawn["tx"], drawn["ty"] = shift(self.height_shift, height), shift(self.width_shift, width)
        if self.shear:
            drawn["shear"] = uniform(-self.shear, self.shear)
        if self.zoom != (1, 1):
            drawn["zx"], drawn["zy"] = uniform(*self.zoom), uniform(*self.zoom)
        drawn["flip_horizontal"] = (following() < 0.5) & self.horizontal_flip
        drawn["flip_vertical"] = (following() < 0.5) & self.vertical_flip
        if self.channel_shift:
            drawn["channel_shift_intensity"] = uniform(-self.channel_shift, self.channel_shift)
        if self.brightness is not None:
            drawn["brightness"] = uniform(*self.brightness)
        return drawn


def _chooses(extent: Any) -> bool:
    """Return whether a shift is one of several: of a list's, or of the whole numbers below an integer."""
    return not isinstance(extent, float)
