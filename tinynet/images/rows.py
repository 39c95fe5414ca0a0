"""Find the rows of digits in a picture's ink, and the signs, points and commas among them."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from .digits import MOST_PARTS, Digit, Part, cut_out, parts_of
from .fitting import stroke_width
from .ink import label
from .marks import Mark, mark_of
from .opening import Array

TALL = 0.45  # of a digit's height: a part that is taller may be a digit
TALLER = 0.8  # of the ink, in parts that are not taller than a digit
NEAR = 0.12  # of a digit's height: a small part that is no farther belongs to a digit
SAME_ROW = 0.4  # of the lower of two parts' heights: what they share of it, if they are in the same row


@dataclasses.dataclass(frozen=True, eq=False)
class Row:
    """What stands in a row.

    Attributes:
        shapes: from left to right: digits, or parts of digits, and marks.
        height: of a digit, in pixels.
    """

    shapes: tuple[Digit | Mark, ...]
    height: float


def find_rows(ink: Array) -> list[Row]:
    """Find the rows of digits in a picture's ink, from top to bottom.

    Connected parts of the ink that are as tall as digits are in a row if they stand beside each other.
    Smaller ones are marks, or belong to the digit that they are nearest to; what is neither is left out:
    specks, underlines, and what touches the picture's border unless it is as tall as its neighbours.

    Args:
        ink: (H, W) from 0 to 1, as `find_ink` returns it.

    Returns:
        The rows; none if there is no ink.

    Example:
        >>> import numpy as np
        >>> ink = np.zeros((60, 60), np.float32)
        >>> ink[5:25, 20:24] = ink[5:25, 28:32] = ink[14:17, 5:15] = ink[35:55, 12:16] = 1.0   # -11 over 1
        >>> [[getattr(shape, "character", shape.left) for shape in row.shapes] for row in find_rows(ink)]
        [['-', 20, 28], [12]]
    """
    labels, count = label(ink > 0)
    parts = sorted(parts_of(ink, labels, count), key=lambda part: -part.mass)[:MOST_PARTS] if count else []
    height = _height(parts)
    parts = _without_frame(parts, height, ink.shape)
    tall = [part for part in parts if part.height >= TALL * height and part.mass >= 0.01 * parts[0].mass]
    if not tall:
        return []
    pen = stroke_width(np.where(np.isin(labels, [part.label for part in tall]), ink, np.float32(0)))
    rows = _rows(tall, height)
    others: list[list[Part]] = [[] for _ in rows]
    for part in parts:
        if part not in tall and (min(part.height, part.width) >= 0.5 * pen or part.length >= 0.2 * height):
            number = _nearest(part, rows, height)
            if number is not None:
                others[number].append(part)
    page = _Page(ink, labels, height, pen)
    return [page.row(row, small) for row, small in zip(rows, others, strict=True)]


def _height(parts: list[Part]) -> float:
    """Return the height of digits: most of the ink is in lower parts, lines not counted."""
    upright = [part for part in parts if part.height > 0.3 * part.width] or parts
    upright.sort(key=lambda part: part.height)
    total = np.cumsum([part.mass for part in upright])
    return upright[int(np.searchsorted(total, TALLER * total[-1]))].height if upright else 0.0


def _without_frame(parts: list[Part], height: float, shape: tuple[int, ...]) -> list[Part]:
    """Return the parts inside of the picture, and those at its border that are as tall as digits beside."""

    def touches(part: Part) -> bool:
        return part.top == 0 or part.left == 0 or part.bottom == shape[0] or part.right == shape[1]

    inside = [part for part in parts if not touches(part) and part.height >= TALL * height]

    def kept(part: Part) -> bool:
        line = part.bottom - part.top == shape[0] and part.width < 0.1 * part.height
        alike = 0.6 * height <= part.height <= 1.5 * height and part.width <= 1.5 * height
        return alike and not line and any(_shared(part, other) >= 0.6 for other in inside)

    return [part for part in parts if not inside or not touches(part) or kept(part)]


def _shared(a: Part, b: Part) -> float:
    """Return which share of the lower part's height the other one has beside it."""
    return (min(a.bottom, b.bottom) - max(a.top, b.top)) / min(a.height, b.height)


