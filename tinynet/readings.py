"""What is read in a picture: a digit, a number, or one of some labels, with how sure the network is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images, views

Floats = NDArray[np.float32]
Bar = tuple[str, float, bool]  # a label, its share, and whether it is the answer

DIGITS = tuple("0123456789")
HEIGHT = 168  # of the pictures in a notebook, in pixels: six times that of MNIST's images


@dataclass(frozen=True, eq=False)
class DigitReading:
    """What a network reads in a picture.

    Attributes:
        digit: 0 to 9, the likeliest; None if there is no ink.
        confidence: how likely it is, calibrated: of readings with 0.9, nine in ten are right.
        probabilities: (10,) of each digit.
        is_digit: whether the picture shows one digit, as far as can be told.
        warnings: what is odd about the picture, as sentences.
        pixels: (28, 28), or the size that the model takes, from 0 (paper) to 1 (ink): what the network saw,
            before `value_range` and `inverted`.
        thumbnail: (H, W) or, in colours, (H, W, 3) uint8, the picture, at most 160 pixels a side.
        box: (left, top, right, bottom) of a number's digit in the picture's own pixels, the right way up,
            right and bottom outside; None where one digit is read alone.

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
    box: tuple[int, int, int, int] | None = None

    @property
    def label(self) -> str | None:
        """The digit as text."""
        return None if self.digit is None else DIGITS[self.digit]

    def top(self, count: int = 3) -> list[tuple[int, float]]:
        """Return the likeliest digits with their probabilities, the likeliest first.

        Args:
            count: how many; default 3.
        """
        return _top(self.probabilities, count)

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: everything but the pictures."""
        return {
            "digit": self.digit,
            "confidence": round(self.confidence, 6),
            "is_digit": self.is_digit,
            "probabilities": [round(float(p), 6) for p in self.probabilities],
            "warnings": list(self.warnings),
            **({} if self.box is None else {"box": list(self.box)}),
        }

    def __repr__(self) -> str:
        return (
            f"DigitReading(digit={self.digit}, confidence={self.confidence:.3f}, is_digit={self.is_digit}, "
            f"warnings={list(self.warnings)})"
        )

    def _repr_html_(self) -> str:
        """Show a notebook the picture, what the network saw, and a bar for each digit."""
        return _page(self, images.on_paper(self.pixels), self._bars(), self.label or "no ink")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Show the same as text where a page cannot be shown."""
        return {"text/plain": _text(self, self._bars()), "text/html": self._repr_html_()}

    def _bars(self) -> list[Bar]:
        return [(DIGITS[i], float(p), i == self.digit) for i, p in enumerate(self.probabilities)]


@dataclass(frozen=True, eq=False)
class LabelReading:
    """Which of some labels a model sees in a picture.

    Attributes:
        label: the likeliest; None if there is no ink where the model reads ink.
        number: which output that is, from 0; None likewise.
        confidence: how likely it is, by the model.
        probabilities: (labels,) of each, in the order of the model's outputs.
        labels: all labels, in that order.
        warnings: what is odd about the picture or the model, as sentences.
        pixels: (H, W) or (H, W, 3) from 0 to 1, what the network saw, before `value_range` and `inverted`;
            ink is 1, and paper 0.
        thumbnail: (H, W) or (H, W, 3) uint8, the picture, at most 160 pixels a side.
        kind: "ink" or "photo": how the picture was read.

    Example:
        >>> import numpy as np
        >>> import tinynet
        >>> from tinynet import layers
        >>> model = tinynet.Sequential([layers.GlobalAveragePool2D(), layers.Dense(2)], (32, 32, 3))
        >>> model.set_weights([np.tile([-2.0, 2.0], (3, 1)), np.zeros(2)])
        >>> snow = np.full((300, 400, 3), 255, np.uint8)
        >>> reading = tinynet.predict_image(snow, model, labels=["dark", "light"])
        >>> reading.label, reading.number, round(reading.confidence, 2)
        ('light', 1, 1.0)
    """

    label: str | None
    number: int | None
    confidence: float
    probabilities: Floats
    labels: tuple[str, ...]
    warnings: tuple[str, ...]
    pixels: Floats
    thumbnail: NDArray[np.uint8]
    kind: str

    def top(self, count: int = 3) -> list[tuple[str, float]]:
        """Return the likeliest labels with their probabilities, the likeliest first.

        Args:
            count: how many; default 3.
        """
        return [(self.labels[number], share) for number, share in _top(self.probabilities, count)]

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: everything but the pictures, with the probabilities by label."""
        shares = zip(self.labels, self.probabilities, strict=True)
        return {
            "label": self.label,
            "number": self.number,
            "confidence": round(self.confidence, 6),
            "probabilities": {label: round(float(share), 6) for label, share in shares},
            "warnings": list(self.warnings),
        }

    def __repr__(self) -> str:
        return (
            f"LabelReading(label={self.label!r}, number={self.number}, confidence={self.confidence:.3f}, "
            f"warnings={list(self.warnings)})"
        )

    def _repr_html_(self) -> str:
        """Show a notebook the picture, what the network saw, and bars for the ten likeliest labels."""
        seen = images.on_paper(1 - self.pixels if self.kind == "photo" else self.pixels)
        return _page(self, seen, self._bars(), "no ink" if self.label is None else self.label)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Show the same as text where a page cannot be shown."""
        return {"text/plain": _text(self, self._bars()), "text/html": self._repr_html_()}

    def _bars(self) -> list[Bar]:
        return [(label, share, label == self.label) for label, share in self.top(10)]


def _top(probabilities: Floats, count: int) -> list[tuple[int, float]]:
    """Return the numbers of the likeliest classes with their probabilities."""
    order = np.argsort(-probabilities, kind="stable")[:count]
    return [(int(number), float(probabilities[number])) for number in order]


def _text(reading: Any, bars: list[Bar]) -> str:
    """Return a reading as text, with its probabilities."""
    rows = [[label, f"{share:.1%}"] for label, share, _ in bars]
    return "\n".join([repr(reading), *views.columns(["", "Probability"], rows, "lr")])


def _page(reading: Any, seen: NDArray[np.uint8], bars: list[Bar], title: str) -> str:
    """Return the HTML of a reading: the picture, what the network saw, and bars of (label, share, chosen)."""
    times = max(HEIGHT // max(seen.shape[:2]), 1)
    large = seen.repeat(times, axis=0).repeat(times, axis=1)
    shown = [
        views.picture(images.as_png(picture), caption, HEIGHT)
        for caption, picture in (("the picture", reading.thumbnail), ("what the network saw", large))
    ]
    rows = [
        [label, views.bar(share, 120, views.BLUE if chosen else views.GREY), f"{share:.1%}"]
        for label, share, chosen in bars
    ]
    table = views.table(["", "Probability", ""], rows, "llr")
    parts = f'<div style="display:flex;flex-wrap:wrap;align-items:center">{"".join(shown)}{table}</div>'
    notes = map(views.note, reading.warnings)
    confidence = views.note(f"confidence {reading.confidence:.1%}")
    return views.page(title, confidence, views.Markup(parts), *notes)
