"""From a picture to what a reader reads in it."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images
from .number_reading import THOUSANDS, NumberReading
from .reader import Reader
from .readings import DigitReading, LabelReading
from .segmentation import Piece, segmented

Floats = NDArray[np.float32]

LEAST_CONFIDENCE = 0.6  # below, a picture is taken for something else than a digit
LEAST_SURE = 0.75  # of a number, below which it is doubted as a whole
LEAST_SHARE = 0.7  # of a segmentation, below which it is not sure
PAGE = 480  # pixels of a side of a number's thumbnail


def reading_of(reader: Reader, picture: Any) -> DigitReading | LabelReading:
    """Return what a model reads in a picture; see `predict_image`."""
    if reader.kind == "photo":
        photo = images.open_photo(picture, reader.form.channels)
        return _reading(reader, reader.form.fitted_photo(photo), 1, images.thumbnail(photo))
    pixels = images.pixels_of(picture)
    brightness = images.brightness_of(pixels)
    seen = images.see(brightness)
    small = images.thumbnail(pixels if pixels.shape[2:] == (3,) else brightness)  # ink may be transparent
    return _reading(reader, reader.form.fitted_ink(seen.pixels), seen.digits, small)


def number_of(reader: Reader, picture: Any) -> NumberReading:
    """Return the number that a model reads in a picture; see `read_number`."""
    if not reader.reads_digits:
        raise ValueError(
            "To read numbers, the model's classes must be the ten digits, and are "
            f"{', '.join(reader.labels)}: use predict_image."
        )
    picture = images.kept(picture)
    brightness = images.open_picture(picture)
    page = _Page(reader, brightness, images.size_of(picture), images.thumbnail(brightness, PAGE))
    left = images.MOST_CUTS  # of the whole picture: many combs take no longer than one
    rows = []
    for row in images.rows_of(brightness):
        pieces: list[list[Piece]] = []
        slant = images.slant_of([shape for shape in row.shapes if isinstance(shape, images.Digit)])
        for shape in row.shapes:
            if isinstance(shape, images.Mark):
                pieces.append([])
                continue
            places = [] if shape.fitted else images.cuts(images.upright(shape, slant).ink, left)
            left -= max(len(places) - 2, 0)
            pieces.append(cut(shape, places, slant))
        if any(pieces):
            rows.append(page.row(row, pieces))
    return page.together(rows)


@dataclasses.dataclass(frozen=True, eq=False)
class _Page:
    """A picture of numbers, and how it is read."""

    reader: Reader
    brightness: Floats
    size: tuple[int, int]
    thumbnail: NDArray[np.uint8]

    def row(self, row: images.Row, pieces: list[list[Piece]]) -> NumberReading:
        """Return what is read in a row, of which each shape's pieces are given; none for a mark."""
        characters, readings, doubts = list[str](), list[DigitReading](), list[str]()
        for is_mark, run in itertools.groupby(zip(row.shapes, pieces, strict=True), lambda one: not one[1]):
            shapes, parts = zip(*run, strict=True)
            if is_mark:
                characters += [mark.character for mark in shapes]
                continue
            for digit, share in segmented(
                self.reader, [piece for part in parts for piece in part], row.height
            ):
                reading = self._digit(digit, share)
                readings.append(reading)
                characters.append(str(reading.digit))
                doubts += _doubts(len(readings), reading, share)
        text = "".join(characters)
        if strange := sorted(set(re.sub(r"[\d.,]", "", text[1:])) | set(text[:1]) & {"="}):
            doubts.append(f"There is more than one number: {' '.join(strange)} stands among the digits.")
        elif len(re.findall("[.,]", text)) > 1 and not THOUSANDS.fullmatch(text):
            doubts.append("There are several points or commas: some may be dust.")
        confidence = math.prod(reading.confidence for reading in readings)
        if not doubts and confidence < LEAST_SURE:
            doubts.append(
                f"The number may be wrong: the network is only {confidence:.0%} sure of all its digits."
            )
        said = *doubts, *self.reader.doubts
        return NumberReading(tuple(readings), text, confidence, said, self.thumbnail, self.size)

    def _digit(self, digit: images.Digit, share: float) -> DigitReading:
        """Return the reading of a digit, which is one with a probability of `share`."""
        scale = self.size[0] / self.brightness.shape[0], self.size[1] / self.brightness.shape[1]
        bottom, right = digit.top + digit.ink.shape[0], digit.left + digit.ink.shape[1]
        box = digit.left * scale[1], digit.top * scale[0], right * scale[1], bottom * scale[0]
        pixels = self.reader.form.fitted_ink(digit.pixels)
        reading = _reading(self.reader, pixels, 1, images.thumbnail(1 - digit.ink), share)
        assert isinstance(reading, DigitReading)
        left, top, right, bottom = (round(edge) for edge in box)
        return dataclasses.replace(reading, box=(left, top, right, bottom))

    def together(self, rows: list[NumberReading]) -> NumberReading:
        """Return the reading of the whole page."""
        if len(rows) == 1:
            return rows[0]
        warnings = [f"Line {i}: {said}" for i, row in enumerate(rows, 1) for said in row.warnings]
        return NumberReading(
            tuple(digit for row in rows for digit in row.digits),
            "\n".join(row.text for row in rows),
            math.prod(row.confidence for row in rows) if rows else 0.0,
            tuple(warnings) if rows else ("There is no digit in the picture.", *self.reader.doubts),
            self.thumbnail,
            self.size,
            tuple(rows),
        )


