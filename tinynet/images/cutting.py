"""Where to cut digits that touch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .digits import Digit
from .ink import window_maximum
from .opening import Array

Columns = int | NDArray[np.int64]

MOST_CUTS = 48  # of a picture: each two of them bound a piece that may be a digit
NARROW = 0.7  # of its height: what is not wider is one digit
APART, MARGIN = 0.12, 0.06  # of the height: the least distance of two cuts, and of a cut from an end
REACH, SIDEWAYS = 0.12, 0.02  # how far a cut may bend, of the height; what a step aside costs, in ink
UNLIKELY = 0.3  # by how much less a slant of the height must make strokes longer
SLANTS = np.arange(-4, 10) / 10  # that are tried: how far tops lean to the right, of the height


def cuts(ink: Array, most: int = MOST_CUTS) -> list[int]:
    """Find the columns at which a digit's ink may be cut, if it may be several digits that touch.

    They are where there is the least ink, or where it reaches least far from top to bottom (where two round
    digits touch, there is much ink).

    Args:
        ink: (H, W), of one connected group of strokes, upright; see `upright`.
        most: how many columns in between at most; default 48. Of more, those of least ink are taken.

    Returns:
        The first column, those in between where the ink is wide, and the one after the last.

    Example:
        >>> import numpy as np
        >>> ink = np.zeros((20, 40), np.float32)
        >>> ink[2:18, 5:9] = ink[2:18, 25:29] = ink[10, 5:29] = 1.0       # two strokes joined by a thin one
        >>> cuts(ink)
        [5, 17, 29]
    """
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    height = int(rows[-1] - rows[0]) + 1
    first, last = int(columns[0]), int(columns[-1]) + 1
    if last - first < NARROW * height:
        return [first, last]
    used = ink[:, first:last] > 0
    profile = ink[:, first:last].sum(axis=0)
    extent = (len(ink) - used[::-1].argmax(axis=0) - used.argmax(axis=0)).astype(np.float32)
    extent[~used.any(axis=0)] = 0
    apart = max(round(APART * height), 1)
    found = list[int]()
    for measure, most_ink in ((profile, 0.5 * profile.max()), (extent, 0.75 * height)):
        for middle in _valleys(measure, apart, max(round(MARGIN * height), 1), float(most_ink)):
            if all(abs(middle - other) >= apart for other in found):
                found.append(middle)
    inner = sorted(sorted(found, key=lambda middle: float(profile[middle]))[:most])
    return [first, *(first + middle for middle in inner), last]


def _valleys(measure: Array, apart: int, margin: int, most: float) -> list[int]:
    """Return where a measure of the columns is least among its neighbours."""
    least = -window_maximum(-measure[np.newaxis].repeat(2, axis=0), apart)[0]
    valleys = (measure == least) & (measure < most)
    valleys[:margin] = valleys[len(valleys) - margin :] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valleys, [False]])))
    return [int(middle) for middle in edges.reshape(-1, 2).sum(axis=1) // 2]


def strip(ink: Array, first: Columns, last: Columns) -> Array:
    """Return the ink from one column to before another, or so in each row, (H,); the others are empty."""
    columns = np.arange(ink.shape[1])
    kept = (columns >= np.reshape(first, (-1, 1))) & (columns < np.reshape(last, (-1, 1)))
    return np.where(kept, ink, np.float32(0))


def seam(ink: Array, column: int) -> tuple[NDArray[np.int64], float]:
    """Return the way from top to bottom near a column that cuts the least ink, and how much that is.

    Args:
        ink: (H, W).
        column: where it is sought, within `REACH` of the height.

    Returns:
        (H,) the column in each row; and the ink on the way.
    """
    height, width = ink.shape
    reach = max(round(REACH * height), 1)
    first, last = max(column - reach, 0), min(column + reach + 1, width)
    cost = np.pad(ink[:, first:last], ((0, 0), (1, 1)), constant_values=np.inf)
    aside = np.abs(np.arange(first - 1, last + 1) - column) * np.float32(0.2 / reach / height)
    back = np.zeros(cost.shape, np.int64)
    best = cost[0] + aside
    for row in range(1, height):
        ways = np.stack([best[1:-1], best[:-2] + SIDEWAYS, best[2:] + SIDEWAYS])
        choice = ways.argmin(axis=0)
        back[row, 1:-1] = np.array([0, -1, 1])[choice]
        best[1:-1] = ways.min(axis=0) + cost[row, 1:-1] + aside[1:-1]
    way = np.empty(height, np.int64)
    way[-1] = int(best.argmin())
    for row in range(height - 1, 0, -1):
        way[row - 1] = way[row] + back[row, way[row]]
    return way + first - 1, float(ink[np.arange(height), way + first - 1].sum())


def slant_of(digits: list[Digit]) -> float:
    """Return how far tops lean to the right, of the height: upright strokes are long in few columns."""

    def length(slant: float) -> float:
        squares = sum(float((upright(digit, slant).ink.sum(axis=0) ** 2).sum()) for digit in digits)
        return squares * (1 - UNLIKELY * abs(slant))

    return float(max(SLANTS, key=length))


def upright(digit: Digit, slant: float) -> Digit:
    """Return a digit whose rows are moved so that tops no longer lean; the negative slant moves them back."""
    height, width = digit.ink.shape
    shifts = np.rint(slant * np.arange(digit.top, digit.top + height)).astype(np.int64)
    first = int(shifts.min())
    ink = np.zeros((height, width + int(shifts.max()) - first), np.float32)
    ink[np.arange(height)[:, np.newaxis], np.arange(width) + (shifts - first)[:, np.newaxis]] = digit.ink
    return Digit(ink, digit.top, digit.left + first, digit.fitted)
