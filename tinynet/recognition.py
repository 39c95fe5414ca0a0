"""From a picture to what a reader reads in it."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images
from .elementary import log
from .reader import Reader
from .readings import DigitReading, LabelReading, NumberReading

Floats = NDArray[np.float32]

LEAST_CONFIDENCE = 0.6  # below, a picture is taken for something else than a digit


def reading_of(reader: Reader, picture: Any) -> DigitReading | LabelReading:
    """Return what a model reads in a picture; see `predict_image`."""
    if reader.kind == "photo":
        photo = images.open_photo(picture, reader.form.channels)
        return _reading(reader, reader.form.fitted_photo(photo), 1, images.thumbnail(photo))
    brightness = images.open_picture(picture)
    seen = images.see(brightness)
    return _reading(reader, reader.form.fitted_ink(seen.pixels), seen.digits, images.thumbnail(brightness))


def number_of(reader: Reader, picture: Any) -> NumberReading:
    """Return the number that a model reads in a picture; see `read_number`."""
    if not reader.reads_digits:
        raise ValueError(
            "To read numbers, the model's classes must be the ten digits, and are "
            f"{', '.join(reader.labels)}: use predict_image."
        )
    pieces: list[images.Digit] = []
    left = images.MOST_CUTS  # of the whole picture: many combs take no longer than one
    for digit in images.digits_of(images.open_picture(picture)):
        places = [] if digit.fitted else images.cuts(digit.ink, left)
        left -= max(len(places) - 2, 0)
        pieces += pieces_of(reader, digit, places)
    readings: list[Any] = [
        _reading(reader, reader.form.fitted_ink(piece.pixels), 1, images.thumbnail(1 - piece.ink))
        for piece in pieces
    ]
    return NumberReading(tuple(readings))


def _reading(
    reader: Reader, pixels: Floats, found: int, thumbnail: NDArray[np.uint8]
) -> DigitReading | LabelReading:
    """Return the reading of pixels in the model's size, where so many digits or other shapes were found."""
    labels, warnings = reader.labels, []
    number, confidence = None, 0.0
    if found == 0:
        probabilities = np.full(len(labels), 1 / len(labels), np.float32)
        warnings.append("There is no ink in the picture.")
    else:
        probabilities = reader.probabilities(pixels[np.newaxis])[0]
        number = int(probabilities.argmax())
        confidence = float(probabilities[number])
    if found > 1:
        shapes = "digits or other shapes" if reader.reads_digits else "shapes"
        warnings.append(f"There seem to be {found} {shapes}; the largest was read.")
    if number is not None and confidence < LEAST_CONFIDENCE:
        sure = f"the network is only {confidence:.0%} sure of {labels[number]}."
        warnings.append(
            f"This may not be a digit: {sure}" if reader.reads_digits else f"{sure[0].upper()}{sure[1:]}"
        )
    said = *warnings, *reader.doubts
    if reader.reads_digits:
        return DigitReading(number, confidence, probabilities, not said, said, pixels, thumbnail)
    label = None if number is None else labels[number]
    return LabelReading(
        label, number, confidence, probabilities, labels, said, pixels, thumbnail, reader.kind
    )


def pieces_of(reader: Reader, digit: images.Digit, places: list[int]) -> list[images.Digit]:
    """Return a digit, or the digits that it is made of, from left to right.

    Args:
        reader: how the model reads.
        digit: what was found.
        places: the columns at which it may be cut; see `images.cuts`.
    """
    if len(places) <= 2:
        return [digit]
    fitted: dict[tuple[int, int], Floats] = {}
    for i, j in itertools.combinations(range(len(places)), 2):
        strip = images.strip(digit.ink, places[i], places[j])
        if strip.any():
            fitted[i, j] = images.fit(strip)
    sure = log(reader.probabilities(reader.fitted_ink(np.stack([*fitted.values()]))).max(axis=1))
    score = dict(zip(fitted, sure.tolist(), strict=True))
    best: list[tuple[float, list[tuple[int, int]]]] = [(0.0, [])]  # for what is left of each place
    for j in range(1, len(places)):
        best.append(
            max((best[i][0] + score[i, j], [*best[i][1], (i, j)]) for i in range(j) if (i, j) in score)
        )
    return [
        dataclasses.replace(digit, ink=images.strip(digit.ink, places[i], places[j])) for i, j in best[-1][1]
    ]
