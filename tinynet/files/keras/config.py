"""Networks as Keras describes them, of all its versions, and as tinynet does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .compile_to_keras import compile_to_keras
from .compiling import compile_from_keras
from .layers_to_keras import Writing
from .networks import read_network
from .networks_to_keras import Paths, network_to_keras
from .reading import Data, Reading
from .values import mapping


def config_from_keras(
    model_config: Any, training_config: Any = None, keras_version: str | None = None
) -> dict[str, Any]:
    """Return tinynet's description of a network that Keras described.

    Args:
        model_config: what Keras's JSON says of a model, or the JSON itself: {"class_name", "config"}.
        training_config: how it was compiled: Keras 2's training_config, or Keras 3's compile_config; default
            None.
        keras_version: of the Keras that wrote it, such as "2.4.0"; default: it is told by the words.

    Returns:
        What `Model.config` returns, with "class", and without weights. Where what `compile` was given cannot
        be rebuilt, "not_compiled" says why; "left_out" lists what is not there in tinynet and matters only
        while a model trains.

    Raises:
        ValueError: it is damaged, or tinynet has no such layer, which the error names.

    Example:
        >>> arguments = {"name": "d", "units": 2, "batch_input_shape": [None, 3]}
        >>> layers = [{"class_name": "Dense", "config": arguments}]
        >>> found = config_from_keras({"class_name": "Sequential", "config": layers}, None, "2.1.6")
        >>> found["layers"], found["names"], found["input_shape"]
        ([{'class': 'Dense', 'units': 2}], ['d'], [3])
    """
    try:
        given = mapping(_loaded(model_config), "a model")
        of_tensorflow = is_of_tensorflow(given, keras_version)
        reading = Reading(version_of(given, keras_version), of_tensorflow)
        data, frozen, _ = read_network(given, reading)
        set_dtype(data, dtype_of(given))
        if frozen:
            data["frozen"] = frozen
        if reading.left_out:
            data["left_out"] = reading.left_out
        training = _loaded(training_config) or given.get("compile_config")
        outputs = len(data["outputs"]) if "joins" in data else 1
        return data | compile_from_keras(training, outputs, of_tensorflow)
    except ValueError:
        raise
    except RecursionError:
        raise ValueError("the network's description is nested too deeply") from None
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"the network's description is damaged: {error!r}") from error


def take_notes(config: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Take what `config_from_keras` noted out of a config, and return it as sentences for people.

    Args:
        config: what it returned; changed.

    Returns:
        What of the layers is not there, and what of how the model was compiled.

    Example:
        >>> take_notes({"left_out": ["activity_regularizer='l1' of layer 'a' (Dense)"]})
        (["training differs from Keras's, without activity_regularizer='l1' of layer 'a' (Dense)."], [])
    """
    left, how = config.pop("left_out", []), config.pop("not_compiled", None)
    found = []
    if left:
        more = f", and {len(left) - 3} more" if len(left) > 3 else ""
        found.append(f"training differs from Keras's, without {', '.join(left[:3])}{more}.")
    return found, [] if how is None else [f"it is not compiled as it was in Keras: {how}."]


def config_to_keras(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a network as Keras 3.15 describes it, and how it was compiled.

    Args:
        config: what `Model.config` returns.

    Returns:
        What the model's file holds as its config, without "compile_config"; and that: {} if the model was not
        compiled, or with what Keras has not. Classes of people's own are described as Keras
        describes them.

    Raises:
        ValueError: Keras has no such layer as one of tinynet's, which the error names.

    Example:
        >>> layers = [{"class": "Dense", "units": 2}]
        >>> row = {"layers": layers, "input_shape": [3], "dtype": "float32", "name": "row"}
        >>> found, how = config_to_keras(row)
        >>> found["class_name"], [layer["config"]["name"] for layer in found["config"]["layers"]], how
        ('Sequential', ['input_layer', 'dense'], {})
    """
    frozen = Paths([*config.get("frozen", ())])
    shapes = [[*config["input_shape"]]] if config.get("input_shape") is not None else None
    writing = Writing(config.get("dtype") or "float32")
    found = network_to_keras(dict(config), config["name"], writing, frozen, shapes)
    return found, compile_to_keras(config.get("compile"))


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value


def version_of(config: Mapping[str, Any], given: Any = None) -> tuple[int, ...]:
    """Return the version of the Keras that wrote a description: as given, or by its words.

    Example:
        >>> version_of({}, "2.2.4-tf"), version_of({"config": {"batch_shape": [None, 2]}})
        ((2, 2, 4), (3,))
    """
    for text in (given, config.get("keras_version")):
        numbers = re.match(r"\d+(\.\d+)*", text) if isinstance(text, str) else None
        if numbers:
            return tuple(int(one) for one in numbers.group().split(".")[:3])
    words = json.dumps(config)
    if re.search(r'"(batch_shape|keras_history|build_config|registered_name)"', words):
        return (2, 13) if '"batch_input_shape"' in words else (3,)
    return (1,) if re.search(r'"(nb_filter|output_dim|border_mode|dim_ordering)"', words) else (2,)


def is_of_tensorflow(config: Mapping[str, Any], given: Any) -> bool:
    """Return whether tf.keras or a later Keras wrote it, whose optimizers differ from those before."""
    text = next((one for one in (given, config.get("keras_version")) if isinstance(one, str)), "")
    return "tf" in text or version_of(config, given) >= (2, 4)


def dtype_of(config: Mapping[str, Any]) -> str:
    """Return "float64" if all layers that say what they compute in say so, else "float32"."""
    found: set[str] = set()
    to_do: list[Any] = [config]
    while to_do:
        entry = to_do.pop()
        inside = entry.get("config") if isinstance(entry, Mapping) else None
        if isinstance(inside, list):
            to_do += inside
        elif isinstance(inside, Mapping):
            to_do += inside["layers"] if isinstance(inside.get("layers"), list) else []
            dtype = inside.get("dtype")
            if isinstance(dtype, Mapping):
                dtype = (dtype.get("config") or {}).get("name")
            if entry.get("class_name") != "InputLayer" and isinstance(dtype, str):
                found.add(dtype)
    return "float64" if found == {"float64"} else "float32"


def set_dtype(data: Data, dtype: str) -> None:
    """Give a network and those inside of it a dtype."""
    to_do = [data]
    while to_do:
        one = to_do.pop()
        one["dtype"] = dtype
        to_do += [layer for layer in one["layers"] if "layers" in layer]
