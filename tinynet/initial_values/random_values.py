"""Random initial values of given distributions."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from .base import Array, Initializer


@dataclasses.dataclass(frozen=True, repr=False)
class Orthogonal(Initializer):
    """A random matrix with orthonormal columns, or rows if it has fewer of them.

    All axes but the last one are the matrix's rows. Saxe, McClelland and Ganguli, "Exact Solutions to the
    Nonlinear Dynamics of Learning in Deep Linear Neural Networks" (2014).

    Args:
        gain: what it is multiplied by; default 1.
        seed: of the numbers drawn; default: the layer's.

    Example:
        >>> kernel = Orthogonal(seed=0)((5, 3))
        >>> np.allclose(kernel.T @ kernel, np.eye(3), atol=1e-6)
        True
    """

    gain: float = 1.0
    seed: int | None = None

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """Return the matrix; see `Initializer`."""
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: needs two axes or more; got a parameter of shape {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(random.normal(size=(max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # or else not all orthogonal matrices would be equally likely
        return self.gain * (q.T if rows < columns else q).reshape(shape)


@dataclasses.dataclass(frozen=True, repr=False)
class RandomNormal(Initializer):
    """Normally distributed values.

    Args:
        mean, stddev: of the values; default 0 and 0.05.
        seed: of the numbers drawn; default: the layer's.

    Example:
        >>> round(float(RandomNormal(stddev=0.3, seed=0)((300, 300)).std()), 2)
        0.3
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """Return the values; see `Initializer`."""
        return self.mean + self.stddev * random.normal(size=shape)


class TruncatedNormal(RandomNormal):
    """Normally distributed values, those that are more than two deviations off the mean drawn again.

    Args:
        mean, stddev: of the distribution before that; default 0 and 0.05.
        seed: of the numbers drawn; default: the layer's.

    Example:
        >>> bool(abs(TruncatedNormal(stddev=0.3, seed=0)((300, 300))).max() <= 0.6)
        True
    """

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """Return the values; see `Initializer`."""
        values = random.normal(size=shape)
        while (outside := np.abs(values) > 2).any():
            values[outside] = random.normal(size=int(outside.sum()))
        return self.mean + self.stddev * values


@dataclasses.dataclass(frozen=True, repr=False)
class RandomUniform(Initializer):
    """Values that are uniform between two bounds.

    Args:
        minval, maxval: the bounds; default -0.05 and 0.05.
        seed: of the numbers drawn; default: the layer's.

    Example:
        >>> values = RandomUniform(1, 3, seed=0)((300, 300))
        >>> bool(values.min() >= 1), bool(values.max() <= 3)
        (True, True)
    """

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """Return the values; see `Initializer`."""
        return self.minval + (self.maxval - self.minval) * random.random(shape)
