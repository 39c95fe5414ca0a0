"""Networks as people write them in PyTorch, exported by torch.onnx.export."""

import io
import warnings

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
torch = pytest.importorskip("torch")

from onnx_files import check, samples  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812


class Basic(nn.Module):
    """As in PyTorch's MNIST example."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3)
        self.dropout1 = nn.Dropout(0.25)
        self.fc1, self.fc2 = nn.Linear(8 * 12 * 12, 16), nn.Linear(16, 10)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = self.dropout1(F.max_pool2d(x, 2))
        x = F.relu(self.fc1(torch.flatten(x, 1)))
        return F.log_softmax(self.fc2(x), dim=1)


class View(nn.Module):
    """It takes the size of the batch from the shape."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(4)
        )
        self.head = nn.Linear(4 * 14 * 14, 10)

    def forward(self, x):
        return F.softmax(self.head(self.how(self.features(x))), dim=-1)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.a, self.b = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.stem(x))), 3, 2, 1)
        x = F.relu(x + self.b(F.silu(self.a(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Normalized(nn.Module):
    """It scales pixels itself, and takes images without channels."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 3, 4, stride=2), nn.Linear(3 * 13 * 13, 10)

    def forward(self, x):
        x = ((x / 255.0 - 0.1307) / 0.3081).unsqueeze(1)
        return self.fc(F.hardswish(self.conv(x)).reshape(x.shape[0], -1))


class Attending(nn.Module):
    """Squeeze and excitation, gelu, layer normalization."""

    def __init__(self):
        super().__init__()
        self.conv, self.down, self.up = nn.Conv2d(1, 6, 5, 3), nn.Linear(6, 3), nn.Linear(3, 6)
        self.norm, self.fc = nn.LayerNorm(6), nn.Linear(6, 10)

    def forward(self, x):
        x = F.gelu(self.conv(x))
        gate = torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3))))))
        x = x * gate.view(x.size(0), 6, 1, 1)
        return self.fc(self.norm(x.mean([-1, -2])))


def mlp():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 32), nn.LeakyReLU(0.1), nn.Dropout(), nn.Linear(32, 16),
        nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 10), nn.Softmax(dim=1),
    )  # fmt: skip


def activations():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.PReLU(4), nn.Conv2d(4, 4, 3), nn.ReLU6(), nn.AvgPool2d(2),
        nn.Conv2d(4, 4, 3), nn.ELU(), nn.Conv2d(4, 4, 3), nn.SELU(), nn.Upsample(scale_factor=2),
        nn.Conv2d(4, 4, 3), nn.Mish(), nn.Hardtanh(),
        nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(4, 10), nn.Softplus(),
    )  # fmt: skip


def sequences():
    return nn.Sequential(
        nn.Conv1d(3, 8, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(8, 8, 3, padding=1), nn.ELU(),
        nn.AvgPool1d(3), nn.Flatten(), nn.Linear(8 * 5, 4),
    )  # fmt: skip


MODELS = {
    "basic": (Basic, (1, 28, 28)),
    "view by size": (lambda: View(lambda x: x.view(x.size(0), -1)), (1, 28, 28)),
    "view by -1": (lambda: View(lambda x: x.view(-1, 4 * 14 * 14)), (1, 28, 28)),
    "view by computed sizes": (
        lambda: View(lambda x: x.view(-1, x.size(1) * x.size(2) * x.size(3))), (1, 28, 28)
    ),
    "view by batch": (lambda: View(lambda x: x.view(x.shape[0], 784)), (1, 28, 28)),
    "flatten": (lambda: View(lambda x: x.flatten(1)), (1, 28, 28)),
    "residual": (Residual, (1, 28, 28)),
    "normalized": (Normalized, (28, 28)),
    "attending": (Attending, (1, 28, 28)),
    "mlp": (mlp, (1, 28, 28)),
    "mlp of rows": (mlp, (784,)),
    "activations": (activations, (1, 28, 28)),
    "sequences": (sequences, (3, 30)),
}  # fmt: skip


def exported(model, shape, opset, dynamic, fold):
    file = io.BytesIO()
    axes = {"input": {0: "batch"}, "output": {0: "batch"}} if dynamic else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, torch.zeros(1, *shape), file, input_names=["input"], output_names=["output"], dynamo=False,
            opset_version=opset, dynamic_axes=axes, do_constant_folding=fold,
        )  # fmt: skip
    return file.getvalue()


@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("opset", [9, 13, 17])
@pytest.mark.parametrize("name", MODELS)
def test_exported_network(name, opset, dynamic):
    make, shape = MODELS[name]
    if (opset < 14 and name == "normalized") or (opset < 11 and name == "activations"):
        opset = 14
    torch.manual_seed(4)
    model = make().eval()
    for part in model.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    data = exported(model, shape, opset, dynamic, fold=opset != 13)
    x = samples(5 if dynamic else 1, *shape)
    mine = check(data, x)
    x = samples(3, *shape, seed=8)  # a batch of any size, whatever the file says
    with torch.no_grad():
        np.testing.assert_allclose(mine.predict(x), model(torch.tensor(x)).numpy(), rtol=1e-4, atol=1e-5)
