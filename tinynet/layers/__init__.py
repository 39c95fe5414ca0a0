"""The layers: one idea a file, each usable alone as well as in a model."""

from __future__ import annotations

from .base import Layer, Parameter
from .conv2d import Conv2D
from .dense import Dense
from .dropout import Dropout
from .flatten import Flatten
from .im2col import col2im, im2col
from .pool2d import AveragePool2D, GlobalAveragePool2D, MaxPool, MaxPool2D
from .relu import LeakyReLU, ReLU
from .sigmoid import Sigmoid
from .softmax import Softmax
from .tanh import Tanh

__all__ = [
    "AveragePool2D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePool2D",
    "Layer",
    "LeakyReLU",
    "MaxPool",
    "MaxPool2D",
    "Parameter",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "col2im",
    "im2col",
]
