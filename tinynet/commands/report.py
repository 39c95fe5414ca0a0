"""How well a model did on pictures of which it is known what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics import confusion_matrix, most_confused
from ..views import columns
from .console import shown

MOST_CLASSES = 20  # of which the whole confusion matrix is shown
MOST_MISTAKES = 20  # that are listed; JSON has all
BINS = 10  # of confidence

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Report:
    """What a model read, and what was there.

    Args:
        model: its name.
        labels: of its classes.
        names: of the pictures.
        true: (N,) the classes they show.
        probabilities: (N, classes) what the model says.
        flagged: of pictures that show none of the classes, whether each had a warning.
    """

    model: str
    labels: Sequence[str]
    names: Sequence[str]
    true: Array
    probabilities: Array
    flagged: Sequence[bool] = ()

    @property
    def predicted(self) -> Array:
        """The classes that the model says, (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def confidence(self) -> Array:
        """How sure it is, (N,)."""
        return np.asarray(self.probabilities.max(axis=1))

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return float(np.mean(self.predicted == self.true))

    @property
    def confusion(self) -> Array:
        """How often each class is taken for each, (classes, classes)."""
        return confusion_matrix(self.true, self.predicted, len(self.labels))

    @property
    def mistakes(self) -> list[int]:
        """The places of the pictures that are read wrong, the surest first."""
        wrong = np.flatnonzero(self.predicted != self.true)
        return [int(place) for place in wrong[np.argsort(-self.confidence[wrong], kind="stable")]]

    @property
    def calibration_error(self) -> float:
        """How far confidence is from the share that is right, on average over ten bins of confidence."""
        bins = np.minimum((self.confidence * BINS).astype(int), BINS - 1)
        surplus = np.bincount(bins, self.confidence - (self.predicted == self.true), BINS)
        return float(np.abs(surplus).sum() / len(self.true))

    def classes(self) -> dict[str, dict[str, float | int | None]]:
        """Return of each class how many pictures there are, and its recall and precision (None: of none)."""
        counts = self.confusion
        found = {}
        for number, label in enumerate(self.labels):
            right, there, said = counts[number, number], counts[number].sum(), counts[:, number].sum()
            found[label] = {
                "images": int(there),
                "recall": float(right / there) if there else None,
                "precision": float(right / said) if said else None,
            }
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, as JSON can hold it; `tinynet plot` draws it."""
        mistakes = [
            {
                "file": self.names[place],
                "label": self.labels[self.true[place]],
                "reading": self.labels[self.predicted[place]],
                "confidence": round(float(self.confidence[place]), 6),
            }
            for place in self.mistakes
        ]
        strangers = {"no_class": {"images": len(self.flagged), "flagged": sum(self.flagged)}}
        return {
            "model": self.model,
            "accuracy": self.accuracy,
            "images": len(self.true),
            "calibration_error": self.calibration_error,
            "labels": list(self.labels),
            "classes": self.classes(),
            "confusion": self.confusion.tolist(),
            "mistakes": mistakes,
            **(strangers if self.flagged else {}),
        }

    def lines(self, of: str = "pictures") -> list[str]:
        """Return all of it for people."""
        found = [f"{shown(self.model)}: {self.accuracy:.2%} of {len(self.true):,} {of}"]
        found.append(f"Expected calibration error of its confidence: {self.calibration_error:.3f}")
        if self.flagged:
            found.append(f"Pictures of no class: {sum(self.flagged)} of {len(self.flagged)} have a warning.")
        found += ["", *self._table(), "", *self._confusion()]
        mistakes = self.mistakes
        if mistakes:
            found += ["", f"{len(mistakes):,} mistakes, the surest first:"]
        for place in mistakes[:MOST_MISTAKES]:
            true, said = (shown(self.labels[labels[place]]) for labels in (self.true, self.predicted))
            found.append(f"{shown(self.names[place])}: {true}, read as {said}  {self.confidence[place]:.1%}")
        if len(mistakes) > MOST_MISTAKES:
            found.append(f"... and {len(mistakes) - MOST_MISTAKES:,} more, which --json lists")
        return found

    def _table(self) -> list[str]:
        """Return a line for each class."""

        def percent(share: float | int | None) -> str:
            return "" if share is None else f"{share:.1%}"

        rows = [
            [shown(label), f"{one['images']:,}", percent(one["recall"]), percent(one["precision"])]
            for label, one in self.classes().items()
        ]
        return columns(["class", "pictures", "of them right", "right of those read so"], rows, "lrrr")

    def _confusion(self) -> list[str]:
        """Return the confusion matrix, or of many classes the pairs that are most often confused."""
        labels = [shown(label) for label in self.labels]
        if len(labels) > MOST_CLASSES:
            pairs = [
                [labels[true], labels[said], str(times)]
                for true, said, times in most_confused(self.confusion, 10)
            ]
            return columns(["class", "read as", "times"], pairs, "llr") if pairs else []
        rows = [[label, *map(str, row)] for label, row in zip(labels, self.confusion.tolist(), strict=True)]
        return columns(["class, read as:", *labels], rows, "l" + "r" * len(labels))
