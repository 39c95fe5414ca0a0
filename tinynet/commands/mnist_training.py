"""What `tinynet train` does with MNIST."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from .. import data
from ..callbacks import Callback
from ..models import Model
from ..recipes import RECIPES, Recipe
from .parsing import UsageError


class MnistTraining:
    """A training on MNIST by a recipe.

    Args:
        options: of the command line.
        recipe: how it is trained.
        share: of the training images that are for validation.
    """

    failures = 0

    def __init__(self, options: argparse.Namespace, recipe: Recipe, share: float) -> None:
        self.options, self.recipe, self.share = options, recipe, share
        self.model: Model = recipe.build(options.seed)

    def load(self) -> None:
        """Load the images."""
        self.train, self.test = data.load_mnist(self.options.data)

    def fit(self, callbacks: Sequence[Callback]) -> None:
        """Train."""
        x, y = data.scale_pixels(self.train[0]), self.train[1]
        at = len(x) - int(self.share * len(x))
        validation = (x[at:], y[at:]) if self.share else None
        self.recipe.train(x[:at], y[:at], self.options.seed, validation, callbacks)

    def weights(self, epochs: int) -> str:
        """Return which weights the model has after Ctrl-C."""
        return "its last weights"

    def result(self, model: Model) -> list[str]:
        """Return what the test images say of the trained model."""
        loss, accuracy = model.evaluate(data.scale_pixels(self.test[0]), self.test[1])
        return [f"Test loss: {loss:.4f} - test accuracy: {accuracy:.2%} of {len(self.test[1]):,} images"]

    def use(self, path: Path) -> str:
        """Return how the model is used: as all models for digits."""
        return ""


def on_mnist(options: argparse.Namespace) -> MnistTraining:
    """Return the training on MNIST that a command line asks for."""
    recipes = RECIPES[options.network]
    name = options.recipe or "quick"
    if name not in recipes:
        raise UsageError(f"--recipe is one of {', '.join(recipes)}; got {name!r}")
    recipe = recipes[name]
    if options.epochs is not None:
        recipe = dataclasses.replace(recipe, epochs=options.epochs)
    return MnistTraining(options, recipe, share_of(options.validation or "0"))


def share_of(text: str) -> float:
    """Return the share of pictures for validation that a command line says."""
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share < 1:
        raise UsageError(
            f"--validation is a share from 0 to below 1, such as 0.2, or a folder of pictures; got {text!r}"
        )
    return share
