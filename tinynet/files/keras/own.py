"""What tinynet says of a model in Keras's files beside what Keras says, which Keras does not read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .networks_to_keras import names_of

KEY = "tinynet"  # of metadata.json in a .keras file, and of an .h5 file's attributes
# What random numbers follow from, how long the model has trained, and what predictions mean.
KEPT = ("seed", "steps_trained", "epochs_trained", "temperature", "class_names")


def own_data(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a model's config, as `Description.config` is.

    Example:
        >>> own_data({"class": "Sequential", "layers": [], "seed": 3, "temperature": 1.0})
        {'seed': 3, 'temperature': 1.0, 'seeds': {}}
    """
    seeds = {path: network["seed"] for path, network in _networks(config) if "seed" in network}
    return {name: config[name] for name in KEPT if name in config} | {"seeds": seeds}


def add_own(config: dict[str, Any], given: Any) -> dict[str, Any]:
    """Return a model's config with what `own_data` kept.

    Args:
        config: what Keras says of the model, as `Description.config`; its networks may change.
        given: what a file has in the place of it: a dictionary, JSON of one, or nothing.

    Example:
        >>> add_own({"layers": [], "seed": 0}, '{"seed": 3, "class": "Other"}')
        {'layers': [], 'seed': 3}
    """
    try:
        found = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        return config
    if not isinstance(found, Mapping):
        return config
    seeds = found.get("seeds")
    for path, network in _networks(config):
        if isinstance(seeds, Mapping) and path in seeds:
            network["seed"] = seeds[path]
    return config | {name: found[name] for name in KEPT if name in found}


def _networks(config: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the networks in a network, with their paths."""
    for name, layer in zip(names_of({**config}), config["layers"], strict=False):
        if "layers" in layer:
            yield f"{inside}{name}", layer
            yield from _networks(layer, f"{inside}{name}/")
