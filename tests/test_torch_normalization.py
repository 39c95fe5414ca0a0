"""Normalization layers give the numbers of PyTorch: alone in float64, and in a network that trains.

PyTorch has two other conventions. Its momentum is a new batch's share in the running statistics, ours the
share that they keep. And it divides a batch's variance by n - 1 before that moves the running one, where
tinynet, as Keras, divides by n.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinynet
from tinynet import layers, optim

torch = pytest.importorskip("torch")
functional = torch.nn.functional

SEEDS = range(4)
SHAPES = [(1,), (6,), (3, 5), (7, 5, 3), (4, 9, 17), (2, 3, 2, 4)]
SWITCHES = [(True, True), (True, False), (False, True), (False, False)]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Keep PyTorch to one thread: several only wait for each other on arrays as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def check_close(actual, tensor, tolerance=1e-11):
    """Compare, relative to the largest element or to 1: what should be 0 is not quite, in PyTorch."""
    expected = tensor.detach().numpy()
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    largest = np.abs(expected).max(initial=1)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * largest)


def fill(layer, random, shape):
    """Build a layer with a random gamma, some of it 0, and a random beta; return both as tensors, or None."""
    layer.build(shape, dtype="float64")
    tensors = {"gamma": None, "beta": None}
    for parameter in layer.trainable_parameters():
        parameter.value = random.normal(size=shape[-1:])
        if parameter.name == "gamma":
            parameter.value[:: random.integers(1, 4)] = 0
        tensors[parameter.name] = torch.tensor(parameter.value, requires_grad=True)
    return tensors


def batch(random, shape):
    """Return samples whose channels differ in mean and width, one of them constant, and their gradients."""
    channels, size = shape[-1], (int(random.integers(2, 12)), *shape)
    x = random.normal(size=size) * 10 ** random.uniform(-2, 2, channels) + 10 * random.normal(size=channels)
    if channels > 2:
        x[..., 1] = random.normal()
    return x, random.normal(size=size)


def compare(layer, theirs, tensors, x, dy):
    """Compare a training step's output and gradients; `theirs` is a function of a tensor."""
    tensor = torch.tensor(x, requires_grad=True)
    given = {name: parameter for name, parameter in tensors.items() if parameter is not None}
    expected = theirs(tensor)
    gradients = torch.autograd.grad(expected, [tensor, *given.values()], torch.tensor(dy))
    check_close(layer.forward(x, training=True), expected)
    check_close(layer.backward(dy), gradients[0], 1e-9)  # differences of numbers that are much larger
    for name, gradient in zip(given, gradients[1:], strict=True):
        check_close(getattr(layer, name).grad, gradient, 1e-10)


def without_bessel(running, before, keep, n):
    """Make of PyTorch's running variance the one that takes the variance over n, not over n - 1."""
    with torch.no_grad():
        running.copy_(keep * before + (running - keep * before) * (n - 1) / n)


