"""In which order PyTorch has the numbers of a sample, where images have their channels first.

PyTorch lays images out as (channels, height, width), and so it flattens them; tinynet as (height, width,
channels). What a layer after a `Flatten` learned for each feature therefore has to be put into another order.
It is found by following a model's calls: each value is known to be in the same order in both, or to have
its channels last here and first there, or else to have its numbers at places that are noted one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...layers import Concatenate, Dense, Flatten, Layer, Permute
from ...layers.flow import Call, Flow
from ...layers.geometry import Shape
from ...layers.reshape import Reshaping

IntArray = NDArray[np.int64]


@dataclass(eq=False)
class Order:
    """In which order the numbers of a sample are.

    Args:
        shape: of the sample.
        turned: whether its channels are last here, and first in PyTorch.
        learned: whether layers with weights had a part in it: what a person gives may be in any order.
        places: where each number is in PyTorch's sample laid out flat, if that is another order.
    """

    shape: Shape
    turned: bool
    learned: bool = False
    places: IntArray | None = None

    def all_places(self) -> IntArray:
        """Return where each number is in PyTorch's sample laid out flat, of the sample's shape."""
        if self.places is not None:
            return self.places
        numbers = np.arange(math.prod(self.shape))
        if not self.turned:
            return numbers.reshape(self.shape)
        return np.moveaxis(numbers.reshape(self.shape[-1], *self.shape[:-1]), 0, -1)

    def moved(self, places: IntArray) -> Order:
        """Return the order of the same numbers in another shape."""
        for turned in (False, True):
            usual = Order(places.shape, turned, self.learned)
            if places.ndim and np.array_equal(places, usual.all_places()):
                return usual
        return Order(places.shape, False, self.learned, places)


def feature_orders(flow: Flow) -> dict[int, IntArray]:
    """Return the order of the features that layers take, where it is another one in PyTorch.

    Args:
        flow: of a model.

    Returns:
        By the id of a layer, for each feature where it is in PyTorch.

    Raises:
        ValueError: a layer is called for features in different orders, or PyTorch could not compute the same.
    """
    originals = {id(twin): layer for twin, layer in flow.twins}
    first = any(getattr(layer, "channels_first", False) for layer in flow.layers)
    orders = [Order(shape, len(shape) > 2 and not first) for shape in flow.shapes[: flow.inputs]]
    found: dict[int, IntArray] = {}
    for call in flow.calls:
        given = [orders[i] for i in call.inputs]
        layer = originals.get(id(call.layer), call.layer)
        if layer.own_parameters and len(given) == 1 and len(given[0].shape) == 1:
            places = given[0].all_places()
            if not np.array_equal(found.setdefault(id(layer), places), places):
                raise ValueError(f"{layer.title} is called for features that PyTorch has in different orders")
        orders.append(order_after(call, given, flow.shapes[call.output]))
    return {key: places for key, places in found.items() if not np.array_equal(places, np.sort(places))}


def order_after(call: Call, given: Sequence[Order], shape: Shape) -> Order:
    """Return the order of what a layer gives.

    Args:
        call: of the layer.
        given: the orders of its inputs.
        shape: of a sample of what it gives.
    """
    layer, order = call.layer, given[0]
    learned = bool(layer.parameters) or any(one.learned for one in given)
    if isinstance(layer, Flatten) and layer.channels_first:
        return order.moved(np.moveaxis(order.all_places(), 0, -1).reshape(shape))
    if isinstance(layer, Reshaping):
        return order.moved(order.all_places().reshape(shape))
    if isinstance(layer, Permute):
        return order.moved(order.all_places().transpose([axis - 1 for axis in layer.dims]))
    if hasattr(layer, "data_format"):  # it takes images, or sequences
        first = getattr(layer, "channels_first", False)
        check_images(layer, order, not first)
        return Order(shape, len(shape) > 1 and not first, learned)
    if isinstance(layer, Dense):
        return Order(shape, False, True)
    if isinstance(layer, Concatenate) and len(shape) == 1:
        begins = np.cumsum([0, *(one.shape[0] for one in given)])
        places = [one.all_places() + begin for one, begin in zip(given, begins[:-1], strict=True)]
        return Order(shape, False, learned).moved(np.concatenate(places))
    same = next((one for one in given if one.shape == shape), None)
    if same is not None:
        return Order(shape, same.turned, learned, same.places)
    return Order(shape, order.turned and len(shape) == len(order.shape), learned)


def check_images(layer: Layer, order: Order, turned: bool) -> None:
    """Raise if a layer takes images that others computed in an order which PyTorch's images do not have."""
    usual = Order(order.shape, turned)
    same = order.places is None and order.turned == turned
    if order.learned and not same and not np.array_equal(order.all_places(), usual.all_places()):
        *sizes, channels = order.shape
        axes = (*range(2, len(sizes) + 2), 1)
        raise ValueError(
            f"{layer.title} takes images made of numbers that other layers computed, in an order which "
            "PyTorch's images, with their channels first, do not have: make them by "
            f"Reshape({(channels, *sizes)}) and Permute({axes}), which have it"
        )
