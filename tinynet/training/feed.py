"""Which batches belong to an epoch, and which epochs there are."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..keywords import warn
from .data import Batch, Batches, Samples
from .stream import Stream


@dataclass(frozen=True)
class Place:
    """Which batch comes next: that after `taken` ones of an epoch's data; no epoch is -1."""

    epoch: int = -1
    taken: int = 0


class Feed:
    """Training data, an epoch at a time.

    Args:
        data: arrays in batches, or batches that somebody else makes.
        steps: the number of batches of an epoch, if it may be less than all: the next epoch goes on where the
            last one ended. None: all of the data.

    Attributes:
        total: how much an epoch is, for the progress: samples or batches; None if that is not known.
        is_over: whether there is no data left for another epoch.
    """

    def __init__(self, data: Batches | Stream, steps: int | None) -> None:
        self.data, self.steps, self.is_over = data, steps, False
        self.counts_samples = isinstance(data, Batches) and steps is None
        self.total = len(data.samples) if isinstance(data, Batches) and steps is None else self.steps_an_epoch
        self.rest: Iterator[Batch] = iter(())  # of the data, where an epoch took less
        self.begun = False
        self.place = Place()

    @property
    def steps_an_epoch(self) -> int | None:
        """The number of batches of an epoch, if it is known."""
        return self.steps or self.data.steps

    @property
    def unit(self) -> str:
        """What the progress counts."""
        if not self.counts_samples or not isinstance(self.data, Batches):
            return " batches"
        return " images" if self.data.samples.inputs[0].ndim == 4 else " samples"

    def epoch(self, epoch: int, done: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch; its number fixes the order of the samples.

        As in Keras 3, an epoch of a given number of steps ends early where the data does.

        Args:
            epoch: its number in the model's life.
            done: how many of its batches were done before `go_on`.
        """
        if self.steps is None:
            yield from self.counted(self.data.epoch(epoch, done), Place(epoch, done))
            self.is_over = self.data.once
            return
        if done == self.steps:
            return
        batch = next(self.rest, None)
        if batch is None and not done and not (self.data.once and self.begun):
            self.rest, self.begun = self.counted(self.data.epoch(epoch), Place(epoch)), True
            batch = next(self.rest, None)
        for step in range(done, self.steps):
            if batch is None:
                self.end(step)
                return
            yield batch
            if step + 1 < self.steps:
                batch = next(self.rest, None)

    def counted(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """Yield what is left of the data, and keep the place in it."""
        self.place = place
        for batch in batches:
            self.place = Place(self.place.epoch, self.place.taken + 1)
            yield batch

    def state(self) -> dict[str, Any]:
        """Return the place in the data, and what the data counts itself."""
        own = self.data.get_state() if isinstance(self.data, Stream) else None
        return {"epoch": self.place.epoch, "taken": self.place.taken, "data": own}

    def go_on(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state` in data that begins anew after a restart, an iterator with its first batch."""
        self.place = place = Place(state["epoch"], state["taken"])
        if isinstance(self.data, Stream):
            self.data.set_state(state["data"])
        if self.steps is not None and place.epoch >= 0:
            self.rest, self.begun = self.counted(self.data.epoch(place.epoch, place.taken), place), True

    def end(self, step: int) -> None:
        """Warn that the data was over after so many steps of an epoch that should have more."""
        self.rest, self.is_over = iter(()), self.data.once
        then = "training ends with it" if self.is_over else "the next epoch begins with the data anew"
        warn(
            f"fit: the data was over after {step} of the {self.steps} batches of this epoch, and {then}: it "
            "must hold steps_per_epoch batches for each epoch.",
            UserWarning,
        )


@dataclass(frozen=True)
class Validation:
    """What to evaluate a model on while it trains.

    Args:
        data: samples, or batches that somebody else makes; None for nothing.
        steps: how many batches of these; None for all.
        epochs: after which epochs, counted from 1: every so many, or those.
    """

    data: Samples | Stream | None = None
    steps: int | None = None
    epochs: int | Collection[int] = 1

    def __post_init__(self) -> None:
        if (
            isinstance(self.epochs, int | np.integer)
            and not isinstance(self.epochs, bool)
            and self.epochs > 0
        ):
            return
        if not isinstance(self.epochs, list | tuple | set | range | np.ndarray):
            raise ValueError(
                "fit: validation_freq must be a positive integer, or a list of epochs counted from 1; got "
                f"{self.epochs!r}."
            )

    def is_due(self, epoch: int) -> bool:
        """Return whether to validate after an epoch, counted from 0."""
        if self.data is None:
            return False
        if isinstance(self.epochs, int | np.integer):
            return (epoch + 1) % int(self.epochs) == 0
        return epoch + 1 in self.epochs


def count(method: str, name: str, value: Any) -> int | None:
    """Return a number of steps, or None, or raise.

    Args:
        method, name: whose argument it is, for the error message.
        value: what was given.

    Raises:
        ValueError: it is no positive integer.
    """
    if value is None:
        return None
    whole = isinstance(value, int | np.integer) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, float) and not whole and 0 < value < math.inf:  # as in Keras 2
        warn(f"{method}: {name}={value!r} is no whole number, and counts as {math.ceil(value)}.", UserWarning)
        return math.ceil(value)
    if isinstance(value, bool) or not whole or value < 1:
        raise ValueError(f"{method}: {name} must be a positive integer or None; got {value!r}.")
    return int(value)


def check_epochs(data: Batches | Stream, steps: int | None, epochs: range) -> None:
    """Raise ValueError if the data is over after one epoch, and there are more to do."""
    if data.once and steps is None and len(epochs) > 1:
        raise ValueError(
            f"fit: x is an iterator, which is over after one epoch, and epochs={epochs.stop}: give "
            "steps_per_epoch=, or an iterable that can begin again."
        )


def epochs_to_do(epochs: Any, initial_epoch: Any) -> range:
    """Return the numbers of the epochs that `fit` is asked for, or raise ValueError."""
    for name, value, least in (("epochs", epochs, 1), ("initial_epoch", initial_epoch, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            kind = "a positive integer" if least else "an integer of at least 0"
            raise ValueError(f"fit: {name} must be {kind}; got {value!r}.")
    return range(int(initial_epoch), int(epochs))
