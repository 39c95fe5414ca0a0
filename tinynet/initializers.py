"""Initial values of the parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .keywords import Spoken
from .names import unknown

Array = NDArray[Any]


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


@dataclass(frozen=True)
class Initializer(metaclass=Spoken):
    """The base of all initializers: call one with a shape to get the values."""

    def __call__(self, shape: tuple[int, ...], random: np.random.Generator, dtype: DTypeLike) -> Array:
        """Return initial values.

        Args:
            shape: shape of the parameter.
            random: the source of random numbers.
            dtype: float dtype of the result; the numbers drawn do not depend on it.

        Returns:
            A new array of that shape and dtype.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Zeros(Initializer):
    """All zeros: the usual start of a bias.

    Example:
        >>> Zeros()((3,), np.random.default_rng(0), "float32")
        array([0., 0., 0.], dtype=float32)
    """

    def __call__(self, shape: tuple[int, ...], random: np.random.Generator, dtype: DTypeLike) -> Array:
        """Return zeros; see `Initializer`."""
        return np.zeros(shape, dtype)


@dataclass(frozen=True)
class Ones(Initializer):
    """All ones.

    Example:
        >>> Ones()((3,), np.random.default_rng(0), "float32")
        array([1., 1., 1.], dtype=float32)
    """

    def __call__(self, shape: tuple[int, ...], random: np.random.Generator, dtype: DTypeLike) -> Array:
        """Return ones; see `Initializer`."""
        return np.ones(shape, dtype)


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """Random values with mean 0 whose variance keeps activations or gradients at the same scale.

    Subclasses choose the variance (`he`: 2 / fan_in, `glorot`: 2 / (fan_in + fan_out)) and the
    distribution: uniform, or normal (not truncated, unlike Keras's).
    """

    uniform: ClassVar[bool]

    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return the variance of the values, given `fans`."""
        raise NotImplementedError

    def __call__(self, shape: tuple[int, ...], random: np.random.Generator, dtype: DTypeLike) -> Array:
        """Return random values; see `Initializer`."""
        deviation = math.sqrt(self.variance(*fans(shape)))
        if self.uniform:
            limit = math.sqrt(3.0) * deviation
            return random.uniform(-limit, limit, shape).astype(dtype)
        return random.normal(0.0, deviation, shape).astype(dtype)


class Glorot(VarianceScaling):
    """Variance 2 / (fan_in + fan_out): Glorot and Bengio, AISTATS 2010."""

    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return the variance of the values, given `fans`."""
        return 2.0 / (fan_in + fan_out)


class He(VarianceScaling):
    """Variance 2 / fan_in, for layers with ReLU: He, Zhang, Ren and Sun, ICCV 2015."""

    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return the variance of the values, given `fans`."""
        return 2.0 / fan_in


class GlorotUniform(Glorot):
    """Uniform values with Glorot's variance; the default of Dense and Conv2D, as in Keras.

    Example:
        >>> kernel = GlorotUniform()((100, 200), np.random.default_rng(0), "float32")
        >>> bool(abs(kernel).max() <= np.sqrt(6 / 300))
        True
    """

    uniform = True


class GlorotNormal(Glorot):
    """Normal values with Glorot's variance.

    Example:
        >>> round(float(GlorotNormal()((300, 300), np.random.default_rng(0), "float64").std()), 3)
        0.058
    """

    uniform = False


class HeUniform(He):
    """Uniform values with He's variance.

    Example:
        >>> round(float(HeUniform()((300, 300), np.random.default_rng(0), "float64").std()), 3)
        0.081
    """

    uniform = True


class HeNormal(He):
    """Normal values with He's variance.

    Example:
        >>> round(float(HeNormal()((300, 300), np.random.default_rng(0), "float64").std()), 3)
        0.082
    """

    uniform = False


BY_NAME: dict[str, type[Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
}


def get(initializer: str | Mapping[str, Any] | Initializer) -> Initializer:
    """Return an initializer by its name, or the object itself.

    Args:
        initializer: "zeros", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", an object, or what
            Keras's `get_config` writes of one.

    Returns:
        The initializer.

    Raises:
        TypeError: it is a class, not an object.
        ValueError: no initializer has that name.

    Example:
        >>> get("he_normal")
        HeNormal()
    """
    if isinstance(initializer, Initializer):
        return initializer
    if isinstance(initializer, type):
        raise TypeError(
            f"The initializer is the class {initializer.__name__}: write {initializer.__name__}()."
        )
    if isinstance(initializer, Mapping):
        kinds = {kind.__name__: kind for kind in BY_NAME.values()}
        if initializer.get("class_name") not in kinds:
            raise ValueError(unknown("initializer", str(initializer.get("class_name")), kinds))
        config = initializer.get("config") or {}
        arguments = {name: value for name, value in config.items() if value is not None and name != "seed"}
        return kinds[initializer["class_name"]](**arguments)
    if initializer in BY_NAME:
        return BY_NAME[initializer]()
    raise ValueError(unknown("initializer", initializer, BY_NAME))


def name_of(initializer: Initializer) -> str:
    """Return the name by which `get` finds an initializer of tinynet.

    Args:
        initializer: any initializer.

    Returns:
        Its name; "zeros" for one of another class: a model file holds the weights themselves anyway.

    Example:
        >>> name_of(HeNormal())
        'he_normal'
    """
    names = [name for name, kind in BY_NAME.items() if type(initializer) is kind]
    return names[0] if names else "zeros"
