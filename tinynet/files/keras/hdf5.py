"""Keras's HDF5 files, of all its versions: whole models, and weights alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..description import Description
from ..hdf5 import Group, read_hdf5
from .assembling import describe, optimizer_of, parsed
from .config import config_from_keras
from .own import KEY, add_own
from .places import as_network, keras_places, optimizer_variables, places_in
from .values import layer_name
from .weights import Leaf, Named, as_of_today, is_first, leaves, rounded, share_out, without_random

Array = NDArray[Any]


def read_keras_hdf5(data: bytes) -> Description:
    """Return the model that an HDF5 file of Keras's holds.

    Args:
        data: the file's content.

    Returns:
        The model, with its optimizer's state where that is there and can go on.

    Raises:
        ValueError: the file is damaged, holds weights alone, or a model that tinynet has not.
    """
    file = read_hdf5(data)
    model_config = text_of(file, "model_config")
    if model_config is None:
        what = (
            "the weights of a model alone: make the model, and call model.load_weights with this file"
            if _weights_group(file) is not None or "layers" in file
            else "something else than a model of Keras's: it has no model_config"
        )
        raise ValueError(f"the HDF5 file holds {what}.")
    training = text_of(file, "training_config")
    training = parsed(training, "training_config in the HDF5 file") if training else None
    group = _group(file, "model_weights")
    version = text_of(file, "keras_version") or text_of(group, "keras_version")
    config = config_from_keras(parsed(model_config, "model_config in the HDF5 file"), training, version)
    config = add_own(config, text_of(file, KEY))
    named = _named(group)
    return describe(
        config,
        _weights(leaves(config), named),
        _held(_group(file, "optimizer_weights"))
        if "optimizer_weights" in file
        else optimizer_variables(file),
        optimizer_of(training),
        version,
        _is_of_theano(text_of(file, "backend") or text_of(group, "backend"), version, named),
    )


def read_weights_hdf5(data: bytes) -> list[tuple[str, list[Array]]]:
    """Return the weights in an HDF5 file of Keras's, with or without a model.

    Args:
        data: the file's content.

    Returns:
        Names of layers, and each layer's arrays, in the model's order. In the files of Keras 3, and since
        2.13 those named .weights.h5, names are the layers' places, such as "conv2d_1", the second Conv2D, or
        "functional/dense"; these say of no order between layers of different classes.

    Raises:
        ValueError: the file is damaged, or holds no weights.
    """
    file = read_hdf5(data)
    group = _weights_group(file)
    if group is None:
        return [(place, [array for _, array in held]) for place, held in places_in(file).items()]
    return [(name, [array for _, array in held]) for name, held in _named(group).items()]


def weights_for(config: dict[str, Any], data: bytes) -> dict[str, list[Array]]:
    """Return the weights in an HDF5 file of Keras's for a model, as `Description.weights` has them.

    Args:
        config: the model's, as `Description.config` is. Layers are told apart by their order, as in Keras.
        data: the file's content.

    Raises:
        ValueError: the file is damaged, or its weights are not those of such a model.
    """
    file = read_hdf5(data)
    group = _weights_group(file)
    of_layers, dtype = leaves(config), str(config["dtype"])
    if group is None:
        held = places_in(file)
        places = keras_places(as_network(config), of_layers, held)
        found = {leaf.path: [array for _, array in held.get(place, [])] for leaf, place in places}
        return {path: rounded(arrays, dtype) for path, arrays in found.items()}
    version = text_of(file, "keras_version") or text_of(group, "keras_version")
    named = {name: arrays for name, arrays in _named(group).items() if arrays}
    of_theano = _is_of_theano(text_of(group, "backend"), version, named)
    outer = _by_first(of_layers)
    if len(named) != len(outer):
        raise ValueError(
            f"the file has weights of {len(named)} layers, and the model {len(outer)} with weights"
        )
    weights = {}
    for (name, some), arrays in zip(outer.items(), named.values(), strict=True):
        shared = share_out(some, arrays, f"layer {name!r}")
        for leaf in some:
            today = as_of_today(leaf, shared[leaf.path], is_first(version), of_theano)
            weights[leaf.path] = rounded(today, dtype)
    return weights


def names_in(group: Group, attribute: str) -> list[str]:
    """Return the texts of an attribute, which may be in several parts, as it was too large for one."""
    parts = [group.attributes[attribute]] if attribute in group.attributes else []
    while attribute not in group.attributes and f"{attribute}{len(parts)}" in group.attributes:
        parts.append(group.attributes[f"{attribute}{len(parts)}"])
    if not parts:
        raise ValueError(f"the HDF5 file is damaged, or none of Keras's: {attribute} is missing")
    names: list[str] = []
    for part in parts:
        if isinstance(part, list):
            names += part
        elif not isinstance(part, np.ndarray) or part.size:
            raise ValueError(f"the HDF5 file is damaged: {attribute} is no list of names")
    return names


def text_of(group: Group, attribute: str) -> str | None:
    """Return an attribute that is a text; None where there is none."""
    found = group.attributes.get(attribute)
    return found if isinstance(found, str) else None


def _group(group: Group, name: str) -> Group:
    found = group[name]
    if not isinstance(found, Group):
        raise ValueError(f"the HDF5 file is damaged: {name!r} is an array, and no group")
    return found


def _weights_group(file: Group) -> Group | None:
    """Return the group of the layers as in Keras 1 and 2 and in later whole models, or None."""
    for group in (file, *(file[name] for name in ("model_weights",) if name in file)):
        if isinstance(group, Group):
            told = ("layer_names", "layer_names0", "nb_layers")
            if any(name in group.attributes for name in told):
                return group
    return None


def _named(group: Group) -> dict[str, Named]:
    """Return the arrays of each layer, in the model's order."""
    if "nb_layers" in group.attributes:  # of versions before 1
        return {name: _numbered(_group(group, name)) for name in sorted(group, key=_number)}
    return {name: without_random(_held(_group(group, name))) for name in names_in(group, "layer_names")}


