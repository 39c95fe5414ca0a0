"""Whose weights are which, in networks that Keras saved; and how they become tinynet's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .layers import KINDS
from .layout import KEPT, NAMES, weight_names
from .networks_to_keras import names_of

Array = NDArray[Any]
Named = list[tuple[str, Array]]  # arrays with the names that they have in a file, in order

WEIGHTLESS = {"InputLayer", *(kind.name for kind in KINDS.values())} - {*NAMES}
FORMER = {"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}
RANDOM = ("StateVar", "seed_generator_state", "Variable")  # the states of generators, which are no weights


class Leaf(NamedTuple):
    """A layer of a network in tinynet's words.

    Args:
        path: of the layer.
        names: of its weights, those that train first; None for a layer of somebody's own, which has any.
        data: what the network's description says of it.
        trains: whether it trains.
    """

    path: str
    names: tuple[str, ...] | None
    data: Mapping[str, Any]
    trains: bool

    def trained(self, held: int) -> int:
        """Return how many of its weights, of which the file holds so many, change while the model trains."""
        count = held if self.names is None else sum(name not in KEPT for name in self.names)
        return count if self.trains else 0


def leaves(config: dict[str, Any], path: str = "", frozen: Sequence[str] = ()) -> list[Leaf]:
    """Return the layers with weights that a description is of, in order, and those in networks in it.

    Args:
        config: of a network, as `Description.config` is.
        path: the network's; default "".
        frozen: the paths of what does not train in the whole model; default those that the config names.

    Example:
        >>> dense, flatten = {"class": "Dense", "units": 2, "use_bias": False}, {"class": "Flatten"}
        >>> inner = {"class": "Sequential", "layers": [dense], "names": ["b"]}
        >>> network = {"layers": [dense, flatten, inner], "names": ["a", "f", "inner"], "frozen": ["inner"]}
        >>> [(leaf.path, leaf.names, leaf.trains) for leaf in leaves(network)]
        [('a', ('kernel',), True), ('inner/b', ('kernel',), False)]
    """
    frozen = [*frozen, *config.get("frozen", ())]
    if "" in frozen:
        frozen = [*frozen, *names_of(config)]
    found = []
    for name, data in zip(names_of(config), config["layers"], strict=True):
        place = f"{path}/{name}" if path else name
        if is_network(data):
            inside = [f"{place}/{one}" for one in names_of(data)] if place in frozen else []
            found += leaves(data, place, [*frozen, *inside])
            continue
        names = _names(data)
        if names is None or names:
            found.append(Leaf(place, names, data, place not in frozen))
    return found


def is_network(data: Mapping[str, Any]) -> bool:
    """Return whether a layer is a network, and none of somebody's own with an argument of this name."""
    layers = data.get("layers")
    return isinstance(layers, list) and all(isinstance(one, dict) and "class" in one for one in layers)


def _names(data: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the names of a layer's weights."""
    kind = data["class"]
    if kind == "Normalization" and data.get("mean") is not None:
        return ()
    if kind in NAMES:
        return weight_names(kind, data)
    return () if kind in WEIGHTLESS else None


def share_out(leaves: Sequence[Leaf], held: Named, title: str) -> dict[str, list[Array]]:
    """Return which layer has which of the arrays that a file has in a row for several of them.

    Keras writes what trains in any of them first, and then the rest; some versions, layer by layer. Where it
    is not clear from the names, the former.

    Args:
        leaves: the layers.
        held: the arrays and their names.
        title: of what they belong to, for error messages.

    Raises:
        ValueError: there are more or fewer arrays than the layers have.
    """
    if len(leaves) == 1 and leaves[0].names is None:
        return {leaves[0].path: [array for _, array in held]}
    slots = [(leaf, name) for leaf in leaves for name in leaf.names or ()]
    if len(slots) != len(held) or any(leaf.names is None for leaf in leaves):
        raise ValueError(
            f"the file holds {len(held)} arrays for {title}, whose layers have {len(slots)}: it is damaged, "
            "or the model has layers of somebody's own in it"
        )
    trained = [leaf.trains and name not in KEPT for leaf, name in slots]
    could = [name not in KEPT for _, name in slots]
    orders = [sorted(range(len(slots)), key=lambda place: not some[place]) for some in (trained, could)]
    orders.append([*range(len(slots))])
    for order in orders:
        if all(_fits(slots[place][1], name) for place, (name, _) in zip(order, held, strict=True)):
            break
    else:
        order = orders[0]
    found = {place: array for place, (_, array) in zip(order, held, strict=True)}
    weights: dict[str, list[Array]] = {leaf.path: [] for leaf in leaves}
    for place, (leaf, _) in enumerate(slots):
        weights[leaf.path].append(found[place])
    return weights


def without_random(held: Named) -> Named:
    """Return a layer's weights without the states of random generators."""
    return [(name, array) for name, array in held if tail(name) not in RANDOM or array.dtype.kind == "f"]


def tail(name: str) -> str:
    """Return what a weight is called in its layer.

    Example:
        >>> tail("dense_1_2/dense_1/kernel_3:0"), tail("convolution2d_1_W")
        ('kernel', 'W')
    """
    last = name.rpartition("/")[2].partition(":")[0]
    stem, _, number = last.rpartition("_")
    last = stem if number.isdecimal() and stem else last
    for former in FORMER:
        if last.endswith(f"_{former}"):
            return former
    return last


def _fits(name: str, found: str) -> bool:
    """Return whether a weight can be the one that a file calls so."""
    called = tail(found)
    called = FORMER.get(called, called)
    return name.endswith(called) or called.endswith(name)


def as_of_today(leaf: Leaf, arrays: list[Array], of_keras_1: bool, of_theano: bool) -> list[Array]:
    """Return a layer's arrays as Keras has them since its version 2.

    Args:
        leaf: the layer.
        arrays: its weights, or another array for each, such as an optimizer has.
        of_keras_1: whether Keras 1 wrote them: kernels of convolutions may have had other axes.
        of_theano: whether Theano computed with them, whose convolutions went through kernels backwards.
    """
    kind = leaf.data["class"]
    if kind not in ("Conv1D", "Conv2D") or not arrays:
        return arrays
    kernel, *rest = arrays
    if of_keras_1 and kernel.ndim == 4 and kind == "Conv2D":
        if leaf.data.get("data_format") == "channels_first":  # (filters, channels, rows, columns)
            kernel = kernel.transpose(2, 3, 1, 0)
    elif of_keras_1 and kernel.ndim == 4:
        sizes = leaf.data["kernel_size"]
        length = sizes[0] if isinstance(sizes, Sequence) else sizes
        if kernel.shape[:2] != (length, 1) or kernel.shape[3] != leaf.data["filters"]:
            kernel = kernel.transpose(2, 3, 1, 0)  # (filters, channels, length, 1)
        kernel = kernel[:, 0]
    if of_theano:
        kernel = kernel[::-1] if kind == "Conv1D" else kernel[::-1, ::-1]
    return [np.ascontiguousarray(kernel), *rest]


def rounded(arrays: Sequence[Array], dtype: str) -> list[Array]:
    """Return numbers as a model of a dtype has them: float16 may stay, as a smaller file."""
    kinds = (np.dtype(dtype), np.dtype(np.float16))
    return [
        array if array.dtype in kinds or array.dtype.kind not in "fiu" else array.astype(dtype)
        for array in arrays
    ]


def is_first(version: str | None) -> bool:
    """Return whether a version of Keras is 1, or one before it, whose files did not always say so."""
    return version is None or version.startswith(("0.", "1."))
