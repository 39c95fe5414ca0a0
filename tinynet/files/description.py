"""What model files of every format hold: a model as plain data, and its arrays.

Each format is a module that turns a description into a file's content, or a file's content into a
description; none knows another, nor layers. `models/storage/saving.py` and `models/loading.py` do the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(eq=False)
class Description:
    """A model as plain data.

    Args:
        config: what rebuilds it, as JSON can hold it: its "class", and what `Model.config` returns: "layers"
            and, mostly, "names", how they are joined, and "compile".
        weights: by the path of a layer, such as "dense" or "block/conv2d", the arrays of its parameters and
            of its sublayers': first those that train, then those that do not, each in their order. Each
            parameter of the model belongs to exactly one of these layers.
        iterations: how many steps the optimizer has made; default 0.
        slots: the optimizer's state: by tinynet's names for it, such as "m", an array for each parameter that
            trains, in their order; default: none.
        notes: what of a file of another library is not there in tinynet, as sentences; default: nothing.
        compile_notes: the same, of how the model was compiled; default: nothing.
    """

    config: dict[str, Any]
    weights: dict[str, list[Array]]
    iterations: int = 0
    slots: dict[str, list[Array]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    compile_notes: list[str] = field(default_factory=list)