def _doubts(number: int, reading: DigitReading, share: float) -> list[str]:
    """Return what is not sure about a number's digit."""
    if share < LEAST_SHARE:
        return [f"It is not sure where digit {number} begins or ends."]
    if reading.confidence < LEAST_CONFIDENCE:
        sure = f"the network is only {reading.confidence:.0%} sure of {reading.digit}."
        return [f"Digit {number} may not be one: {sure}"]
    return []


def _reading(
    reader: Reader, pixels: Floats, found: int, thumbnail: NDArray[np.uint8], share: float = 1.0
) -> DigitReading | LabelReading:
    """Return the reading of pixels in the model's size, where so many digits or other shapes were found.

    It is one of the model's classes with a probability of `share`; if not, each is as likely as the others.
    """
    labels, warnings = reader.labels, []
    number, confidence = None, 0.0
    if found == 0:
        probabilities = np.full(len(labels), 1 / len(labels), np.float32)
        warnings.append("There is no ink in the picture.")
    else:
        probabilities = reader.probabilities(pixels[np.newaxis])[0]
        if share < 1:
            probabilities = np.float32(share) * probabilities + np.float32((1 - share) / len(labels))
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
    return [piece for piece, _ in segmented(reader, cut(digit, places), digit.ink.shape[0])]


def cut(digit: images.Digit, places: list[int], slant: float = 0.0) -> list[Piece]:
    """Return the pieces of a digit between columns of it, set upright, at which it may be cut."""
    upright = images.upright(digit, slant)
    if len(places) <= 2:
        whole = images.trimmed(upright)
        return [Piece(digit, whole.left, whole.left + whole.ink.shape[1])]
    height, width = upright.ink.shape
    ways = [(np.zeros(height, np.int64), 0.0), *(images.seam(upright.ink, place) for place in places[1:-1])]
    ways.append((np.full(height, width), 0.0))
    pieces = list[Piece]()
    for (first, ink), (last, _) in itertools.pairwise(ways):
        strip = dataclasses.replace(upright, ink=images.strip(upright.ink, first, last))
        if strip.ink.any():
            piece = images.trimmed(strip)
            left, right = piece.left, piece.left + piece.ink.shape[1]
            pieces.append(
                Piece(images.trimmed(images.upright(piece, -slant)), left, right, ink if pieces else None)
            )
    return pieces
