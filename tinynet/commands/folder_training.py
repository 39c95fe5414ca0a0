"""What `tinynet train` does with a folder of pictures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import images, layers
from ..calibration import calibrate
from ..callbacks import Callback, EarlyStopping
from ..execution.parallel import run
from ..models import Sequential
from ..names import unknown
from ..optim import Adam
from ..picture_format import PictureFormat, format_of
from ..recipes import CNN, LIGHT, MLP
from ..schedules import CosineDecay
from .console import progress, shown, tell, why
from .mnist_training import share_of
from .named import attempt, labelled_pictures
from .parsing import UsageError

Array = NDArray[Any]

EPOCHS = 30
FILTERS = (32, 64, 128, 128)  # of the blocks of a network for photos
PART = 64  # pictures that are read at a time


class FolderTraining:
    """A training on pictures of some classes.

    Args:
        options: of the command line.
        pictures: (name, what to read, label) of each.
        held_out: the same, of a folder for validation; None where a share of the pictures is for that.
        name: of the model.
    """

    def __init__(
        self, options: argparse.Namespace, pictures: list[Any], held_out: list[Any] | None, name: str
    ) -> None:
        self.options, self.pictures, self.held_out = options, pictures, held_out
        self.classes = sorted({label for _, _, label in pictures})
        if len(self.classes) < 2:
            raise ValueError(
                f"{options.folder}: there is one class alone, {self.classes[0]}: what else is there?"
            )
        for label in sorted({label for _, _, label in held_out or ()} - {*self.classes}):
            raise ValueError(f"{options.validation}: {unknown('class', label, self.classes)}")
        usual = "ink" if all(len(one) == 1 or one.isdecimal() for one in self.classes) else "photo"
        self.kind = options.kind or usual
        self.is_usual = self.kind == usual
        self.model = network(options, self.kind, len(self.classes), name, len(pictures))
        self.model.class_names = self.classes
        self.failures = 0

    def load(self) -> None:
        """Read all pictures in the size that the model takes, and set some aside."""
        form = format_of(self.model)
        x, y = self.read(self.pictures, form, self.options.folder)
        if lost := [label for place, label in enumerate(self.classes) if place not in y]:
            # The network has an output for each, which would say anything where nothing is learned.
            raise ValueError(
                f"{self.options.folder}: no picture of {', '.join(lost)} can be read: mend them, "
                f"or leave out the class{'es' if len(lost) > 1 else ''}."
            )
        random = np.random.default_rng(self.options.seed)
        if self.held_out is not None:
            order = random.permutation(len(x))
            self.train, self.validation = (
                (x[order], y[order]),
                self.read(self.held_out, form, self.options.validation),
            )
        else:
            share = share_of("0.2" if self.options.validation is None else self.options.validation)
            inside, aside = split(y, share, random)
            self.train, self.validation = (x[inside], y[inside]), (x[aside], y[aside])
        parts = f"{len(self.train[0]):,} pictures to train on, {len(self.validation[0]):,} for validation"
        print(f"{len(self.classes)} classes ({self.kind}): {shown(', '.join(self.classes))}\n{parts}")

    def read(self, pictures: list[Any], form: PictureFormat, folder: str) -> tuple[Array, Array]:
        """Return pictures (N, height, width, channels) uint8, and their classes (N,), without bad ones."""

        def one(picture: Any) -> Array:
            if self.kind == "photo":
                return form.fitted_photo(images.open_photo(picture, form.channels))
            seen = images.see(images.open_picture(picture))
            if not seen.digits:
                raise images.ImageError("There is no ink in the picture.")
            return form.fitted_ink(seen.pixels)

        found, labels, failures = list[Array](), list[int](), 0
        parts = [pictures[start : start + PART] for start in range(0, len(pictures), PART)]
        with progress(parts, " parts") as items:
            for part in items:
                read = run(lambda place, part=part: attempt(part[place][1], one), len(part))  # type: ignore[misc]
                for (name, _, label), pixels in zip(part, read, strict=True):
                    if isinstance(pixels, Exception):
                        failures += 1
                        tell(f"{shown(name)}: {why(pixels)}")
                    else:
                        found.append(np.rint(form.encoded(pixels[np.newaxis])[0]).astype(np.uint8))
                        labels.append(self.classes.index(label))
        self.failures += failures
        if failures:
            tell(f"{failures} of {len(pictures)} pictures could not be read, and are left out.")
        if not found:
            raise ValueError(f"{folder}: there is no picture that can be read.")
        return np.stack(found), np.array(labels)

    def fit(self, callbacks: Sequence[Callback]) -> None:
        """Train, and leave the model with the weights of its best epoch."""
        options, (x, y) = self.options, self.train
        epochs = options.epochs or EPOCHS
        rate = CosineDecay(options.learning_rate, epochs * -(-len(x) // options.batch_size))
        self.model.compile(Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
        best = [EarlyStopping(patience=epochs, restore_best_weights=True)] if self.validates else []
        self.model.fit(
            x, y, options.batch_size, epochs, "auto", [*callbacks, *best],
            validation_data=self.validation if self.validates else None,
            augment=LIGHT if options.augment and self.kind == "ink" else None,
        )  # fmt: skip

    @property
    def validates(self) -> bool:
        """Whether there are pictures for validation."""
        return len(self.validation[0]) > 0

    def weights(self, epochs: int) -> str:
        """Return which weights the model has after Ctrl-C."""
        return "the weights of its best epoch" if self.validates and epochs else "its last weights"

    def result(self, model: Any) -> list[str]:
        """Return what the pictures for validation say of the trained model, and lower its confidence to it.

        Never higher: where all of them are read right, no confidence would be too high for them.
        """
        if not self.validates:
            return []
        x, y = self.validation
        model.temperature = max(calibrate(model, x, y), 1.0)
        right = float(np.mean(model.predict(x).argmax(axis=1) == y))
        return [f"Validation accuracy of the saved weights: {right:.2%} of {len(y):,} pictures"]

    def use(self, path: Path) -> str:
        """Return how the model is used."""
        how = "" if self.is_usual else f" --kind {self.kind}"
        return f": tinynet predict PICTURE --model {shown(str(path))}{how}"


def on_folder(options: argparse.Namespace, name: str) -> FolderTraining:
    """Return the training on a folder of pictures that a command line asks for."""
    if options.recipe is not None or options.data is not None:
        raise UsageError("--recipe and --data are for MNIST, and not for a folder of pictures")
    held_out = None
    if options.validation is not None and Path(options.validation).is_dir():
        held_out = labelled_pictures(options.validation)
    else:
        share_of(options.validation or "0")
    return FolderTraining(options, labelled_pictures(options.folder), held_out, name)


def network(options: argparse.Namespace, kind: str, classes: int, name: str, pictures: int) -> Sequential:
    """Return a network for pictures of 0 to 255, which it scales and, in training, changes at random."""
    ink = kind == "ink"
    size = options.size or (28 if ink else 64)
    channels = 3 if (options.color or ("grayscale" if ink else "rgb")) == "rgb" else 1
    random = [layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1), layers.RandomZoom(0.1)]
    if options.network == "mlp" or ink:
        body = (MLP() if options.network == "mlp" else CNN()).layers()[:-1]
    else:
        body = blocks(size, (options.epochs or EPOCHS) * -(-pictures // options.batch_size))
    row = [
        layers.Rescaling(1 / 255),
        *(random if options.augment and not ink else []),
        *body,
        layers.Dense(classes, activation="softmax"),
    ]
    return Sequential(row, (size, size, channels), options.seed, name=name)


def blocks(size: int, steps: int) -> list[layers.Layer]:
    """Return layers that learn from few pictures: they normalize batches, and have few weights.

    Args:
        size: of the pictures; each block halves it, down to 4 pixels or so.
        steps: of training; where they are few, running averages must follow quickly, to be of any use.
    """
    momentum = min(max(1 - 10 / steps, 0.5), 0.9)
    row = list[layers.Layer]()
    for filters in FILTERS[: size.bit_length() - 2]:
        convolution = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        row += [convolution, layers.BatchNormalization(momentum=momentum), layers.ReLU(), layers.MaxPool2D(2)]
    return [*row, layers.GlobalAveragePool2D(), layers.Dropout(0.25)]


def split(y: Array, share: float, random: np.random.Generator) -> tuple[Array, Array]:
    """Return the places of samples to train on, mixed, and of those set aside: a share of each class."""
    inside, aside = list[int](), list[int]()
    for label in np.unique(y):
        places = random.permutation(np.flatnonzero(y == label))
        at = min(round(share * len(places)), len(places) - 1)
        aside += places[:at].tolist()
        inside += places[at:].tolist()
    return random.permutation(np.array(inside, np.int64)), np.array(aside, np.int64)
