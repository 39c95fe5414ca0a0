"""The ten digits, drawn: what a model of digits is tried on, to find in which form it takes pictures."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np

from .fitting import fit
from .opening import Array

HEIGHT, MARGIN, PEN = 40, 10, 4.5  # of a digit, around it, and of its strokes, in pixels of the drawing
SLANTS = (-0.25, 0.1, 0.5)  # how far the tops lean to the right, of the height

Point = tuple[float, float]


def _arc(x: float, y: float, width: float, height: float, first: float, last: float) -> list[Point]:
    """Return points of an ellipse's arc around (x, y); degrees run clockwise from the right."""
    angles = [math.radians(first + (last - first) * i / 24) for i in range(25)]
    return [(x + width / 2 * math.cos(a), y + height / 2 * math.sin(a)) for a in angles]


# The strokes of each digit, in a box of height 1; y points down.
STROKES: list[list[list[Point]]] = [
    [_arc(0.32, 0.5, 0.62, 1.0, -90, 270)],
    [[(0.08, 0.0), (0.06, 1.0)]],
    [[*_arc(0.3, 0.29, 0.56, 0.58, -165, 35), (0.02, 1.0), (0.64, 1.0)]],
    [[*_arc(0.28, 0.26, 0.5, 0.52, -155, 90), *_arc(0.28, 0.75, 0.6, 0.5, -90, 150)]],
    [[(0.2, 0.0), (0.02, 0.6), (0.66, 0.6)], [(0.5, 0.12), (0.46, 1.0)]],
    [[(0.6, 0.0), (0.14, 0.03), (0.1, 0.45), *_arc(0.28, 0.69, 0.6, 0.62, -115, 140)]],
    [[(0.46, 0.0), (0.2, 0.3), *_arc(0.32, 0.7, 0.56, 0.58, -180, 190)]],
    [[(0.0, 0.02), (0.6, 0.0), (0.22, 1.0)]],
    [_arc(0.3, 0.25, 0.5, 0.5, 90, 450), _arc(0.3, 0.74, 0.6, 0.5, -90, 270)],
    [[*_arc(0.3, 0.28, 0.52, 0.54, 0, -360), (0.56, 0.3), (0.5, 1.0)]],
]


@functools.cache
def drawn_digits() -> Array:
    """Return drawn digits as the networks see digits.

    Returns:
        (3, 10, 28, 28) from 0 (paper) to 1 (ink): each digit leaning to the left, nearly upright, and leaning
        to the right; not to be written to.
    """
    pixels = np.stack([[fit(_drawn(strokes, slant)) for strokes in STROKES] for slant in SLANTS])
    pixels.flags.writeable = False
    return pixels


def _drawn(strokes: list[list[Point]], slant: float) -> Array:
    """Return the ink of strokes, drawn with a round pen."""
    side = HEIGHT + 2 * MARGIN
    y, x = np.mgrid[:side, :side] - MARGIN + 0.5
    distance = np.full((side, side), np.inf)
    for stroke in strokes:
        points = [(HEIGHT * (x + slant * (1 - y)), HEIGHT * y) for x, y in stroke]
        for (left, top), (right, bottom) in itertools.pairwise(points):
            across, down = right - left, bottom - top
            along = ((x - left) * across + (y - top) * down) / max(across**2 + down**2, 1e-9)
            along = np.clip(along, 0, 1)
            gap = np.hypot(x - left - along * across, y - top - along * down)
            distance = np.minimum(distance, gap)
    return np.clip(PEN / 2 - distance + 0.5, 0, 1).astype(np.float32)
