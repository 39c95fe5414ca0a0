"""How layers are joined: what a layer of layers says of itself, and what a symbol can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple


class Symbol(ABC):
    """What stands for an array that is not there yet, in a graph of layers; see `symbols.py`."""

    @abstractmethod
    def join(self, layer: Any, inputs: Any) -> Any:
        """Return the symbols of what a layer gives for these inputs."""


class Join(NamedTuple):
    """A layer's call within another layer; the values that are passed on are numbered.

    Args:
        layer: which of the layers.
        inputs: the numbers of the values that it takes: those given to the whole, then what each call gives.
    """

    layer: int
    inputs: tuple[int, ...]


class Wiring(NamedTuple):
    """How a layer is made of others, where it does nothing but call them.

    Args:
        layers: what it is made of.
        joins: their calls, in order.
        outputs: the numbers of the values that it gives.
    """

    layers: Sequence[Any]
    joins: Sequence[Join]
    outputs: Sequence[int]
