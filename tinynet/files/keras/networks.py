"""Networks of Keras's as tinynet's configs: rows of layers, and graphs by functional.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .former import layers_of
from .functional import read_graph
from .names import Names
from .reading import Data, Reading, Row, is_frozen, read_layer
from .shapes import given_shape
from .values import class_name, layer_name, mapping, plain, shape

NETWORKS = ("Sequential", "Functional", "Model")


def read_any(
    entry: Any, reading: Reading, rank: int | None
) -> tuple[list[tuple[str, Data]], int | None, list[str]]:
    """Return what a layer or a network of Keras's is here.

    Args:
        entry: {"class_name": ..., "config": ...}.
        reading: what is known.
        rank: of its input with the batch axis; None where that is not known.

    Returns:
        Layers one after another with their names; the rank of the output; and the paths of what does not
        train, from the network around.
    """
    entry = mapping(entry, "a layer")
    kind = class_name(entry.get("class_name"))
    config = entry.get("config")
    if kind in NETWORKS or (isinstance(config, Mapping) and "input_layers" in config):
        found, frozen, out = read_network(entry, reading)
        name = found["name"]
        return [(name, found)], out, [name if path == "" else f"{name}/{path}" for path in frozen]
    arguments = dict(mapping(config, "a layer's arguments"))
    if "name" not in arguments and "name" in entry:
        arguments["name"] = entry["name"]
    row, out = read_layer(kind, arguments, reading, rank)
    return row, out, [layer_name(arguments["name"])] if is_frozen(arguments) else []


def read_network(entry: Mapping[str, Any], reading: Reading) -> tuple[Data, list[str], int | None]:
    """Return a network's config, the paths of what does not train in it, and the rank of its output."""
    kind, config = class_name(entry.get("class_name")), entry.get("config")
    if isinstance(config, Mapping) and "input_layers" in config:
        data, frozen, out = read_graph(config, reading, read_any)
    elif kind == "Sequential" or isinstance(config, list):
        data, frozen, out = read_row(config, entry.get("build_config"), reading)
    else:
        raise ValueError(
            f"the model is of the class {kind}, whose code is not in the file, and no graph of layers"
        )
    if isinstance(config, Mapping) and is_frozen(config):
        frozen = ["", *frozen]
    registered = str(entry.get("registered_name"))
    if registered.startswith("tinynet>"):
        data["class"] = class_name(registered)
    return data, frozen, out


def read_row(config: Any, build: Any, reading: Reading) -> tuple[Data, list[str], int | None]:
    """Return a Sequential's config; see `read_network`."""
    name, entries, rest = layers_of(config)
    given = _input_shape(entries, rest, build)
    rank = None if given is None else len(given) + 1
    names = Names()
    layers: Row = []
    frozen: list[str] = []
    for entry in entries:
        if class_name(mapping(entry, "a layer").get("class_name")) == "InputLayer":
            if layers:
                raise ValueError("an InputLayer is in the midst of a Sequential")
            continue
        row, rank, paths = read_any(entry, reading, rank)
        layers += names.of(row)
        frozen += paths
    data = {
        "class": "Sequential",
        "layers": [layer for _, layer in layers],
        "names": [one for one, _ in layers],
        "input_shape": given,
        "seed": None,
        "dtype": "float32",
        "name": layer_name(name),
    }
    return data, frozen, rank


def _input_shape(entries: list[Any], config: Mapping[str, Any], build: Any) -> list[int | None] | None:
    """Return the shape of a sample that a row takes, from wherever Keras wrote it; None if nowhere."""
    first = mapping(entries[0], "a layer") if entries else {}
    inside = first.get("config")
    found = None
    if class_name(first.get("class_name")) not in NETWORKS if entries else False:
        found = given_shape(mapping(inside, "a layer's arguments"))
    elif isinstance(inside, Mapping | list):
        found = _shape_of_network(first)
    if found is not None:
        return found
    for place in (config.get("build_input_shape"), mapping(build or {}, "build_config").get("input_shape")):
        if place is not None and plain(place):
            return shape(place)[1:]
    inner = mapping(first.get("build_config") or {}, "build_config").get("input_shape")
    return shape(inner)[1:] if inner else None


def _shape_of_network(entry: Mapping[str, Any]) -> list[int | None] | None:
    """Return the shape of a sample that the first network of a row takes."""
    config = entry.get("config")
    if isinstance(config, Mapping) and "input_layers" in config:
        for one in config.get("layers") or ():
            if isinstance(one, Mapping) and one.get("class_name") == "InputLayer":
                return given_shape(mapping(one.get("config"), "a layer's arguments"))
        return None
    _, entries, rest = layers_of(config)
    return _input_shape(entries, rest, entry.get("build_config"))
