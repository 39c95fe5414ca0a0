"""Files that PyTorch writes: what it has is what is read, and models of the same layers predict the same."""

from __future__ import annotations

import io
import random
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import Input, Model, Sequential, layers
from tinynet.files.pytorch import is_pytorch, read_state_dict

torch = pytest.importorskip("torch")
nn = torch.nn
WAYS = [{}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}]
BN, LN = (lambda: layers.BatchNormalization(epsilon=1e-5)), (lambda: layers.LayerNormalization(epsilon=1e-5))


def written(thing, **how):
    file = io.BytesIO()
    torch.save(thing, file, **how)
    return file.getvalue()


def same(data, state):
    """Whether a file holds this state dict."""
    assert is_pytorch(data)
    found = read_state_dict(data)
    assert [*found] == [*state]
    for name, tensor in state.items():
        tensor = tensor.detach().float() if tensor.dtype == torch.bfloat16 else tensor.detach()
        assert found[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(found[name], tensor.numpy())


class Net(nn.Module):
    """A module with all that a state dict may have: buffers, shared weights, modules in modules."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Sequential(nn.PReLU()))
        self.head, self.tied = nn.Linear(4, 4), nn.Linear(4, 4)
        self.tied.weight = self.head.weight
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("kept", torch.arange(3))
        self.register_buffer("passing", torch.zeros(1), persistent=False)
        self.nothing = None

    def forward(self, x):
        return self.tied(self.head(self.body(x).mean((2, 3)))) * self.scale


@pytest.mark.parametrize("how", WAYS)
def test_state_dicts_checkpoints_and_modules(how):
    net = Net()
    state = net.state_dict()
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(2, 1, 5, 5)).sum().backward()
    optimizer.step()
    checkpoint = {
        "epoch": 3,
        "best": np.float64(0.5),
        "model_state_dict": state,
        "optimizer_state_dict": optimizer.state_dict(),
        "size": torch.Size([1]),
        "device": torch.device("cpu"),
        "history": {"acc": [1.0, 0.5]},
    }
    parallel = nn.DataParallel(net).state_dict()
    for thing in (state, dict(state), checkpoint, {"net": {"state_dict": state}}, net, {"model": net},
                  parallel, {"state_dict": parallel}):  # fmt: skip
        same(written(thing, **how), state)


@pytest.mark.parametrize("how", WAYS)
def test_views_and_dtypes(how):
    whole = torch.randn(6, 8)
    state = {
        "whole": whole,
        "transposed": whole.T,
        "part": whole[1:4, 2::3],
        "one": whole[2, 3],
        "double": whole.double(),
        "half": whole.half(),
        "bfloat": whole.bfloat16(),
        "long": torch.tensor([2**40]),
        "int": torch.tensor([1, -2], dtype=torch.int32),
        "short": torch.tensor([3], dtype=torch.int16),
        "byte": torch.tensor([200], dtype=torch.uint8),
        "char": torch.tensor([-5], dtype=torch.int8),
        "bool": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
        "channels": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "parameter": nn.Parameter(whole),
    }
    same(written(state, **how), state)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(
    "kind", ["sparse", "quantized", "complex", "expanded", "optimizer", "tensor", "list"]
)
@pytest.mark.filterwarnings("ignore")  # of PyTorch's, about quantized tensors
def test_what_is_no_plain_state_dict_is_refused(how, kind):
    thing = {
        "sparse": lambda: {"w": torch.eye(3).to_sparse()},
        "quantized": lambda: {"w": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)},
        "complex": lambda: {"w": torch.ones(3, dtype=torch.complex64)},
        "expanded": lambda: {"w": torch.ones(1).expand(10**6)},
        "optimizer": lambda: torch.optim.SGD([nn.Parameter(torch.ones(1))]).state_dict(),
        "tensor": lambda: torch.ones(3),
        "list": lambda: [torch.ones(3)],
    }[kind]()
    with pytest.raises(ValueError, match=r"it (asks|has|holds)|its tensor"):
        read_state_dict(written(thing, **how))


def test_checksums_may_be_left_out():
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        data = written(Net().state_dict())
    finally:
        torch.serialization.set_crc32_options(before)
    assert len(read_state_dict(data)) == len(Net().state_dict())
    damaged = bytearray(written({"w": torch.ones(100)}))
    damaged[damaged.find(np.ones(9, np.float32).tobytes()) + 20] ^= 1
    with pytest.raises(ValueError, match="checksum"):
        read_state_dict(bytes(damaged))


@pytest.mark.filterwarnings("ignore")
def test_torchscript():
    net = Net()
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(net), file)
    found = read_state_dict(file.getvalue())
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


# Networks in both


def settled(net):
    """A network with running statistics as after training."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
        if (
            isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm | nn.PReLU)
            and module.weight is not None
        ):
            nn.init.uniform_(module.weight, 0.1, 1)
    return net.eval()


