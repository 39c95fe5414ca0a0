"""Layers give the outputs and gradients of PyTorch, in float32 over random configurations."""

from __future__ import annotations

import numpy as np
import pytest

from tinynet import layers

torch = pytest.importorskip("torch")
functional = torch.nn.functional

SEEDS = range(15)
CHANNELS_FIRST, CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def check_close(actual, tensor):
    expected = tensor.detach().numpy()
    assert actual.dtype == np.float32
    assert actual.shape == expected.shape
    largest = np.abs(expected).max(initial=0)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5 * largest)


def compare(layer, shape, theirs, random):
    """Compare outputs and all gradients; `theirs` is a function of tensors: x, then the parameters."""
    layer.build(shape, seed=int(random.integers(2**32)))
    for parameter in layer.parameters:
        if parameter.name == "bias":  # which is 0; the kernel is small enough to saturate no activation
            parameter.value[:] = random.normal(size=parameter.value.shape)
    x = random.normal(size=(random.integers(1, 6), *shape)).astype(np.float32)
    tensors = [torch.tensor(a, requires_grad=True) for a in [x, *(p.value for p in layer.parameters)]]
    expected = theirs(*tensors)
    dy = random.normal(size=expected.shape).astype(np.float32)
    expected.backward(torch.tensor(dy))
    check_close(layer.forward(x), expected)
    check_close(layer.forward(x, training=True), expected)
    check_close(layer.backward(dy), tensors[0].grad)
    for parameter, tensor in zip(layer.parameters, tensors[1:], strict=True):
        check_close(parameter.grad, tensor.grad)


def geometry(random):
    """Return an image's shape, window, strides, padding, and that padding as PyTorch's `pad` takes it."""
    height, width = (int(size) for size in random.integers(5, 14, 2))
    window, strides = (tuple(int(size) for size in random.integers(1, 5, 2)) for _ in range(2))
    padding = str(random.choice(["valid", "same"]))
    around = []
    for size, length, stride in zip((width, height), window[::-1], strides[::-1], strict=True):
        missing = max((-(-size // stride) - 1) * stride + length - size, 0) if padding == "same" else 0
        around += [missing // 2, missing - missing // 2]
    return (height, width, int(random.integers(1, 6))), window, strides, padding, around


@pytest.mark.parametrize("method", ["direct", "im2col"])
@pytest.mark.parametrize("seed", SEEDS)
def test_conv2d(seed, method):
    random = np.random.default_rng(seed)
    shape, window, strides, padding, around = geometry(random)
    use_bias = bool(random.integers(2))

    def theirs(x, kernel, bias=None):
        images = functional.pad(x.permute(CHANNELS_FIRST), around)
        y = functional.conv2d(images, kernel.permute(3, 2, 0, 1), bias, strides)
        return y.permute(CHANNELS_LAST).contiguous()

    filters = int(random.integers(1, 40))
    layer = layers.Conv2D(filters, window, strides, padding, use_bias=use_bias, method=method)
    compare(layer, shape, theirs, random)


@pytest.mark.parametrize("seed", SEEDS)
def test_max_pool2d(seed):
    random = np.random.default_rng(seed)
    shape, window, strides, padding, around = geometry(random)

    def theirs(x):
        images = functional.pad(x.permute(CHANNELS_FIRST), around, value=-torch.inf)
        return functional.max_pool2d(images, window, strides).permute(CHANNELS_LAST).contiguous()

    compare(layers.MaxPool2D(window, strides, padding), shape, theirs, random)


@pytest.mark.parametrize("seed", SEEDS)
def test_average_pool2d(seed):
    random = np.random.default_rng(seed)
    shape, window, strides, padding, around = geometry(random)

    def theirs(x):
        images = functional.pad(x.permute(CHANNELS_FIRST), around)
        inside = functional.pad(torch.ones(1, 1, *shape[:2]), around)  # PyTorch pads both sides alike only
        y = functional.avg_pool2d(images, window, strides) / functional.avg_pool2d(inside, window, strides)
        return y.permute(CHANNELS_LAST).contiguous()

    compare(layers.AveragePool2D(window, strides, padding), shape, theirs, random)


@pytest.mark.parametrize("window", [1, 3, 5])
def test_average_pool2d_does_not_count_padding(window):
    # An odd window with stride 1 needs the same padding on both sides, which PyTorch has too.
    def theirs(x):
        y = functional.avg_pool2d(
            x.permute(CHANNELS_FIRST), window, 1, padding=window // 2, count_include_pad=False
        )
        return y.permute(CHANNELS_LAST).contiguous()

    layer = layers.AveragePool2D(window, 1, "same")
    compare(layer, (7, 6, 3), theirs, np.random.default_rng(window))


def test_global_average_pool2d():
    compare(layers.GlobalAveragePool2D(), (7, 6, 3), lambda x: x.mean(dim=(1, 2)), np.random.default_rng(0))


def test_flatten():
    compare(layers.Flatten(), (3, 4, 2), lambda x: x.flatten(1), np.random.default_rng(0))


ACTIVATIONS = {
    "linear": lambda y: y,
    "relu": functional.relu,
    "leaky_relu": lambda y: functional.leaky_relu(y, 0.2),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda y: functional.softmax(y, dim=-1),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_alone_and_in_dense_and_conv2d(activation):
    theirs = ACTIVATIONS[activation]
    for seed in range(5):
        random = np.random.default_rng(seed)
        features, units = (int(size) for size in random.integers(1, 70, 2))
        layer = layers.activation.get(activation)
        if layer:
            compare(layer, (features,), theirs, random)
            compare(layer, (3, 2, features), theirs, random)
        compare(
            layers.Dense(units, activation),
            (features,),
            lambda x, kernel, bias: theirs(functional.linear(x, kernel.T, bias)),
            random,
        )
        compare(
            layers.Conv2D(units, 3, activation=activation),
            (4, 5, 2),
            lambda x, kernel, bias: theirs(
                functional.conv2d(
                    x.permute(CHANNELS_FIRST), kernel.permute(3, 2, 0, 1), bias
                ).permute(CHANNELS_LAST)
            ).contiguous(),
            random,
        )  # fmt: skip
