"""Operations on symbols, which Keras writes as layers: those that tinynet has a layer for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .calls import Call
from .reading import Row
from .values import class_name

OF_TENSORFLOW = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry of a graph is an operation, not a layer."""
    return class_name(entry.get("class_name")) in OF_TENSORFLOW or ".ops." in str(entry.get("module"))


def read_operation(entry: Mapping[str, Any], call: Call) -> Row:
    """Return the layer that does what an operation does, or raise."""
    raise ValueError(f"operation {entry.get('name')!r} ({entry.get('class_name')}) has no layer in tinynet")
