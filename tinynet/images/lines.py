"""Take lines out of the ink that nobody wrote: those of ruled and squared paper, and of forms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .opening import Array

THICK = 0.012  # of the picture's longer side: a line is no thicker
STEEP = 0.1  # its slope at most: pictures of paper are seldom straight
STEPS = 41  # of slopes that are tried
BAND = 2  # pixels that a line strays to either side
COVERED, ENDS = 0.55, 0.02  # of the picture that a line crosses and is seen in, and where it may end
BOX_ENDS, HELD = (
    0.25,
    0.2,
)  # the former for a drawn box, beyond which a digit may reach; how much it must hold
LONG = 30  # times its thickness that a line is long at least


def without_lines(ink: Array) -> Array:
    """Return the ink without straight thin lines that cross the picture, or are a box.

    A line is taken away where it is as thin as a line; where a stroke crosses it, all is left.

    Args:
        ink: (H, W) from 0 to 1.

    Returns:
        (H, W). A single upright line that is all there is stays: it may be a 1.

    Example:
        >>> import numpy as np
        >>> ink = np.zeros((200, 200), np.float32)
        >>> ink[20:180, 100:110] = 1
        >>> ink[150:153] = 1
        >>> left = without_lines(ink)
        >>> print(left.sum(), left[151, 105])
        1600.0 1.0
    """
    level, _ = _without_level_lines(ink, ENDS)
    left, _ = _without_level_lines(level.T, ENDS)
    return _without_box(np.ascontiguousarray(left.T) if left.any() else level)


def _without_box(ink: Array) -> Array:
    """Return the ink without the box that is drawn around the rest of it, which may touch and cross it."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return ink
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    level, sills = _without_level_lines(ink[box], BOX_ENDS)
    left, posts = _without_level_lines(level.T, BOX_ENDS)
    if min(sills, posts) < 2 or max(left.any(axis=0).sum(), left.any(axis=1).sum()) < HELD * min(left.shape):
        return ink
    inside = np.zeros_like(ink)
    inside[box] = left.T
    return inside


def _without_level_lines(ink: Array, ends: float) -> tuple[Array, int]:
    """Return the ink without lines from the left to the right, and how many there were."""
    height, width = ink.shape
    if width < 2 * LONG or np.count_nonzero(ink.any(axis=0)) < COVERED * width:
        return ink, 0
    tops, bottoms, columns = _thin_runs(ink > 0, max(3, round(THICK * max(ink.shape))))
    middles = (tops + bottoms) / 2
    away, count = np.zeros(columns.size, np.bool_), 0
    slopes = np.linspace(-STEEP, STEEP, STEPS)
    levels = [np.rint(middles - slope * (columns - width / 2)).astype(np.int64) + width for slope in slopes]
    for rows in sorted(levels, key=lambda rows: -int(np.bincount(rows, minlength=1).max())):
        counts = np.bincount(rows[~away], minlength=height + 2 * width)
        seen = np.convolve(counts, np.ones(2 * BAND + 1), "same")
        while seen.max() >= COVERED * width:
            row = int(seen.argmax())
            seen[max(row - BAND, 0) : row + BAND + 1] = 0
            near = (np.abs(rows - row) <= BAND) & ~away
            if _crosses(columns[near], bottoms[near] - tops[near], width, ends):
                away |= near
                count += 1
    left = ink.copy()
    for top, bottom, column in zip(tops[away], bottoms[away], columns[away], strict=True):
        left[top:bottom, column] = 0
    return left, count


def _crosses(columns: NDArray[np.int64], thickness: NDArray[np.int64], width: int, ends: float) -> bool:
    """Return whether runs of ink in some columns are a line from one side of a picture to the other."""
    there = np.unique(columns)
    if there.size < COVERED * width or width < LONG * float(thickness.mean()):
        return False
    return bool(there[0] <= ends * width and there[-1] >= (1 - ends) * width - 1)


def _thin_runs(mask: NDArray[np.bool_], thickest: int) -> tuple[NDArray[np.int64], ...]:
    """Return first rows, the rows after the last, and columns of a mask's upright runs that are thin."""
    framed = np.zeros((mask.shape[1], mask.shape[0] + 2), np.int8)
    framed[:, 1:-1] = mask.T
    change = np.diff(framed, axis=1)
    columns, tops = np.nonzero(change == 1)
    _, bottoms = np.nonzero(change == -1)
    thin = bottoms - tops <= thickest
    return tops[thin], bottoms[thin], columns[thin]
