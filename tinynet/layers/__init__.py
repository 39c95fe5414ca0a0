"""The layers: one idea a file, each usable alone as well as in a model."""

from __future__ import annotations

from .activation import Activation
from .arithmetic import Add, Average, Maximum, Multiply, Subtract
from .base import Layer
from .batch_normalization import BatchNormalization
from .chain import Chain
from .concatenate import Concatenate
from .conv1d import Conv1D
from .conv2d import Conv2D
from .cropping2d import Cropping2D
from .dense import Dense
from .depthwise_conv2d import DepthwiseConv2D
from .dropout import Dropout, SpatialDropout1D, SpatialDropout2D
from .elementwise import ELU, Elementwise, Sigmoid, Tanh
from .flatten import Flatten
from .former import Convolution2D
from .global_pool2d import (
    GlobalAveragePool2D,
    GlobalAveragePooling2D,
    GlobalAvgPool2D,
    GlobalMaxPool2D,
    GlobalMaxPooling2D,
)
from .im2col import col2im, im2col
from .layer_normalization import LayerNormalization
from .merge_functions import add, average, concatenate, maximum, multiply, subtract
from .parameter import Parameter
from .permute import Permute
from .pool1d import (
    AveragePool1D,
    AveragePooling1D,
    AvgPool1D,
    GlobalAveragePool1D,
    GlobalAveragePooling1D,
    GlobalAvgPool1D,
    GlobalMaxPool1D,
    GlobalMaxPooling1D,
    MaxPool1D,
    MaxPooling1D,
)
from .pool2d import AveragePool2D, AveragePooling2D, AvgPool2D, MaxPool, MaxPool2D, MaxPooling2D
from .prelu import PReLU
from .random_transforms import RandomFlip, RandomRotation, RandomTranslation, RandomZoom
from .relu import LeakyReLU, ReLU
from .rescaling import Rescaling
from .reshape import Reshape
from .resizing import Resizing
from .separable_conv2d import SeparableConv2D
from .softmax import LogSoftmax, Softmax
from .standardization import Normalization
from .symbols import Input, InputLayer
from .up_sampling2d import UpSampling2D
from .zero_padding2d import ZeroPadding2D

__all__ = [
    "ELU", "Activation", "Add", "Average", "AveragePool1D", "AveragePool2D", "AveragePooling1D",
    "AveragePooling2D", "AvgPool1D", "AvgPool2D", "BatchNormalization", "Chain", "Concatenate", "Conv1D",
    "Conv2D", "Convolution2D", "Cropping2D", "Dense", "DepthwiseConv2D", "Dropout", "Elementwise",
    "Flatten", "GlobalAveragePool1D", "GlobalAveragePool2D", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalMaxPool1D", "GlobalMaxPool2D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "Input", "InputLayer", "Layer", "LayerNormalization",
    "LeakyReLU", "LogSoftmax", "MaxPool", "MaxPool1D", "MaxPool2D", "MaxPooling1D", "MaxPooling2D",
    "Maximum", "Multiply", "Normalization", "PReLU", "Parameter", "Permute", "RandomFlip",
    "RandomRotation", "RandomTranslation", "RandomZoom", "ReLU", "Rescaling", "Reshape", "Resizing",
    "SeparableConv2D", "Sigmoid", "Softmax", "SpatialDropout1D", "SpatialDropout2D", "Subtract", "Tanh",
    "UpSampling2D", "ZeroPadding2D", "add", "average", "col2im", "concatenate", "im2col", "maximum",
    "multiply", "subtract",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
