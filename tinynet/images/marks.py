"""Tell signs, points and commas from digits, by their shape and their place among the digits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .digits import Part

MOST_SPECKS = 4  # on clean paper

Own = Callable[[Part], NDArray[np.bool_]]


@dataclasses.dataclass(frozen=True, eq=False)
class Mark:
    """What stands among digits and is none.

    Attributes:
        character: "-", "+", ".", "," or "="; "" for what is to be left out, such as an underline.
        top, left, height, width: its box.
    """

    character: str
    top: int
    left: int
    height: int
    width: int


def mark_of(
    part: Part, digits: list[Part], others: list[Part], own: Own, height: float, pen: float
) -> Mark | None:
    """Return the mark that a part is, or None if it is a digit or a stroke of one.

    Args:
        part: a connected part of the ink.
        digits: what is as tall as digits in its row, from left to right, the part not among them.
        others: the smaller parts.
        own: returns where a part has ink, in its box.
        height: of a digit.
        pen: the width of a stroke.
    """
    if not digits:
        return None
    if _flat(part, pen) and part.width > 0.15 * height:
        character = _line(part, digits, others, height, pen)
    elif part.length <= 0.9 * height and _crosses(part, own(part), height, pen):
        character = "+"
    elif part.height <= 0.45 * height and part.width <= 0.32 * height:
        character = _point(part, digits, others, own, height, pen)
    else:
        return None
    return None if character is None else Mark(character, part.top, part.left, part.height, part.width)


def _flat(part: Part, pen: float) -> bool:
    return part.width >= 1.6 * part.height and part.height - pen <= 0.3 * part.width


def _line(part: Part, digits: list[Part], others: list[Part], height: float, pen: float) -> str | None:
    """Return what a short or long flat line is."""
    middle = (part.top + part.bottom) / 2
    near = min(digits, key=lambda other: max(other.left - part.right, part.left - other.right, 0))
    place = (middle - near.top) / near.height
    covered = sum(max(min(part.right, d.right) - max(part.left, d.left), 0) for d in digits) / part.width
    if place > 0.85 and part.width > 1.2 * height:
        return ""  # an underline
    if covered > 0.35 or not 0.2 <= place <= 0.8:
        return None
    for other in others:
        shared = min(part.right, other.right) - max(part.left, other.left)
        if other is not part and _flat(other, pen) and shared > 0.5 * min(part.width, other.width):
            above = part.top < other.top or (part.top == other.top and part.left < other.left)
            return "=" if above else ""
    gaps = [max(d.left - part.right, part.left - d.right) for d in digits]
    return "-" if min(gaps) > -0.1 * part.width and part.width <= 1.3 * height else None


def _crosses(part: Part, own: NDArray[np.bool_], height: float, pen: float) -> bool:
    """Return whether a part is a plus: two lines that cross, and nothing in the corners."""
    if not (0.6 <= part.width / part.height <= 1.7 and part.length >= max(0.2 * height, 2.5 * pen)):
        return False
    rows, columns = own.shape[0] // 3, own.shape[1] // 3
    middle = own[rows : own.shape[0] - rows, columns : own.shape[1] - columns].mean()
    corners = [own[:rows, :columns], own[:rows, -columns:], own[-rows:, :columns], own[-rows:, -columns:]]
    arms = [
        own[:rows, columns:-columns],
        own[-rows:, columns:-columns],
        own[rows:-rows, :columns],
        own[rows:-rows, -columns:],
    ]
    empty = max(float(corner.mean()) for corner in corners) <= 0.12
    return bool(empty and middle > 0.3 and min(float(arm.mean()) for arm in arms) >= 0.2)


def _point(
    part: Part, digits: list[Part], others: list[Part], own: Own, height: float, pen: float
) -> str | None:
    """Return whether a small part is a point or a comma."""
    specks = sum(0.15 * part.mass <= other.mass <= 3 * part.mass for other in others)
    dusty = specks > MOST_SPECKS
    if (
        min(part.height, part.width) < (0.9 if dusty else 0.75) * pen
        or part.mass < (0.7 if dusty else 0.4) * pen**2
    ):
        return None
    middle = (part.left + part.right) / 2
    before = [d for d in digits if (d.left + d.right) / 2 < middle]
    after = [d for d in digits if (d.left + d.right) / 2 > middle]
    if not before or not after:
        return None
    left = max(before, key=lambda d: d.left + d.right)
    right = min(after, key=lambda d: d.left + d.right)
    base = (left.bottom + right.bottom) / 2
    if part.bottom < base - 0.2 * height or part.top < base - 0.4 * height:
        return None
    if any(_covers(part, digit, own(digit), height) for digit in (left, right)):
        return None
    long = part.height > 1.35 * part.width or part.height > 1.9 * pen
    return "," if long and part.bottom > base + 0.03 * height else "."


def _covers(part: Part, digit: Part, own: NDArray[np.bool_], height: float) -> bool:
    """Return whether a digit has ink close above most of a small part, which then is a piece of it."""
    top, bottom = (max(round(edge - digit.top), 0) for edge in (part.top - 0.12 * height, part.bottom))
    columns = np.flatnonzero(own[top:bottom].any(axis=0)) + digit.left
    return bool(((columns >= part.left) & (columns < part.right)).sum() > 0.5 * part.width)
