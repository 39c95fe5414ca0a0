"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..masked import unmasked
from ..views import BLUE, ORANGE, Markup, View
from .shapes import turned

MOST_SHOWN = 20  # classes in a notebook's table; of more, the pairs that are most often confused


class ConfusionMatrix(np.ndarray[Any, Any]):
    """An array that a notebook shows as a table; what is computed of it is an array as all others.

    Example:
        >>> np.eye(2, dtype=int).view(ConfusionMatrix)
        array([[1, 0],
               [0, 1]])
    """

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """Return what was computed as an array or a number."""
        return array[()] if return_scalar else np.asarray(array)

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray))

    @property
    def _is_whole(self) -> bool:
        """Whether it is a table of counts, and not a part of one."""
        return self.ndim == 2 and self.shape[0] == self.shape[1] and self.dtype.kind == "i"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Show a notebook the table, and how many were right, as a page and as text."""
        return (
            {"text/plain": self._view().text(), "text/html": self._view(shaded).html()}
            if self._is_whole
            else {}
        )

    def _repr_html_(self) -> str | None:
        """Show a notebook the table, darker where there is more of a class."""
        return self._view(shaded).html() if self._is_whole else None

    def _view(self, cell: Callable[[int, float, bool], str] = lambda count, *_: str(count)) -> View:
        """Return what is shown, its cells by (count, share of its class, whether it is right)."""
        counts = self.tolist()
        right, total = int(np.trace(self)), int(self.sum())
        notes = [f"{right:,} of {total:,} right ({right / max(total, 1):.2%})"]
        if len(counts) > MOST_SHOWN:
            pairs = [[*map(str, pair)] for pair in most_confused(self, 10)]
            return View("Confusion matrix", ["True class", "Taken for", "Times"], pairs, "rrr", notes)
        rows = [
            [
                str(true),
                *(cell(count, count / max(sum(row), 1), true == place) for place, count in enumerate(row)),
            ]
            for true, row in enumerate(counts)
        ]
        head = ["true, predicted:", *map(str, range(len(counts)))]
        return View("Confusion matrix", head, rows, "r" * len(head), notes)


def shaded(count: int, share: float, is_right: bool) -> Markup:
    """Return a cell, blue where the class is right and orange where it is not, by its share of the class."""
    strength = round(60 + 100 * share) if count else 0  # of 255: text stays legible on it
    colour = f"{BLUE if is_right else ORANGE}{strength:02x}"
    return Markup(f'<span style="display:block;padding:0 6px;background:{colour}">{count}</span>')


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, classes: int | None = None) -> ConfusionMatrix:
    """Count how often each class was taken for each other; a notebook shows a table.

    Args:
        y_true: the true labels, integers from 0 on, (N,).
        y_pred: the predicted labels, (N,), or probabilities, (N, classes).
        classes: the number of classes; default: the columns of probabilities, or the largest label and 1.

    Returns:
        An integer array, (classes, classes): rows are true classes, columns predicted ones.

    Raises:
        TypeError: labels that are not integers.
        ValueError: labels out of range, predictions that are NaN, or shapes that do not fit together.

    Example:
        >>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 2])
        array([[1, 1, 0],
               [0, 1, 0],
               [0, 0, 1]])
    """
    true, predicted = np.asarray(unmasked(y_true, "y_true")), np.asarray(unmasked(y_pred, "y_pred"))
    if classes is None:
        classes = classes_in(true, predicted)
    if predicted.ndim == 2 and predicted.shape[1] == classes:
        if predicted.dtype.kind == "f" and np.isnan(predicted).any():
            raise ValueError("A confusion matrix needs an answer for each sample; y_pred holds NaN.")
        predicted = predicted.argmax(axis=1)
    if true.ndim != 1 or predicted.shape != true.shape:
        raise ValueError(
            f"A confusion matrix of {classes} classes compares labels (N,) with labels (N,) or probabilities "
            f"(N, {classes}); these are targets {true.shape} and predictions {predicted.shape}."
            f"{turned(true, predicted)}"
        )
    for name, labels in (("y_true", true), ("y_pred", predicted)):
        if labels.dtype.kind not in "iu":
            raise TypeError(f"The labels in {name} must be integers, not {labels.dtype}: use .astype(int).")
        if labels.size and not 0 <= labels.min() <= labels.max() < classes:
            raise ValueError(
                f"The labels in {name} run from {labels.min()} to {labels.max()}: "
                f"for {classes} classes, labels are 0..{classes - 1}."
            )
    pairs = true.astype(np.int64) * classes + predicted.astype(np.int64)
    counts = np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    return counts.view(ConfusionMatrix)


def classes_in(true: NDArray[Any], predicted: NDArray[Any]) -> int:
    """Return how many classes there are, as far as labels or probabilities show."""
    if predicted.ndim == 2:
        return int(predicted.shape[1])
    labels = [array for array in (true, predicted) if array.dtype.kind in "iu" and array.size]
    return 1 + max((int(array.max()) for array in labels), default=-1)


def most_confused(confusion: ArrayLike, count: int = 5) -> list[tuple[int, int, int]]:
    """Return the pairs of classes that are most often taken for each other.

    Args:
        confusion: as `confusion_matrix` returns it, (classes, classes).
        count: how many pairs at most; default 5.

    Returns:
        (true class, predicted class, how often), the most frequent first; only pairs that occurred.

    Example:
        >>> most_confused([[9, 1, 0], [0, 7, 3], [0, 0, 5]])
        [(1, 2, 3), (0, 1, 1)]
    """
    wrong = np.array(confusion)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = [(int(place) // len(wrong), int(place) % len(wrong)) for place in order]
    return [
        (true, predicted, int(wrong[true, predicted])) for true, predicted in pairs if wrong[true, predicted]
    ]
