"""From the calls of layers to a model's description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..description import Description
from .graph import Graph
from .naming import clean, unique
from .network import Call, Network


def described(
    graph: Graph,
    network: Network,
    inputs: Sequence[tuple[str, Sequence[int | None]]],
    outputs: Sequence[int],
    dtype: str,
) -> Description:
    """Return the description of a model.

    Args:
        graph: what it was made of.
        network: the calls of its layers.
        inputs: the names and shapes of what it takes; None where any size is taken.
        outputs: the numbers of what it gives.
        dtype: of its numbers, "float32" or "float64".
    """
    calls = network.calls
    in_a_row = len(inputs) == 1 and [*outputs] == [len(calls)] and all(
        call.inputs == [place] for place, call in enumerate(calls)
    )  # fmt: skip
    places = layers_of(calls)
    in_a_row = in_a_row and len({*places}) == len(calls)
    kept = [call for number, call in enumerate(calls) if places[number] not in places[:number]]
    names = unique([call.name for call in kept], [call.kind for call in kept])
    layers = [_config(call, dtype) for call in kept]
    name = clean(graph.name)
    common = {"seed": 0, "dtype": dtype}
    if in_a_row:
        config: dict[str, Any] = {
            "class": "Sequential", "layers": layers, "names": names, "input_shape": [*inputs[0][1]],
            **common, "name": name or "sequential",
        }  # fmt: skip
    else:
        titles = unique(
            [*(clean(title) or "input_layer" for title, _ in inputs), *names],
            ["InputLayer"] * (len(inputs) + len(names)),
        )
        names = titles[len(inputs) :]
        config = {
            "class": "Model",
            "layers": [*({"class": "InputLayer", "shape": [*shape]} for _, shape in inputs), *layers],
            "names": titles,
            "inputs": [*range(len(inputs))],
            "joins": [
                [len(inputs) + place, [*call.inputs]] for place, call in zip(places, calls, strict=True)
            ],
            "outputs": [*outputs],
            **common,
            "name": name or "model",
        }
    weights = {
        name: [np.ascontiguousarray(array, dtype) for array in call.weights]
        for name, call in zip(names, kept, strict=True)
        if call.weights
    }
    return Description(config, weights)


def layers_of(calls: Sequence[Call]) -> list[int]:
    """Return for each call the number of its layer: calls with the same weights are of one layer."""
    found: list[int] = []
    known: dict[str, list[tuple[int, Call]]] = {}
    count = 0
    for call in calls:
        alike = known.setdefault(f"{call.sources} {call.config}", []) if call.weights else []
        place = next((place for place, other in alike if _same(call, other)), None)
        if place is None:
            place, count = count, count + 1
            alike.append((place, call))
        found.append(place)
    return found


def _same(call: Call, other: Call) -> bool:
    """Whether two calls with the same configuration have the same weights."""
    pairs = zip(call.weights, other.weights, strict=False)
    return len(call.weights) == len(other.weights) and all(np.array_equal(a, b) for a, b in pairs)


def _config(call: Call, dtype: str) -> dict[str, Any]:
    """Return a layer's configuration as JSON can hold it."""
    return {name: _plain(value, dtype) for name, value in call.config.items()}


def _plain(value: Any, dtype: str) -> Any:
    """Return an argument of a layer as JSON can hold it."""
    if isinstance(value, np.ndarray):
        return value.astype(dtype).tolist()
    if isinstance(value, dict):
        return {name: _plain(one, dtype) for name, one in value.items()}
    return value
