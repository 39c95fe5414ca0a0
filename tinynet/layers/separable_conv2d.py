"""The separable convolution: over each channel alone, then over the channels of each pixel."""

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
from .depthwise_conv2d import Depthwise
from .geometry import Shape
from .parameter import bias_of
from .restraints import check_restraints, restraints


@dataclass(eq=False, repr=False)
class SeparableConv2D(Depthwise, only_kernels=True):
    """A depthwise convolution, and then a convolution of single pixels, with a bias and an activation.

    The kernels are (height, width, channels, depth_multiplier) and (1, 1, channels * depth_multiplier,
    filters). Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions" (CVPR 2017).

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, or one integer for both.
        strides: steps of the window, or one integer for both; default 1.
        padding: "valid" (default) or "same", as for `Conv2D`.
        data_format: None or "channels_last".
        dilation_rate: steps between the pixels of a window, or one integer for both; default 1.
        depth_multiplier: how many outputs of the depthwise convolution each channel has; default 1.
        activation: a name ("relu", "tanh", ...), an activation layer, or None for none.
        use_bias: whether to add a bias; default True.
        depthwise_initializer, pointwise_initializer: the kernels' first values; default "glorot_uniform".
        bias_initializer: the bias's first values; default "zeros".
        depthwise_regularizer, pointwise_regularizer, bias_regularizer: penalties on the weights, which
            a model adds to its loss, such as "l2" or `regularizers.L2(0.001)`; default None.
        activity_regularizer: None: penalties on outputs are not there.
        depthwise_constraint, pointwise_constraint, bias_constraint: what the weights must fulfil after
            each training step, such as "non_neg" or `constraints.MaxNorm(3)`; default None.

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = SeparableConv2D(8, 3, padding="same")
        >>> layer.build((28, 28, 3))
        (28, 28, 8)
        >>> layer.depthwise_kernel.value.shape, layer.pointwise_kernel.value.shape
        ((3, 3, 3, 1), (1, 1, 3, 8))
    """

    filters: int
    kernel_size: int | Sequence[int]
    strides: int | Sequence[int] = 1
    padding: str = "valid"
    data_format: str | None = None
    dilation_rate: int | Sequence[int] = 1
    depth_multiplier: int = 1
    activation: str | Layer | None = None
    use_bias: bool = True
    depthwise_initializer: str | initializers.Initializer = "glorot_uniform"
    pointwise_initializer: str | initializers.Initializer = "glorot_uniform"
    bias_initializer: str | initializers.Initializer = "zeros"
    depthwise_regularizer: str | Mapping[str, Any] | L1L2 | None = None
    pointwise_regularizer: str | Mapping[str, Any] | L1L2 | None = None
    bias_regularizer: str | Mapping[str, Any] | L1L2 | None = None
    activity_regularizer: None = None
    depthwise_constraint: str | Mapping[str, Any] | Constraint | None = None
    pointwise_constraint: str | Mapping[str, Any] | Constraint | None = None
    bias_constraint: str | Mapping[str, Any] | Constraint | None = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not isinstance(self.filters, int | np.integer) or self.filters < 1:
            raise ValueError(f"{name}: filters must be a positive integer; got {self.filters!r}.")
        self.check_windows()
        self.check_multiplier()
        get_activation(self.activation)  # raises if it is none
        check_restraints(self)
        self.initialize_depthwise = initializers.get(self.depthwise_initializer)
        self.initialize_pointwise = initializers.get(self.pointwise_initializer)
        self.initialize_bias = initializers.get(self.bias_initializer)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Make the two kernels and the bias (filters,); see `Layer.declare`."""
        self.middle: Array  # what `forward` remembers
        self.place(input_shape)
        window, ones = self.window[-self.axes :], [1] * self.axes
        self.depthwise_kernel = self.add_parameter(
            "depthwise_kernel",
            (*window, self.image[2], self.depth_multiplier),
            self.initialize_depthwise,
            random,
            **restraints(self, "depthwise"),
        )
        self.pointwise_kernel = self.add_parameter(
            "pointwise_kernel",
            (*ones, self.depth, self.filters),
            self.initialize_pointwise,
            random,
            **restraints(self, "pointwise"),
        )
        if self.use_bias:
            self.bias = self.add_parameter(
                "bias", (self.filters,), self.initialize_bias, random, **restraints(self, "bias")
            )
        return self.build_activation(self.result(self.filters)[-1 - self.axes :])

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Compute both convolutions and the activation; see `Layer.forward`."""
        x = self.check_input(x)
        nothing = np.empty(0, self.dtype)
        middle = self.convolve(x, self.depthwise_kernel.value, nothing, False, training)
        y = self.empty("y", (len(x), *self.result(self.filters)), training)
        kernels.gather_gemm.dense(
            middle.reshape(-1, self.depth),
            self.pointwise_kernel.value.reshape(self.depth, self.filters),
            bias_of(self),
            y.reshape(-1, self.filters),
            self.fuses_relu,
        )
        if training:
            self.remember(middle=middle)
        return self.activate(y.reshape(len(y), *y.shape[-1 - self.axes :]), training)

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients with respect to both kernels, bias and input; see `Layer.backward`."""
        x, dy = self.check_upstream(self.x, dy)
        result = self.result(self.filters)
        gradient = self.empty("dy", (len(dy), *result))
        bias_gradient = bias_of(self, "grad")
        self.result_gradient(dy, result, gradient, 0, 0, bias_gradient)
        rows, shape = gradient.reshape(-1, self.filters), (self.depth, self.filters)
        kernels.gather_gemm.dense_kernel_gradient(
            self.middle.reshape(-1, self.depth), rows, self.pointwise_kernel.grad.reshape(shape)
        )
        dmiddle = self.empty("depthwise gradient", self.middle.shape)
        kernels.gather_gemm.dense_input_gradient(
            rows,
            self.pointwise_kernel.value.reshape(shape),
            dmiddle.reshape(-1, self.depth),
            self.empty("dy columns", (self.filters, len(rows))),
            self.empty("middle columns", (self.depth, len(rows))),
        )
        return self.convolve_gradient(x, self.depthwise_kernel.value, self.depthwise_kernel.grad, dmiddle)
