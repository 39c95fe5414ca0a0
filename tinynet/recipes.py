"""Recipes: the documented networks and how each is trained, for the command line, benchmarks and weights.

`quick` is what the examples spell out, in about a minute; `fast` reaches 99% in one epoch; `plain`,
`augmented` and `wide` are for the highest accuracy; `pictures` trains the networks that come with tinynet.
`fast`, `plain`, `augmented` and `wide` were chosen on 6,000 of the training images, never on the test images:
`benchmarks/results/selection.jsonl` is the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import layers
from .data.augment import Augmentation
from .losses import CategoricalCrossentropy, SparseCategoricalCrossentropy
from .models import Sequential
from .optim import Adam, AdamW
from .schedules import CosineDecay

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .callbacks import Callback
    from .training import History

__all__ = ["CNN", "MLP", "Recipe"]

INPUT_SHAPE = (28, 28, 1)
CLASSES = 10


@dataclass(frozen=True)
class MLP:
    """Flatten, then Dense with ReLU and Dropout for each hidden layer, then Dense with softmax.

    Args:
        units: sizes of the hidden layers.
        dropout: the share of their outputs that is dropped in training.

    Example:
        >>> [type(layer).__name__ for layer in MLP((512,)).layers()]
        ['Flatten', 'Dense', 'Dropout', 'Dense']
    """

    units: tuple[int, ...] = (512, 512)
    dropout: float = 0.3

    def layers(self) -> list[layers.Layer]:
        """Return new layers."""
        hidden = [
            layer
            for units in self.units
            for layer in (layers.Dense(units, activation="relu"), layers.Dropout(self.dropout))
        ]
        return [layers.Flatten(), *hidden, layers.Dense(CLASSES, activation="softmax")]


@dataclass(frozen=True)
class CNN:
    """Blocks of Conv2D 3×3 with ReLU, MaxPool2D, Dropout; then Flatten, Dense with ReLU, Dense with softmax.

    Args:
        filters: of each convolution.
        units: size of the hidden Dense layer.
        dropout: the share of each block's outputs that is dropped in training.

    Example:
        >>> [type(layer).__name__ for layer in CNN((32,)).layers()]
        ['Conv2D', 'MaxPool2D', 'Dropout', 'Flatten', 'Dense', 'Dense']
    """

    filters: tuple[int, ...] = (32, 32, 32)
    units: int = 128
    dropout: float = 0.25

    def layers(self) -> list[layers.Layer]:
        """Return new layers."""
        blocks = [
            layer
            for filters in self.filters
            for layer in (
                layers.Conv2D(filters, 3, padding="same", activation="relu"),
                layers.MaxPool2D(2),
                layers.Dropout(self.dropout),
            )
        ]
        dense = layers.Dense(self.units, activation="relu"), layers.Dense(CLASSES, activation="softmax")
        return [*blocks, layers.Flatten(), *dense]


@dataclass(frozen=True)
class Recipe:
    """A network, and how it is trained: Adam, whose learning rate ends at 0 after half a cosine wave.

    Args:
        network: which network.
        epochs: times through the data.
        learning_rate: the highest.
        batch_size: samples a step; default 128.
        warmup: the share of the steps in which the learning rate rises to the highest; default 0.
        weight_decay: AdamW's; default 0.
        label_smoothing: the share of each target that is spread over all classes; default 0.
        ema_momentum: the model's weights are an average with this momentum; default None, the last weights.
        augmentation: distorts the training images at random; default None.

    Example:
        >>> import dataclasses, numpy as np
        >>> short = dataclasses.replace(RECIPES["mlp"]["quick"], epochs=1)
        >>> x, y = np.zeros((4, 28, 28, 1), np.float32), np.array([0, 1, 2, 3])
        >>> model, history = short.train(x, y, seed=3, verbose=0)
        >>> model.predict(x).shape
        (4, 10)
    """

    network: MLP | CNN
    epochs: int
    learning_rate: float
    batch_size: int = 128
    warmup: float = 0.0
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    ema_momentum: float | None = None
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"Recipe: {name} must be a whole number of at least 1; got {value!r}.")

    def build(self, seed: int = 0) -> Sequential:
        """Return the network with fresh weights.

        Args:
            seed: of the initial weights, and of all that is random in training.
        """
        name = f"mnist_{type(self.network).__name__.lower()}"
        return Sequential(self.network.layers(), INPUT_SHAPE, seed, name=name)

    def schedule(self, samples: int) -> CosineDecay:
        """Return the learning rates of a training on so many samples."""
        steps = self.epochs * -(-samples // self.batch_size)
        rising = round(self.warmup * steps)
        if not rising:
            return CosineDecay(self.learning_rate, steps)
        return CosineDecay(0.0, steps - rising, warmup_target=self.learning_rate, warmup_steps=rising)

    def train(
        self,
        x: ArrayLike,
        y: ArrayLike,
        seed: int = 0,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        callbacks: Sequence[Callback] = (),
        verbose: int | str = "auto",
    ) -> tuple[Sequential, History]:
        """Build a model and train it.

        Args:
            x: (N, 28, 28, 1) images, scaled to 0..1.
            y: (N,) their digits, or (N, 10) probabilities.
            seed: another seed, another network; default 0.
            validation_data, callbacks, verbose: see `Sequential.fit`.

        Returns:
            The trained model, and the history of its training.
        """
        model = self.build(seed)
        targets = np.asarray(y)
        schedule = self.schedule(len(targets))
        crossentropy = CategoricalCrossentropy if targets.ndim == 2 else SparseCategoricalCrossentropy
        adam = AdamW(schedule, weight_decay=self.weight_decay) if self.weight_decay else Adam(schedule)
        model.compile(adam, crossentropy(label_smoothing=self.label_smoothing), ["accuracy"])
        history = model.fit(
            x,
            y,
            self.batch_size,
            self.epochs,
            verbose,
            callbacks,
            validation_data=validation_data,
            augment=self.augmentation,
            ema_momentum=self.ema_momentum,
        )
        return model, history


AFFINE_AND_ELASTIC = Augmentation(elastic_alpha=1.0)
LIGHT = Augmentation(rotation=7.5, shift=1.0, scale=0.08, shear=0.08, elastic_alpha=0.5)

RECIPES: dict[str, dict[str, Recipe]] = {
    "mlp": {
        "quick": Recipe(MLP(), epochs=20, learning_rate=0.002),
        "plain": Recipe(
            MLP(dropout=0.5), epochs=60, learning_rate=0.002, weight_decay=0.05, ema_momentum=0.999
        ),
        "augmented": Recipe(
            MLP((1024, 1024), 0.0), epochs=60, learning_rate=0.001, weight_decay=0.05, label_smoothing=0.05,
            ema_momentum=0.999, augmentation=AFFINE_AND_ELASTIC,
        ),
        "pictures": Recipe(
            MLP((400, 200), 0.1), epochs=30, learning_rate=0.001, weight_decay=0.02, ema_momentum=0.999,
            augmentation=LIGHT,
        ),
    },
    "cnn": {
        "quick": Recipe(CNN(), epochs=10, learning_rate=0.002),
        "fast": Recipe(
            CNN(dropout=0.0), epochs=1, learning_rate=0.004, batch_size=16, warmup=0.1, label_smoothing=0.05
        ),
        "plain": Recipe(CNN(), epochs=40, learning_rate=0.002, label_smoothing=0.05, ema_momentum=0.999),
        "augmented": Recipe(
            CNN(dropout=0.05), epochs=60, learning_rate=0.002, weight_decay=0.05, label_smoothing=0.05,
            ema_momentum=0.999, augmentation=LIGHT,
        ),
        "pictures": Recipe(
            CNN(dropout=0.1), epochs=15, learning_rate=0.002, weight_decay=0.02, ema_momentum=0.999,
            augmentation=LIGHT,
        ),
        "wide": Recipe(
            CNN((32, 64, 128), 256, 0.1), epochs=40, learning_rate=0.002, weight_decay=0.05,
            label_smoothing=0.05, ema_momentum=0.999, augmentation=Augmentation(elastic_alpha=0.5),
        ),
    },
}  # fmt: skip


def __dir__() -> list[str]:
    return __all__
