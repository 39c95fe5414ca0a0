"""Operations on symbols, which Keras writes as layers: those that tinynet has layers for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from .calls import Call, flat
from .parts import ACTIVATIONS, OTHER_ACTIVATIONS
from .reading import Data, Row
from .values import class_name, layer_name, mapping, nested, number, plain, short, whole

OF_TENSORFLOW = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")

# By the last word of their names, without "_": what two arrays, or an array and a number, become.
ARITHMETIC = {
    "add": "add", "addv2": "add", "iadd": "add", "radd": "add", "sub": "subtract", "subtract": "subtract",
    "mul": "multiply", "multiply": "multiply", "rmul": "multiply", "truediv": "divide",
    "truedivide": "divide", "divide": "divide", "div": "divide", "realdiv": "divide", "maximum": "maximum",
    "biasadd": "add",
}  # fmt: skip
LAYERS = {"add": "Add", "subtract": "Subtract", "multiply": "Multiply", "maximum": "Maximum"}
NOTHING = ("cast", "identity", "stopgradient", "converttotensor")
LIKE = {name.replace("_", ""): name for name in ACTIVATIONS} | {
    name.replace("_", ""): today for name, today in OTHER_ACTIVATIONS.items()
}


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry of a graph is an operation, not a layer."""
    return class_name(entry.get("class_name")) in OF_TENSORFLOW or ".ops." in str(entry.get("module"))


def read_operation(entry: Mapping[str, Any], call: Call) -> Row:
    """Return the layer that does what an operation does, or raise.

    Args:
        entry: of a graph.
        call: what it is called with: symbols and numbers.
    """
    config = mapping(entry.get("config") or {}, "an operation's arguments")
    kind = class_name(entry.get("class_name"))
    if kind == "TensorFlowOpLayer":
        return _read_node(entry, config, call)
    function = str(config.get("function", entry.get("name") if kind in OF_TENSORFLOW else kind))
    title = f"operation {entry.get('name')!r} ({function})"
    name = function.rpartition(".")[2].replace("_", "").lower()
    if kind == "SlicingOpLambda":
        raise ValueError(f"tinynet has no layer that does what {title} does")
    keywords = {
        key: one for key, one in call.keywords.items() if key not in ("name", "dtype") and one is not None
    }
    for key in ("data_format", "training"):
        if keywords.get(key) in ("NHWC", "channels_last", False):
            del keywords[key]
    rest = {key: one for key, one in config.items() if key not in ("name", "trainable", "dtype", "function")}
    if kind == "TFOpLambda":
        rest = {}
    data = _layer(name, [*call.arguments, *keywords.values()], rest)
    if data is None:
        raise ValueError(f"tinynet has no layer that does what {title} does with {short(plain_of(call))}")
    return [(layer_name(entry.get("name")), data)]


def _read_node(entry: Mapping[str, Any], config: Mapping[str, Any], call: Call) -> Row:
    """Return the layer that does what a node of TensorFlow's graphs does, as its 2.2 and 2.3 write it."""
    node = config.get("node_def")
    node = mapping(json.loads(node) if isinstance(node, str) else node, "a node")
    constants = mapping(config.get("constants") or {}, "a node's constants")
    symbols = iter(call.inputs)
    count = len(call.inputs) + len(constants)
    arguments = [
        constants[str(place)] if str(place) in constants else next(symbols, None) for place in range(count)
    ]
    name = str(node.get("op"))
    data = _layer(name.replace("_", "").lower().removesuffix("v2"), arguments, {})
    if data is None:
        raise ValueError(f"tinynet has no layer that does what operation {entry.get('name')!r} ({name}) does")
    return [(layer_name(entry.get("name")), data)]


def plain_of(call: Call) -> list[Any]:
    """Return what an error message shows of a call: its arguments, and layers' names for symbols."""
    return [one.name if hasattr(one, "call") else one for one in [*call.arguments, *call.keywords.items()]]


def _layer(name: str, arguments: list[Any], config: Mapping[str, Any]) -> Data | None:
    """Return a layer that does what an operation does, or None."""
    symbols, several = [bool(flat(one)) for one in arguments], len(flat(arguments)) > 1
    if name in ("concat", "concatenate") and symbols[:1] == [True] and len(arguments) <= 2:
        axis = arguments[1] if len(arguments) > 1 else config.get("axis", 0)
        return {"class": "Concatenate", "axis": whole(axis)}
    if name in NOTHING and symbols[:1] == [True] and not any(symbols[1:]):
        return {"class": "Activation", "activation": "linear"} if _is_float(arguments[1:], config) else None
    if (
        name in LIKE
        and arguments
        and symbols == [True]
        and all(one in (None, -1, False) for one in config.values())
    ):
        return {"class": "Activation", "activation": LIKE[name]}
    if name in ("neg", "negative") and symbols == [True]:
        return {"class": "Rescaling", "scale": -1.0, "offset": 0.0}
    if name == "reshape" and symbols[:1] == [True]:
        return _reshape(arguments[1] if len(arguments) > 1 else config.get("newshape", config.get("shape")))
    what = ARITHMETIC.get(name)
    if what is None or len(arguments) != 2:
        return None
    if several:
        return {"class": LAYERS[what]} if what in LAYERS and symbols == [True, True] else None
    return _with_number(what, arguments, symbols[0])


def _is_float(arguments: list[Any], config: Mapping[str, Any]) -> bool:
    """Return whether a type that is cast to is one of floating numbers."""
    return all("float" in str(one) for one in [*arguments, *config.values()])


def _reshape(target: Any) -> Data | None:
    """Return a Reshape to a shape whose first size is that of the batch."""
    target = plain(target)
    if not isinstance(target, list) or len(target) < 2 or target[0] not in (-1, None):
        return None
    sizes = [-1 if one is None else whole(one) for one in target[1:]]
    return {"class": "Reshape", "target_shape": sizes} if sizes.count(-1) < 2 else None


def _with_number(what: str, arguments: list[Any], first: bool) -> Data | None:
    """Return the Rescaling that an array and a number make."""
    constant = nested(number)(arguments[1] if first else arguments[0])
    every = constant if isinstance(constant, list) else [constant]
    if any(isinstance(one, list) for one in every):
        return None

    def each(function: Any) -> Any:
        return [function(one) for one in every] if isinstance(constant, list) else function(constant)

    ones = each(lambda one: 1.0)
    if what == "add":
        return {"class": "Rescaling", "scale": ones, "offset": constant}
    if what == "subtract" and first:
        return {"class": "Rescaling", "scale": ones, "offset": each(lambda one: -one)}
    if what == "subtract":
        return {"class": "Rescaling", "scale": each(lambda one: -1.0), "offset": constant}
    if what == "multiply":
        return {"class": "Rescaling", "scale": constant, "offset": 0.0}
    if what == "maximum" and constant == 0:
        return {"class": "ReLU"}
    if what == "divide" and first and all(one and math.isfinite(1 / one) for one in every):
        return {"class": "Rescaling", "scale": each(lambda one: 1 / one), "offset": 0.0}
    return None
