"""The weights in a file of Keras's, layer by layer, as those of a model: all of them, or those that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...keywords import warn
from ...layers import Layer, Parameter
from ...layers.graph import Graph
from ...names import listed

Array = NDArray[Any]
Held = tuple[str, Sequence[Array]]  # a layer's name in a file, and its weights


def keras_assignments(
    model: Graph, held: Sequence[Held], by_name: bool = False, skip_mismatch: bool = False
) -> list[tuple[Parameter, Array]]:
    """Return which parameter of a model gets which numbers of a file of Keras's.

    Args:
        model: built.
        held: what the file holds: the layers' names and weights, in order: of each, first those that train.
        by_name: whether layers of equal names belong together, and others are passed over; default False:
            the layers that have weights belong together in their order, and must be equally many.
        skip_mismatch: whether weights that have other shapes are passed over with a warning; default False.

    Returns:
        Pairs: for all weights, unless one of the two is True.

    Raises:
        ValueError: layers have other weights, are not equally many, or none has a name that the file has.
    """
    found, others = [], []
    for layer, name, arrays in together(model, held, by_name):
        parameters = [*layer.trainable_weights, *layer.non_trainable_weights]
        shapes, theirs = [one.shape for one in parameters], [array.shape for array in arrays]
        if shapes != theirs or any(array.dtype.kind not in "fiu" for array in arrays):
            others.append(f"{layer.title} has weights of shapes {shapes}, and {name!r} in the file {theirs}")
        if len(shapes) == len(theirs):
            found += [
                (one, np.asarray(array, one.dtype))
                for one, array in zip(parameters, arrays, strict=True)
                if one.shape == array.shape and array.dtype.kind in "fiu"
            ]
    if others and not skip_mismatch:
        raise ValueError(listed(others, "; "))
    if others:
        warn(f"load_weights: passed over, as skip_mismatch=True says: {listed(others, '; ')}.", UserWarning)
    return found


def together(model: Graph, held: Sequence[Held], by_name: bool) -> list[tuple[Layer, str, Sequence[Array]]]:
    """Return which layer of a model belongs to which of a file."""
    layers = [layer for layer in model.layers if layer.parameters]
    given = [(name, arrays) for name, arrays in held if arrays]
    names, ours = [name for name, _ in given], [layer.name for layer in layers]
    if by_name:
        pairs = [(layer, name, arrays) for name, arrays in given for layer in layers if layer.name == name]
        if not pairs:
            raise ValueError(f"its layers, {listed(names)}, have none of the names {listed(ours)}")
        return pairs
    if len(layers) != len(given):
        raise ValueError(
            f"it has {len(given)} layers with weights, {listed(names)}, and the model has {len(layers)}, "
            f"{listed(ours)}"
        )
    return [(layer, name, arrays) for layer, (name, arrays) in zip(layers, given, strict=True)]