def _number(name: str) -> int:
    """Return the number at the end of a name; -1 if there is none."""
    number = name.rpartition("_")[2]
    return int(number) if number.isdecimal() and len(number) < 10 else -1


def _held(group: Group) -> Named:
    """Return the arrays of a group in order, with their names."""
    if not group.attributes and not len(group):
        return []
    found = []
    for name in names_in(group, "weight_names"):
        array = group[name]
        if isinstance(array, Group):
            raise ValueError(f"the HDF5 file is damaged: {name!r} is a group, and no array")
        found.append((name, array))
    if len({id(array) for _, array in found}) < len(found):
        raise ValueError("the HDF5 file is damaged: the same array is there under several names")
    return found


def _numbered(group: Group) -> Named:
    """Return the arrays of a group of a version before 1, which had no names."""
    found = []
    for name in sorted(group, key=_number):
        array = group[name]
        if not isinstance(array, Group):
            found.append((name, array))
    return found


def _weights(of_layers: Sequence[Leaf], named: Mapping[str, Named]) -> dict[str, list[Array]]:
    """Return the arrays of each layer, from those of each group of a file."""
    theirs = {layer_name(name): held for name, held in named.items() if name}
    found: dict[str, list[Array]] = {}
    for first, some in _by_first(of_layers).items():
        if theirs.get(first):
            found |= share_out(some, theirs[first], f"layer {first!r}")
            continue
        for leaf in some:  # in Keras 1, networks in others had no group of their own
            last = leaf.path.rpartition("/")[2]
            if theirs.get(last):
                found |= share_out([leaf], theirs[last], f"layer {last!r}")
    return found


def _by_first(of_layers: Sequence[Leaf]) -> dict[str, list[Leaf]]:
    """Return layers by the outermost layer that they are, or lie in."""
    found: dict[str, list[Leaf]] = {}
    for leaf in of_layers:
        found.setdefault(leaf.path.partition("/")[0], []).append(leaf)
    return found


def _is_of_theano(backend: str | None, version: str | None, named: Mapping[str, Named]) -> bool:
    """Return whether Theano computed with weights.

    Keras says so since version 2. Before, TensorFlow's variables are named like "dense_1_W:0", and Theano's
    without the number of an output.
    """
    if backend is not None or not is_first(version):
        return backend == "theano"
    names = [name for held in named.values() for name, _ in held]
    return bool(names) and not any(":" in name for name in names)
