"""Initial values that nothing random is in."""

from __future__ import annotations

import dataclasses

import numpy as np

from .base import Array, Initializer


class Zeros(Initializer):
    """All zeros: the usual start of a bias.

    Example:
        >>> Zeros()((3,))
        array([0., 0., 0.], dtype=float32)
    """

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """Return zeros; see `Initializer`."""
        return np.zeros(shape)


class Ones(Initializer):
    """All ones.

    Example:
        >>> Ones()((3,))
        array([1., 1., 1.], dtype=float32)
    """

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """Return ones; see `Initializer`."""
        return np.ones(shape)


@dataclasses.dataclass(frozen=True, repr=False)
class Constant(Initializer):
    """One number everywhere.

    Args:
        value: the number; default 0.

    Example:
        >>> Constant(0.5)((3,))
        array([0.5, 0.5, 0.5], dtype=float32)
    """

    value: float = 0.0

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """Return the number everywhere; see `Initializer`."""
        return np.full(shape, float(self.value))


@dataclasses.dataclass(frozen=True, repr=False)
class Identity(Initializer):
    """A matrix with a number on its diagonal, and zeros elsewhere.

    Args:
        gain: the number; default 1.

    Example:
        >>> Identity()((2, 3))
        array([[1., 0., 0.],
               [0., 1., 0.]], dtype=float32)
    """

    gain: float = 1.0

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """Return the matrix; see `Initializer`."""
        if len(shape) != 2:
            raise ValueError(f"Identity: only matrices can be one; got a parameter of shape {shape}.")
        return self.gain * np.eye(*shape)
