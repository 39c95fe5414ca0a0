"""Kernels of losses: a mean over a batch and its gradient, in one pass and in float64."""

from __future__ import annotations

import numpy as np

from .cpu import VECTOR_BYTES
from .functions import exp, log, log1p
from .jit import Array, kernel
from .vector import broadcast, load, scalar, store

# The formulas of `elementwise_loss`.
SQUARED, ABSOLUTE, PERCENTAGE, HUBER, HINGE, SQUARED_HINGE, BINARY_OF_LOGITS, BINARY = range(8)

EPSILON = 1e-7  # Keras's: what probabilities and divisors are kept away from 0 by


@kernel
def elementwise_loss(
    formula: int,
    targets: Array,
    predictions: Array,
    setting: float,
    share: float,
    gradient: Array,
    value: Array,
    weights: Array,
) -> None:
    """Compute the mean over n and k of w[n] * loss(t[n, k], p[n, k]), and share times its gradient.

    The losses of a target t and a prediction p, where e = p - t and s is the setting:

    - SQUARED: e²; ABSOLUTE: |e|; PERCENTAGE: 100 |e| / max(|t|, 1e-7)
    - HUBER: e² / 2 where |e| <= s, else s |e| - s² / 2
    - HINGE: max(1 - t p, 0); SQUARED_HINGE: its square
    - BINARY_OF_LOGITS: max(p, 0) - u p + log(1 + exp(-|p|)), with u = t (1 - s) + s / 2
    - BINARY: -u log p - (1 - u) log(1 - p), where p is kept in 1e-7 .. 1 - 1e-7

    A NaN gives NaN.

    Args:
        formula: which of them.
        targets: (N, K) float64.
        predictions: (N, K).
        setting: s.
        share: what the gradient is multiplied by, after rounding to its type.
        gradient: (N, K), written.
        value: (1,) float64, written.
        weights: (N,) w, or (0,) for 1 everywhere.
    """
    samples, outputs = predictions.shape
    one, total = 1.0 / (samples * outputs), 0.0
    kind = predictions.dtype.type
    factor = kind(share)
    for n in range(samples):
        weight = np.float64(weights[n]) if weights.size else 1.0
        for k in range(outputs):
            t, p = targets[n, k], np.float64(predictions[n, k])
            error = p - t
            if formula == SQUARED:
                loss, slope = error * error, 2 * error
            elif formula == ABSOLUTE:
                loss, slope = abs(error), np.sign(error)
            elif formula == PERCENTAGE:
                scale = 100 / max(abs(t), EPSILON)
                loss, slope = scale * abs(error), scale * np.sign(error)
            elif formula == HUBER:
                if abs(error) > setting:
                    loss, slope = setting * abs(error) - 0.5 * setting * setting, setting * np.sign(error)
                else:
                    loss, slope = 0.5 * error * error, error
            elif formula in (HINGE, SQUARED_HINGE):
                margin = 1 - t * p
                margin, inside = (0.0, 0.0) if margin <= 0 else (margin, 1.0)
                if formula == HINGE:
                    loss, slope = margin, -t * inside
                else:
                    loss, slope = margin * margin, -2 * t * margin
            else:
                t = t * (1 - setting) + setting / 2
                if formula == BINARY_OF_LOGITS:
                    small = scalar(exp(broadcast(-abs(p))))
                    loss = (0.0 if p < 0 else p) - t * p + scalar(log1p(broadcast(small)))
                    slope = (small if p < 0 else 1.0) / (1 + small) - t
                else:
                    p = (
                        np.float64(EPSILON)
                        if p < EPSILON
                        else np.float64(1 - EPSILON)
                        if p > 1 - EPSILON
                        else p
                    )
                    loss = -t * scalar(log(broadcast(p))) - (1 - t) * scalar(log1p(broadcast(-p)))
                    slope = (p - t) / (p * (1 - p))
            total += weight * loss
            gradient[n, k] = kind(slope * one * weight) * factor
    value[0] = total * one


@kernel
def softmax_cross_entropy_of_rows(
    logits: Array,
    targets: Array,
    smoothing: float,
    share: float,
    gradient: Array,
    value: Array,
    weights: Array,
) -> None:
    """Compute the mean cross-entropy of softmax(logits) and distributions, and share times its gradient.

    With t[n, k] = (1 - smoothing) * targets[n, k] + smoothing / classes and p = softmax(logits),
    value = the mean over n of -w[n] * (sum over k of t[n, k] * log p[n, k]), and
    gradient[n, k] = share / N * w[n] * (p[n, k] * (sum over m of t[n, m]) - t[n, k]).

    Args:
        logits: (N, classes).
        targets: (N, classes) float64.
        smoothing: the share of the targets that is spread evenly.
        share: what the gradient is multiplied by.
        gradient: (N, classes), written.
        value: (1,) float64, written.
        weights: (N,) w, or (0,) for 1 everywhere.
    """
    samples, classes = logits.shape
    spread, factor, total = smoothing / classes, share / samples, 0.0
    powers, lanes = np.empty(classes, np.float64), VECTOR_BYTES // 8
    for n in range(samples):
        largest = np.float64(logits[n, 0])
        for k in range(classes):
            largest = max(largest, np.float64(logits[n, k]))
        for k in range(classes):
            powers[k] = np.float64(logits[n, k]) - largest
        for k in range(0, classes, lanes):
            store(powers, k, classes - k, exp(load(powers, k, classes - k)))
        exponentials, mass = 0.0, 0.0
        for k in range(classes):
            exponentials += powers[k]
            mass += (1 - smoothing) * targets[n, k] + spread
        logarithm = scalar(log(broadcast(exponentials)))
        weight = np.float64(weights[n]) if weights.size else 1.0
        for k in range(classes):
            target = (1 - smoothing) * targets[n, k] + spread
            log_probability = np.float64(logits[n, k]) - largest - logarithm
            total -= weight * (target * log_probability) if target != 0 else 0.0
            gradient[n, k] = weight * (factor * (powers[k] / exponentials * mass - target))
    value[0] = total / samples
