"""Take out of the ink what is a shadow, or grain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .ink import boxes_of, label
from .opening import FAINTEST, Array

DEEP = 0.5  # of the light: what comes in from the border and takes away less is a shadow
FULL = 0.9  # of the ink: the middle of a stroke
SHORTEST = 5  # pixels of a digit's longer side; a picture of shorter parts alone is one of grain


def without_shadows(ink: Array, brightness: Array) -> Array:
    """Return the ink without shadows that fall into the picture, and without grain.

    Args:
        ink: (H, W) from 0 to 1, as `find_ink` returns it.
        brightness: (H, W) from 0 to 1, of which it is.

    Example:
        >>> import numpy as np
        >>> paper = np.ones((40, 40), np.float32)
        >>> paper[:30, 10:20] = 0.7                     # from the border, and not very dark
        >>> ink = (paper < 1).astype(np.float32)
        >>> float(without_shadows(ink, paper).sum())
        0.0
    """
    labels, count = label(ink > 0)
    boxes = boxes_of(labels, count)[1:]
    sizes = np.maximum(boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2])
    if not count or sizes.max() < SHORTEST:
        return np.zeros_like(ink)
    height, width = ink.shape
    at_border = (
        (boxes[:, 0] == 0) | (boxes[:, 1] == height) | (boxes[:, 2] == 0) | (boxes[:, 3] == width)
    ) & (sizes >= SHORTEST)
    shadows = [
        i + 1
        for i in np.flatnonzero(at_border).tolist()
        if not _is_deep(i + 1, boxes[i], labels, ink, brightness)
    ]
    return np.where(np.isin(labels, shadows), np.float32(0), ink) if shadows else ink


def _is_deep(
    number: int, box: NDArray[np.int32], labels: NDArray[np.int32], ink: Array, brightness: Array
) -> bool:
    """Return whether a part takes away much of the light that falls beside it, or adds much to it."""
    place = np.s_[box[0] : box[1], box[2] : box[3]]
    own, here = labels[place] == number, brightness[place]
    full = here[own & (ink[place] > FULL)]
    beside = here[ink[place] == 0]
    if not full.size:
        return False
    stroke = float(np.median(full))
    paper = float(np.median(beside if beside.size else brightness))
    return abs(stroke - paper) >= DEEP * max(stroke, paper, FAINTEST)
