"""Find the sheet that is written on: paper on a desk, a canvas in a page, the inside of a box or circle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .ink import boxes_of, label, otsu, window_maximum
from .light import evened, means
from .opening import Array

Mask = NDArray[np.bool_]

CELLS = 200  # of the longer side, in which a sheet is looked for
TINY = 80  # pixels of a side: a smaller picture shows a digit alone
SMALLEST = 0.2  # of a sheet's sides, of the picture's longer one
STRAIGHT = 0.9  # of a rectangle that a sheet fills; a zero fills less
TURNED = 20  # degrees that a sheet lies askew at most
WRITTEN = 0.4  # of a sheet that is covered with ink at most
SHARP = 0.8  # of its edge
ROUND = 0.7  # of its box that the inside of a drawn box or circle fills
GAP = 0.02  # of a circle's size, between its ends
LARGE = 0.25  # of that inside's sides that something in it has


def find_sheet(brightness: Array) -> tuple[Array, int, int]:
    """Find a sheet on a desk, or a canvas in a page of another colour.

    Args:
        brightness: (H, W) from 0 to 1.

    Returns:
        The sheet (h, w), what is around it painted over with its colour, and where it lies: its top row and
        left column. A picture that is no such thing stays as it is.

    Example:
        >>> import numpy as np
        >>> desk = np.full((200, 300), 0.2, np.float32)
        >>> desk[40:180, 60:240] = 0.9
        >>> desk[80:140, 145:155] = 0.2
        >>> sheet, top, left = find_sheet(desk)
        >>> top // 10, left // 10, bool((sheet[0] > 0.8).all())
        (4, 6, True)
    """
    if max(brightness.shape) < TINY:
        return brightness, 0, 0
    side = -(-max(brightness.shape) // CELLS)
    cells = evened(means(brightness, side))
    threshold = otsu(cells.reshape(-1))
    light = cells > threshold
    if light.all() or not light.any():
        return brightness, 0, 0
    jump = window_maximum(cells, 2) + window_maximum(-cells, 2)
    sharp = jump > 0.5 * (cells[light].mean() - cells[~light].mean())
    found: list[tuple[int, Mask, int, int]] = []
    for mask in (light, ~light):
        for filled, own, top, left in _regions(mask, SMALLEST * max(cells.shape)):
            area = int(filled.sum())
            edge = filled & ~_eroded(filled)
            around = np.s_[top : top + filled.shape[0], left : left + filled.shape[1]]
            if (
                area >= STRAIGHT * _rectangle(edge)
                and filled.size < 0.97 * cells.size
                and 0 < area - int(own.sum()) < WRITTEN * area
                and (sharp[around] | _border(cells.shape)[around])[edge].mean() > SHARP
            ):
                found.append((area, filled, top, left))
    if not found:
        return brightness, 0, 0
    _, filled, top, left = min(found, key=lambda one: one[0])  # the innermost
    inner = _eroded(filled)
    box = np.s_[top * side : (top + filled.shape[0]) * side, left * side : (left + filled.shape[1]) * side]
    sheet = brightness[box]
    inner = inner.repeat(side, axis=0).repeat(side, axis=1)[: sheet.shape[0], : sheet.shape[1]]
    return np.where(inner, sheet, np.median(sheet[inner])), top * side, left * side


def written_inside(ink: Array) -> Array:
    """Return the ink of what stands in drawn boxes or circles alone, if there are such.

    Args:
        ink: (H, W) from 0 to 1.

    Returns:
        (H, W).

    Example:
        >>> import numpy as np
        >>> ink = np.zeros((40, 40), np.float32)
        >>> ink[5:35, 5:35] = 1
        >>> ink[6:34, 6:34] = 0
        >>> ink[12:28, 20] = 1
        >>> written_inside(ink).sum()
        np.float32(16.0)
    """
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return ink
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    own = np.ascontiguousarray(ink[box])
    for gap in (1, max(2, round(GAP * max(own.shape)))):
        inside = _inside(np.pad(window_maximum(own, gap) > 0, gap))[gap:-gap, gap:-gap]
        if inside.any():
            kept = np.zeros_like(ink)
            kept[box] = np.where(inside, own, 0)
            return kept
    return ink


def _inside(drawn: Mask) -> Mask:
    """Return what is inside of drawn boxes or circles that hold something."""
    inside = np.zeros(drawn.shape, np.bool_)
    for filled, own, top, left in _regions(~drawn, 8):
        held = filled & ~own
        if filled.size == drawn.size or not held.any() or filled.sum() < ROUND * filled.size:
            continue
        sides = np.ptp(np.flatnonzero(held.any(axis=1))), np.ptp(np.flatnonzero(held.any(axis=0)))
        if max(sides[0] / filled.shape[0], sides[1] / filled.shape[1]) > LARGE:
            inside[top : top + filled.shape[0], left : left + filled.shape[1]] |= filled
    return inside


def _regions(mask: Mask, smallest: float) -> Iterator[tuple[Mask, Mask, int, int]]:
    """Find a mask's connected parts that are as large on either side.

    Returns:
        Of each part: what it is with all that it encloses, what it is alone, both as large as its box; and
        the box's top and left.
    """
    labels, count = label(mask)
    boxes = boxes_of(labels, count)
    large = np.minimum(boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]) >= smallest
    for number in np.flatnonzero(large).tolist():
        top, bottom, left, right = boxes[number].tolist()
        own = labels[top:bottom, left:right] == number
        others, _ = label(np.pad(~own, 1, constant_values=True))
        yield (others != others[0, 0])[1:-1, 1:-1], own, top, left


def _rectangle(edge: Mask) -> float:
    """Return the area of the smallest rectangle, turned a little or not, around a mask."""
    y, x = np.nonzero(edge)
    angles = np.radians(np.arange(-TURNED, TURNED + 1))[:, np.newaxis]
    sides = np.cos(angles) * x + np.sin(angles) * y, np.cos(angles) * y - np.sin(angles) * x
    return float(((np.ptp(sides[0], axis=1) + 1) * (np.ptp(sides[1], axis=1) + 1)).min())


def _eroded(mask: Mask) -> Mask:
    """Return a mask without the pixels at its edge."""
    framed = np.pad(mask, 1)
    return framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:] & mask


def _border(shape: tuple[int, ...]) -> Mask:
    """Return which pixels lie on a picture's border."""
    border = np.ones(shape, np.bool_)
    border[1:-1, 1:-1] = False
    return border
