"""The prediction helper: from anybody's picture of a digit to the digit and an honest confidence."""

from __future__ import annotations

import base64
import functools
import html
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import images
from .losses import SparseCategoricalCrossentropy
from .model import Sequential, load_model
from .names import unknown

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "pretrained"
LEAST_CONFIDENCE = 0.6  # below, a picture is taken for something else than a digit
LEAST_PROBABILITY = 1e-30  # keeps logarithms finite


@dataclass(frozen=True, eq=False)
class DigitReading:
    """What a network reads in a picture.

    Attributes:
        digit: 0 to 9, the likeliest; None if there is no ink.
        confidence: how likely it is, calibrated: of readings with 0.9, nine in ten are right.
        probabilities: (10,) of each digit.
        is_digit: whether the picture shows one digit, as far as can be told.
        warnings: what is odd about the picture, as sentences.
        pixels: (28, 28) from 0 to 1, what the network saw.
        thumbnail: (H, W) uint8, the picture in grey, at most 160 pixels a side.

    Example:
        >>> import numpy as np
        >>> picture = np.full((90, 60), 255, np.uint8)
        >>> picture[15:75, 28:33] = 40
        >>> reading = predict_image(picture)
        >>> reading.digit, reading.is_digit, reading.warnings
        (1, True, ())
    """

    digit: int | None
    confidence: float
    probabilities: Floats
    is_digit: bool
    warnings: tuple[str, ...]
    pixels: Floats
    thumbnail: NDArray[np.uint8]

    def top(self, count: int = 3) -> list[tuple[int, float]]:
        """Return the likeliest digits with their probabilities, the likeliest first.

        Args:
            count: how many; default 3.
        """
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(int(digit), float(self.probabilities[digit])) for digit in order]

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: everything but the pictures."""
        return {
            "digit": self.digit,
            "confidence": round(self.confidence, 6),
            "is_digit": self.is_digit,
            "probabilities": [round(float(p), 6) for p in self.probabilities],
            "warnings": list(self.warnings),
        }

    def __repr__(self) -> str:
        return (
            f"DigitReading(digit={self.digit}, confidence={self.confidence:.3f}, is_digit={self.is_digit}, "
            f"warnings={list(self.warnings)})"
        )

    def _repr_html_(self) -> str:
        """Show a notebook the picture, what the network saw, and a bar for each digit."""
        seen = images.on_paper(self.pixels).repeat(4, axis=0).repeat(4, axis=1)
        shown = [
            f'<img alt="{text}" title="{text}" style="height:112px;border:1px solid #888" '
            f'src="data:image/png;base64,{base64.b64encode(images.as_png(picture)).decode()}">'
            for text, picture in (("the picture", self.thumbnail), ("what the network saw", seen))
        ]
        bars = "".join(
            f'<div>{digit} <span style="display:inline-block;height:0.7em;width:{120 * probability:.1f}px;'
            f'background:{"#2a7" if digit == self.digit else "#88a"}"></span> {probability:.1%}</div>'
            for digit, probability in enumerate(self.probabilities)
        )
        notes = "".join(f"<div>{html.escape(warning)}</div>" for warning in self.warnings)
        return (
            '<div style="display:flex;gap:1em;align-items:center">'
            f'{"".join(shown)}<div style="font:11px monospace">{bars}</div>'
            f"<div><b>{'no ink' if self.digit is None else self.digit}</b> {self.confidence:.1%}{notes}</div>"
            "</div>"
        )


@dataclass(frozen=True)
class NumberReading:
    """The digits of a number, from left to right.

    Attributes:
        digits: a reading of each.

    Example:
        >>> import numpy as np
        >>> picture = np.full((90, 150), 255, np.uint8)
        >>> picture[15:75, 28:33] = picture[15:75, 98:103] = 40
        >>> number = read_number(picture)
        >>> number.text, len(number.digits)
        ('11', 2)
    """

    digits: tuple[DigitReading, ...]

    @property
    def text(self) -> str:
        """The number as text: "" if there is no ink."""
        return "".join(str(reading.digit) for reading in self.digits)

    @property
    def confidence(self) -> float:
        """The probability that all digits are right: the product of theirs; 0 if there is none."""
        return float(np.prod([reading.confidence for reading in self.digits])) if self.digits else 0.0


def pretrained(name: str = "mnist_cnn") -> Sequential:
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
def _default_model() -> Sequential:
    return pretrained()


def predict_image(picture: Any, model: Sequential | str | os.PathLike[str] | None = None) -> DigitReading:
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
    pictures: Iterable[Any], model: Sequential | str | os.PathLike[str] | None = None
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


def read_number(picture: Any, model: Sequential | str | os.PathLike[str] | None = None) -> NumberReading:
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
        _reading(network, images.Seen(images.fit(piece), 1), images.thumbnail(1 - piece))
        for digit in images.find_digits(images.find_ink(brightness))
        for piece in _pieces(network, digit.ink)
    ]
    return NumberReading(tuple(readings))


def calibrate(model: Sequential, x: ArrayLike, y: ArrayLike) -> float:
    """Set a model's temperature so that its confidence is right on average.

    The logits are divided by the temperature with the least negative log-likelihood; which class is the
    likeliest does not change. `Sequential.save` stores it.

    Args:
        model: ends in softmax.
        x: (N, ...) what it takes, which it was not trained on.
        y: (N,) the right classes.

    Returns:
        The temperature, from 0.05 to 20: above 1 for a model that is too sure of itself.

    Raises:
        TypeError, ValueError: the classes are not (N,) integers that the model has.

    Example:
        >>> import numpy as np
        >>> from tinynet import Sequential, layers
        >>> model = Sequential([layers.Dense(2, activation="softmax")], 2)
        >>> model.layers[0].parameters[0].value = np.eye(2)
        >>> round(calibrate(model, [[1.1, 0.0]] * 4, [0, 0, 0, 1]), 2)     # right three times in four
        1.0

    Paper:
        Guo, Pleiss, Sun, Weinberger. "On calibration of modern neural networks." ICML 2017.
    """
    probabilities = model.predict(x).astype(np.float64)
    SparseCategoricalCrossentropy().check(probabilities.shape, y)
    logits, right = np.log(np.maximum(probabilities, LEAST_PROBABILITY)), np.asarray(y)

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(right)), right]))

    low, high = np.log(0.05), np.log(20)
    for _ in range(60):  # the loss has one minimum in 1 / temperature: close in on it from both sides
        left, middle = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, middle) if loss(left) < loss(middle) else (left, high)
    model.temperature = float(np.exp((low + high) / 2))
    return model.temperature


def _model(model: Sequential | str | os.PathLike[str] | None) -> Sequential:
    """Return the model that is meant, if it reads digits."""
    if model is None:
        return _default_model()
    if isinstance(model, str | os.PathLike):
        model = load_model(model)
    if not isinstance(model, Sequential):
        raise TypeError(f"model is a tinynet.Sequential or a model file's path; got {type(model).__name__}.")
    expected = (images.SIZE, images.SIZE, 1), (10,)
    if (model.input_shape, model.output_shape) != expected:
        raise ValueError(
            f"A model that reads digits takes (28, 28, 1) and gives (10,); this one takes "
            f"{model.input_shape} and gives {model.output_shape}."
        )
    return model


def _probabilities(model: Sequential, pixels: Floats) -> Floats:
    """Return the calibrated probabilities (N, 10) of pixels (N, 28, 28)."""
    probabilities = model.predict(pixels[..., np.newaxis]).astype(np.float64)
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            "A model that reads digits gives probabilities: its last layer's activation is softmax."
        )
    powers = np.maximum(probabilities, LEAST_PROBABILITY) ** (1 / model.temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _reading(model: Sequential, seen: images.Seen, thumbnail: NDArray[np.uint8]) -> DigitReading:
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


def _pieces(model: Sequential, ink: Floats) -> list[Floats]:
    """Return a digit's ink, or those of the digits that it is made of, from left to right."""
    places = images.cuts(ink)
    if len(places) == 2:
        return [ink]
    spans = [(i, j) for i in range(len(places)) for j in range(i + 1, len(places))]
    strips = {span: images.strip(ink, places[span[0]], places[span[1]]) for span in spans}
    strips = {span: strip for span, strip in strips.items() if strip.any()}
    pixels = np.stack([images.fit(strip) for strip in strips.values()])
    sure = np.log(_probabilities(model, pixels).max(axis=1))
    score = dict(zip(strips, sure.tolist(), strict=True))
    best: list[tuple[float, list[tuple[int, int]]]] = [(0.0, [])]  # for what is left of each place
    for j in range(1, len(places)):
        best.append(
            max((best[i][0] + score[i, j], [*best[i][1], (i, j)]) for i in range(j) if (i, j) in score)
        )
    return [strips[span] for span in best[-1][1]]
