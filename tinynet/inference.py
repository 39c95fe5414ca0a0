"""The prediction helper: from anybody's picture to the digit, or the label, and an honest confidence."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, overload

from .calibration import calibrate as calibrate
from .gallery import Readings
from .models import Model, load_model
from .names import unknown
from .number_reading import NumberReading as NumberReading
from .picture_format import UNIT
from .reader import Reader, reader_of
from .readings import DigitReading as DigitReading
from .readings import LabelReading as LabelReading
from .recognition import number_of, reading_of

WEIGHTS = Path(__file__).parent / "pretrained"


def pretrained(name: str = "mnist_cnn") -> Model:
    """Return a network that tinynet's makers trained, for people's pictures as well as for MNIST.

    Args:
        name: "mnist_cnn" (default) or "mnist_mlp", the documented networks.

    Returns:
        A new model; train it further, if you like.

    Raises:
        ValueError: there is no such network.

    Example:
        >>> pretrained("mnist_cnn").output_shape
        (10,)
    """
    names = sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))
    if name not in names:
        raise ValueError(unknown("pretrained network", name, names))
    return load_model(WEIGHTS / f"{name}.safetensors")


@functools.cache
def _default_model() -> Model:
    return pretrained()


@overload
def predict_image(picture: Any) -> DigitReading: ...


@overload
def predict_image(
    picture: Any,
    model: Model | str | os.PathLike[str] | None = None,
    *,
    labels: Sequence[str] | None = None,
    kind: str | None = None,
    value_range: Sequence[float] | None = None,
    inverted: bool | None = None,
) -> DigitReading | LabelReading: ...


def predict_image(
    picture: Any,
    model: Model | str | os.PathLike[str] | None = None,
    *,
    labels: Sequence[str] | None = None,
    kind: str | None = None,
    value_range: Sequence[float] | None = None,
    inverted: bool | None = None,
) -> DigitReading | LabelReading:
    """Read the digit in a picture, or what else a model tells apart.

    Args:
        picture: a path, a data URI, the bytes of a file, an open binary file, a PIL image, or an array (see
            `tinynet.images.open_picture`): a photo, a scan, a screenshot, a drawing; dark on light or light
            on dark.
        model: a model, or its file; default: the CNN that comes with tinynet. It takes small pictures of 1 or
            3 channels, such as (28, 28, 1), (28, 28), (784,), (1, 28, 28), (32, 32, 3), (3, 32, 32) or
            (None, None, 3), and gives a probability, a logarithm of it or a logit for each class, or one
            number for two classes.
        labels: what the classes are called, in the order of the model's outputs; default: the model's
            `class_names`, or the ten digits.
        kind: "ink": written on something; what is written is found, and fitted as MNIST's makers did it.
            "photo": the whole picture, stretched to the model's size. Default: "ink" where each label is one
            character or a whole number, else "photo".
        value_range: what black and white are for the model, such as (0, 255) or (-1, 1). Default: (0, 1), or
            (0, 255) where the model's first layer shows it (`Rescaling(1 / 255)`, a normalization). Where the
            model reads digits, it is tried on thirty drawn ones, and if it reads them clearly better in
            another of these three, that is taken.
        inverted: whether the model sees the negative: dark ink on light paper, where MNIST's is light on
            dark, or the negative of a photo, as Fashion-MNIST's are. Default: False, or for digits what the
            same trial finds.

    Returns:
        What is read, how sure the network is, and what it saw: a `DigitReading` for the ten digits, else a
        `LabelReading`. Of several digits it is the largest; `read_number` reads them all.

    Raises:
        FileNotFoundError: there is no such file.
        ImageError: the file is no picture, or damaged.
        TypeError, ValueError: an argument is wrong, or the model is for something else.

    Example:
        >>> import numpy as np
        >>> predict_image(np.zeros((50, 50))).warnings
        ('There is no ink in the picture.',)
    """
    return reading_of(reader_for(model, labels, kind, value_range, inverted), picture)


@overload
def predict_images(pictures: Iterable[Any]) -> list[DigitReading]: ...


@overload
def predict_images(
    pictures: Iterable[Any],
    model: Model | str | os.PathLike[str] | None = None,
    *,
    labels: Sequence[str] | None = None,
    kind: str | None = None,
    value_range: Sequence[float] | None = None,
    inverted: bool | None = None,
) -> list[DigitReading] | list[LabelReading]: ...


def predict_images(
    pictures: Iterable[Any],
    model: Model | str | os.PathLike[str] | None = None,
    *,
    labels: Sequence[str] | None = None,
    kind: str | None = None,
    value_range: Sequence[float] | None = None,
    inverted: bool | None = None,
) -> list[DigitReading] | list[LabelReading]:
    """Read the digit, or what else a model tells apart, in each of several pictures.

    Args:
        pictures: as `predict_image` takes them.
        model, labels, kind, value_range, inverted: as `predict_image` takes them.

    Returns:
        A reading for each, in their order.

    Raises:
        TypeError: it is one picture.
        FileNotFoundError, ImageError, ValueError: as `predict_image`, for the first bad picture.

    Example:
        >>> import numpy as np
        >>> [reading.digit for reading in predict_images([np.zeros((50, 50)), np.ones((50, 50))])]
        [None, None]
    """
    if isinstance(pictures, str | os.PathLike | bytes | bytearray) or hasattr(pictures, "read"):
        raise TypeError("predict_images takes a list of pictures, and got one: use predict_image.")
    reader = reader_for(model, labels, kind, value_range, inverted)
    return Readings(reading_of(reader, picture) for picture in pictures)


def read_number(
    picture: Any,
    model: Model | str | os.PathLike[str] | None = None,
    *,
    value_range: Sequence[float] | None = None,
    inverted: bool | None = None,
) -> NumberReading:
    """Read the number in a picture, such as a postcode, a year or a price, or several, one a line.

    A sign in front, a decimal point or comma, and commas between thousands are in its text. Digits that touch
    are cut apart, and broken ones put together, where the network is then surest of all digits. What is not
    sure, and what is no digit, has a warning.

    Args:
        picture: as `predict_image` takes it.
        model: as `predict_image` takes it, for the ten digits.
        value_range, inverted: as `predict_image` takes them.

    Returns:
        The number's text (`int` and `float` give its value), how sure the network is of all of it, its lines,
        and a reading of each digit with its box; no text if there is no ink.

    Raises:
        FileNotFoundError, ImageError, ValueError: as `predict_image`.

    Example:
        >>> import numpy as np
        >>> read_number(np.zeros((50, 50))).text
        ''
    """
    return number_of(reader_for(model, None, None, value_range, inverted), picture)


def reader_for(
    model: Model | str | os.PathLike[str] | None = None,
    labels: Sequence[str] | None = None,
    kind: str | None = None,
    value_range: Sequence[float] | None = None,
    inverted: bool | None = None,
) -> Reader:
    """Return how the model that is meant reads pictures; see `predict_image`."""
    if model is None:  # its form is known, and needs no trial
        value_range = UNIT if value_range is None else value_range
        return reader_of(_default_model(), labels, kind or "ink", value_range, bool(inverted))
    if isinstance(model, str | os.PathLike):
        model = load_model(model, compile=False)
    return reader_of(model, labels, kind, value_range, inverted)
