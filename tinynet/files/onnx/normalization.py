"""BatchNormalization and LayerNormalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Node
from .network import Network
from .tensors import Array
from .values import Value, shown


def batch_normalization(
    network: Network, node: Node, value: Value, gamma: Array, beta: Array, mean: Array, variance: Array
) -> Value:
    """BatchNormalization, of each channel, (N, channels, ...), by the means that training found."""
    if value.rank < 2 or not value.batched or value.groups[0]:
        node.refuse(f"its input is {shown(value.shape)}, and not (N, channels, ...)")
    if not node.integer("spatial", 1) and value.rank > 2:
        node.refuse("it has a mean for each element (spatial=0), not for each channel")
    channels = value.shape[1]
    if any(array.shape != (channels,) for array in (gamma, beta, mean, variance)):
        node.refuse(f"its inputs do not have one number for each of {channels} channels")
    groups = value.groups
    laid = network.laid_out(node, value, [*groups[2:], sorted(groups[1])])
    inner = laid.groups[1]
    places = np.argsort(laid.places_in(inner))
    momentum, epsilon = node.number("momentum", 0.9), node.number("epsilon", 1e-5)
    if not 0 <= momentum <= 1 or not epsilon >= 0:
        node.refuse(f"its momentum is {momentum}, and its epsilon {epsilon}")
    config: dict[str, Any] = {
        "class": "BatchNormalization",
        "momentum": rounded(momentum),
        "epsilon": rounded(epsilon) or 1e-12,
    }
    given: list[Array | None] = [gamma, beta]
    for place, what, ending, number in ((0, "scale", "/ones", 1), (1, "center", "/zeros", 0)):
        if node.inputs[1 + place].endswith(ending) and np.all(given[place] == number):  # as tinynet writes it
            config[what], given[place] = False, None
    weights = [array[places] for array in (*given, mean, variance) if array is not None]
    return laid.computed(network.call(node, config, laid.number, laid.physical, weights))


def layer_normalization(
    network: Network, node: Node, value: Value, gamma: Array | None = None, beta: Array | None = None
) -> Value:
    """LayerNormalization over the last axis."""
    axis = node.integer("axis", -1)
    if axis not in (-1, value.rank - 1) or value.rank < 1 + value.batched:
        node.refuse(
            f"it normalizes {shown(value.shape)} over several axes, from {axis}: only the last can be"
        )
    if any(array is not None and array.size != value.shape[-1] for array in (gamma, beta)):
        node.refuse(f"its scale and offset do not have the shape of {value.shape[-1]} channels")
    *rest, last = value.groups
    before = [*rest[int(value.batched) :]]
    if value.batched and rest[0]:
        before.insert(0, rest[0])
    laid = network.laid_out(node, value, [*before, sorted(last)])
    places = np.argsort(laid.places_in(laid.groups[-1]))
    config: dict[str, Any] = {"class": "LayerNormalization", "epsilon": rounded(node.number("epsilon", 1e-5))}
    if gamma is not None and node.inputs[1].endswith("/ones") and np.all(gamma == 1):
        gamma = None
    config |= {name: False for name, array in (("center", beta), ("scale", gamma)) if array is None}
    weights = [array.reshape(-1)[places] for array in (gamma, beta) if array is not None]
    return laid.computed(network.call(node, config, laid.number, laid.physical, weights))


def rounded(number: float) -> float:
    """Return a number that was kept as float32 as people wrote it: 0.001, not 0.0010000000474974513."""
    return float(str(np.float32(number)))
