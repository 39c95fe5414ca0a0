"""Find the ink in a picture, whatever the paper, the light and the colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from .light import evened
from .opening import FAINTEST, Array, quantile, sample

DARKEST = 0.3  # of the lightest paper's brightness: contrast that deeper shadows take away is not made up for
BORDER = 0.25  # how much ink on all of the border speaks against a polarity
APART = 2.0  # from ink to paper, in their spreads, if ink may cover more of the picture than paper
# A stroke's edge rises by so much of its contrast within so much of its width, nearly all around; its
# contrast is what there is within some times as many pixels.
RISE, SOFTEST, AROUND, NEARBY = 0.5, 0.2, 0.65, 4
LARGE = 0.2  # of the largest part's area, if a part's strokes count for that width


def find_ink(brightness: Array) -> Array:
    """Find how much ink each pixel has.

    The light is evened out, and the paper's brightness estimated around each pixel: what is left when all
    strokes are filled in by a morphological closing (dark ink) or opening (light ink). Of the two, the right
    one leaves the more even paper, less ink, and less of it on the picture's border. What has no sharp edge
    around it is a shadow.

    Args:
        brightness: (H, W), from 0 to 1.

    Returns:
        (H, W) float32: 0 where there is none, 1 where there is as much as in the strokes' middle. All 0 if
        there is no ink.

    Example:
        >>> import numpy as np
        >>> paper = np.linspace(0.5, 1.0, 40, dtype=np.float32) * np.ones((40, 1), np.float32)   # in a shadow
        >>> paper[10:30, 18:22] *= 0.4
        >>> ink = find_ink(paper)
        >>> print(ink[5, 3], ink[20, 20].round(1))
        0.0 1.0
    """
    smooth = evened(_blurred(brightness, max(brightness.shape) // 400))
    radius = max(2, max(brightness.shape) // 5)
    contrast = max(float(np.ptp(smooth)), FAINTEST)
    candidates = []
    for sign in (1, -1):  # dark ink, light ink
        paper = sign * _closed(sign * smooth, radius)
        signal = sign * (paper - smooth)
        if sign == 1:  # ink takes away a share of the light: in a shadow there is less contrast
            lightest = max(float(paper.max()), FAINTEST)
            signal = signal * lightest / np.maximum(paper, DARKEST * lightest)
        if signal.max() < FAINTEST:
            continue
        unlikely = float(paper.std() + signal.mean()) / contrast + BORDER * _border_share(signal)
        candidates.append((unlikely, signal - _level(signal)))
    if not candidates:
        return np.zeros_like(smooth)
    return _stretched(min(candidates, key=lambda candidate: candidate[0])[1])


def _closed(x: Array, radius: int) -> Array:
    """Return x with what is dark and narrower than 2 · radius + 1 pixels filled in."""
    return -window_maximum(-window_maximum(x, radius), radius)


def window_maximum(x: Array, radius: int) -> Array:
    """Return the maximum over the square around each pixel."""
    columns, rows = np.empty_like(x), np.empty_like(x.T, order="C")
    kernels.picture.window_maximum(x, columns, radius)
    kernels.picture.window_maximum(np.ascontiguousarray(columns.T), rows, radius)
    return np.ascontiguousarray(rows.T)


def _blurred(x: Array, radius: int) -> Array:
    """Return the mean over the square around each pixel."""
    height, width = x.shape
    for axis, size in ((0, height), (1, width)) if radius else ():
        framed = np.pad(x, [(radius, radius) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        x = np.take(framed, range(size), axis)
        for shift in range(1, 2 * radius + 1):
            x += framed[shift : shift + size] if axis == 0 else framed[:, shift : shift + size]
        x /= np.float32(2 * radius + 1)
    return np.ascontiguousarray(x)


def _median(x: Array) -> float:
    """Return about the median of many values."""
    return quantile(sample(x.reshape(-1)), 0.5)


def _border_share(signal: Array) -> float:
    """Return how much of the picture's border is ink."""
    border = np.concatenate([signal[0], signal[-1], signal[1:-1, 0], signal[1:-1, -1]])
    return float(np.mean(border > 0.5 * signal.max()))


def _level(signal: Array) -> float:
    """Return what the signal is on paper: of all pixels the median, unless ink may cover half of them."""
    values = sample(signal.reshape(-1))
    if values.max() < FAINTEST:
        return quantile(values, 0.5)
    threshold = otsu(values)
    below, above = values[values <= threshold], values[values > threshold]
    if not above.size or above.mean() - below.mean() < APART * (above.std() + below.std()):
        return quantile(values, 0.5)
    return quantile(below, 0.5)


