"""Take the light's unevenness out of a picture: a smooth surface that is fitted to its paper."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .opening import Array, quantile

CELLS = 48  # of the longer side: the surface is fitted to means over so many
DEGREE = 4  # of the surface: light falls off smoothly, a corner's shadow steeply
PIXELS = 10  # of a side for each degree: in a tiny picture, strokes are as smooth as light
ROUNDS = 12  # at most, of fitting again without what is far from the surface
SETTLED = 1e-4  # when the middle distance from the surface changes by less, that is enough
# What is near the surface is paper, in shares of its light; of a picture, so much must be paper.
NEAR, LEAST_PAPER = 0.06, 0.6
EVEN = 0.02  # a light that varies by less is even
DARKEST = 0.2  # of the most light: what gets less is not in a shadow

Floats = NDArray[np.float64]


def evened(brightness: Array) -> Array:
    """Return a picture as if the light fell evenly on it.

    The paper is most of a picture, and its light a smooth surface: a polynomial is fitted to the picture
    again and again, each time with less weight on what is far from it, and the picture is divided by it.
    Where most of the picture is not near a surface, it stays as it is.

    Args:
        brightness: (H, W) from 0 to 1.

    Returns:
        (H, W), as light as the lightest paper.

    Example:
        >>> import numpy as np
        >>> shaded = np.linspace(0.5, 1.0, 40, dtype=np.float32) * np.ones((40, 1), np.float32)
        >>> print(np.ptp(evened(shaded)).round(3))
        0.0

    Paper:
        Beaton, Tukey. "The fitting of power series, meaning polynomials, illustrated on band-spectroscopic
        data." 1974 (iteratively reweighted least squares, with the biweight).
    """
    longer = max(brightness.shape)
    degrees = [min(round(DEGREE * size / longer), size // PIXELS) for size in brightness.shape]
    if not any(degrees):
        return brightness
    cells = means(brightness, -(-longer // CELLS))
    rows, columns = (_powers(*both) for both in zip(cells.shape, degrees, strict=True))
    terms = _terms(*degrees)
    basis = np.stack([np.outer(rows[i], columns[j]).reshape(-1) for i, j in terms], axis=1)
    factors, away = _fitted(basis, cells.reshape(-1).astype(np.float64))
    surface = basis @ factors
    most = float(surface.max())
    if np.ptp(surface) < EVEN * most or np.mean(away < NEAR * most) < LEAST_PAPER:
        return brightness
    grid: Floats = np.zeros([degree + 1 for degree in degrees])
    grid[tuple(zip(*terms, strict=True))] = factors
    rows, columns = (_powers(*both) for both in zip(brightness.shape, degrees, strict=True))
    light: Array = (rows.T @ grid / most).astype(np.float32) @ columns.astype(np.float32)
    np.maximum(light, DARKEST, out=light)
    np.divide(brightness, light, out=light)
    return np.minimum(light, 1, out=light)


def means(brightness: Array, side: int) -> Array:
    """Return the means over squares of a side; those at the ends may be smaller."""
    starts = [np.arange(0, size, side) for size in brightness.shape]
    sums = np.add.reduceat(np.add.reduceat(brightness, starts[0], axis=0), starts[1], axis=1)
    sizes = [np.minimum(side, size - start) for size, start in zip(brightness.shape, starts, strict=True)]
    return np.asarray(sums / np.outer(*sizes), np.float32)


def _powers(size: int, degree: int) -> Floats:
    """Return Legendre's polynomials (degree + 1, size) in the middles of so many equal parts of -1 to 1."""
    middles = (np.arange(size) + 0.5) / size * 2 - 1
    return np.asarray(np.polynomial.legendre.legvander(middles, degree).T, np.float64)


def _terms(down: int, across: int) -> list[tuple[int, int]]:
    """Return the powers of y and x in a polynomial of so many degrees along each."""
    height, width = max(down, 1), max(across, 1)
    every = [(i, j) for i in range(down + 1) for j in range(across + 1)]
    return [(i, j) for i, j in every if i * width + j * height <= height * width]


def _fitted(basis: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return the factors of a basis (N, terms) that give most values (N,), and how far each is away."""
    weights: NDArray[Any] = np.ones_like(values)
    last = np.inf
    for _ in range(ROUNDS):
        weighted = basis * weights[:, np.newaxis]
        slack = 1e-9 * np.eye(basis.shape[1])  # where little is left with weight
        factors = np.linalg.solve(weighted.T @ basis + slack, weighted.T @ values)
        away = np.abs(values - basis @ factors)
        middle = quantile(away, 0.5)
        if abs(last - middle) < SETTLED:
            break
        last = middle
        reach = max(4.685 * 1.4826 * middle, NEAR / 2)  # 4.685 standard deviations
        weights = np.maximum(1 - (away / reach) ** 2, 0) ** 2
    return factors, away
