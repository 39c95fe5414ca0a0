"""How a model reads pictures: its labels, ink or photos, and in which form it takes them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from . import images
from .answers import probabilities_of, uncalibrated
from .elementary import log
from .models import Model
from .models.class_names import checked_names, classes_in
from .names import unknown
from .picture_format import BYTES, UNIT, PictureFormat, format_of
from .readings import DIGITS

Array = NDArray[Any]

KINDS = ("ink", "photo")
RANGES = (UNIT, (-1.0, 1.0), BYTES)  # that are tried
LEAST_DIGITS = 5  # that labels must hold for a trial
# Mean losses (cross-entropies) of drawn digits: below the first, no other form is tried; by so much less,
# another one is taken, if it is right about so many; of several that are so close, the first. Below the last
# share, the model is doubted.
WELL, BETTER, RIGHT, CLOSE, POORLY = 0.2, 0.2, 0.6, 0.1, 0.5
LEAST_PROBABILITY = 1e-6  # that counts

# What the last trial of a model was of, which forms and labels and weights, and what was found.
_trials: WeakKeyDictionary[Model, tuple[Any, PictureFormat, tuple[str, ...]]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Reader:
    """A model, and how it reads pictures.

    Args:
        model: of one input.
        labels: of its classes.
        kind: "ink" or "photo".
        form: in which it takes them.
        doubts: sentences about the model for each reading.
    """

    model: Model
    labels: tuple[str, ...]
    kind: str
    form: PictureFormat
    doubts: tuple[str, ...] = ()

    @property
    def reads_digits(self) -> bool:
        """Whether its classes are the ten digits."""
        return self.labels == DIGITS

    def probabilities(self, pixels: Array) -> NDArray[np.float32]:
        """Return the calibrated probabilities (N, labels) for pictures in the model's size; see `encoded`."""
        return probabilities_of(self.model, self.form.encoded(pixels))

    def fitted_ink(self, pixels: Array) -> Array:
        """Return digits (N, 28, 28) in the model's size."""
        return np.stack([self.form.fitted_ink(one) for one in pixels])


def reader_of(
    model: Any,
    labels: Sequence[str] | None = None,
    kind: str | None = None,
    value_range: Sequence[float] | None = None,
    inverted: bool | None = None,
) -> Reader:
    """Return how a model reads pictures.

    Args:
        model: a built model.
        labels, kind, value_range, inverted: see `tinynet.predict_image`.

    Raises:
        TypeError, ValueError: an argument is wrong, or the model reads no pictures.
    """
    if not isinstance(model, Model):
        raise TypeError(
            f"model is a tinynet.Model or Sequential, or a model file's path; got {type(model).__name__}."
        )
    form = format_of(model)
    names = _labels_of(model, labels)
    if kind is None:
        kind = "ink" if all(len(name) == 1 or name.isdecimal() for name in names) else "photo"
    if kind not in KINDS:
        raise ValueError(unknown("kind", kind, KINDS))
    if inverted not in (None, True, False):
        raise TypeError(f"inverted is True, False or None; got {inverted!r}.")
    reader = Reader(model, names, kind, form)
    ranges = [form.value_range, *(one for one in RANGES if one != form.value_range)]
    if value_range is not None:
        ranges = [_checked_range(value_range)]
    return _tried(reader, ranges, [False, True] if inverted is None else [bool(inverted)])


def _labels_of(model: Model, labels: Sequence[str] | None) -> tuple[str, ...]:
    """Return what a model's classes are called, or raise."""
    shape = model.output_shape
    count = classes_in(shape)
    if isinstance(shape, tuple) and any(isinstance(one, tuple) for one in shape):
        raise ValueError(
            f"{model.title} has {len(shape)} outputs, {shape}: a model that reads pictures gives one number "
            "for each class. Make a model of one of them, Model(model.input, model.outputs[0])."
        )
    if count is None:
        raise ValueError(
            f"{model.title} gives {shape}: a model that reads pictures gives one number for each class, such "
            "as (10,)."
        )
    if labels is not None:
        return checked_names("labels", labels, shape)
    if model.class_names is not None:
        return checked_names("class_names", model.class_names, shape)
    if count != len(DIGITS):
        outputs = f"{count} numbers" if count in (shape or ()) else "one number"
        raise ValueError(
            f"{model.title} gives {outputs}, and so no ten digits: say what its {count} classes are, by "
            "labels=[...] or model.class_names = [...]."
        )
    return DIGITS


def _checked_range(value_range: Any) -> tuple[float, float]:
    """Return what black and white are as floats, or raise."""
    try:
        low, high = map(float, value_range)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            "value_range is what black and white are for the model, two numbers of which the first is less "
            f"(inverted=True swaps them), such as (0, 255); got {value_range!r}."
        )
    return low, high


def _tried(reader: Reader, ranges: Sequence[tuple[float, float]], inverted: Sequence[bool]) -> Reader:
    """Return a reader in the form in which it reads drawn digits best.

    The first form is kept unless another one is clearly better, or there is nothing to try: one form alone,
    or labels without digits. (Numbers that are too large hardly change what a network with ReLU reads, only
    make it too sure; so it is losses that are compared.)
    """
    first, *others = [
        replace(reader, form=replace(reader.form, value_range=one, inverted=negative))
        for negative, one in itertools.product(inverted, ranges)
    ]
    known = [(number, DIGITS.index(name)) for number, name in enumerate(reader.labels) if name in DIGITS]
    if not others or reader.kind != "ink" or len(known) < LEAST_DIGITS:
        return first
    of = first.form, [other.form for other in others], reader.labels, reader.model.checksum()
    last = _trials.get(reader.model)
    if last is None or last[0] != of:
        best = _best(first, others, known)
        last = _trials[reader.model] = of, best.form, best.doubts
    return replace(reader, form=last[1], doubts=last[2])


def _best(first: Reader, others: Sequence[Reader], known: Sequence[tuple[int, int]]) -> Reader:
    """Return the best of several readers.

    Args:
        first: which is kept unless another one is clearly better.
        others: in the order in which they are preferred.
        known: the numbers of classes that are digits, and which digits.
    """
    numbers, digits = np.array(known).T
    pixels = images.drawn_digits()[:, digits]
    numbers = np.tile(numbers, len(pixels))
    pixels = pixels.reshape(len(numbers), images.SIZE, images.SIZE)

    def trial(tried: Reader) -> tuple[float, float]:
        """Return the mean loss, and the share of the digits that are read right."""
        found = uncalibrated(tried.model, tried.form.encoded(tried.fitted_ink(pixels)))
        sure = found[np.arange(len(numbers)), numbers]
        loss = -log(np.maximum(sure, LEAST_PROBABILITY)).mean()
        return float(loss), float(np.mean(found.argmax(axis=1) == numbers))

    loss, right = trial(first)
    if loss >= WELL:
        trials = [(*trial(other), other) for other in others]
        possible = [one for one in trials if one[0] <= loss - BETTER and one[1] >= RIGHT]
        if possible:
            least = min(loss for loss, _, _ in possible)
            loss, right, first = next(one for one in possible if one[0] <= least + CLOSE)
    if right >= POORLY:
        return first
    doubt = (
        f"The model reads {round(right * len(numbers))} of {len(numbers)} clearly drawn digits right: it may "
        "be for something else (labels=), or take pixels in another form (value_range=, inverted=)."
    )
    return replace(first, doubts=(doubt,))
