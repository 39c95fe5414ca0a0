"""The prediction helper: from anybody's picture of a digit to the digit and an honest confidence."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images
from .calibration import calibrate as calibrate
from .calibration import calibrated
from .models import Model, load_model
from .names import unknown
from .readings import DigitReading as DigitReading
from .readings import NumberReading as NumberReading

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "pretrained"
LEAST_CONFIDENCE = 0.6  # below, a picture is taken for something else than a digit


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


def predict_image(picture: Any, model: Model | str | os.PathLike[str] | None = None) -> DigitReading:
    """Read the digit in a picture.

    Args:
        picture: a path, the bytes of a file, an open binary file, a PIL image, or an array (see
            `tinynet.images.open_picture`): a photo, a scan, a screenshot, a drawing; dark on light or light
            on dark.
        model: a model that takes (28, 28, 1) and gives ten probabilities, or its file; default: the CNN that
            comes with tinynet.

    Returns:
        The digit, how sure the network is, and what it saw. Of several digits it is the largest;
        `read_number` reads them all.

    Raises:
        FileNotFoundError: there is no such file.
        ImageError: the file is no picture, or damaged.
        ValueError: the model is for something else.

    Example:
        >>> import numpy as np
        >>> predict_image(np.zeros((50, 50))).warnings
        ('There is no ink in the picture.',)
    """
    return predict_images([picture], model)[0]


def predict_images(
    pictures: Iterable[Any], model: Model | str | os.PathLike[str] | None = None
) -> list[DigitReading]:
    """Read the digit in each of several pictures.

    Args:
        pictures: as `predict_image` takes them.
        model: as `predict_image` takes it.

    Returns:
        A reading for each, in their order.

    Raises:
        FileNotFoundError, ImageError, ValueError: as `predict_image`, for the first bad picture.

    Example:
        >>> import numpy as np
        >>> [reading.digit for reading in predict_images([np.zeros((50, 50)), np.ones((50, 50))])]
        [None, None]
    """
    network = _model(model)
    readings = []
    for picture in pictures:
        brightness = images.open_picture(picture)
        seen = images.see(brightness)
        readings.append(_reading(network, seen, images.thumbnail(brightness)))
    return readings


def read_number(picture: Any, model: Model | str | os.PathLike[str] | None = None) -> NumberReading:
    """Read the digits in a picture from left to right, such as a postcode or a year.

    Strokes that touch or are joined are cut apart where the network is then surest of all digits.

    Args:
        picture: as `predict_image` takes it.
        model: as `predict_image` takes it.

    Returns:
        A reading of each digit; none if there is no ink.

    Raises:
        FileNotFoundError, ImageError, ValueError: as `predict_image`.

    Example:
        >>> import numpy as np
        >>> read_number(np.zeros((50, 50))).text
        ''
    """
    network = _model(model)
    brightness = images.open_picture(picture)
    readings = [
        _reading(network, images.Seen(piece.pixels, 1), images.thumbnail(1 - piece.ink))
        for digit in images.digits_of(brightness)
        for piece in _pieces(network, digit)
    ]
    return NumberReading(tuple(readings))


def _model(model: Model | str | os.PathLike[str] | None) -> Model:
    """Return the model that is meant, if it reads digits."""
    if model is None:
        return _default_model()
    if isinstance(model, str | os.PathLike):
        model = load_model(model)
    if not isinstance(model, Model):
        raise TypeError(
            f"model is a tinynet.Model or Sequential, or a model file's path; got {type(model).__name__}."
        )
    expected = (images.SIZE, images.SIZE, 1), (10,)
    if (model.input_shape, model.output_shape) != expected:
        raise ValueError(
            f"A model that reads digits takes (28, 28, 1) and gives (10,); this one takes "
            f"{model.input_shape} and gives {model.output_shape}."
        )
    return model


def _probabilities(model: Model, pixels: Floats) -> Floats:
    """Return the calibrated probabilities (N, 10) of pixels (N, 28, 28)."""
    probabilities = model.predict(pixels[..., np.newaxis]).astype(np.float64)
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            "A model that reads digits gives probabilities: its last layer's activation is softmax."
        )
    return calibrated(probabilities, model.temperature)


def _reading(model: Model, seen: images.Seen, thumbnail: NDArray[np.uint8]) -> DigitReading:
    """Return the reading of what was seen."""
    if seen.digits == 0:
        warning = "There is no ink in the picture."
        even = np.full(10, 0.1, np.float32)
        return DigitReading(None, 0.0, even, False, (warning,), seen.pixels, thumbnail)
    probabilities = _probabilities(model, seen.pixels[np.newaxis])[0]
    digit = int(probabilities.argmax())
    confidence = float(probabilities[digit])
    warnings = []
    if seen.digits > 1:
        warnings.append(f"There seem to be {seen.digits} digits or other shapes; the largest was read.")
    if confidence < LEAST_CONFIDENCE:
        warnings.append(f"This may not be a digit: the network is only {confidence:.0%} sure of {digit}.")
    return DigitReading(
        digit, confidence, probabilities, not warnings, tuple(warnings), seen.pixels, thumbnail
    )


def _pieces(model: Model, digit: images.Digit) -> list[images.Digit]:
    """Return a digit, or the digits that it is made of, from left to right."""
    places = [] if digit.fitted else images.cuts(digit.ink)
    if len(places) <= 2:
        return [digit]
    spans = [(i, j) for i in range(len(places)) for j in range(i + 1, len(places))]
    strips = {span: images.strip(digit.ink, places[span[0]], places[span[1]]) for span in spans}
    strips = {span: strip for span, strip in strips.items() if strip.any()}
    pixels = np.stack([images.fit(strip) for strip in strips.values()])
    sure = np.log(_probabilities(model, pixels).max(axis=1))
    score = dict(zip(strips, sure.tolist(), strict=True))
    best: list[tuple[float, list[tuple[int, int]]]] = [(0.0, [])]  # for what is left of each place
    for j in range(1, len(places)):
        best.append(
            max((best[i][0] + score[i, j], [*best[i][1], (i, j)]) for i in range(j) if (i, j) in score)
        )
    return [dataclasses.replace(digit, ink=strips[span]) for span in best[-1][1]]
