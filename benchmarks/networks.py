"""The networks that the benchmarks time, described once for tinynet and all its peers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Scale:
    """From pixels, 0 to 255, to numbers from 0 to 1."""


@dataclass(frozen=True)
class Conv:
    """A convolution with "same" padding, and ReLU unless a `Norm` follows."""

    filters: int
    size: int = 3
    strides: int = 1
    activation: str | None = "relu"


@dataclass(frozen=True)
class Norm:
    """Batch normalization with Keras's epsilon and momentum, and ReLU."""

    epsilon: float = 0.001
    momentum: float = 0.99


@dataclass(frozen=True)
class Pool:
    """Max pooling over 2 x 2 pixels."""


@dataclass(frozen=True)
class Drop:
    """Dropout."""

    rate: float


@dataclass(frozen=True)
class Flat:
    """From images to rows."""


@dataclass(frozen=True)
class Full:
    """A dense layer, with ReLU or with softmax."""

    units: int
    activation: str = "relu"


Layer = Scale | Conv | Norm | Pool | Drop | Flat | Full


@dataclass(frozen=True)
class Network:
    """A network's name, input shape and layers."""

    name: str
    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]

    def kernel_shapes(self) -> list[tuple[int, ...]]:
        """Return the kernels' shapes: (height, width, channels, filters) or (features, units)."""
        return [shape for shape, _ in self._kernels()]

    def weights(self, seed: int = 0) -> list[Array]:
        """Return a kernel and a bias for each layer that has them, drawn as He et al. (2015) do.

        For each normalization: gamma, beta, and a running mean and variance.
        """
        random, shapes = np.random.default_rng(seed), iter(self.kernel_shapes())
        arrays: list[Array] = []
        for layer in self.layers:
            if isinstance(layer, Conv | Full):
                shape = next(shapes)
                scale = math.sqrt(2 / math.prod(shape[:-1]))
                arrays.append(scale * random.standard_normal(shape))
                arrays.append(0.1 * random.standard_normal(shape[-1]))
            elif isinstance(layer, Norm):
                arrays += [random.uniform(0.5, 1.5, shape[-1]), 0.1 * random.standard_normal(shape[-1])]
                arrays += [0.1 * random.standard_normal(shape[-1]), random.uniform(0.5, 1.5, shape[-1])]
        return [array.astype(np.float32) for array in arrays]

    def flops(self, training: bool) -> int:
        """Return how many multiplications and additions an image takes in the kernels.

        Training adds the gradients with respect to every kernel and to every input but the first layer's.
        """
        forward = [2 * math.prod(shape) * uses for shape, uses in self._kernels()]
        return 3 * sum(forward) - forward[0] if training else sum(forward)

    def _kernels(self) -> list[tuple[tuple[int, ...], int]]:
        """Return each kernel's shape and the number of places of an image that it is applied to."""
        kernels: list[tuple[tuple[int, ...], int]] = []
        shape: tuple[int, ...] = self.input_shape
        for layer in self.layers:
            match layer:
                case Conv(filters, size, strides):
                    height, width = -(-shape[0] // strides), -(-shape[1] // strides)
                    kernels.append(((size, size, shape[2], filters), height * width))
                    shape = height, width, filters
                case Pool():
                    shape = shape[0] // 2, shape[1] // 2, shape[2]
                case Flat():
                    shape = (math.prod(shape),)
                case Full(units):
                    kernels.append(((shape[0], units), 1))
                    shape = (units,)
        return kernels


BLOCK = (Conv(32), Pool(), Drop(0.25))
CNN = Network("CNN", (28, 28, 1), (*BLOCK, *BLOCK, *BLOCK, Flat(), Full(128), Full(10, "softmax")))
NORMAL_BLOCK = (Conv(32, activation=None), Norm(), Pool(), Drop(0.25))
NORMALIZED_CNN = Network("Normalized CNN", CNN.input_shape, (*NORMAL_BLOCK * 3, *CNN.layers[-3:]))
MLP = Network("MLP", (28, 28, 1), (Flat(), Full(512), Drop(0.2), Full(512), Drop(0.2), Full(10, "softmax")))
CNN_OF_PIXELS = Network("CNN", CNN.input_shape, (Scale(), *CNN.layers))
