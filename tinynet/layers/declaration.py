"""Layers that are built by the layer that they are a part of: which they are, and what their seeds are."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .tree import Node

_building = threading.local()  # its `now` is the declaration that this thread runs


def running() -> Declaration | None:
    """Return the declaration that this thread runs, or None."""
    return getattr(_building, "now", None)


@contextmanager
def aside() -> Iterator[None]:
    """Run the block outside of all declarations: what is built there is a part of none."""
    outer, _building.now = running(), None
    try:
        yield
    finally:
        _building.now = outer


class Declaration:
    """A layer's `declare` while it runs: it builds the layers that the layer is made of.

    Args:
        layer: the layer.
        above: those that it is a part of.
    """

    def __init__(self, layer: Node, above: Sequence[Node]) -> None:
        self.layer, self.above = layer, [*above, layer]
        self.places: dict[int, int] = {}
        self.strays: list[weakref.ref[Node]] = []  # what is built meanwhile, and is no part

    def place_of(self, part: Node) -> int | None:
        """Return a part's place among those of the layer, or None if it is none of them."""
        if id(part) not in self.places:
            parts = self.layer.find_sublayers().values()
            self.places = {id(part): n for n, part in enumerate(p for p in parts if p.takes_seed)}
            self.places = {id(part): 0 for part in parts} | self.places
        return self.places.get(id(part))

    def check(self) -> None:
        """Raise if something was built too early, or is kept where nothing finds it."""
        layer, parts = self.layer, [*self.layer.find_sublayers().values()]
        for part in parts:
            if part.output_shape is not None and part.dtype != layer.dtype:
                raise ValueError(f"{layer.title}: {part.title} was built before it became a part of it.")
        for stray in (reference() for reference in self.strays):
            # A model that a signal handler builds in the midst of this has its layers in_model by now.
            if stray is not None and not stray.in_model and all(stray is not part for part in parts):
                raise ValueError(
                    f"{layer.title} holds {stray.title} where it is not found: keep the layers "
                    "that it is made of in attributes, lists, tuples or dicts."
                )

    @contextmanager
    def run(self) -> Iterator[None]:
        """Be the declaration that this thread runs, and check at the end what was built."""
        outer, _building.now = running(), self
        try:
            yield
            self.check()
        finally:
            _building.now = outer
