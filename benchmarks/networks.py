"""The networks that the benchmarks time, described once for tinynet and all its peers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Conv:
    """A convolution with ReLU and "same" padding."""

    filters: int
    size: int = 3
    strides: int = 1


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


Layer = Conv | Pool | Drop | Flat | Full


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
        """Return a kernel and a bias for each layer that has them, drawn as He et al. (2015) do."""
        random = np.random.default_rng(seed)
        arrays: list[Array] = []
        for shape in self.kernel_shapes():
            scale = math.sqrt(2 / math.prod(shape[:-1]))
            arrays.append((scale * random.standard_normal(shape)).astype(np.float32))
            arrays.append((0.1 * random.standard_normal(shape[-1])).astype(np.float32))
        return arrays

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
MLP = Network("MLP", (28, 28, 1), (Flat(), Full(512), Drop(0.2), Full(512), Drop(0.2), Full(10, "softmax")))