def agrees(net, model, tmp_path, shape, **how):
    """Whether a model that was given a network's weights predicts what the network does."""
    (tmp_path / "net.pt").write_bytes(written(settled(net).state_dict(), **how))
    model.load_weights(tmp_path / "net.pt")
    x = np.random.default_rng(0).normal(size=(5, *shape)).astype(np.float32)
    with torch.no_grad():
        y = net(torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))).numpy()
    found = model.predict(x)
    np.testing.assert_allclose(found, y, rtol=0, atol=1e-5 * max(1, np.abs(y).max()))


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10), nn.Softmax(1),
    ), Sequential([
        layers.Conv2D(6, 5, padding="same", activation="relu"), layers.MaxPool2D(2),
        layers.Conv2D(16, 5, activation="relu"), layers.MaxPool2D(2), layers.Flatten(),
        layers.Dense(120, "relu"), layers.Dense(84, "relu"), layers.Dense(10, "softmax"),
    ], (28, 28, 1)), (28, 28, 1)  # fmt: skip


def normalized():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.PReLU(8), nn.AvgPool2d(2), nn.Flatten(),
        nn.BatchNorm1d(8 * 4 * 6), nn.Dropout(0.5), nn.Linear(8 * 4 * 6, 20), nn.LayerNorm(20), nn.PReLU(),
        nn.Linear(20, 5), nn.BatchNorm1d(5, affine=False), nn.LogSoftmax(1),
    ), Sequential([
        layers.Conv2D(8, 3, use_bias=False), BN(), layers.PReLU(shared_axes=[1, 2]),
        layers.AveragePooling2D(2), layers.Flatten(), BN(), layers.Dropout(0.5), layers.Dense(20), LN(),
        layers.PReLU(), layers.Dense(5),
        layers.BatchNormalization(center=False, scale=False, epsilon=1e-5), layers.LogSoftmax(),
    ], (10, 14, 3)), (10, 14, 3)  # fmt: skip


def mobile():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, bias=False), nn.BatchNorm2d(4), nn.ReLU6(),
        nn.Conv2d(4, 8, 3, groups=4, bias=False), nn.Conv2d(8, 6, 1), nn.ReLU6(),
        nn.Conv2d(6, 6, 3, groups=6, dilation=2), nn.Conv2d(6, 8, 1, groups=2), nn.Flatten(),
        nn.Linear(8 * 7 * 7, 10),
    ), Sequential([
        layers.Conv2D(4, 3, 2, use_bias=False), BN(), layers.ReLU(6),
        layers.SeparableConv2D(6, 3, depth_multiplier=2, activation="relu6"),
        layers.DepthwiseConv2D(3, dilation_rate=2), layers.Conv2D(8, 1, groups=2), layers.Flatten(),
        layers.Dense(10),
    ], (27, 27, 1)), (27, 27, 1)  # fmt: skip


def sequences():
    return nn.Sequential(
        nn.Conv1d(3, 6, 5), nn.ReLU(), nn.BatchNorm1d(6), nn.MaxPool1d(2),
        nn.Conv1d(6, 4, 3, groups=2), nn.Flatten(), nn.Linear(4 * 10, 3),
    ), Sequential([
        layers.Conv1D(6, 5, activation="relu"), BN(), layers.MaxPooling1D(2), layers.Conv1D(4, 3, groups=2),
        layers.Flatten(), layers.Dense(3),
    ], (28, 3)), (28, 3)  # fmt: skip


def global_pooling():
    return nn.Sequential(
        nn.Conv2d(2, 6, 3), nn.Sigmoid(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3), nn.Tanh(),
    ), Sequential([
        layers.Conv2D(6, 3, activation="sigmoid"), layers.GlobalAveragePooling2D(), layers.Dense(3, "tanh"),
    ], (9, 8, 2)), (9, 8, 2)  # fmt: skip