@pytest.mark.parametrize(("center", "scale"), SWITCHES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_batch_normalization(seed, shape, center, scale):
    random = np.random.default_rng([seed, len(shape)])
    keep, epsilon = float(random.choice([0.0, 0.5, 0.9, 0.99, 1.0])), float(10 ** random.uniform(-5, -1))
    layer = layers.BatchNormalization(-1, keep, epsilon, center, scale)
    tensors = fill(layer, random, shape)
    mean, variance = (torch.tensor(p.value) for p in (layer.moving_mean, layer.moving_variance))

    def theirs(x, training):
        y = functional.batch_norm(
            x.movedim(-1, 1), mean, variance, tensors["gamma"], tensors["beta"], training, 1 - keep, epsilon
        )
        return y.movedim(1, -1).contiguous()

    for step in range(5):
        x, dy = batch(random, shape)
        layer.trainable = step != 3  # frozen once, and then it goes on
        before = variance.clone()
        compare(layer, lambda x: theirs(x, layer.trainable), tensors, x, dy)
        if layer.trainable:
            without_bessel(variance, before, keep, x.size // shape[-1])
        check_close(layer.moving_mean.value, mean)
        check_close(layer.moving_variance.value, variance)
        check_close(layer.forward(x), theirs(torch.tensor(x), False))


@pytest.mark.parametrize(("center", "scale"), SWITCHES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_layer_normalization(seed, shape, center, scale):
    random = np.random.default_rng([seed, len(shape)])
    epsilon = float(10 ** random.uniform(-5, -1))
    layer = layers.LayerNormalization(-1, epsilon, center, scale)
    tensors = fill(layer, random, shape)

    def theirs(x):
        return functional.layer_norm(x, shape[-1:], tensors["gamma"], tensors["beta"], epsilon)

    for step in range(3):
        x, dy = batch(random, shape)
        layer.trainable = step != 1  # which makes no difference here
        compare(layer, theirs, tensors, x, dy)
        check_close(layer.forward(x), theirs(torch.tensor(x)))


class Network(torch.nn.Module):
    """A small CNN with channels in the order of tinynet's, whose weights are a tinynet model's."""

    def __init__(self, model, keep):
        super().__init__()
        self.weights = torch.nn.ParameterList()
        self.norms = torch.nn.ModuleList()
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                norm = torch.nn.BatchNorm2d(*layer.gamma.value.shape, eps=1e-3, momentum=1 - keep)
                self.norms.append(norm.to(dtype=torch.from_numpy(layer.gamma.value).dtype))
            else:
                self.weights.extend(torch.tensor(array) for array in layer.get_weights())

    def forward(self, x):
        first, second, kernel, bias, gamma, beta, last, offset = self.weights
        y = functional.conv2d(x.permute(0, 3, 1, 2), first.permute(3, 2, 0, 1), padding=1)
        y = functional.max_pool2d(functional.relu(self.norms[0](y)), 2)
        y = functional.conv2d(y, second.permute(3, 2, 0, 1))
        y = functional.relu(self.norms[1](y)).permute(0, 2, 3, 1).flatten(1)
        y = functional.layer_norm(y @ kernel + bias, (16,), gamma, beta, 1e-3)
        return functional.tanh(y) @ last + offset

    def set_training(self, frozen):
        """Set batch normalization to train, but for those that are frozen."""
        for norm, still in zip(self.norms, frozen, strict=True):
            norm.train(not still).requires_grad_(not still)

    def step(self, optimizer, x, y, keep):
        """Make a training step, and correct the running variances."""
        seen = []
        hooks = [
            norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])) for norm in self.norms
        ]
        before = [norm.running_var.clone() for norm in self.norms]
        loss = functional.cross_entropy(self(torch.tensor(x)), torch.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for norm, inputs, old, hook in zip(self.norms, seen, before, hooks, strict=True):
            hook.remove()
            if norm.training:
                without_bessel(norm.running_var, old, keep, inputs.numel() // inputs.shape[1])
        return loss.item()


@pytest.mark.parametrize("frozen", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-9)])
def test_a_network_trains_as_in_pytorch(dtype, tolerance, frozen):
    random, keep = np.random.default_rng(0), 0.8
    model = tinynet.Sequential(
        [
            layers.Conv2D(5, 3, padding="same", use_bias=False),
            layers.BatchNormalization(-1, keep),
            layers.ReLU(),
            layers.MaxPool2D(2),
            layers.Conv2D(7, 3, use_bias=False),
            layers.BatchNormalization(-1, keep),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(16),
            layers.LayerNormalization(),
            layers.Tanh(),
            layers.Dense(3, activation="softmax"),
        ],
        (10, 9, 2),
        seed=1,
        dtype=dtype,
    )
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    for norm, still in zip(norms, frozen, strict=True):
        norm.trainable = not still
    model.compile(optim.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy")
    network = Network(model, keep)
    network.set_training(frozen)
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.05, momentum=0.9)
    start = model.get_weights()
    pictures = (random.normal(size=(67, 10, 9, 2)) * [1, 3] + [0, 2]).astype(dtype)
    classes = random.integers(0, 3, 67)
    for step in range(20):
        chosen = random.permutation(67)[: (33, 7, 67, 33, 1)[step % 5]]
        x, y = pictures[chosen], classes[chosen]
        loss = network.step(optimizer, x, y, keep)
        assert model.train_on_batch(x, y) == pytest.approx(loss, rel=tolerance, abs=tolerance)
    ours = [parameter.value for layer in model.layers if layer not in norms for parameter in layer.parameters]
    for value, tensor in zip(ours, network.weights, strict=True):
        check_close(value, tensor, tolerance)
    for norm, theirs, still in zip(norms, network.norms, frozen, strict=True):
        values = norm.get_weights()
        expected = theirs.weight, theirs.bias, theirs.running_mean, theirs.running_var
        for value, tensor in zip(values, expected, strict=True):
            check_close(value, tensor, tolerance)
        assert still == (np.all(values[2] == 0) and np.all(values[3] == 1))
    moved = [np.abs(value - old).max() for value, old in zip(model.get_weights(), start, strict=True)]
    assert sum(move > 0.01 for move in moved) == len(moved) - 4 * sum(frozen)
    network.eval()
    with torch.no_grad():
        check_close(
            model.predict(pictures), functional.softmax(network(torch.tensor(pictures)), 1), tolerance
        )
