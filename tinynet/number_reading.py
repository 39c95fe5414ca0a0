"""What is read in a picture of a number, or of several, one a line."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images
from .readings import DigitReading

BOX, DOUBTED = (
    (34, 136, 102),
    (200, 90, 20),
)  # the colours of boxes: of what is a digit, and of what may be none
NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3})+(?:\.\d+)?|(?:\.\d{3})+(?:,\d+)?)")


@dataclass(frozen=True, eq=False)
class NumberReading:
    """A number that was read in a picture, or several, one a line.

    `str` gives its text, and `int` and `float` its value, or a ValueError where the text is no such number.

    Attributes:
        digits: a reading of each digit, line by line, each from left to right, with its `box` in the picture.
        text: the number: its digits, its sign ("-", "+"), its point or comma, as they are written; a newline
            between lines. "" if there is no digit.
        confidence: how likely all digits are right; 0 if there is none.
        warnings: what is not sure about it, as sentences.
        thumbnail: (H, W) uint8, the picture in grey, at most 480 pixels a side.
        size: height and width of the picture that the boxes are in.

    Example:
        >>> import numpy as np
        >>> import tinynet
        >>> picture = np.full((90, 150), 255, np.uint8)
        >>> picture[15:75, 28:33] = picture[15:75, 98:103] = 40
        >>> number = tinynet.read_number(picture)
        >>> number.text, int(number), [digit.box for digit in number.digits]
        ('11', 11, [(28, 15, 33, 75), (98, 15, 103, 75)])
    """

    digits: tuple[DigitReading, ...]
    text: str
    confidence: float
    warnings: tuple[str, ...]
    thumbnail: NDArray[np.uint8]
    size: tuple[int, int]
    rows: tuple[NumberReading, ...] = ()

    @property
    def lines(self) -> tuple[NumberReading, ...]:
        """A reading of each line, from top to bottom; none if there is no digit."""
        return self.rows or ((self,) if self.digits else ())

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: everything but the pictures."""
        return {
            "number": self.text,
            "confidence": round(self.confidence, 6),
            "warnings": list(self.warnings),
            "digits": [digit.as_dict() for digit in self.digits],
        }

    def __str__(self) -> str:
        return self.text

    def __int__(self) -> int:
        text = self._number()
        if re.fullmatch(r"[+-]?[1-9]\d{0,2}((,\d{3})+|(\.\d{3}){2,})", text):
            text = text.replace(",", "").replace(".", "")
        if not re.fullmatch(r"[+-]?\d+", text):
            raise ValueError(f"{self.text!r} is no whole number: take float() of it.")
        return int(text)

    def __float__(self) -> float:
        text = self._number()
        marks = re.sub(r"[^.,]", "", text)
        if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
            raise ValueError(
                f"{text!r} may have a decimal comma or thousands: int() takes it for a whole number, and "
                "float(text.replace(',', '.')) for a fraction."
            )
        if len(marks) > 1:
            if not THOUSANDS.fullmatch(text):
                raise ValueError(f"{text!r} is no number.")
            text = text.replace(marks[0], "")
        return float(text.replace(",", "."))

    def _number(self) -> str:
        """Return the text, if it is one number."""
        if len(self.lines) > 1:
            raise ValueError(
                f"There are {len(self.lines)} lines: take int() or float() of one of reading.lines."
            )
        if not NUMBER.fullmatch(self.text):
            raise ValueError(
                f"{self.text!r} is no number." if self.text else "There is no number in the picture."
            )
        return self.text

    def __repr__(self) -> str:
        return (
            f"NumberReading(text={self.text!r}, confidence={self.confidence:.3f}, "
            f"warnings={list(self.warnings)})"
        )

    def boxed(self) -> NDArray[np.uint8]:
        """Return the picture with the digits' boxes drawn: (H, W, 3), from 0 to 255."""
        page = np.stack([self.thumbnail] * 3, axis=2)
        scale = page.shape[0] / self.size[0], page.shape[1] / self.size[1]
        for digit in self.digits:
            if digit.box is not None:
                left, top, right, bottom = digit.box
                rows = slice(max(int(top * scale[0]) - 1, 0), int(np.ceil(bottom * scale[0])) + 1)
                columns = slice(max(int(left * scale[1]) - 1, 0), int(np.ceil(right * scale[1])) + 1)
                place = page[rows, columns]
                colour = DOUBTED if digit.warnings else BOX
                place[0] = place[-1] = place[:, 0] = place[:, -1] = colour
        return page

    def _repr_png_(self) -> bytes:
        """Show a notebook the picture with the digits' boxes."""
        return images.as_png(self.boxed())

    def _repr_html_(self) -> str:
        """Show a notebook the picture with the digits' boxes, the number, and how sure each digit is."""
        digits = " ".join(
            f"{html.escape(str(digit.digit))}&nbsp;{digit.confidence:.0%}" for digit in self.digits
        )
        notes = "".join(f"<div>{html.escape(warning)}</div>" for warning in self.warnings)
        text = html.escape(self.text or "no digit").replace("\n", "<br>")
        return (
            '<div style="display:flex;gap:1em;align-items:center">'
            '<img alt="the picture" title="the picture" style="max-width:320px;border:1px solid #888" '
            f'src="data:image/png;base64,{base64.b64encode(self._repr_png_()).decode()}">'
            f"<div><b>{text}</b> {self.confidence:.1%}"
            f'<div style="font:11px monospace">{digits}</div>{notes}</div></div>'
        )
