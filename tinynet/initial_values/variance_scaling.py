"""Random initial values whose variance follows from the shape of a kernel."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from .base import Array, Initializer
from .random_values import RandomNormal, RandomUniform, TruncatedNormal

TRUNCATED = 0.87962566103423978  # the standard deviation of a normal distribution cut off at 2


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many inputs feed one output of a kernel, and how many outputs one input feeds.

    Args:
        shape: (inputs, units) of a Dense kernel, or (KH, KW, channels, filters) of a convolution's.

    Returns:
        (fan_in, fan_out).

    Example:
        >>> fans((784, 10)), fans((3, 3, 1, 32))
        ((784, 10), (9, 288))
    """
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


@dataclasses.dataclass(frozen=True, repr=False)
class VarianceScaling(Initializer):
    """Random values with mean 0 whose variance keeps activations or gradients at the same scale.

    The variance is scale / n, where n are the inputs of an output, the outputs of an input, or their mean.

    Args:
        scale: above 0; default 1.
        mode: "fan_in" (default), "fan_out" or "fan_avg".
        distribution: "truncated_normal" (default), which "normal" means, too, "untruncated_normal", or
            "uniform".
        seed: of the numbers drawn; default: the layer's.

    Raises:
        ValueError: an argument is not what is said above.

    Example:
        >>> round(float(VarianceScaling(2.0, seed=0)((200, 300)).std()), 2)
        0.1
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: int | None = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not self.scale > 0:
            raise ValueError(f"{name}: scale must be above 0; got {self.scale!r}.")
        if self.mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"{name}: mode must be 'fan_in', 'fan_out' or 'fan_avg'; got {self.mode!r}.")
        if self.distribution not in ("truncated_normal", "normal", "untruncated_normal", "uniform"):
            raise ValueError(
                f"{name}: distribution must be 'truncated_normal', 'untruncated_normal' or 'uniform'; got "
                f"{self.distribution!r}."
            )

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """Return the values; see `Initializer`."""
        fan_in, fan_out = fans(shape)
        number = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        deviation = math.sqrt(self.scale / max(1, number))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * deviation
            return RandomUniform(-limit, limit).draw(shape, random)
        if self.distribution == "untruncated_normal":
            return RandomNormal(0.0, deviation).draw(shape, random)
        return TruncatedNormal(0.0, deviation / TRUNCATED).draw(shape, random)


@dataclasses.dataclass(frozen=True, repr=False)
class GlorotUniform(VarianceScaling):
    """Uniform values with variance 2 / (fan_in + fan_out); the default of Dense and Conv2D.

    Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural Networks" (2010).

    Args:
        seed: of the numbers drawn; default: the layer's.

    Example:
        >>> kernel = GlorotUniform()((100, 200))
        >>> bool(abs(kernel).max() <= np.sqrt(6 / 300))
        True
    """

    scale: float = dataclasses.field(default=1.0, init=False)
    mode: str = dataclasses.field(default="fan_avg", init=False)
    distribution: str = dataclasses.field(default="uniform", init=False)


@dataclasses.dataclass(frozen=True, repr=False)
class GlorotNormal(VarianceScaling):
    """Truncated normal values with variance 2 / (fan_in + fan_out); see `GlorotUniform`.

    Args:
        seed: of the numbers drawn; default: the layer's.

    Example:
        >>> round(float(GlorotNormal(seed=0)((300, 300)).std()), 3)
        0.058
    """

    scale: float = dataclasses.field(default=1.0, init=False)
    mode: str = dataclasses.field(default="fan_avg", init=False)
    distribution: str = dataclasses.field(default="truncated_normal", init=False)


@dataclasses.dataclass(frozen=True, repr=False)
class HeUniform(VarianceScaling):
    """Uniform values with variance 2 / fan_in, for layers with ReLU.

    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers" (ICCV 2015).

    Args:
        seed: of the numbers drawn; default: the layer's.

    Example:
        >>> round(float(HeUniform(seed=0)((300, 300)).std()), 2)
        0.08
    """

    scale: float = dataclasses.field(default=2.0, init=False)
    mode: str = dataclasses.field(default="fan_in", init=False)
    distribution: str = dataclasses.field(default="uniform", init=False)


@dataclasses.dataclass(frozen=True, repr=False)
class HeNormal(VarianceScaling):
    """Truncated normal values with variance 2 / fan_in; see `HeUniform`.

    Args:
        seed: of the numbers drawn; default: the layer's.

    Example:
        >>> round(float(HeNormal(seed=0)((300, 300)).std()), 3)
        0.082
    """

    scale: float = dataclasses.field(default=2.0, init=False)
    mode: str = dataclasses.field(default="fan_in", init=False)
    distribution: str = dataclasses.field(default="truncated_normal", init=False)


@dataclasses.dataclass(frozen=True, repr=False)
class LecunUniform(VarianceScaling):
    """Uniform values with variance 1 / fan_in.

    LeCun, Bottou, Orr and Müller, "Efficient BackProp" (1998).

    Args:
        seed: of the numbers drawn; default: the layer's.

    Example:
        >>> round(float(LecunUniform(seed=0)((300, 300)).std()), 3)
        0.058
    """

    scale: float = dataclasses.field(default=1.0, init=False)
    mode: str = dataclasses.field(default="fan_in", init=False)
    distribution: str = dataclasses.field(default="uniform", init=False)


@dataclasses.dataclass(frozen=True, repr=False)
class LecunNormal(VarianceScaling):
    """Truncated normal values with variance 1 / fan_in; see `LecunUniform`.

    Args:
        seed: of the numbers drawn; default: the layer's.

    Example:
        >>> round(float(LecunNormal(seed=0)((300, 300)).std()), 3)
        0.058
    """

    scale: float = dataclasses.field(default=1.0, init=False)
    mode: str = dataclasses.field(default="fan_in", init=False)
    distribution: str = dataclasses.field(default="truncated_normal", init=False)
