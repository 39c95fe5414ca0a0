"""The kernels of losses stay within their arrays, and do what the formulas say, in both precisions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_pooling_kernels import Written, reads

from tinynet import kernels

DTYPES = [np.float32, np.float64]


def of_element(formula, t, p, s):
    """The loss and its derivative, one number after the other."""
    names = kernels.losses
    e, sign = p - t, (p > t) - (p < t)
    if formula == names.SQUARED:
        return e * e, 2 * e
    if formula == names.ABSOLUTE:
        return abs(e), sign
    if formula == names.PERCENTAGE:
        return 100 * abs(e) / max(abs(t), 1e-7), 100 * sign / max(abs(t), 1e-7)
    if formula == names.HUBER:
        return (e * e / 2, e) if abs(e) <= s else (s * abs(e) - s * s / 2, s * sign)
    if formula == names.HINGE:
        return max(1 - t * p, 0), -t if t * p < 1 else 0
    if formula == names.SQUARED_HINGE:
        return max(1 - t * p, 0) ** 2, -2 * t * max(1 - t * p, 0)
    u = t * (1 - s) + s / 2
    if formula == names.BINARY_OF_LOGITS:
        q = 1 / (1 + math.exp(-p))
        return -u * math.log(q) - (1 - u) * math.log(1 - q), q - u
    q = min(max(p, 1e-7), 1 - 1e-7)
    return -u * math.log(q) - (1 - u) * math.log(1 - q), (q - u) / (q * (1 - q))


@settings(max_examples=150)
@given(
    st.integers(0, 7),
    st.integers(1, 5),
    st.sampled_from([1, 2, 7, 8, 9, 17, 33]),
    st.sampled_from(DTYPES),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_elementwise_losses(formula, samples, outputs, dtype, weighted, seed):
    random = np.random.default_rng(seed)
    predictions = random.normal(size=(samples, outputs)) * 2
    if formula == kernels.losses.BINARY:
        predictions = random.uniform(-0.2, 1.2, size=predictions.shape)
    predictions, share, setting = predictions.astype(dtype), float(random.uniform()), 0.25
    targets = random.uniform(size=predictions.shape)
    weights = random.normal(size=samples if weighted else 0).astype(dtype)
    gradient, value = Written(predictions.shape, dtype), Written(1, np.float64)
    kernels.losses.elementwise_loss(
        formula,
        reads(targets),
        reads(predictions),
        setting,
        share,
        gradient.array,
        value.array,
        reads(weights),
    )
    total, slopes = 0.0, np.empty(predictions.shape)
    for n, k in np.ndindex(predictions.shape):
        weight = float(weights[n]) if weighted else 1.0
        loss, slope = of_element(formula, float(targets[n, k]), float(predictions[n, k]), setting)
        total += weight * loss / predictions.size
        slopes[n, k] = weight * slope * share / predictions.size
    value.check(np.full(1, total), rtol=1e-9, atol=1e-9)
    gradient.check(slopes, rtol=1e-6 if dtype == np.float32 else 1e-9, atol=1e-12)


@settings(max_examples=60)
@given(
    st.integers(1, 5),
    st.sampled_from([2, 3, 8, 17]),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from(DTYPES),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_cross_entropy_of_distributions(samples, classes, smoothing, dtype, weighted, seed):
    random = np.random.default_rng(seed)
    logits = (random.normal(size=(samples, classes)) * 5).astype(dtype)
    targets = random.uniform(size=(samples, classes))  # whose sums are not 1
    weights = random.normal(size=samples if weighted else 0).astype(dtype)
    gradient, value = Written(logits.shape, dtype), Written(1, np.float64)
    kernels.losses.softmax_cross_entropy_of_rows(
        reads(logits), reads(targets), smoothing, 0.5, gradient.array, value.array, reads(weights)
    )
    exponentials = np.exp(logits.astype(np.float64))
    p = exponentials / exponentials.sum(axis=1, keepdims=True)
    t = (1 - smoothing) * targets + smoothing / classes
    w = weights.astype(np.float64)[:, None] if weighted else 1.0
    value.check(np.full(1, -(w * t * np.log(p)).sum() / samples), rtol=1e-9, atol=1e-9)
    expected = w * (p * t.sum(axis=1, keepdims=True) - t) * 0.5 / samples
    gradient.check(expected, rtol=1e-6 if dtype == np.float32 else 1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_hot_rows_have_the_bits_of_labels(dtype):
    random = np.random.default_rng(0)
    logits, labels = (random.normal(size=(9, 10)) * 9).astype(dtype), random.integers(0, 10, 9)
    results = []
    for kernel, targets in (
        (kernels.elementwise.softmax_cross_entropy, labels),
        (kernels.losses.softmax_cross_entropy_of_rows, np.eye(10)[labels]),
    ):
        gradient, value = np.empty_like(logits), np.empty(1)
        kernel(logits, targets, 0.0, 0.5, gradient, value, np.empty(0, dtype))
        results.append((gradient, value))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]
