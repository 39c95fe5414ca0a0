"""Which strokes, and pieces of strokes, are a digit together: what the network is surest of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from . import images
from .reader import Reader

Place = tuple[int, int]  # of a digit: from one piece to before another

# What takes away from the logarithm of a segmentation's likelihood: a cut, and its ink in heights of a digit;
# two shapes taken for one, and the gap between them; a digit that is low or wide, by as much as that is.
CUT, THROUGH, JOINED, APART, LOW, WIDE = 1.3, 5.5, 0.05, 13.5, 3.3, 3.7
HIGH, BROAD = 1.0, 0.75  # of a digit's height: a digit that is as high and no wider costs nothing
WIDEST = 1.8  # of a digit's height: what is wider and made of several pieces is no digit
FARTHEST = 0.3  # of a digit's height, between shapes that may be one digit
CHANCE, LEAST = 0.1, 0.05  # how sure a network of ten digits is of what is none; the least likelihood
SHARP = 2.0  # the power of likelihoods with which shares of segmentations are calibrated


@dataclass(frozen=True, eq=False)
class Piece:
    """A shape, or a piece of one.

    Attributes:
        digit: its ink and place.
        left, right: its sides, if it is set upright.
        cut: how much ink is in the cut from the piece before; None if it is apart from it.
    """

    digit: images.Digit
    left: int
    right: int
    cut: float | None = None


def segmented(reader: Reader, pieces: list[Piece], height: float) -> list[tuple[images.Digit, float]]:
    """Return the digits that are likeliest to be made of pieces, each with how likely it is one.

    Args:
        reader: how the model reads.
        pieces: from left to right.
        height: of a digit, in pixels.

    Returns:
        The digits, and the share that segmentations with such a digit have of the likelihood of all.
    """
    candidates = _candidates(pieces, height)
    if len(candidates) == 1:
        return [(digit, 1.0) for digit, _ in candidates.values()]
    fitted = np.stack([digit.pixels for digit, _ in candidates.values()])
    sure = (reader.probabilities(reader.fitted_ink(fitted)).max(axis=1) - CHANCE) / (1 - CHANCE)
    sure = np.log(np.maximum(sure, LEAST)).tolist()
    score = {
        place: SHARP * (one - cost) for (place, (_, cost)), one in zip(candidates.items(), sure, strict=True)
    }
    end = len(pieces)
    best: list[tuple[float, list[Place]]] = [(0.0, [])]  # for what is left of each piece
    before, after = (
        np.zeros(end + 1),
        np.zeros(end + 1),
    )  # the logarithms of the sums over all ways to and from it
    for j in range(1, end + 1):
        ways = [i for i in range(j) if (i, j) in score]
        best.append(max((best[i][0] + score[i, j], [*best[i][1], (i, j)]) for i in ways))
        before[j] = np.logaddexp.reduce([before[i] + score[i, j] for i in ways])
    for i in reversed(range(end)):
        after[i] = np.logaddexp.reduce([score[i, j] + after[j] for j in range(i, end + 1) if (i, j) in score])
    shares = {
        (i, j): math.exp(min(before[i] + score[i, j] + after[j] - before[-1], 0.0)) for i, j in best[-1][1]
    }
    return [(candidates[place][0], share) for place, share in shares.items()]


def _candidates(pieces: list[Piece], height: float) -> dict[Place, tuple[images.Digit, float]]:
    """Return what may be a digit, made of pieces from one to before another, and what speaks against each."""
    found = {}
    for i, first in enumerate(pieces):
        cost = 0.0 if first.cut is None else CUT + THROUGH * first.cut / height
        left, right = first.left, first.right
        for j in range(i + 1, len(pieces) + 1):
            if j > i + 1:
                piece = pieces[j - 1]
                if piece.cut is None:
                    gap = max(piece.left - pieces[j - 2].right, 0) / height
                    cost += JOINED + APART * gap if gap <= FARTHEST else math.inf
                left, right = min(left, piece.left), max(right, piece.right)
                if cost == math.inf or right - left > WIDEST * height:
                    break
            digit = images.together([piece.digit for piece in pieces[i:j]])
            low, wide = HIGH - digit.ink.shape[0] / height, (right - left) / height - BROAD
            found[i, j] = digit, cost + LOW * max(low, 0) + WIDE * max(wide, 0)
    return found
