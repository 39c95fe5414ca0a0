"""Graphs of Keras's: which layer takes what, as all its versions write it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .calls import Call, Reference, read_calls, references
from .keywords import check_keywords
from .names import Names
from .operations import is_operation, read_operation
from .reading import Data, Reading, Row
from .shapes import given_shape
from .values import class_name, layer_name, mapping, sequence, short

Found = tuple[Row, "int | None", list[str]]
Place = tuple[str, int]  # a layer's name, and the number of a call
SEVERAL = ("Add", "Average", "Concatenate", "Maximum", "Multiply", "Subtract")


@dataclass
class Graph:
    """A graph while it is read.

    Args:
        entries: the layers by their names, as the file has them.
        calls: what each is called with.
        reading: what is known.
        read_any: reads a layer or a network.
    """

    entries: dict[str, Mapping[str, Any]]
    calls: dict[str, list[Call]]
    reading: Reading
    read_any: Callable[..., Found]
    rows: dict[str, Row] = field(default_factory=dict)
    ranks: dict[str, int | None] = field(default_factory=dict)
    frozen: dict[str, list[str]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def number_calls(self, outputs: list[Reference]) -> None:
        """Note from which number the calls of each layer count: from 1 those of networks in Keras 1 and 2."""
        highest: dict[str, int] = {}
        every = [one for calls in self.calls.values() for call in calls for one in call.inputs]
        for one in [*every, *outputs]:
            highest[one.name] = max(highest.get(one.name, 0), one.call)
        for name, most in highest.items():
            if self.calls.get(name):
                self.offsets[name] = int(most == len(self.calls[name]))

    def place(self, one: Reference) -> Place:
        """Return the call that a reference means, or raise."""
        if one.name not in self.entries:
            raise ValueError(f"the model takes the output of layer {short(one.name)}, which it has not")
        call = one.call - self.offsets[one.name]
        if not 0 <= call < max(1, len(self.calls[one.name])):
            raise ValueError(
                f"the model takes the output of call {one.call} of layer {one.name!r}, which is not there"
            )
        return one.name, call

    def taken(self, place: Place) -> list[Reference]:
        """Return what a call takes; nothing, if it is an input."""
        name, call = place
        return self.calls[name][call].inputs if self.calls[name] else []

    def in_order(self, outputs: list[Reference]) -> list[Place]:
        """Return the calls that the outputs need, each after those that it needs itself."""
        order: dict[Place, None] = {}
        begun: set[Place] = set()
        to_do = [(self.place(one), False) for one in reversed(outputs)]
        while to_do:
            place, ready = to_do.pop()
            if place in order:
                continue
            if ready:
                order[place] = None
                continue
            if place in begun:
                raise ValueError(f"layer {place[0]!r} needs its own output")
            begun.add(place)
            to_do.append((place, True))
            to_do += [(self.place(one), False) for one in reversed(self.taken(place))]
        return [*order]

    def read_layers(self, order: list[Place], inputs: list[str]) -> None:
        """Read each layer that is called, with the rank of what it is called with first."""
        for name, call in order:
            if name in self.rows:
                continue
            entry = self.entries[name]
            if class_name(entry.get("class_name")) == "InputLayer":
                if name not in inputs:
                    raise ValueError(f"the model needs the input {name!r}, which is none of its inputs")
                self.read_input(name)
                continue
            if not self.calls[name]:
                raise ValueError(f"layer {name!r} is called with nothing")
            ranks = [self.ranks[self.place(one)[0]] for one in self.taken((name, call))]
            rank = max((rank or 0 for rank in ranks), default=0) or None
            if is_operation(entry):
                if len(self.calls[name]) > 1:
                    raise ValueError(f"layer {name!r} is an operation that is called several times")
                found: Found = read_operation(entry, self.calls[name][0]), rank, []
            else:
                found = self.read_any({**entry, "config": named(entry, name)}, self.reading, rank)
            self.rows[name], self.ranks[name], self.frozen[name] = found

    def read_input(self, name: str) -> None:
        """Read an input."""
        sizes = given_shape(mapping(self.entries[name].get("config"), "a layer's arguments"))
        if sizes is None:
            raise ValueError(f"the input {name!r} has no shape")
        data: Data = {"class": "InputLayer", "shape": sizes, "batch_size": None}
        self.rows[name], self.ranks[name], self.frozen[name] = [(layer_name(name), data)], len(sizes) + 1, []


def is_graph(entry: Any) -> bool:
    """Return whether a layer is a network of the kind whose calls Keras counts from 1."""
    return isinstance(entry, Mapping) and class_name(entry.get("class_name")) == "Functional"


def named(entry: Mapping[str, Any], name: str) -> Any:
    """Return a layer's arguments with the name by which a graph knows it."""
    config = entry.get("config")
    return {**config, "name": name} if isinstance(config, Mapping) else config


