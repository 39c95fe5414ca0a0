"""All the steps in a row: from a picture's brightness to the digits, and to what the network is to see."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import numpy as np

from .digits import Digit, find_digits
from .fitting import BOX, SIZE
from .ink import find_ink
from .lines import without_lines
from .marks import Mark
from .opening import Array
from .rows import Row, find_rows
from .shadows import without_shadows
from .sheet import find_sheet, written_inside

Shape = TypeVar("Shape", bound=Digit | Mark)


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """What the network is to see of a picture.

    Attributes:
        pixels: (28, 28) from 0 (paper) to 1 (ink); all 0 if there is no ink.
        digits: how many digits or other shapes were found.
    """

    pixels: Array
    digits: int


def digits_of(brightness: Array) -> list[Digit]:
    """Find the digits in a picture, from left to right; the only way from a picture to them.

    An image of MNIST, or one that was made like those, is one digit, and stays as it is.

    Args:
        brightness: (H, W) from 0 to 1.

    Returns:
        The digits; none if there is no ink.

    Example:
        >>> import numpy as np
        >>> paper = np.ones((90, 150), np.float32)
        >>> paper[15:75, 28:33] = paper[15:75, 98:103] = 0.2
        >>> [digit.left for digit in digits_of(paper)]
        [28, 98]
    """
    if _like_mnist(brightness):
        return [Digit(brightness, 0, 0, fitted=True)]
    ink, top, left = _written(brightness)
    return [_moved(digit, top, left) for digit in find_digits(ink)]


def rows_of(brightness: Array) -> list[Row]:
    """Find the rows of digits in a picture, from top to bottom; as `digits_of`, with signs and points.

    Args:
        brightness: (H, W) from 0 to 1.

    Returns:
        The rows; none if there is no ink.

    Example:
        >>> import numpy as np
        >>> paper = np.ones((90, 150), np.float32)
        >>> paper[15:75, 28:33] = paper[15:75, 98:103] = 0.2
        >>> [[shape.left for shape in row.shapes] for row in rows_of(paper)]
        [[28, 98]]
    """
    if _like_mnist(brightness):
        return [Row((Digit(brightness, 0, 0, fitted=True),), float(BOX))]
    ink, top, left = _written(brightness)
    return [
        Row(tuple(_moved(shape, top, left) for shape in row.shapes), row.height) for row in find_rows(ink)
    ]


def _written(brightness: Array) -> tuple[Array, int, int]:
    """Return the ink of what is written, and where it lies in the picture."""
    sheet, top, left = find_sheet(brightness)
    ink = written_inside(without_lines(find_ink(sheet)))
    return without_shadows(ink, sheet), top, left


def _moved(shape: Shape, top: int, left: int) -> Shape:
    """Return a shape that lies so much lower, and farther to the right."""
    return dataclasses.replace(shape, top=shape.top + top, left=shape.left + left)


def see(brightness: Array) -> Seen:
    """Turn a picture's brightness into what the network is to see.

    Of several digits, as `digits_of` finds them, the one with the most ink is taken.

    Args:
        brightness: (H, W) from 0 to 1.

    Returns:
        28×28 pixels, and how many digits were found.

    Example:
        >>> import numpy as np
        >>> see(np.ones((40, 30), np.float32)).digits
        0
    """
    digits = digits_of(brightness)
    if not digits:
        return Seen(np.zeros((SIZE, SIZE), np.float32), 0)
    return Seen(max(digits, key=lambda digit: float(digit.ink.sum())).pixels, len(digits))


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
