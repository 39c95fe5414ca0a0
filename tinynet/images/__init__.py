"""From anybody's picture to the 28×28 pixels that the networks were trained on.

A picture goes through four steps, a file each: `open_picture` (any file, array or PIL image → brightness),
`find_ink` (brightness → how much ink each pixel has, without paper, shadow or polarity), `find_digits` (ink →
the ink of each digit, left to right) and `fit` (a digit's ink → 28×28, as MNIST's makers did it). The
pretrained networks were trained on what the same functions return.

Paper: LeCun, Bottou, Bengio, Haffner. "Gradient-based learning applied to document recognition." 1998: fitted
into 20×20 pixels with the aspect kept, the centre of mass in the centre of 28×28.
"""

from __future__ import annotations

import dataclasses
import io

import numpy as np
from numpy.typing import NDArray

from .digits import Digit, cuts, find_digits, strip
from .fitting import BOX, SIZE, fit
from .ink import find_ink
from .opening import FORMATS, LARGEST, MOST_PIXELS, Array, ImageError, open_picture

__all__ = [
    "FORMATS", "LARGEST", "MOST_PIXELS", "SIZE", "Digit", "ImageError", "Seen", "as_png", "cuts",
    "find_digits", "find_ink", "fit", "on_paper", "open_picture", "see", "strip", "thumbnail",
]  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """What the network is to see of a picture.

    Attributes:
        pixels: (28, 28) from 0 (paper) to 1 (ink); all 0 if there is no ink.
        digits: how many digits or other shapes were found.
    """

    pixels: Array
    digits: int


def see(brightness: Array) -> Seen:
    """Turn a picture's brightness into what the network is to see.

    An image of MNIST, or one that was made like those, stays as it is. Of several digits the one with the
    most ink is taken.

    Args:
        brightness: (H, W) from 0 to 1.

    Returns:
        28×28 pixels, and how many digits were found.

    Example:
        >>> import numpy as np
        >>> see(np.ones((40, 30), np.float32)).digits
        0
    """
    if _like_mnist(brightness):
        return Seen(brightness, 1)
    digits = find_digits(find_ink(brightness))
    if not digits:
        return Seen(np.zeros((SIZE, SIZE), np.float32), 0)
    return Seen(fit(max((digit.ink for digit in digits), key=lambda ink: float(ink.sum()))), len(digits))


def _like_mnist(brightness: Array) -> bool:
    """Return whether it is 28×28, light on black, 20 pixels large, with its centre of mass in the centre."""
    if brightness.shape != (SIZE, SIZE):
        return False
    rows, columns = np.flatnonzero(brightness.any(axis=1)), np.flatnonzero(brightness.any(axis=0))
    if not rows.size or brightness.max() < 0.6:
        return False
    longer = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    places = np.arange(SIZE) - (SIZE - 1) / 2
    y, x = brightness.sum(axis=1) @ places, brightness.sum(axis=0) @ places
    off = max(abs(float(y)), abs(float(x))) / float(brightness.sum())
    return BOX - 1 <= longer <= BOX and off <= 1.0


def thumbnail(brightness: Array, side: int = 160) -> NDArray[np.uint8]:
    """Return a small version of a picture for people.

    Args:
        brightness: (H, W) from 0 to 1.
        side: the most pixels of its longer side; default 160.

    Returns:
        (h, w) from 0 to 255.
    """
    from PIL import Image

    image = Image.fromarray((np.clip(brightness, 0, 1) * 255).astype(np.uint8))
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
