"""PyTorch's state dicts as the weights of a model of the same layers, all or none."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...keywords import warn
from ...layers import BatchNormalization, LayerNormalization, Parameter
from ...names import listed
from ..placed import Placed
from .pytorch_layers import Part, Shapes, parts_of
from .pytorch_order import feature_orders

Array = NDArray[Any]
Modules = dict[str, dict[str, Array]]
Normalizing = BatchNormalization | LayerNormalization

NOT_NEEDED = "num_batches_tracked"  # how often a BatchNorm has moved its statistics
EPSILON = 1e-5  # of PyTorch's normalizations, unless they are told another


def assignments(
    model: Placed, tensors: Mapping[str, Array], ordered: bool = True
) -> list[tuple[Parameter, Array]]:
    """Return which parameter of a model gets which numbers of a state dict.

    If the names of the modules are exactly those of the model's layers, they say which is which. Else each
    layer gets the first module whose tensors have the shapes of its weights: so layers of equal shapes are
    taken in the order in which the state dict has them, which is that of their definition.

    Args:
        model: built.
        tensors: by PyTorch's names, as `Module.state_dict` gives them.
        ordered: whether their order is known; default True. If it is not, modules of equal shapes are told
            apart by the numbers in their names.

    Returns:
        Pairs, for all weights that PyTorch's modules have.

    Raises:
        ValueError: the state dict is that of other layers, and what it has and lacks.
    """
    modules = modules_of(tensors)
    parts, normalizations = parts_of_model(model)
    names = {part.name.replace("/", "."): part for part in parts}
    if names.keys() == modules.keys() and len(names) == len(parts):
        matched = {name: (name, part) for name, part in names.items() if fits(part, modules[name])}
        pairs = [*matched.values()]
    else:
        pairs = match(parts, modules, ordered)
    taken, given = {name for name, _ in pairs}, {id(part) for _, part in pairs}
    missing = [part for part in parts if id(part) not in given]
    left = {name: module for name, module in modules.items() if name not in taken}
    if missing or left:
        raise ValueError(listed(differences(missing, left), "; "))
    say_epsilon(normalizations)
    with np.errstate(over="ignore", invalid="ignore"):
        return [
            (parameter, np.asarray(turn(modules[name][key]), parameter.dtype))
            for name, part in pairs
            for key, (parameter, _, turn) in part.takes.items()
        ]


def modules_of(tensors: Mapping[str, Array]) -> Modules:
    """Return the tensors of each module by their own names, in order."""
    modules: Modules = defaultdict(dict)
    for name, tensor in tensors.items():
        module, _, own = name.rpartition(".")
        if own == NOT_NEEDED:
            continue
        if tensor.dtype.kind != "f":
            raise ValueError(f"its {name} is of {tensor.dtype} and should be floats")
        modules[module][own] = tensor
    return dict(modules)


def parts_of_model(model: Placed) -> tuple[list[Part], list[tuple[str, Normalizing]]]:
    """Return what a model's layers take from modules, in the order of their calls; and its normalizations."""
    flow = model.flow()
    places, originals = feature_orders(flow), {id(twin): layer for twin, layer in flow.twins}
    names = {id(part): path for path, part in model.parts()}
    parts: list[Part] = []
    normalizations: dict[int, tuple[str, Normalizing]] = {}
    seen: set[int] = set()
    for call in flow.calls:
        for _, layer in originals.get(id(call.layer), call.layer).parts():
            if id(layer) in seen or not layer.own_parameters:
                continue
            seen.add(id(layer))
            parts += parts_of(layer, names[id(layer)], places.get(id(layer)))
            if isinstance(layer, Normalizing):
                normalizations[id(layer)] = names[id(layer)], layer
    return parts, [*normalizations.values()]


def shapes_of(module: Mapping[str, Array]) -> Shapes:
    """Return the shapes of a module's tensors."""
    return {name: tensor.shape for name, tensor in module.items()}


def fits(part: Part, module: Mapping[str, Array]) -> bool:
    """Return whether a module has what a layer takes."""
    return shapes_of(module) in [part.shapes, *part.others]


def match(parts: Sequence[Part], modules: Modules, ordered: bool) -> list[tuple[str, Part]]:
    """Give each layer the first module that fits.

    Raises:
        ValueError: the order is not known, and several would fit, whose names do not say which comes first.
    """
    waiting = [*modules] if ordered else sorted(modules, key=numbered)
    pairs = []
    for part in parts:
        fitting = [name for name in waiting if fits(part, modules[name])]
        if not ordered and len({re.sub(r"\d+", "#", name) for name in fitting}) > 1:
            raise ValueError(
                f"{part.title} may be any of {listed(fitting)}, because the file does not "
                "keep the order of the modules: give the model's layers the modules' names, or use a file "
                "that torch.save wrote"
            )
        if fitting:
            pairs.append((fitting[0], part))
            waiting.remove(fitting[0])
    return pairs


def numbered(name: str) -> list[tuple[str, int]]:
    """Return what sorts names by the numbers in them, so that "10" comes after "9"."""
    return [(text, int(number or -1)) for text, number in re.findall(r"(\D*)(\d{0,9})", name)]


def differences(missing: Sequence[Part], left: Modules) -> list[str]:
    """Return in words what layers expect, and what a state dict has instead: mostly of the same kind."""
    left, found = dict(left), []
    for part in missing:
        ranks = {name: len(shape) for name, shape in part.shapes.items()}
        alike = [n for n, module in left.items() if {k: tensor.ndim for k, tensor in module.items()} == ranks]
        name = next(iter([*alike, *left]), None)
        instead = (
            "nothing more" if name is None else f"{name[:100]!r} with {in_words(shapes_of(left.pop(name)))}"
        )
        found.append(
            f"{part.title} expects, in PyTorch's order, {in_words(part.shapes)}, and there is {instead}"
        )
    if left:
        names = [f"{name[:100]!r} with {in_words(shapes_of(module))}" for name, module in left.items()]
        found.append(f"it holds, in excess, {listed(names)}")
    return found


def in_words(shapes: Shapes) -> str:
    """Return shapes as text."""
    return " and ".join(f"{name} {shape}" for name, shape in shapes.items())


def say_epsilon(normalizations: Sequence[tuple[str, Normalizing]]) -> None:
    """Warn of normalizations whose epsilon is none that PyTorch has by itself: predictions would differ."""
    others = [f"{name} {layer.epsilon}" for name, layer in normalizations if layer.epsilon != EPSILON]
    if others:
        warn(
            "load_weights: a state dict does not say the epsilon of normalizations, which in PyTorch is "
            f"{EPSILON}, unless it was given; in this model it is another: {listed(others)}. Make these "
            f"layers with epsilon={EPSILON}, or predictions differ.",
            UserWarning,
        )
