"""Models as plain data, and from data to models: what all model files hold beside the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .. import losses, optim
from ..keywords import warn
from ..layers.config import layer_config
from .trainable import Trainable


def common_config(model: Trainable) -> dict[str, Any]:
    """Return what describes a model beside its layers, as JSON can hold it.

    Raises:
        ValueError: two of its layers share one that has weights, which no description here can say.
    """
    check_shared_once(model, set())
    config: dict[str, Any] = {
        "seed": int(model.seed),
        "dtype": model.dtype.name,
        "name": model.name,
        "steps_trained": model.steps_trained,
        "epochs_trained": model.epochs_trained,
        "temperature": model.temperature,
    }
    if model.class_names is not None:
        config["class_names"] = model.class_names
    frozen = [path for path, part in model.parts() if not part.trainable]
    if frozen:
        config["frozen"] = frozen
    how = compile_config(model)
    if how is not None:
        config["compile"] = how
    return config


def keras_config(model: Any) -> dict[str, Any]:
    """Return a model as Keras 3 describes it, with classes that Keras has not, and how it was compiled."""
    from ..files.keras.config import config_to_keras  # on first use, so that `import tinynet` need not wait
    from ..files.keras.own import KEY

    config = layer_config(model)
    found, how = config_to_keras(config)
    names = {KEY: {"class_names": config["class_names"]}} if "class_names" in config else {}
    return found | {"compile_config": how} | names


def as_ours(kind: str, config: Any) -> Any:
    """Return a model's config as tinynet has it, from that or from what Keras's `get_config` returns.

    Args:
        kind: "Sequential" or "Functional".
        config: the config, of any version of Keras.

    Raises:
        ValueError: tinynet has no such layer.
    """
    layers = config.get("layers") if isinstance(config, Mapping) else config
    if not isinstance(layers, list) or not all("class_name" in layer for layer in layers):
        return config
    from ..files.keras.config import config_from_keras, take_notes  # on first use, too

    found = config_from_keras({"class_name": kind, "config": config})
    for note in take_notes(found)[0]:
        warn(f"from_config: {note}", UserWarning)
    return found


def check_shared_once(part: Any, seen: set[int]) -> None:
    """Raise if a layer with weights is a part of two others."""
    for layer in part.sublayers().values():
        if id(layer) in seen and layer.parameters:
            raise ValueError(
                f"{layer.title} is part of two of the model's layers, which model files cannot say yet: save "
                "these on their own, or keep the weights by get_weights and set_weights."
            )
        seen.add(id(layer))
        check_shared_once(layer, seen)


def restore(model: Trainable, config: Mapping[str, Any]) -> None:
    """Give a new model what `common_config` described."""
    model.steps_trained = int(config.get("steps_trained", 0))
    model.epochs_trained = int(config.get("epochs_trained", 0))
    model.temperature = float(config.get("temperature", 1.0))
    if not 1e-3 <= model.temperature <= 1e3:
        raise ValueError(f"the temperature must be in 0.001 to 1000; got {model.temperature}.")
    model.class_names = config.get("class_names")
    parts = dict(model.parts())
    for path in config.get("frozen", ()):
        parts[path].remember(_trainable=False)
    if "compile" in config:
        how = config["compile"]
        optimizer, loss = optim.get(how["optimizer"]), losses.get(how["loss"])
        model.compile(optimizer, loss, how["metrics"], weighted_metrics=how.get("weighted_metrics"))


def compile_config(model: Trainable) -> dict[str, Any] | None:
    """Return what `compile` was given as JSON can hold it, or None where that cannot be rebuilt."""
    if model._compiled is None:
        return None
    optimizer, loss, chosen = model._compiled
    arguments = {
        field.name: getattr(value, "tolist", lambda value=value: value)()
        for field in fields(loss)
        for value in [getattr(loss, field.name)]
    }
    try:
        how = {
            "optimizer": optim.serialize(optimizer),
            "loss": {"name": type(loss).__name__, **arguments},
            "metrics": [metric.given for metric in chosen.plain.values() if metric.given],
            "weighted_metrics": [metric.given for metric in chosen.weighted.values() if metric.given],
        }
        how = json.loads(json.dumps(how))
        same = type(optim.get(how["optimizer"])) is type(optimizer)
        return how if same and losses.get(how["loss"]) == loss else None
    except (TypeError, ValueError):
        return None
