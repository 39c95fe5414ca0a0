"""Fit a digit's ink into 28×28 pixels as MNIST's makers did it."""

from __future__ import annotations

import numpy as np

from .. import kernels
from .opening import Array, quantile

SIZE = 28  # pixels of a side of what the network sees
BOX = 20  # the digit fits into this many
FINE = 4  # strokes are measured and widened on a grid this many times as fine as the network's
STROKE = 2.6  # a stroke's width in the network's pixels: MNIST's is 2.2 to 2.9, half of the time


def fit(ink: Array) -> Array:
    """Fit a digit's ink into what the network was trained on.

    It is scaled so that it just fits into 20×20 pixels with its aspect kept, its strokes are made as wide as
    MNIST's if they are thinner or much wider, and its centre of mass is moved to the centre of 28×28.

    Args:
        ink: (H, W) from 0 to 1, with some ink.

    Returns:
        (28, 28) float32 from 0 (paper) to 1 (ink).

    Example:
        >>> import numpy as np
        >>> ink = np.zeros((300, 200), np.float32)
        >>> ink[50:250, 80:84] = 1.0                       # a thin stroke
        >>> pixels = fit(ink)
        >>> np.flatnonzero(pixels.sum(axis=1) > 0.1).size, np.flatnonzero(pixels.sum(axis=0) > 0.1).size
        (20, 3)
    """
    rows, columns = np.flatnonzero((ink > 0.5).any(axis=1)), np.flatnonzero((ink > 0.5).any(axis=0))
    if not rows.size:
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    box = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    fine = _scaled(ink, box, BOX * FINE)
    change = _stroke_change(fine)
    if change > 0:  # wider strokes need room
        fine = _scaled(ink, box, max(round(BOX * FINE - 2 * change), BOX))
        change = _stroke_change(fine)
    return _centred(_with_strokes(fine, change))


def _scaled(ink: Array, box: tuple[int, int, int, int], side: int) -> Array:
    """Return what is in a box, scaled so that its longer side is `side`."""
    from PIL import Image

    left, top, right, bottom = box
    scale = side / max(right - left, bottom - top)
    size = max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1)
    image = Image.fromarray(ink[top:bottom, left:right])
    fine = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
    full = quantile(fine[fine > 0], 0.8)  # thin strokes pale when they are made smaller
    return np.minimum(fine / np.float32(full), np.float32(1))


def stroke_width(ink: Array) -> float:
    """Return the mean width of strokes, in pixels: twice their area by the length of their edges."""
    framed = _framed(ink, 1)
    down, right = np.diff(framed, axis=0)[:, 1:], np.diff(framed, axis=1)[1:]
    edges = float(np.sqrt(down**2 + right**2).sum())
    return 2 * float(ink.sum()) / edges


def _framed(x: Array, width: int) -> Array:
    """Return an array with a frame of zeros around it."""
    framed = np.zeros((x.shape[0] + 2 * width, x.shape[1] + 2 * width), x.dtype)
    framed[width:-width, width:-width] = x
    return framed


def _stroke_change(fine: Array) -> float:
    """Return by how many fine pixels a stroke's either side is to move."""
    width = stroke_width(fine)
    target = STROKE * FINE
    if width < target:
        return (target - width) / 2
    return -max(width - 1.6 * target, 0) / 2


def _with_strokes(fine: Array, change: float) -> Array:
    """Return strokes that are wider by `change` on either side, or narrower where it is negative."""
    if change == 0:
        return fine
    framed = _framed(fine, int(max(change, 0)) + 1)
    changed = np.empty_like(framed)
    if change > 0:
        kernels.picture.widen(framed, changed, change)
        return changed
    kernels.picture.widen(1 - framed, changed, -change)
    return 1 - changed


def _centred(fine: Array) -> Array:
    """Return (28, 28) pixels of a finer picture, with its centre of mass in their centre."""
    height, width = fine.shape
    rows, columns = (min(-(-side // FINE), BOX) for side in fine.shape)
    canvas = np.zeros((max(rows * FINE, height), max(columns * FINE, width)), np.float32)
    top, left = (canvas.shape[0] - height) // 2, (canvas.shape[1] - width) // 2
    canvas[top : top + height, left : left + width] = fine
    top, left = (canvas.shape[0] - rows * FINE) // 2, (canvas.shape[1] - columns * FINE) // 2
    blocks = canvas[top : top + rows * FINE, left : left + columns * FINE].reshape(rows, FINE, columns, FINE)
    coarse = blocks.mean(axis=(1, 3))
    pixels = np.zeros((SIZE, SIZE), np.float32)
    y = coarse.sum(axis=1) @ (np.arange(rows) + 0.5) / coarse.sum()
    x = coarse.sum(axis=0) @ (np.arange(columns) + 0.5) / coarse.sum()
    top = min(max(round(SIZE / 2 - y), 0), SIZE - rows)
    left = min(max(round(SIZE / 2 - x), 0), SIZE - columns)
    pixels[top : top + rows, left : left + columns] = coarse
    return pixels
