"""The depthwise convolution: every channel has kernels of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import initializers, kernels
from ..constraints import Constraint
from ..regularizers import L1L2
from .activation import get as get_activation
from .base import Array, Layer
from .convolution import Convolution
from .geometry import Shape
from .parameter import bias_of
from .restraints import check_restraints, restraints


class Depthwise(Convolution):
    """The base of convolutions that go over each channel alone, with `depth_multiplier` kernels each."""

    depth_multiplier: int

    def check_multiplier(self) -> None:
        """Raise if depth_multiplier is none."""
        if not isinstance(self.depth_multiplier, int | np.integer) or self.depth_multiplier < 1:
            raise ValueError(
                f"{type(self).__name__}: depth_multiplier must be a positive integer; got "
                f"{self.depth_multiplier!r}."
            )

    def place(self, input_shape: Shape) -> None:
        """Place the windows, and say where the channels go: each of them is repeated for its kernels."""
        super().place(input_shape)
        height, width, channels = self.image
        self.depth = channels * self.depth_multiplier
        self.together = channels if self.depth_multiplier == 1 else 1  # numbers that stay side by side
        self.pixels = height * width * channels // self.together
        numbers = np.arange(self.pixels).reshape(height, width, -1)
        _, padded_height, padded_width, _ = self.padded_shape(np.empty((0, *self.image)))
        places = np.full((padded_height, padded_width, numbers.shape[2]), -1)
        places[self.windows.top :, self.windows.left :][:height, :width] = numbers
        self.spread_shape = (padded_height, padded_width, self.depth)
        self.places = places.repeat(self.depth_multiplier, 2).reshape(-1).astype(np.int64)

    def weights_of(self, kernel: Array) -> Array:
        """Return the kernel (..., channels, depth_multiplier), or its gradient, as (KH, KW, depth)."""
        return kernel.reshape(*self.window, self.depth)

    def convolve(self, x: Array, kernel: Array, bias: Array, relu: bool, training: bool) -> Array:
        """Return the convolution of x (N, H, W, C), (N, OH, OW, depth), and remember its input."""
        spread = self.empty("spread", (len(x), *self.spread_shape), training)
        kernels.moving.take(
            x.reshape(len(x), self.pixels, self.together),
            self.places,
            spread.reshape(len(x), len(self.places), self.together),
        )
        y = self.empty("depthwise", (len(x), *self.result(self.depth)), training)
        kernels.depthwise.convolve(
            spread, self.weights_of(kernel), bias, y, *self.steps, *self.dilation, relu
        )
        if training:
            self.x = spread
        return y

    def convolve_gradient(self, x: Array, kernel: Array, kernel_gradient: Array, dy: Array) -> Array:
        """Write the kernel's gradient, and return the input's: (N, *input_shape), or empty if not needed."""
        steps = (*self.steps, *self.dilation)
        kernels.depthwise.weights_gradient(x, dy, self.weights_of(kernel_gradient), *steps)
        if not self.needs_input_gradient:
            return np.empty(0, self.dtype)
        spread = self.empty("spread gradient", x.shape)
        kernels.depthwise.input_gradient(dy, self.weights_of(kernel), spread, *steps)
        assert self.input_shape is not None
        dx = self.empty("dx", (len(dy), *self.input_shape))
        kernels.moving.give_back(
            spread.reshape(len(dy), len(self.places), self.together),
            self.places,
            dx.reshape(len(dy), self.pixels, self.together),
        )
        return dx


@dataclass(eq=False, repr=False)
class DepthwiseConv2D(Depthwise, only_kernels=True):
    """A convolution of each channel alone: y[..., c * depth_multiplier + m] comes from x[..., c] only.

    The kernel is (height, width, channels, depth_multiplier). Chollet, "Xception: Deep Learning with
    Depthwise Separable Convolutions" (CVPR 2017).

    Args:
        kernel_size: height and width of the window, or one integer for both.
        strides: steps of the window, or one integer for both; default 1.
        padding: "valid" (default) or "same", as for `Conv2D`.
        depth_multiplier: how many outputs each channel has; default 1.
        data_format: None or "channels_last".
        dilation_rate: steps between the pixels of a window, or one integer for both; default 1.
        activation: a name ("relu", "tanh", ...), an activation layer, or None for none.
        use_bias: whether to add a bias; default True.
        depthwise_initializer: the kernel's first values; default "glorot_uniform".
        bias_initializer: the bias's first values; default "zeros".
        depthwise_regularizer, bias_regularizer: penalties on the weights, which a model adds to its
            loss, such as "l2" or `regularizers.L2(0.001)`; default None.
        activity_regularizer: None: penalties on outputs are not there.
        depthwise_constraint, bias_constraint: what the weights must fulfil after each training
            step, such as "non_neg" or `constraints.MaxNorm(3)`; default None.

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = DepthwiseConv2D(3, depth_multiplier=2)
        >>> layer.build((28, 28, 3))
        (26, 26, 6)
        >>> layer.kernel.value.shape
        (3, 3, 3, 2)
    """

    kernel_size: int | Sequence[int]
    strides: int | Sequence[int] = 1
    padding: str = "valid"
    depth_multiplier: int = 1
    data_format: str | None = None
    dilation_rate: int | Sequence[int] = 1
    activation: str | Layer | None = None
    use_bias: bool = True
    depthwise_initializer: str | initializers.Initializer = "glorot_uniform"
    bias_initializer: str | initializers.Initializer = "zeros"
    depthwise_regularizer: str | Mapping[str, Any] | L1L2 | None = None
    bias_regularizer: str | Mapping[str, Any] | L1L2 | None = None
    activity_regularizer: None = None
    depthwise_constraint: str | Mapping[str, Any] | Constraint | None = None
    bias_constraint: str | Mapping[str, Any] | Constraint | None = None

    def __post_init__(self) -> None:
        self.check_windows()
        self.check_multiplier()
        get_activation(self.activation)  # raises if it is none
        check_restraints(self)
        self.initialize_kernel = initializers.get(self.depthwise_initializer)
        self.initialize_bias = initializers.get(self.bias_initializer)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Make the kernel (KH, KW, channels, depth_multiplier) and the bias; see `Layer.declare`."""
        self.place(input_shape)
        shape = (*self.window[-self.axes :], self.image[2], self.depth_multiplier)
        self.kernel = self.add_parameter(
            "kernel", shape, self.initialize_kernel, random, **restraints(self, "depthwise")
        )
        if self.use_bias:
            self.bias = self.add_parameter(
                "bias", (self.depth,), self.initialize_bias, random, **restraints(self, "bias")
            )
        return self.build_activation(self.result(self.depth)[-1 - self.axes :])

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Compute the convolution and its activation; see `Layer.forward`."""
        x = self.check_input(x)
        bias = bias_of(self)
        y = self.convolve(x, self.kernel.value, bias, self.fuses_relu, training)
        return self.activate(y.reshape(len(y), *y.shape[-1 - self.axes :]), training)

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients with respect to kernel, bias and input; see `Layer.backward`."""
        x, dy = self.check_upstream(self.x, dy)
        result = self.result(self.depth)
        gradient = self.empty("dy", (len(dy), *result))
        bias_gradient = bias_of(self, "grad")
        self.result_gradient(dy, result, gradient, 0, 0, bias_gradient)
        return self.convolve_gradient(x, self.kernel.value, self.kernel.grad, gradient)
