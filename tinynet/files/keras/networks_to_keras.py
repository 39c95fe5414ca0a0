"""tinynet's networks as Keras 3 describes them."""

from __future__ import annotations

from typing import Any

from .layers_to_keras import Writing, keras_object, layer_to_keras, policy, snake
from .output_shapes import Data, Shape, graph_shapes, is_network, output_shapes

FUNCTIONAL = "keras.src.models.functional"
UNBUILT = (  # those that Keras builds without a shape
    "Activation", "AveragePooling1D", "AveragePooling2D", "Dropout", "ELU", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "LeakyReLU", "MaxPooling1D",
    "MaxPooling2D", "ReLU", "Reshape", "Softmax", "SpatialDropout1D", "SpatialDropout2D",
)  # fmt: skip
SEVERAL = ("Add", "Average", "Concatenate", "Maximum", "Multiply", "Subtract")


class Paths:
    """What does not train, by paths from a network.

    Args:
        frozen: the paths.
        above: whether all of it does not.
    """

    def __init__(self, frozen: list[str], above: bool = False) -> None:
        self.frozen, self.all = frozen, above or "" in frozen

    def __contains__(self, name: str) -> bool:
        """Return whether a layer does not train."""
        return self.all or name in self.frozen

    def inside(self, name: str) -> Paths:
        """Return the paths inside of a layer."""
        inner = [path.removeprefix(f"{name}/") for path in self.frozen if path.startswith(f"{name}/")]
        return Paths(inner, name in self)


def network_to_keras(
    data: Data, name: str, writing: Writing, frozen: Paths, shapes: list[Shape] | None
) -> Data:
    """Return a network as Keras 3 describes it.

    Args:
        data: as tinynet does; a row or a graph.
        name: the network's.
        writing: what is known.
        frozen: what does not train.
        shapes: of a sample of each input; None where that is not known.

    Raises:
        ValueError: Keras has no such layer.
    """
    if "joins" in data:
        return as_own(graph_to_keras(data, name, writing, frozen), data)
    layers = []
    if shapes is not None:
        layers.append(input_to_keras(free_name("input_layer", names_of(data)), shapes[0], writing.dtype))
    for layer, one in zip(data["layers"], names_of(data), strict=True):
        layers.append(part_to_keras(layer, one, writing, frozen, shapes))
        shapes = None if shapes is None else output_shapes(layer, shapes)
    config = {"name": name, "trainable": not frozen.all, "dtype": policy(writing.dtype), "layers": layers}
    found = keras_object("keras", "Sequential", config)
    if layers and layers[0]["class_name"] == "InputLayer":
        config["build_input_shape"] = layers[0]["config"]["batch_shape"]
        found["build_config"] = {"input_shape": config["build_input_shape"]}
    return as_own(found, data)


def as_own(found: Data, data: Data) -> Data:
    """Return a network as one of somebody's own class, if it is one."""
    kind = data.get("class")
    if kind in (None, "Chain", "Model", "Sequential"):
        return found
    return {**found, "registered_name": f"tinynet>{kind}"}


def names_of(data: Data) -> list[str]:
    """Return the names of a network's layers: as given, or as Keras makes them."""
    if data.get("names") is not None:
        return [*data["names"]]
    found: list[str] = []
    for layer in data["layers"]:
        found.append(free_name(snake(layer["class"]), found))
    return found


def free_name(name: str, taken: list[str]) -> str:
    """Return a name that is not taken."""
    number, found = 0, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def input_to_keras(name: str, shape: Shape, dtype: str) -> Data:
    """Return an InputLayer as Keras 3 describes it."""
    config = {
        "batch_shape": [None, *shape], "dtype": dtype, "sparse": False, "ragged": False, "name": name,
        "optional": False,
    }  # fmt: skip
    return keras_object("keras.layers", "InputLayer", config)


def part_to_keras(
    layer: Data, name: str, writing: Writing, frozen: Paths, shapes: list[Shape] | None
) -> Data:
    """Return a layer of a network, or a network in it."""
    if is_network(layer):
        found = network_to_keras(layer, name, writing, frozen.inside(name), shapes)
        return {**found, "compile_config": {}}
    found = layer_to_keras(layer, name, writing, name not in frozen)
    if shapes is not None and found["class_name"] not in UNBUILT:
        batches = [[None, *shape] for shape in shapes]
        found["build_config"] = {"input_shape": batches if layer["class"] in SEVERAL else batches[0]}
    return found


def graph_to_keras(data: Data, name: str, writing: Writing, frozen: Paths) -> Data:
    """Return a graph as Keras 3 describes it."""
    names, inputs = names_of(data), data["inputs"]
    shapes = [[*data["layers"][place]["shape"]] for place in inputs]
    values, _ = graph_shapes(data, shapes)
    histories = [[names[place], 0, 0] for place in inputs]
    entries: dict[int, Data] = {}
    for place, shape in zip(inputs, shapes, strict=True):
        made = input_to_keras(names[place], shape, writing.dtype)
        entries[place] = {**made, "name": names[place], "inbound_nodes": []}

    def symbol(number: int) -> Data:
        config = {
            "shape": [None, *values[number]],
            "dtype": writing.dtype,
            "keras_history": histories[number],
        }
        return {"class_name": "__keras_tensor__", "config": config}

    for place, numbers in data["joins"]:
        layer, taken = data["layers"][place], [values[number] for number in numbers]
        if place not in entries:
            made = part_to_keras(layer, names[place], writing, frozen, taken)
            entries[place] = {**made, "name": names[place], "inbound_nodes": []}
        symbols: Any = [symbol(number) for number in numbers]
        is_several = layer["class"] in SEVERAL or len(numbers) > 1
        keywords = {"mask": None} if is_network(layer) or layer["class"] == "BatchNormalization" else {}
        calls = entries[place]["inbound_nodes"]
        calls.append({"args": [symbols if is_several else symbols[0]], "kwargs": keywords})
        count = len(output_shapes(layer, taken))
        histories += [[names[place], len(calls) - 1, value] for value in range(count)]
    ends = []
    for name_of, call, value in (histories[number] for number in data["outputs"]):
        is_graph = "joins" in data["layers"][names.index(name_of)]  # whose calls Keras counts from 1 here
        ends.append([name_of, call + is_graph, value])
    begins = [[names[place], 0, 0] for place in inputs]
    config = {
        "name": name,
        "trainable": not frozen.all,
        "layers": [entries[place] for place in range(len(names))],
        "input_layers": begins if len(begins) > 1 else begins[0],
        "output_layers": ends if len(ends) > 1 else ends[0],
    }
    made = {
        "module": FUNCTIONAL,
        "class_name": "Functional",
        "config": config,
        "registered_name": "Functional",
    }
    return {**made, "build_config": {"input_shape": None}}
