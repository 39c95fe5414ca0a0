"""Networks that branch and join train as in PyTorch: the same weights and running statistics, step by step.

PyTorch divides a batch's variance by n - 1 before that moves the running one, where tinynet, as Keras,
divides by n: here the running variance follows the one over n.
"""

from __future__ import annotations

import numpy as np
import pytest
from residual import HEADS, pictures, residual_network

from tinynet import optim

torch = pytest.importorskip("torch")
functional = torch.nn.functional

SHAPE, CLASSES, KEEP = (11, 8, 2), 4, 0.8  # strided with "same" padding on both sides, and on one
SIZES = (33, 7, 64, 33, 1)  # of batches
STEPS = 20


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Keep PyTorch to one thread: several only wait for each other on arrays as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Network:
    """The residual network in PyTorch, with channels in the order of tinynet's.

    Args:
        model: a tinynet model, whose weights are copied.
        head: one of `HEADS`.

    Attributes:
        tensors: the weights and the running statistics, by the names that they have in the model.
    """

    def __init__(self, model, head):
        self.head, self.training = head, True
        named = model.named_parameters()
        self.tensors = {
            name: torch.tensor(parameter.value, requires_grad=parameter.trainable)
            for name, parameter in named.items()
        }

    def weights(self):
        return [tensor for tensor in self.tensors.values() if tensor.requires_grad]

    def convolution(self, name, x, stride=1):
        kernel = self.tensors[f"{name}/kernel"].permute(3, 2, 0, 1)
        around = []
        for size in (x.shape[3], x.shape[2]):
            missing = max((-(-size // stride) - 1) * stride + kernel.shape[2] - size, 0)
            around += [missing // 2, missing - missing // 2]
        x = functional.pad(x, around) if kernel.shape[2] > 1 else x
        return functional.conv2d(x, kernel, self.tensors.get(f"{name}/bias"), stride)

    def normalization(self, name, x):
        gamma, beta, mean, variance = (
            self.tensors[f"{name}/{kind}"] for kind in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        moved, n = variance.clone(), x.numel() // x.shape[1]
        y = functional.batch_norm(x, mean, moved, gamma, beta, self.training, 1 - KEEP, 1e-3)
        if self.training:
            variance.copy_(KEEP * variance + (moved - KEEP * variance) * (n - 1) / n)
        return y

    def block(self, name, x, stride=1):
        y = functional.relu(self.normalization(f"{name}_norm", self.convolution(f"{name}_first", x, stride)))
        y = self.normalization(f"{name}_last_norm", self.convolution(f"{name}_second", y))
        return functional.relu(y + (x if stride == 1 else self.convolution(f"{name}_projection", x, stride)))

    def __call__(self, x):
        y = self.convolution("begin", torch.tensor(x).permute(0, 3, 1, 2))
        y = self.block("strided", self.block("block", y), 2)
        if self.head == "max":
            y = functional.max_pool2d(y, 2).permute(0, 2, 3, 1).flatten(1)
        else:
            y = y.mean((2, 3))
        return y @ self.tensors["classify/kernel"] + self.tensors["classify/bias"]


def check_close(actual, tensor, tolerance, name=""):
    """Compare, relative to the largest element or to 1."""
    expected = tensor.detach().numpy()
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    largest = np.abs(expected).max(initial=1)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * largest, err_msg=name)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-12)])
def test_a_residual_network_trains_as_in_pytorch(dtype, tolerance, head):
    model = residual_network(SHAPE, 5, CLASSES, head, KEEP, seed=1, dtype=dtype)
    model.compile(optim.SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy")
    network, named = Network(model, head), model.named_parameters()
    optimizer = torch.optim.SGD(network.weights(), 0.02, momentum=0.9)
    start = {name: parameter.value.copy() for name, parameter in named.items()}
    x, y = pictures(SHAPE, CLASSES, max(SIZES), dtype=dtype)
    random = np.random.default_rng(0)
    for step in range(STEPS):
        chosen = random.permutation(len(x))[: SIZES[step % len(SIZES)]]
        loss = functional.cross_entropy(network(x[chosen]), torch.tensor(y[chosen]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        measured = model.train_on_batch(x[chosen], y[chosen])
        assert measured == pytest.approx(loss.item(), rel=tolerance, abs=tolerance)
        for name, parameter in named.items():
            check_close(parameter.value, network.tensors[name], tolerance, f"{name} after step {step}")
    for name, parameter in named.items():
        assert np.abs(parameter.value - start[name]).max() > 0.001, name
    network.training = False
    with torch.no_grad():
        check_close(model.predict(x), functional.softmax(network(x), 1), tolerance)
