"""PyTorch, in eager mode, with its images in the memory format that suits convolutions, and compiled."""

from __future__ import annotations

import shutil
from importlib import import_module
from typing import Any

import numpy as np
from common import Array, available_cores
from networks import Conv, Drop, Flat, Full, Network, Norm, Pool

from peers.peer import USUAL, Peer, Training


class PyTorch(Peer):
    """PyTorch in eager mode, with its fused Adam."""

    channels_last = False

    def __init__(self) -> None:
        self.torch: Any = import_module("torch")
        self.version = self.torch.__version__
        self.torch.set_num_threads(available_cores())

    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network, to be trained so."""
        torch, nn = self.torch, self.torch.nn
        torch.manual_seed(training.seed)
        made: list[Any] = []
        values = iter(weights)
        shape: tuple[int, ...] = network.input_shape
        for layer in network.layers:
            match layer:  # pixels are scaled when `take` has a batch of them
                case Conv(filters, strides=strides, activation=activation):
                    output = -(-shape[0] // strides), -(-shape[1] // strides)
                    made += self.same_convolution(next(values), next(values), strides, shape, output)
                    made += [nn.ReLU()] if activation else []
                    shape = *output, filters
                case Norm(epsilon, momentum):
                    norm = nn.BatchNorm2d(shape[2], epsilon, 1 - momentum)
                    for array in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
                        array.copy_(torch.from_numpy(next(values)))
                    made += [norm, nn.ReLU()]
                case Pool():
                    made.append(nn.MaxPool2d(2))
                    shape = shape[0] // 2, shape[1] // 2, shape[2]
                case Drop(rate):
                    made.append(nn.Dropout(rate))
                case Flat():
                    made.append(nn.Flatten())
                case Full(units, activation):
                    made.append(self.dense(next(values), next(values), shape))
                    made += [nn.ReLU()] if activation == "relu" else []  # softmax is part of the loss
                    shape = (units,)
        self.images = has_images(network)
        self.model = nn.Sequential(*made)
        if self.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=True)
        self.loss = nn.CrossEntropyLoss(label_smoothing=training.smoothing)
        self.rates = None if training.rates is None else iter(training.rates.tolist())

    def same_convolution(
        self, kernel: Array, bias: Array, strides: int, shape: tuple[int, ...], output: tuple[int, int]
    ) -> list[Any]:
        """Return a convolution, padded as Keras pads."""
        nn, size = self.torch.nn, kernel.shape[0]
        missing = [max((n - 1) * strides + size - m, 0) for n, m in zip(output, shape, strict=False)]
        (top, bottom), (left, right) = ((m // 2, m - m // 2) for m in missing)
        even = top == bottom and left == right
        layer = nn.Conv2d(kernel.shape[2], kernel.shape[3], size, strides, padding=(top, left) if even else 0)
        layer.weight.data = self.torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
        layer.bias.data = self.torch.from_numpy(bias.copy())
        pad = [] if even else [nn.ZeroPad2d((left, right, top, bottom))]
        return [*pad, layer]

    def dense(self, kernel: Array, bias: Array, shape: tuple[int, ...]) -> Any:
        """Return a dense layer for an input whose images, if it has them, are flattened channels first."""
        if len(shape) == 3:
            kernel = kernel.reshape(*shape, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
        layer = self.torch.nn.Linear(*kernel.shape)
        layer.weight.data = self.torch.from_numpy(kernel.T.copy())
        layer.bias.data = self.torch.from_numpy(bias.copy())
        return layer

    def take(self, x: Any) -> Any:
        """Return NHWC images as the network takes them: pixels of 0 to 255 become numbers here."""
        if x.dtype == self.torch.uint8:
            x = x.to(self.torch.float32).div_(255)
        if not self.images:
            return x
        x = x.permute(0, 3, 1, 2)
        return x.contiguous(memory_format=self.torch.channels_last) if self.channels_last else x.contiguous()

    def predict(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities."""
        torch, images = self.torch, self.torch.from_numpy(x)
        self.model.eval()
        with torch.inference_mode():
            outputs = [
                torch.softmax(self.model(self.take(images[i : i + batch_size])), 1)
                for i in range(0, len(x), batch_size)
            ]
            return np.asarray(torch.cat(outputs))

    def train(self, x: Array, y: Array, batch_size: int, epochs: int = 1, shuffle: bool = False) -> float:
        """Train on every image once an epoch, and return the last epoch's mean loss."""
        torch = self.torch
        images, labels = torch.from_numpy(x), torch.from_numpy(y)
        self.model.train()
        for _ in range(epochs):
            order, total = torch.randperm(len(x)) if shuffle else None, 0.0
            for i in range(0, len(x), batch_size):
                batch = slice(i, i + batch_size) if order is None else order[i : i + batch_size]
                total += self.step(self.take(images[batch]), labels[batch]) * len(labels[batch])
        return total / len(x)

    def step(self, images: Any, labels: Any) -> float:
        """Train on a batch, and return its loss."""
        if self.rates is not None:
            self.optimizer.param_groups[0]["lr"] = next(self.rates)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        return float(loss.item())


class PyTorchChannelsLast(PyTorch):
    """PyTorch with its images and kernels in the channels_last memory format."""

    channels_last = True

    @classmethod
    def does(cls, network: Network, method: str) -> bool:
        """Return whether the network has images; on others, it is the same as PyTorch."""
        return has_images(network)


class PyTorchCompiled(PyTorch):
    """PyTorch with `torch.compile`, which needs a C++ compiler and compiles for every shape of batch."""

    def __init__(self) -> None:
        if not shutil.which("c++"):
            raise ImportError("torch.compile needs a C++ compiler")
        super().__init__()

    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network, to be compiled when it is first used."""
        super().build(network, weights, training)
        self.model = self.torch.compile(self.model, dynamic=False)


def has_images(network: Network) -> bool:
    """Return whether the network begins with a convolution."""
    return any(isinstance(layer, Conv) for layer in network.layers)
