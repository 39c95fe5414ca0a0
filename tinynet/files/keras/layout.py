"""Whose weights the arrays of a description are, in the network that Keras describes by the same layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

NETWORKS = ("Sequential", "Functional", "Model")
# What Keras calls the weights of its layers, in their order. Its other layers that tinynet has, have none.
NAMES = {
    **dict.fromkeys(("Conv1D", "Conv2D", "Dense", "DepthwiseConv2D"), ("kernel", "bias")),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "LayerNormalization": ("gamma", "beta"),
    "Normalization": ("mean", "variance", "count"),
    "PReLU": ("alpha",),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
}
WITHOUT = {"bias": "use_bias", "gamma": "scale", "beta": "center"}  # arguments without which there is none
KEPT = ("moving_mean", "moving_variance", "mean", "variance", "count")  # those that a layer keeps itself


class Weight(NamedTuple):
    """A weight.

    Args:
        path: Keras's, such as "inner/dense/kernel".
        value: the array.
        trains: whether training changes it.
    """

    path: str
    value: Array
    trains: bool


@dataclass(eq=False)
class Place:
    """A layer of a network that Keras describes.

    Args:
        name: the layer's.
        group: what Keras 3 calls it in a file, "conv2d_1" for the second Conv2D of a network.
        weights: its own, in Keras's order: first those that train.
        layers: those that it is made of, if it is a network.
    """

    name: str
    group: str
    weights: list[Weight]
    layers: list[Place] = field(default_factory=list)

    def all_weights(self) -> Iterator[Weight]:
        """Yield its weights, and those of the layers that it is made of."""
        yield from self.weights
        for layer in self.layers:
            yield from layer.all_weights()


def places_of(
    network: Mapping[str, Any], weights: Mapping[str, Sequence[Array]], frozen: Sequence[str] = ()
) -> list[Place]:
    """Return the layers of a network, with their weights.

    Args:
        network: what Keras's JSON says of a model: {"class_name", "config": {"layers"}}.
        weights: of a `Description`: by the path of a layer, its arrays.
        frozen: the paths of what does not train, and of nothing in it.

    Raises:
        ValueError: there are weights of a layer that is not there, or not as many as it has.

    Example:
        >>> layers = [{"class_name": "Dense", "config": {"name": "logits"}}]
        >>> network = {"class_name": "Sequential", "config": {"layers": layers}}
        >>> (place,) = places_of(network, {"logits": [np.ones((2, 1)), np.ones(1)]})
        >>> place.group, [weight.path for weight in place.weights]
        ('dense', ['logits/kernel', 'logits/bias'])
    """
    left = dict(weights)
    found = _places(network, "", left, {*frozen}, "" not in frozen)
    if unplaced := [path for path, arrays in left.items() if arrays]:
        raise ValueError(
            f"Keras's network has no layers {unplaced}, whose weights there are: layers in layers of your "
            "own can only be saved as .safetensors, tinynet's own form."
        )
    return found


def _places(
    network: Mapping[str, Any], inside: str, left: dict[str, Sequence[Array]], frozen: set[str], trains: bool
) -> list[Place]:
    """Return the layers of a network, and take their weights from those that are left."""
    layers, used = [], dict[str, int]()
    for layer in network["config"]["layers"]:
        kind, config = layer["class_name"], layer["config"]
        if kind == "InputLayer" and network["class_name"] == "Sequential":
            continue  # it is no layer there
        name, path = config["name"], f"{inside}{config['name']}"
        group = snake_case(kind)
        used[group] = used.get(group, -1) + 1
        group += f"_{used[group]}" if used[group] else ""
        active = trains and path not in frozen
        if kind in NETWORKS:
            layers.append(Place(name, group, [], _places(layer, f"{path}/", left, frozen, active)))
        else:
            layers.append(Place(name, group, _weights(kind, config, path, left.pop(path, ()), active)))
    return layers


def _weights(
    kind: str, config: Mapping[str, Any], path: str, arrays: Sequence[Array], trains: bool
) -> list[Weight]:
    """Return the weights of a layer under Keras's names, or numbered, if it is of somebody's own class."""
    names = weight_names(kind, config) if kind in NAMES else [f"weight_{n}" for n in range(len(arrays))]
    if len(arrays) > len(names):
        raise ValueError(f"layer {path!r}: Keras's {kind} has {names}, and not {len(arrays)} weights.")
    return [
        # The count of samples is Keras's, in which it is an integer.
        Weight(
            f"{path}/{name}",
            array.astype(np.int32) if name == "count" else array,
            trains and name not in KEPT,
        )
        for name, array in zip(names, arrays, strict=False)
    ]


def weight_names(kind: str, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a layer's weights, which follow from its class and its arguments.

    Example:
        >>> weight_names("Dense", {"units": 2, "use_bias": False})
        ('kernel',)
    """
    return tuple(name for name in NAMES[kind] if arguments.get(WITHOUT.get(name, ""), True))


def snake_case(kind: str) -> str:
    """Return the name of a class as Keras 3 has it in files.

    Example:
        >>> [snake_case(kind) for kind in ("Conv2D", "GlobalAveragePooling2D", "PReLU", "LeakyReLU")]
        ['conv2d', 'global_average_pooling2d', 'p_re_lu', 'leaky_re_lu']
    """
    kind = re.sub(r"\W+", "", kind)
    kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()