def read_graph(
    config: Mapping[str, Any], reading: Reading, read_any: Callable[..., Found]
) -> tuple[Data, list[str], int | None]:
    """Return the config of a `Model`, the paths of what does not train in it, and the rank of its output.

    Args:
        config: of a Functional model of Keras's.
        reading: what is known.
        read_any: reads a layer or a network.

    Raises:
        ValueError: tinynet has no such layer or call.
    """
    entries = {}
    for entry in sequence(config.get("layers"), "the layers of a model"):
        entry = mapping(entry, "a layer")
        name = entry.get("name") or mapping(entry.get("config"), "a layer's arguments").get("name")
        if not isinstance(name, str) or name in entries:
            raise ValueError(f"expected layers of different names; got {short(name)}")
        entries[name] = entry
    calls = {name: read_calls(entry.get("inbound_nodes")) for name, entry in entries.items()}
    inputs, outputs = references(config.get("input_layers")), references(config.get("output_layers"))
    if not inputs or not outputs:
        raise ValueError("the model has no inputs, or no outputs")
    if reading.version >= (3,):  # which counts the calls of networks from 1 here, and from 0 elsewhere
        outputs = [one._replace(call=one.call - is_graph(entries.get(one.name))) for one in outputs]
    graph = Graph(entries, calls, reading, read_any)
    graph.number_calls(outputs)
    order = graph.in_order(outputs)
    graph.read_layers(order, [one.name for one in inputs])
    for one in inputs:
        if one.name not in graph.rows and one.name in entries:
            graph.read_input(one.name)
    return _assemble(graph, config.get("name"), inputs, outputs, order)


def _assemble(
    graph: Graph, name: Any, inputs: list[Reference], outputs: list[Reference], order: list[Place]
) -> tuple[Data, list[str], int | None]:
    """Return the config of a graph whose layers are read; see `read_graph`."""
    names, places = Names(), {}
    layers: Row = []
    for key in graph.entries:
        if key in graph.rows:
            places[key] = range(len(layers), len(layers) + len(graph.rows[key]))
            layers += names.of(graph.rows[key])
    values: dict[Place, range] = {}
    for number, one in enumerate(inputs):
        if class_name(graph.entries.get(one.name, {}).get("class_name")) != "InputLayer":
            raise ValueError(f"the model's input {one.name!r} is no InputLayer")
        values[one.name, 0] = range(number, number + 1)
    count, joins = len(inputs), []

    def value_of(one: Reference) -> int:
        found = values[graph.place(one)]
        if not 0 <= one.value < len(found):
            raise ValueError(f"layer {one.name!r} has no output {one.value}")
        return found[one.value]

    for place in order:
        if place in values:
            continue
        key, call = place
        taken = [value_of(one) for one in graph.taken(place)]
        check_keywords(graph.entries[key], graph.calls[key][call], layers[places[key][0]][1], graph.reading)
        for number in places[key]:
            data = layers[number][1]
            check_count(key, data, len(taken))
            joins.append([number, taken])
            given = len(data["outputs"]) if "joins" in data else 1
            taken = [*range(count, count + given)]
            count += given
        values[place] = range(taken[0], taken[-1] + 1)
    data = {
        "class": "Model",
        "layers": [layer for _, layer in layers],
        "names": [one for one, _ in layers],
        "inputs": [places[one.name][0] for one in inputs],
        "joins": joins,
        "outputs": [value_of(one) for one in outputs],
        "seed": None,
        "dtype": "float32",
        "name": layer_name(name) if name else "functional",
    }
    frozen = [path for key in places for path in graph.frozen[key]]
    return data, frozen, graph.ranks[outputs[0].name] if len(outputs) == 1 else None


def check_count(name: str, data: Data, count: int) -> None:
    """Raise if a layer is not called with as many arrays as it takes."""
    if data["class"] in SEVERAL or ("name" in data and "joins" not in data):  # or one of somebody's own
        return
    wanted = len(data["inputs"]) if "joins" in data else 1
    if count != wanted:
        raise ValueError(f"layer {name!r} is called with {count} arrays, and takes {wanted}")
