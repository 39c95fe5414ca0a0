"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def number(value: Any) -> str:
    """Return a number, or several, with four digits.

    Example:
        >>> number(0.12345), number(1.5e-5), number([0.5, 1.0])
        ('0.1235', '1.50e-05', '[0.5 1. ]')
    """
    if np.ndim(value):
        return np.array2string(np.asarray(value), precision=4)
    size = abs(float(value))
    return f"{value:.4f}" if size == 0 or 1e-3 <= size < 1e5 or not math.isfinite(size) else f"{value:.2e}"


def ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Return four to eight round numbers, of which the first and the last enclose a range.

    Args:
        low, high: its ends, finite.
        whole: whether to take whole numbers alone, and none outside of it; default False.

    Example:
        >>> ticks(0.13, 0.94), ticks(1, 3, whole=True)
        ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [1.0, 2.0, 3.0])
    """
    if high <= low:
        if whole:
            return [low]
        low, high = low - max(abs(low) / 10, 1e-12), high + max(abs(high) / 10, 1e-12)
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    if whole:
        step = max(1.0, float(round(step)))
        first, last = math.ceil(low / step), math.floor(high / step)
    else:
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]
