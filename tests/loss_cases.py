"""The losses, in the configurations that the tests of losses run over; data for them; and what they mean."""

from __future__ import annotations

import math

import numpy as np

from tinynet import losses

SPARSE = losses.SparseCategoricalCrossentropy
CATEGORICAL = losses.CategoricalCrossentropy
BINARY = losses.BinaryCrossentropy
SQUARED = losses.MeanSquaredError

CONFIGURATIONS = [
    kind(from_logits=from_logits, label_smoothing=smoothing)
    for kind in (SPARSE, CATEGORICAL, BINARY)
    for from_logits in (False, True)
    for smoothing in (0.0, 0.2)
] + [
    SQUARED(), losses.MeanAbsoluteError(), losses.MeanAbsolutePercentageError(),
    losses.MeanSquaredLogarithmicError(), losses.Huber(), losses.Huber(0.3), losses.LogCosh(), losses.Hinge(),
    losses.SquaredHinge(), losses.CategoricalHinge(), losses.KLDivergence(), losses.Poisson(),
    losses.CosineSimilarity(),
]  # fmt: skip

POSITIVE = losses.MeanSquaredLogarithmicError | losses.KLDivergence | losses.Poisson


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def example(loss, shape=(5, 4), seed=0, dtype=np.float64):
    """Random predictions and targets that suit a loss; probabilities are not normalised."""
    rng = np.random.default_rng(seed)
    if getattr(loss, "from_logits", not isinstance(loss, POSITIVE)):
        predictions = rng.normal(size=shape) * 2
    else:
        predictions = rng.uniform(0.05, 0.95, size=shape)
    if isinstance(loss, SPARSE):
        targets = rng.integers(0, shape[-1], size=shape[:-1])
    elif isinstance(loss, CATEGORICAL | losses.KLDivergence):
        targets = rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])
    elif isinstance(loss, BINARY | POSITIVE):
        targets = rng.uniform(size=shape)
    elif isinstance(loss, losses.Hinge | losses.SquaredHinge):
        targets = rng.choice([-1.0, 1.0], size=shape)
    elif isinstance(loss, losses.CategoricalHinge):
        targets = np.eye(shape[-1])[rng.integers(0, shape[-1], size=shape[:-1])]
    else:
        targets = rng.normal(size=shape)
    return predictions.astype(dtype), targets


def of_row(loss, row, target):
    """What a row of predictions costs, one number after the other, as the definitions say it."""
    outputs, pairs = len(row), list(zip(row, target, strict=True))
    if isinstance(loss, SPARSE | CATEGORICAL):
        if loss.from_logits:
            row = [math.exp(z) for z in row]
        smooth = [(1 - loss.label_smoothing) * t + loss.label_smoothing / outputs for t in target]
        return -sum(t * math.log(p / sum(row)) for p, t in zip(row, smooth, strict=True))
    if isinstance(loss, losses.CategoricalHinge):
        right = sum(t * p for p, t in pairs)
        return max(max((1 - t) * p for p, t in pairs) - right + 1, 0)
    if isinstance(loss, losses.KLDivergence):
        return sum(t * math.log(t / p) for p, t in ((max(p, 1e-7), max(t, 1e-7)) for p, t in pairs))
    if isinstance(loss, losses.CosineSimilarity):
        return -sum(p * t for p, t in pairs) / (math.hypot(*row) * math.hypot(*target))
    return sum(of_element(loss, p, t) for p, t in pairs) / outputs


def of_element(loss, p, t):
    match loss:
        case losses.MeanSquaredError():
            return (p - t) ** 2
        case losses.MeanAbsoluteError():
            return abs(p - t)
        case losses.MeanAbsolutePercentageError():
            return 100 * abs(p - t) / abs(t)
        case losses.MeanSquaredLogarithmicError():
            return (math.log(1 + p) - math.log(1 + t)) ** 2
        case losses.Huber():
            e, d = abs(p - t), loss.delta
            return e**2 / 2 if e <= d else d * e - d**2 / 2
        case losses.LogCosh():
            return math.log(math.cosh(p - t))
        case losses.Hinge():
            return max(1 - t * p, 0)
        case losses.SquaredHinge():
            return max(1 - t * p, 0) ** 2
        case losses.Poisson():
            return p - t * math.log(p + 1e-7)
        case BINARY():
            p = 1 / (1 + math.exp(-p)) if loss.from_logits else p
            smooth = (1 - loss.label_smoothing) * t + loss.label_smoothing * 0.5
            return -smooth * math.log(p) - (1 - smooth) * math.log(1 - p)
    raise TypeError(loss)


def naive(loss, predictions, targets):
    """The mean loss as the definitions say it."""
    classes = predictions.shape[-1]
    if isinstance(loss, SPARSE):
        targets = np.eye(classes)[targets]
    rows, wanted = predictions.reshape(-1, classes).tolist(), np.reshape(targets, (-1, classes)).tolist()
    return sum(of_row(loss, row, target) for row, target in zip(rows, wanted, strict=True)) / len(rows)