def _rows(tall: list[Part], height: float) -> list[list[Part]]:
    """Return which parts stand beside each other, row by row. A row may go up or down."""
    rows: list[list[Part]] = []
    for part in sorted(tall, key=lambda part: part.left):
        beside = [
            row
            for row in rows
            if any(
                _shared(part, other) >= SAME_ROW and part.left - other.right <= 2 * height for other in row
            )
        ]
        rows = [row for row in rows if row not in beside] + [[*(p for row in beside for p in row), part]]
    rows.sort(key=lambda row: np.mean([part.top + part.bottom for part in row]))
    joined: list[list[Part]] = []
    for row in rows:  # what has a wide gap in it
        top, bottom = (float(np.mean([getattr(part, edge) for part in row])) for edge in ("top", "bottom"))
        for other in joined:
            above = float(np.mean([part.top for part in other]))
            below = float(np.mean([part.bottom for part in other]))
            if min(bottom, below) - max(top, above) >= 0.5 * min(bottom - top, below - above):
                other += row
                break
        else:
            joined.append(row)
    return joined


def _nearest(part: Part, rows: list[list[Part]], height: float) -> int | None:
    """Return the number of the row that a small part belongs to, or None if it is far from all."""
    distances = []
    for row in rows:
        beside = min(row, key=lambda other: max(other.left - part.right, part.left - other.right, 0))
        across = max(beside.left - part.right, part.left - beside.right, 0)
        along = max(beside.top - part.bottom, part.top - beside.bottom, 0)
        distances.append((along, across))
    along, across = min(distances)
    near = along <= 0.35 * height and across <= 2 * height
    return distances.index((along, across)) if near else None


@dataclasses.dataclass(frozen=True, eq=False)
class _Page:
    """A picture's ink, the numbers of its connected parts, the height of digits, and the width of strokes."""

    ink: Array
    labels: NDArray[np.int32]
    height: float
    pen: float

    def row(self, tall: list[Part], others: list[Part]) -> Row:
        """Return the row of some tall parts and small ones."""
        marks, strokes, shapes = list[Mark](), list[Part](), sorted(tall, key=lambda part: part.left)
        for part in [*others, *tall]:
            rest = [other for other in shapes if other is not part]
            mark = mark_of(part, rest, others, self._own, self.height, self.pen)
            if mark is not None:
                marks.append(mark)
                shapes = rest if part in tall else shapes
            elif part in others:
                strokes.append(part)
        marks = [mark for mark in marks if mark.character]
        digits = [[part] for part in shapes]
        loose = list[Part]()
        for part in sorted(strokes, key=lambda part: -part.length):
            nearest = min(digits, key=lambda digit: _distance(part, digit))
            if _distance(part, nearest) <= NEAR * self.height:
                nearest.append(part)
            else:
                loose.append(part)
        digits += self._broken(loose)
        found: list[Digit | Mark] = [*(cut_out(self.ink, self.labels, digit) for digit in digits), *marks]
        return Row(tuple(sorted(found, key=_middle)), self.height)

    def _broken(self, loose: list[Part]) -> list[list[Part]]:
        """Return digits that are made of small strokes alone."""
        digits: list[list[Part]] = []
        for part in sorted(loose, key=lambda part: part.top):
            for digit in digits:
                if _distance(part, digit) <= NEAR * self.height:
                    digit.append(part)
                    break
            else:
                digits.append([part])
        return [
            digit
            for digit in digits
            if max(part.bottom for part in digit) - digit[0].top >= TALL * self.height
            or max(part.length for part in digit) >= 0.3 * self.height
        ]

    def _own(self, part: Part) -> NDArray[np.bool_]:
        """Return where a part has ink, in its box."""
        return np.asarray(self.labels[part.top : part.bottom, part.left : part.right] == part.label)


def _distance(part: Part, digit: list[Part]) -> float:
    """Return how far a small part is from a digit; what is above or below is nearer than what is beside."""
    across = min(max(other.left - part.right, part.left - other.right, 0) for other in digit)
    along = min(max(other.top - part.bottom, part.top - other.bottom, 0) for other in digit)
    return across + 0.5 * along


def _middle(shape: Digit | Mark) -> float:
    """Return where a shape's middle is, from the left."""
    return shape.left + (shape.ink.shape[1] if isinstance(shape, Digit) else shape.width) / 2
