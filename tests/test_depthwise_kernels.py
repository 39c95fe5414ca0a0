from __future__ import annotations

import naive
import numpy as np
import pytest
from test_moving_kernels import check_guards, guarded

from tinynet.kernels import depthwise


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("samples", "channels"), [(1, 1), (3, 7), (2, 16), (1, 33)])
@pytest.mark.parametrize(
    ("image", "window", "strides", "dilation"),
    [
        ((1, 1), (1, 1), (1, 1), (1, 1)),
        ((5, 7), (3, 2), (1, 1), (1, 1)),
        ((6, 5), (2, 3), (2, 3), (1, 1)),
        ((7, 8), (2, 2), (1, 3), (3, 2)),
        ((5, 4), (1, 1), (3, 2), (1, 1)),  # strides over the kernel
    ],
)
def test_kernels_against_naive_with_guards(image, window, strides, dilation, samples, channels, dtype):
    random = np.random.default_rng(0)
    x = random.normal(size=(samples, *image, channels)).astype(dtype)
    weights = random.normal(size=(*window, channels)).astype(dtype)
    bias = random.normal(size=channels).astype(dtype)
    whole = naive.dilated(naive.ungrouped(weights[:, :, None], channels), dilation)
    wanted = naive.convolution(x, whole, bias, strides, "valid")
    dy = random.normal(size=wanted.shape).astype(dtype)
    dx_wanted, dwhole, _ = naive.convolution_gradients(x, whole, dy, strides, "valid")
    dweights_wanted = naive.grouped(dwhole[:: dilation[0], :: dilation[1]], channels)[:, :, 0]
    y, y_whole = guarded(wanted.shape, dtype)
    dx, dx_whole = guarded(x.shape, dtype)
    dweights, dweights_whole = guarded(weights.shape, dtype)
    steps, tolerance = (*strides, *dilation), 1e-5 if dtype == "float32" else 1e-12
    depthwise.convolve(x, weights, bias, y, *steps, False)
    depthwise.input_gradient(dy, weights, dx, *steps)
    depthwise.weights_gradient(x, dy, dweights, *steps)
    for actual, expected, around in (
        (y, wanted, y_whole), (dx, dx_wanted, dx_whole), (dweights, dweights_wanted, dweights_whole),
    ):  # fmt: skip
        np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * max(np.abs(expected).max(), 1))
        check_guards(around)
    depthwise.convolve(x, weights, bias[:0], y, *steps, True)
    np.testing.assert_allclose(y, np.maximum(wanted - bias, 0), rtol=0, atol=tolerance * 10)
