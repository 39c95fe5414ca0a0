"""What PyTorch's modules hold of the weights that layers have, and how they are laid out there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...layers import (
    BatchNormalization,
    Conv1D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Layer,
    LayerNormalization,
    Normalization,
    Parameter,
    PReLU,
    SeparableConv2D,
)
from ...layers.geometry import Shape

Array = NDArray[Any]
Shapes = dict[str, Shape]  # by PyTorch's names, such as "weight"
Turn = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Part:
    """What a layer takes from one module.

    Args:
        name: of the layer in the model, such as "block/conv2d".
        title: of the layer, for error messages.
        takes: by PyTorch's names, the parameters, their shapes there, and how to turn their arrays.
        others: other shapes that do as well, for broadcasting; default: none.
    """

    name: str
    title: str
    takes: dict[str, tuple[Parameter, Shape, Turn]]
    others: Sequence[Shapes] = ()

    @property
    def shapes(self) -> Shapes:
        """The shapes by PyTorch's names."""
        return {name: shape for name, (_, shape, _) in self.takes.items()}


def parts_of(layer: Layer, name: str, places: Any) -> list[Part]:
    """Return what a layer takes from PyTorch's modules, one after the other.

    Args:
        layer: built, with parameters of its own.
        name: its path in the model.
        places: where each feature that it takes is in PyTorch; None for the same place.

    Raises:
        ValueError: PyTorch has no such layer, as far as is known here.
    """
    title = f"{name} ({type(layer).__name__})"
    order = slice(None) if places is None else places
    own = {parameter.name: parameter for parameter in layer.own_parameters}
    bias = {"bias": plain(own["bias"])} if "bias" in own else {}
    match layer:
        case Dense():
            weight = (layer.kernel, layer.kernel.shape[::-1], lambda array: array.T[order])
            return [Part(name, title, {"weight": weight, **bias})]
        case SeparableConv2D():
            return [
                Part(f"{name}/depthwise", title, {"weight": depthwise(layer.depthwise_kernel)}),
                Part(f"{name}/pointwise", title, {"weight": convolution(layer.pointwise_kernel), **bias}),
            ]
        case DepthwiseConv2D():
            return [Part(name, title, {"weight": depthwise(layer.kernel), **bias})]
        case Conv2D() | Conv1D():
            return [Part(name, title, {"weight": convolution(layer.kernel), **bias})]
        case BatchNormalization() | LayerNormalization():
            names = (
                ("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"),
                ("running_var", "moving_variance"),
            )  # fmt: skip
            takes = {t: (own[n], own[n].shape, lambda array: array[order]) for t, n in names if n in own}
            return [Part(name, title, takes)]
        case PReLU():
            return prelu(layer.alpha, name, title, order)
        case Normalization():
            return []  # its numbers are those of the data, and stay
    raise ValueError(f"{title} is no layer of which is known how PyTorch keeps its weights")


def plain(parameter: Parameter) -> tuple[Parameter, Shape, Turn]:
    """Return what is laid out in the same way in both."""
    return parameter, parameter.shape, lambda array: array


def convolution(kernel: Parameter) -> tuple[Parameter, Shape, Turn]:
    """Return a convolution's kernel: (*window, channels, filters), there (filters, channels, *window)."""
    *window, channels, filters = kernel.shape
    axes = (*range(2, len(window) + 2), 1, 0)
    return kernel, (filters, channels, *window), lambda array: array.transpose(axes)


def depthwise(kernel: Parameter) -> tuple[Parameter, Shape, Turn]:
    """Return one of each channel alone: (*window, channels, multiplier), there (both, 1, *window)."""
    *window, channels, multiplier = kernel.shape
    axes = (*range(2, len(window) + 2), 0, 1)
    shape = (channels * multiplier, 1, *window)
    return kernel, shape, lambda array: array.transpose(axes).reshape(kernel.shape)


def prelu(alpha: Parameter, name: str, title: str, order: Any) -> list[Part]:
    """Return what PReLU takes: in PyTorch, an alpha for each channel, or one for all."""

    def spread(array: Array) -> Array:
        return np.broadcast_to(array[order] if array.size > 1 else array, alpha.shape)

    return [Part(name, title, {"weight": (alpha, alpha.shape[-1:], spread)}, [{"weight": (1,)}])]
