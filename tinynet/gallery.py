"""Several readings, which a notebook shows side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import images, views

MOST_SHOWN = 60
HEIGHT = 96  # pixels of a picture


class Readings(list[Any]):
    """A list of readings, in the order of the pictures.

    Example:
        >>> import numpy as np
        >>> import tinynet
        >>> readings = tinynet.predict_images([np.zeros((50, 50))])
        >>> len(readings), readings[0].digit
        (1, None)
    """

    def __init__(self, readings: Iterable[Any] = ()) -> None:
        super().__init__(readings)

    def _repr_html_(self) -> str:
        """Show a notebook the pictures, what is read in each, and where something is odd, an orange frame."""
        shown = [self._figure(reading) for reading in self[:MOST_SHOWN]]
        count = f"{len(self)} reading{'' if len(self) == 1 else 's'}"
        more = [views.note(f"and {len(self) - MOST_SHOWN} more")] if len(self) > MOST_SHOWN else []
        return views.page(count, *shown, *more)

    def _figure(self, reading: Any) -> views.Markup:
        """Return a picture with what is read in it."""
        caption = f"{'no ink' if reading.label is None else reading.label} {reading.confidence:.1%}"
        colour, said = views.GREY, caption
        if reading.warnings:
            caption += " (!)"
            colour, said = views.ORANGE, " ".join([caption, *reading.warnings])
        return views.picture(images.as_png(reading.thumbnail), caption, HEIGHT, colour, said)