@pytest.mark.parametrize("how", WAYS[:2])
@pytest.mark.parametrize("pair", [lenet, normalized, mobile, sequences, global_pooling])
def test_networks_predict_the_same(pair, how, tmp_path):
    net, model, shape = pair()
    agrees(net, model, tmp_path, shape, **how)


class Branched(nn.Module):
    """Layers that are defined in another order than they are called in: convolutions, then normalizations."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.skip = (
            nn.Conv2d(3, 4, 3),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.Conv2d(3, 4, 1),
        )
        self.bn1, self.bn2, self.fc = nn.BatchNorm2d(4), nn.BatchNorm2d(4), nn.Linear(4 * 36 + 4 * 64, 3)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y)) + y
        return self.fc(torch.cat([y.flatten(1), self.skip(x).flatten(1)], 1))


def test_a_graph_whose_modules_are_defined_in_another_order(tmp_path):
    x = Input((8, 8, 3))
    y = layers.ReLU()(BN()(layers.Conv2D(4, 3)(x)))
    y = layers.Add()([BN()(layers.Conv2D(4, 3, padding="same")(y)), y])
    both = layers.Concatenate()([layers.Flatten()(y), layers.Flatten()(layers.Conv2D(4, 1)(x))])
    agrees(Branched(), Model(x, layers.Dense(3)(both)), tmp_path, (8, 8, 3))


def test_safetensors(tmp_path):
    from safetensors.torch import save_file

    net, model, _ = lenet()
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    model.load_weights(tmp_path / "net.safetensors")
    before = model.get_weights()
    (tmp_path / "net.pt").write_bytes(written(net.state_dict()))
    model.load_weights(tmp_path / "net.pt")
    for array, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, other)


@st.composite
def networks(draw):
    """The same random network in both."""
    size, channels = draw(st.tuples(st.integers(6, 12), st.integers(6, 12))), draw(st.integers(1, 3))
    first, (height, width), theirs, ours = channels, size, [], []
    for _ in range(draw(st.integers(0, 3))):
        kernel, filters, bias = draw(st.integers(1, 2)), draw(st.integers(1, 5)), draw(st.booleans())
        theirs.append(nn.Conv2d(channels, filters, kernel, bias=bias))
        ours.append(layers.Conv2D(filters, kernel, use_bias=bias))
        channels, height, width = filters, height - kernel + 1, width - kernel + 1
        for pair in draw(st.lists(st.sampled_from(["norm", "relu", "prelu"]), max_size=2)):
            theirs.append(
                {"norm": nn.BatchNorm2d(channels), "relu": nn.ReLU(), "prelu": nn.PReLU(channels)}[pair]
            )
            ours.append(
                {"norm": BN, "relu": layers.ReLU, "prelu": lambda: layers.PReLU(shared_axes=[1, 2])}[pair]()
            )
    theirs.append(nn.Flatten())
    ours.append(layers.Flatten())
    features = channels * height * width
    for units in draw(st.lists(st.integers(1, 6), min_size=1, max_size=3)):
        if draw(st.booleans()):
            theirs.append(nn.BatchNorm1d(features))
            ours.append(BN())
        theirs.append(nn.Linear(features, units))
        ours.append(layers.Dense(units))
        features = units
    return nn.Sequential(*theirs), Sequential(ours, (*size, first)), (*size, first)


@settings(max_examples=15)
@given(networks())
def test_random_networks_predict_the_same(tmp_path_factory, pair):
    agrees(pair[0], pair[1], tmp_path_factory.getbasetemp(), pair[2])


def attack(count, seed=1):
    """Change bytes of PyTorch's own files."""
    net, chance = Net(), random.Random(seed)
    files = [
        written(thing, **how)
        for thing in (net.state_dict(), net, {"state_dict": net.state_dict()})
        for how in WAYS
    ]
    for number in range(count):
        data = bytearray(files[number % len(files)])
        for _ in range(chance.choice((1, 2, 8))):
            place = chance.randrange(len(data))
            if chance.random() < 0.8:
                data[place] = chance.choice((chance.randrange(256), data[place] ^ 1 << chance.randrange(8)))
            else:
                del data[place : place + chance.choice((1, 8, 64))]
        begin = time.perf_counter()
        with suppress(ValueError):
            read_state_dict(bytes(data))
        assert time.perf_counter() - begin < 2


def test_mutated_files_raise_value_errors():
    attack(300)
