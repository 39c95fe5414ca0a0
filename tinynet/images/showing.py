"""Pictures for people: thumbnails, and what the network saw."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from .opening import Array


def thumbnail(pixels: Array, side: int = 160) -> NDArray[np.uint8]:
    """Return a small version of a picture for people.

    Args:
        pixels: (H, W) or (H, W, 3) from 0 to 1.
        side: the most pixels of its longer side; default 160.

    Returns:
        (h, w) or (h, w, 3) from 0 to 255.
    """
    from PIL import Image

    image = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    image.thumbnail((side, side))
    return np.asarray(image)


def on_paper(pixels: Array) -> NDArray[np.uint8]:
    """Return what the network saw, 0 to 1, as people see it: dark ink on white, (28, 28) from 0 to 255."""
    return (255 - 255 * np.clip(pixels, 0, 1)).astype(np.uint8)


def as_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the PNG file of a picture (H, W)."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
