"""What is read in a picture: a digit, or a number, with how sure the network is."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images

Floats = NDArray[np.float32]


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
        >>> import tinynet
        >>> picture = np.full((90, 60), 255, np.uint8)
        >>> picture[15:75, 28:33] = 40
        >>> reading = tinynet.predict_image(picture)
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
        >>> import tinynet
        >>> picture = np.full((90, 150), 255, np.uint8)
        >>> picture[15:75, 28:33] = picture[15:75, 98:103] = 40
        >>> number = tinynet.read_number(picture)
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
