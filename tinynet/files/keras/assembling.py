"""Models from what files of Keras's hold: a description, arrays, an optimizer's variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ..description import Description
from .config import take_notes
from .optimizers import state_from_keras
from .weights import Leaf, Named, as_of_today, is_first, leaves, rounded

Array = NDArray[Any]


def describe(
    config: dict[str, Any], weights: Mapping[str, list[Array]], variables: Named,
    optimizer: tuple[str, Mapping[str, Any]], version: str | None, of_theano: bool = False,
) -> Description:  # fmt: skip
    """Return a model as plain data.

    Args:
        config: the model's.
        weights: arrays by the paths of layers, as they are in the file.
        variables: the optimizer's.
        optimizer: its class and arguments, as Keras wrote them.
        version: of the Keras that wrote it; None if the file does not say.
        of_theano: whether Theano computed with the weights; default False.
    """
    of_layers, dtype = leaves(config), str(config["dtype"])

    def today(leaf: Leaf, arrays: list[Array]) -> list[Array]:
        return rounded(as_of_today(leaf, arrays, is_first(version), of_theano), dtype)

    notes, compile_notes = take_notes(config)
    ready = {leaf.path: today(leaf, weights.get(leaf.path, [])) for leaf in of_layers}
    held = {path: arrays for path, arrays in ready.items() if arrays}
    found = Description(config, held, notes=notes, compile_notes=compile_notes)
    if not variables or "compile" not in config:
        return found
    state = state_from_keras(variables, *optimizer, version)
    trained = [(leaf, n) for leaf in of_layers for n in range(leaf.trained(len(ready[leaf.path])))]
    problem = state.problem
    for name, arrays in state.slots.items():
        slots: dict[str, list[Array]] = {}
        for (leaf, _), array in zip(trained, arrays, strict=False):
            slots.setdefault(leaf.path, []).append(array)
        turned = [one for leaf in of_layers if leaf.path in slots for one in today(leaf, slots[leaf.path])]
        wanted = [
            ready[leaf.path][number].shape for leaf, number in trained if number < len(ready[leaf.path])
        ]
        if [array.shape for array in turned] != wanted or len(arrays) != len(trained):
            problem = f"its {name!r} are of other shapes than the weights that train"
        found.slots[name] = [array.astype(dtype) for array in turned]
    if problem:
        found.slots = {}
        compile_notes.append(f"the optimizer begins anew: {problem}.")
    else:
        found.iterations = state.iterations
    return found


def parsed(text: str | bytes, what: str) -> Any:
    """Return what a text in JSON says.

    Args:
        text: the text.
        what: what holds it, for the error message.

    Raises:
        ValueError: it is damaged.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is damaged: it is no JSON ({error})") from error


def optimizer_of(training: Any) -> tuple[str, Mapping[str, Any]]:
    """Return the class and the arguments of the optimizer that a model was compiled with.

    Args:
        training: Keras's training_config or compile_config; None where there is none.
    """
    for key in ("optimizer_config", "optimizer"):
        found = training.get(key) if isinstance(training, Mapping) else None
        if isinstance(found, str):
            return found, {}
        if isinstance(found, Mapping) and isinstance(found.get("class_name"), str):
            inside = found.get("config")
            return found["class_name"], inside if isinstance(inside, Mapping) else {}
    return "", {}