def _stretched(signal: Array) -> Array:
    """Return ink from 0 to 1 of a signal that is about 0 on paper, noise left out."""
    noise = 1.4826 * _median(np.abs(signal[signal < 0.5 * float(signal.max())]))
    floor = max(3.5 * noise, FAINTEST)
    candidates = signal[signal > floor]
    if candidates.size < 4:
        return np.zeros_like(signal)
    threshold = max(min(otsu(candidates), 0.5 * quantile(candidates, 0.95)), floor)
    full = quantile(signal[signal > threshold], 0.5)
    low = max(floor, 0.6 * threshold)
    ink = np.clip((signal - low) / (full - low), 0, 1)
    return _connected(ink.astype(np.float32), signal > threshold, signal)


def otsu(values: Array) -> float:
    """Return the threshold between two groups of values (Otsu 1979)."""
    bins, most = 128, float(values.max())
    if most <= 0:
        return 0.0
    counts = np.bincount(np.minimum(values * (bins / most), bins - 1).astype(np.int64), minlength=bins)
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(bins))
    above = np.maximum(below[-1] - below, 1)
    between = (sums[-1] * below - sums * below[-1]) ** 2.0 / (np.maximum(below, 1) * above)
    return most * (1 + int(np.argmax(between))) / bins


def label(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Return the numbers of a mask's connected parts, from 1 on, and how many there are."""
    labels = np.empty(mask.shape, np.int32)
    height, width = mask.shape
    workspace = np.empty((height + 1) // 2 * ((width + 1) // 2) + 1, np.int32)
    return labels, kernels.picture.label(mask, labels, workspace)


def boxes_of(labels: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """Return the boxes (count + 1, 4) of a mask's parts: first row, row after the last, columns likewise."""
    found = np.empty((count + 1, 4), np.int32)
    kernels.picture.boxes(labels, found)
    return found


def _connected(ink: Array, strong: NDArray[np.bool_], signal: Array) -> Array:
    """Return the ink of the parts that are strong somewhere, sharp, and more than a few pixels of noise."""
    labels, count = label(ink > 0)
    areas = np.bincount(labels[labels > 0], minlength=count + 1)
    kept = np.zeros(count + 1, np.bool_)
    kept[np.unique(labels[strong])] = True
    kept &= areas >= max(3, max(ink.shape) / 50)
    kept[0] = False
    if not kept.any():
        return np.zeros_like(ink)
    labels = np.where(kept[labels], labels, 0)
    inside = labels > 0
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    kept &= _sharp(labels[box], np.where(kept, areas, 0), signal, (int(rows[0]), int(columns[0])))
    return ink * kept[labels]


def _sharp(
    labels: NDArray[np.int32], areas: NDArray[np.int64], signal: Array, place: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return which parts have an edge around them: a shadow has none, or on one side only.

    Args:
        labels: (h, w) the numbers of the parts, in their box.
        areas: (parts + 1,) how large they are.
        signal: (H, W), of the picture.
        place: the row and the column of the signal where the labels' box begins.
    """
    count = len(areas)
    framed = np.pad(labels > 0, 1)
    top, left = place
    bottom, right = top + labels.shape[0], left + labels.shape[1]
    framed[0] |= top == 0  # the picture's border is no edge
    framed[-1] |= bottom == signal.shape[0]
    framed[:, 0] |= left == 0
    framed[:, -1] |= right == signal.shape[1]
    deep = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    edge = framed[1:-1, 1:-1] & ~deep
    numbers = labels[edge]
    lengths = np.maximum(np.bincount(numbers, minlength=count), 1)
    widths = 2 * areas / lengths
    reach = max(2, round(SOFTEST * float(widths[areas >= LARGE * areas.max()].max())))
    differences = sample(np.diff(signal, axis=1).reshape(-1))
    noise = quantile(np.abs(differences), 0.2) / 0.3583 if differences.size else 0.0  # if it is normal noise
    around = NEARBY * reach  # pixels farther away do not matter
    first = max(top - around, 0), max(left - around, 0)
    near = np.ascontiguousarray(signal[first[0] : bottom + around, first[1] : right + around])
    inner = np.s_[top - first[0] : bottom - first[0], left - first[1] : right - first[1]]
    jump = (window_maximum(near, reach) + window_maximum(-near, reach))[inner][edge] - 4 * noise
    contrast = window_maximum(near, around)[inner][edge]
    sharp = np.bincount(numbers, jump > RISE * contrast, count)
    return sharp > AROUND * lengths
