"""Where Keras 3, and Keras 2 since 2.12, put the arrays of layers in an HDF5 file.

Each network has a list of layers, in which a layer is called by its class and, from the second on, a number:
layers/conv2d_1/vars/0. Some versions counted layers with weights twice, so that numbers are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..hdf5 import Group
from .layout import snake_case
from .networks_to_keras import names_of
from .values import class_name, layer_name
from .weights import Leaf, Named, is_network

MAX_DEPTH = 64  # of groups in groups
# What the list of a network's layers is called: the first, but in versions before 2.14.
CONTAINERS = ("layers", "_layer_checkpoint_dependencies", "_self_tracked_trackables")
WRAPPED = "_functional"  # what a row was in, in some versions


def places_in(file: Group) -> dict[str, Named]:
    """Return the arrays of each layer, by the layer's place.

    Args:
        file: an HDF5 file.

    Returns:
        By places such as "conv2d_1" or "functional/dense", names and arrays, in order. Places are in natural
        order: "dense_2" before "dense_10".

    Raises:
        ValueError: the file is damaged, or holds no layers.
    """
    found: dict[str, Named] = {}
    for parts, variables in _groups(file, [], MAX_DEPTH):
        parts = [part for part in parts if part != WRAPPED]
        if parts and len(parts) % 2 == 0 and all(part in CONTAINERS for part in parts[::2]):
            place = "/".join(parts[1::2])
            found[place] = _numbered(variables) or found.get(place, [])
    if not found:
        raise ValueError("the HDF5 file holds no layers of Keras's")
    return dict(sorted(found.items(), key=lambda item: [*map(_natural, item[0].split("/"))]))


def _groups(group: Group, parts: list[str], depth: int) -> Iterator[tuple[list[str], Group]]:
    """Yield the groups of variables, with the names on the way, of which Windows wrote several in one."""
    if not depth:
        raise ValueError("the HDF5 file is damaged: its groups are nested too deeply")
    for name in group:
        names = [*parts, *re.split(r"[\\/]", name)]
        if names[0] not in (*CONTAINERS, WRAPPED):
            continue
        inside = group[name]
        if isinstance(inside, Group) and name == "vars":
            yield parts, inside
        elif isinstance(inside, Group):
            yield from _groups(inside, names, depth - 1)


def _numbered(group: Group) -> Named:
    """Return the arrays whose names are numbers, in order."""
    names = sorted((name for name in group if re.fullmatch("[0-9]{1,9}", name)), key=int)
    return [(name, array) for name in names if not isinstance(array := group[name], Group)]


def _natural(name: str) -> tuple[str, int]:
    """Return a layer's class and number.

    Example:
        >>> _natural("conv2d_1"), _natural("conv2d")
        (('conv2d', 1), ('conv2d', 0))
    """
    stem, _, number = name.rpartition("_")
    return (stem, int(number)) if stem and re.fullmatch("[0-9]{1,9}", number) else (name, 0)


def optimizer_variables(file: Group) -> Named:
    """Return the optimizer's variables, whose names are numbers."""
    path = "optimizer/vars"
    return _numbered(group) if path in file and isinstance(group := file[path], Group) else []


def as_network(config: dict[str, Any]) -> dict[str, Any]:
    """Return what Keras would call the layers of a network that tinynet describes, and their classes."""
    layers = []
    for name, data in zip(names_of(config), config["layers"], strict=True):
        kind = {"Model": "Functional"}.get(data["class"], data["class"])
        inside = as_network(data)["config"] if is_network(data) else {}
        layers.append({"class_name": kind, "name": name, "config": inside})
    return {"config": {"layers": layers}}


def keras_places(
    network: Mapping[str, Any], of_layers: Sequence[Leaf], held: Mapping[str, Named]
) -> Iterator[tuple[Leaf, str]]:
    """Yield the layers with weights, and the place of each in a file.

    Args:
        network: what Keras says of the model.
        of_layers: the layers with weights.
        held: what the file holds, by places.
    """
    by_path = {leaf.path: leaf for leaf in of_layers}
    networks = {path.rpartition("/")[0] for path in by_path}
    networks |= {part for path in networks for part in _above(path)}
    to_do = [("", "", network)]
    while to_do:
        path, place, entry = to_do.pop()
        kinds: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        for name, layer in _layers(entry):
            kinds.setdefault(snake_case(class_name(layer.get("class_name"))), []).append((path + name, layer))
        for kind, some in kinds.items():
            wanted = [name in by_path or name in networks for name, _ in some]
            for (name, layer), found in zip(some, _of_kind(place, kind, wanted, held), strict=True):
                if name in by_path:
                    yield by_path[name], found
                elif name in networks:
                    to_do.append((f"{name}/", f"{found}/", layer))


def _above(path: str) -> Iterator[str]:
    """Yield the networks that one lies in."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _layers(entry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the layers of a network, with their names as tinynet has them."""
    config = entry.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else None
    for layer in layers if isinstance(layers, list) else ():
        if isinstance(layer, Mapping):
            inside = layer.get("config")
            called = layer.get("name") or (inside.get("name") if isinstance(inside, Mapping) else None)
            if called:
                yield layer_name(called), layer


def _of_kind(place: str, kind: str, wanted: Sequence[bool], held: Mapping[str, Named]) -> list[str]:
    """Return the places of the layers of a class in a network.

    Args:
        place: the network's, which ends in a slash if it is one in another.
        kind: the class.
        wanted: of each layer of the class in order, whether it has weights.
        held: what the file holds, by places.
    """
    numbers = set()
    for one, arrays in held.items():
        first = one.removeprefix(place).partition("/")[0] if one.startswith(place) else ""
        stem, number = _natural(first)
        if stem == kind and (arrays or first != one.removeprefix(place)):
            numbers.add(number)
    if max(numbers, default=0) >= len(wanted):  # numbers were left out
        found = iter(sorted(numbers))
        places = [next(found, len(held)) if is_wanted else len(held) for is_wanted in wanted]
    else:
        places = [*range(len(wanted))]
    return [f"{place}{kind}_{number}" if number else f"{place}{kind}" for number in places]
