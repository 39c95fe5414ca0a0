"""Layers that may be given a seed of their own."""

from __future__ import annotations

from typing import Any

from .base import Layer
from .building import Seed


class Seeded(Layer):
    """The base of layers with a hyperparameter `seed`: None for the one that follows from the model's.

    Once such a layer is built, `seed` is what it draws from; `given_seed` is what it was given.
    """

    seed: Any

    def keep_seed(self) -> None:
        """Note the seed that was given; for `__post_init__`."""
        self.given_seed = self.seed

    def own_seed(self, seed: Seed) -> Seed:
        """Return the seed that the layer was given, or the one that follows from its place."""
        return seed if self.given_seed is None else self.given_seed
