"""The layers: one idea a file, each usable alone as well as in a model."""

from __future__ import annotations

from .activation import Activation as Activation
from .arithmetic import Add as Add
from .arithmetic import Average as Average
from .arithmetic import Maximum as Maximum
from .arithmetic import Multiply as Multiply
from .arithmetic import Subtract as Subtract
from .base import Layer as Layer
from .batch_normalization import BatchNormalization as BatchNormalization
from .chain import Chain as Chain
from .concatenate import Concatenate as Concatenate
from .conv2d import Conv2D as Conv2D
from .cropping2d import Cropping2D as Cropping2D
from .dense import Dense as Dense
from .dropout import Dropout as Dropout
from .flatten import Flatten as Flatten
from .global_pool2d import GlobalAveragePool2D as GlobalAveragePool2D
from .global_pool2d import GlobalAveragePooling2D as GlobalAveragePooling2D
from .global_pool2d import GlobalAvgPool2D as GlobalAvgPool2D
from .global_pool2d import GlobalMaxPool2D as GlobalMaxPool2D
from .global_pool2d import GlobalMaxPooling2D as GlobalMaxPooling2D
from .im2col import col2im as col2im
from .im2col import im2col as im2col
from .layer_normalization import LayerNormalization as LayerNormalization
from .parameter import Parameter as Parameter
from .permute import Permute as Permute
from .pool2d import AveragePool2D as AveragePool2D
from .pool2d import AveragePooling2D as AveragePooling2D
from .pool2d import AvgPool2D as AvgPool2D
from .pool2d import MaxPool as MaxPool
from .pool2d import MaxPool2D as MaxPool2D
from .pool2d import MaxPooling2D as MaxPooling2D
from .relu import LeakyReLU as LeakyReLU
from .relu import ReLU as ReLU
from .rescaling import Rescaling as Rescaling
from .reshape import Reshape as Reshape
from .sigmoid import Sigmoid as Sigmoid
from .softmax import Softmax as Softmax
from .standardization import Normalization as Normalization
from .symbols import Input as Input
from .symbols import InputLayer as InputLayer
from .tanh import Tanh as Tanh
from .up_sampling2d import UpSampling2D as UpSampling2D
from .zero_padding2d import ZeroPadding2D as ZeroPadding2D
