"""Find the digits in a picture's ink: which strokes belong together."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from .fitting import fit
from .ink import boxes_of, label
from .opening import Array

MOST_PARTS = 200  # the largest; a picture with more is a page of text, and no time is spent on the rest


@dataclasses.dataclass(frozen=True, eq=False)
class Digit:
    """A digit that was found, or another shape.

    Attributes:
        ink: (h, w) from 0 to 1, its own alone, just as large as it is.
        top, left: where that lies in the picture.
        fitted: whether the ink is what the network is to see, as in an image of MNIST.
    """

    ink: Array
    top: int
    left: int
    fitted: bool = False

    @property
    def pixels(self) -> Array:
        """What the network is to see: (28, 28) from 0 (paper) to 1 (ink)."""
        return self.ink if self.fitted else fit(self.ink)


def find_digits(ink: Array) -> list[Digit]:
    """Find the digits in a picture's ink, from left to right.

    Connected parts of the ink are a digit's strokes. A stroke belongs to the digit that it lies above, below
    or in; a small one also to a digit near it. Specks go, and what touches the picture's border (its frame,
    a table's edge) if there is something else.

    Args:
        ink: (H, W) from 0 to 1, as `find_ink` returns it.

    Returns:
        The digits; none if there is no ink.

    Example:
        >>> import numpy as np
        >>> ink = np.zeros((30, 40), np.float32)
        >>> ink[5:25, 5:10] = ink[5:25, 28:31] = ink[3, 20] = 1.0        # two strokes and a speck
        >>> [(digit.left, digit.ink.shape) for digit in find_digits(ink)]
        [(5, (20, 5)), (28, (20, 3))]
    """
    labels, count = label(ink > 0)
    if count == 0:
        return []
    parts = _without_frame(_without_specks(parts_of(ink, labels, count)), ink.shape)
    digits: list[list[Part]] = []
    for part in sorted(parts, key=lambda part: -part.length):  # the long strokes first: the others join them
        home = _home(part, digits)
        if home is None:
            digits.append([part])
        else:
            home.append(part)
    digits.sort(key=lambda digit: min(part.left for part in digit))
    return [cut_out(ink, labels, digit) for digit in digits]


def cut_out(ink: Array, labels: NDArray[np.int32], parts: list[Part]) -> Digit:
    """Return the digit that is made of some parts."""
    top, left = min(part.top for part in parts), min(part.left for part in parts)
    box = np.s_[top : max(part.bottom for part in parts), left : max(part.right for part in parts)]
    own = np.isin(labels[box], [part.label for part in parts])
    return Digit(np.where(own, ink[box], np.float32(0)), top, left)


@dataclasses.dataclass(frozen=True)
class Part:
    """A connected part of the ink: its number, its box (right and bottom are outside) and its pixels' ink."""

    label: int
    top: int
    bottom: int
    left: int
    right: int
    mass: float

    @property
    def height(self) -> int:
        """From top to bottom."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """From left to right."""
        return self.right - self.left

    @property
    def length(self) -> int:
        """The longer of the two."""
        return max(self.height, self.width)


def parts_of(ink: Array, labels: NDArray[np.int32], count: int) -> list[Part]:
    """Describe the connected parts."""
    drawn = labels > 0
    mass = np.bincount(labels[drawn], ink[drawn], count + 1)
    boxes = boxes_of(labels, count).tolist()
    return [Part(i, box[0], box[1], box[2], box[3], float(mass[i])) for i, box in enumerate(boxes) if i]


def _without_specks(parts: list[Part]) -> list[Part]:
    """Return the parts that are no specks: dust, dots, noise."""
    longest, heaviest = max(part.length for part in parts), max(part.mass for part in parts)
    kept = [part for part in parts if part.length >= 0.12 * longest and part.mass >= 0.01 * heaviest]
    return sorted(kept, key=lambda part: -part.mass)[:MOST_PARTS]


def _without_frame(parts: list[Part], shape: tuple[int, ...]) -> list[Part]:
    """Return the parts that do not touch the picture's border, if one of them may be a digit."""
    height, width = shape

    def touches(part: Part) -> bool:
        return part.top == 0 or part.left == 0 or part.bottom == height or part.right == width

    inside = [part for part in parts if not touches(part)]
    longest = max((part.length for part in inside), default=0)
    most = max(part.length for part in parts)
    if not inside and most < 0.1 * max(shape):  # bits of something at the border
        return []
    return [part for part in parts if not touches(part) or longest < 0.3 * part.length]


def _home(part: Part, digits: list[list[Part]]) -> list[Part] | None:
    """Return the digit that a stroke belongs to, if it is not the first of another one."""
    for digit in digits:
        top, bottom = min(p.top for p in digit), max(p.bottom for p in digit)
        left, right = min(p.left for p in digit), max(p.right for p in digit)
        size = max(bottom - top, right - left)
        across = max(part.left - right, left - part.right, 0)  # the gap between the boxes
        along = max(part.top - bottom, top - part.bottom, 0)
        shared = min(part.right, right) - max(part.left, left)
        over = shared > 0.5 * min(part.right - part.left, right - left)
        if over and along < 0.15 * size:
            return digit
        if part.length < 0.4 * size and max(across, along) < 0.15 * size:
            return digit
    return None


def together(digits: list[Digit]) -> Digit:
    """Return one digit of the ink of several."""
    if len(digits) == 1:
        return digits[0]
    top, left = min(digit.top for digit in digits), min(digit.left for digit in digits)
    bottom = max(digit.top + digit.ink.shape[0] for digit in digits)
    right = max(digit.left + digit.ink.shape[1] for digit in digits)
    ink = np.zeros((bottom - top, right - left), np.float32)
    for digit in digits:
        y, x = digit.top - top, digit.left - left
        place = ink[y : y + digit.ink.shape[0], x : x + digit.ink.shape[1]]
        np.maximum(place, digit.ink, out=place)
    return Digit(ink, top, left)


def trimmed(digit: Digit) -> Digit:
    """Return a digit without the empty rows and columns around its ink."""
    rows, columns = np.flatnonzero(digit.ink.any(axis=1)), np.flatnonzero(digit.ink.any(axis=0))
    ink = digit.ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Digit(ink, digit.top + int(rows[0]), digit.left + int(columns[0]), digit.fitted)
