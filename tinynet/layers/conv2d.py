"""The convolution layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .. import initializers, kernels
from ..constraints import Constraint
from ..regularizers import L1L2
from .activation import get as get_activation
from .base import Array
from .geometry import Shape
from .im2col import col2im, im2col
from .parameter import bias_of
from .restraints import check_restraints, restraints
from .softmax import LogSoftmax, Softmax
from .winograd import WinogradConvolution

METHODS = ("auto", "direct", "winograd", "im2col")


@dataclass(eq=False, repr=False)
class Conv2D(WinogradConvolution, only_kernels=True):
    """y[n, oy, ox, f] = activation(bias[f] + sum of a window of x times kernel[:, :, :, f]).

    The images are (N, height, width, channels), the kernel (height, width, channels, filters), and the
    kernel is not flipped. LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998).

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, or one integer for both.
        strides: steps of the window, or one integer for both; default 1.
        padding: "valid" (default: windows lie inside the image), or "same" (zeros around the image, so
            that the output's size is the input's divided by the stride, rounded up).
        data_format: "channels_last" (default), or "channels_first": images are (N, channels, height,
            width), and are laid out anew before and after, which takes time.
        dilation_rate: steps between the pixels of a window, or one integer for both; default 1. Yu and
            Koltun, "Multi-Scale Context Aggregation by Dilated Convolutions" (2016).
        groups: into how many groups channels and filters are cut, each filter seeing its group's channels
            only, so that the kernel is (height, width, channels / groups, filters); default 1.
        activation: a name ("relu", "tanh", ...), a function of `tinynet.activations`, an activation layer,
            or None for none.
        use_bias: whether to add a bias; default True.
        kernel_initializer: the kernel's first values; default "glorot_uniform".
        bias_initializer: the bias's first values; default "zeros".
        kernel_regularizer, bias_regularizer: penalties on the weights, which a model adds to its
            loss, such as "l2" or `regularizers.L2(0.001)`; default None.
        activity_regularizer: None: penalties on outputs are not there.
        kernel_constraint, bias_constraint: what the weights must fulfil after each training
            step, such as "non_neg" or `constraints.MaxNorm(3)`; default None.
        method: how to compute it, with the same results to rounding: "auto" (default), the faster one of
            next two for the layer's shapes; "direct", all products; "winograd", of 3x3 windows without
            strides, dilation and groups, 16 products in the place of 36 (Lavin and Gray, "Fast Algorithms
            for Convolutional Neural Networks", 2016); or "im2col", which lays all windows out as the rows of
            a matrix and multiplies: slower, and easier to follow; without dilation and groups.

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = Conv2D(32, 3, padding="same", activation="relu")
        >>> layer.build((28, 28, 1))
        (28, 28, 32)
        >>> layer.forward(np.zeros((5, 28, 28, 1))).shape
        (5, 28, 28, 32)
    """

    filters: int
    kernel_size: int | Sequence[int]
    strides: int | Sequence[int] = 1
    padding: str = "valid"
    data_format: str | None = None
    dilation_rate: int | Sequence[int] = 1
    groups: int = 1
    activation: Any = None
    use_bias: bool = True
    kernel_initializer: str | initializers.Initializer = "glorot_uniform"
    bias_initializer: str | initializers.Initializer = "zeros"
    kernel_regularizer: str | Mapping[str, Any] | L1L2 | None = None
    bias_regularizer: str | Mapping[str, Any] | L1L2 | None = None
    activity_regularizer: None = None
    kernel_constraint: str | Mapping[str, Any] | Constraint | None = None
    bias_constraint: str | Mapping[str, Any] | Constraint | None = None
    method: str = "auto"
    either_format: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not isinstance(self.filters, int | np.integer) or self.filters < 1:
            raise ValueError(f"{name}: filters must be a positive integer; got {self.filters!r}.")
        self.check_windows()
        if max(self.steps) > 1 and max(self.dilation) > 1:
            raise ValueError(
                f"{name}: strides and dilation_rate cannot both be above 1, as in Keras; got "
                f"{self.strides!r} and {self.dilation_rate!r}."
            )
        if not isinstance(self.groups, int | np.integer) or self.groups < 1 or self.filters % self.groups:
            raise ValueError(
                f"{name}: groups must be a positive integer that divides filters, {self.filters}; got "
                f"{self.groups!r}."
            )
        if self.method == "gather":  # what the default was called when there was one fast method
            self.method = "auto"
        if self.method not in METHODS:
            raise ValueError(f"{name}: method must be one of {METHODS}; got {self.method!r}.")
        if self.method == "winograd" and not self.can_use_winograd:
            raise ValueError(
                f"{name}: method='winograd' needs a kernel_size of (3, 3), and strides, dilation_rate and "
                "groups of 1; use 'auto', which takes it where it can."
            )
        special = self.groups > 1 or max(self.dilation) > 1 or self.padding == "causal"
        if self.method == "im2col" and special:
            raise ValueError(
                f"{name}: method='im2col' has no dilation_rate, groups and 'causal'; use 'auto'."
            )
        activation = get_activation(self.activation)  # raises if it is none
        if self.channels_first and isinstance(activation, Softmax | LogSoftmax):
            raise ValueError(
                f"{name}: with data_format='channels_first', activation must be a function of each number; "
                f"got {self.activation!r}. Put Permute and Softmax after the layer."
            )
        check_restraints(self)
        self.initialize_kernel = initializers.get(self.kernel_initializer)
        self.initialize_bias = initializers.get(self.bias_initializer)

    @property
    def only_kernels(self) -> bool:
        """Whether only kernels are called: not by the textbook way."""
        return super().only_kernels and self.method != "im2col"

    def get_config(self) -> dict[str, Any]:
        """Return what makes such a layer; `method`, which Keras does not have, only where one was chosen."""
        config = super().get_config()
        if self.method == "auto":
            del config["method"]
        return config

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Make kernel (KH, KW, channels / groups, filters) and bias (filters,); see `Layer.declare`."""
        self.place(self.shape_inside(input_shape))
        self.uses_winograd = self.choose_winograd()
        channels = self.image[2]
        if channels % self.groups:
            raise ValueError(f"{self.title}: groups {self.groups} must divide the {channels} channels.")
        shape = (*self.window[-self.axes :], channels // self.groups, self.filters)
        self.kernel = self.add_parameter(
            "kernel", shape, self.initialize_kernel, random, **restraints(self, "kernel")
        )
        if self.use_bias:
            self.bias = self.add_parameter(
                "bias", (self.filters,), self.initialize_bias, random, **restraints(self, "bias")
            )
        result = self.build_activation(self.result(self.filters)[-1 - self.axes :])
        return self.shape_outside(result)

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Compute the convolution and its activation; see `Layer.forward`."""
        x = self.inside(self.check_input(x))
        x = x.reshape(len(x), *self.image)
        y = self.empty("y", (len(x), *self.result(self.filters)), training)
        bias = bias_of(self)
        if self.method == "im2col":
            columns = im2col(x, self.window, self.steps, self.padding)
            kernel = self.kernel.value.reshape(-1, self.filters)
            kernels.gather_gemm.dense(columns, kernel, bias, y.reshape(-1, self.filters), self.fuses_relu)
            remembered = x
        elif self.uses_winograd:
            self.winograd_forward(x, y, None, self.fuses_relu, training)
            remembered = x
        else:
            remembered, kernel = self.padded(x, training), self.weights_of(self.kernel.value)
            kernels.gather_gemm.convolution(
                remembered, kernel, bias, y, *self.steps, self.fuses_relu, *self.dilation
            )
        if training:
            self.x = remembered
        return self.outside(self.activate(y.reshape(len(y), *y.shape[-1 - self.axes :]), training))

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients with respect to kernel, bias and input; see `Layer.backward`."""
        x, dy = self.check_upstream(self.x, dy)
        dy = self.inside(dy)
        above, before, height, width = self.gradient_padding()
        gradient = self.empty("dy", (len(dy), height, width, self.filters))
        bias_gradient = bias_of(self, "grad")
        self.result_gradient(dy, self.result(self.filters), gradient, above, before, bias_gradient)
        return self.backward_result(x, gradient)

    def backward_result(self, x: Array, gradient: Array) -> Array:
        """Compute the gradients with respect to kernel and input, from that of the kernel's result.

        Args:
            x: what `forward` remembered.
            gradient: padded as `gradient_padding` says.
        """
        above, before, *_ = self.gradient_padding()
        if self.method == "im2col":
            return self.backward_im2col(x, gradient)
        if self.uses_winograd:
            return self.backward_winograd(x, gradient)
        kernels.gather_gemm.convolution_kernel_gradient(
            x, gradient, self.weights_of(self.kernel.grad), *self.steps, above, before, False, *self.dilation
        )
        return self.input_gradient(gradient) if self.needs_input_gradient else np.empty(0, self.dtype)

    def backward_in_parts(
        self, x: Array, parts: Sequence[slice], gradient_of: Callable[[slice], Array]
    ) -> Array:
        """Do what `backward_result` does by direct products, a few samples at a time.

        Args:
            x: what `forward` remembered.
            parts: the samples, in order.
            gradient_of: returns the gradient of the kernel's result for some samples, padded as
                `gradient_padding` says, which is used up before the next is asked for.
        """
        above, before, *_ = self.gradient_padding()
        around, dkernel = self.windows, self.weights_of(self.kernel.grad)
        kernel = self.exchanged_kernel() if self.needs_input_gradient else dkernel
        dx = self.empty("dx", (len(x), *self.image) if self.needs_input_gradient else (0,))
        for part in parts:
            gradient = gradient_of(part)
            kernels.gather_gemm.convolution_kernel_gradient(
                x[part], gradient, dkernel, *self.steps, above, before, part.start > 0, *self.dilation
            )
            if self.needs_input_gradient:
                kernels.gather_gemm.convolution_input_gradient(
                    gradient, kernel, dx[part], *self.steps, around.top, around.left, *self.dilation
                )
        return dx

    def padded(self, x: Array, training: bool) -> Array:
        """Return x with the zeros that the windows need around it."""
        shape = self.padded_shape(x)
        if shape == x.shape:
            return x
        padded = self.empty("padded", shape, training)
        kernels.elementwise.pad(x, padded, self.windows.top, self.windows.left)
        return padded

    def gradient_padding(self) -> tuple[int, int, int, int]:
        """Return how the input's gradient needs dy padded: rows above, columns before, and the size."""
        if self.method == "im2col" or self.uses_winograd or not self.needs_input_gradient:
            return 0, 0, self.windows.height, self.windows.width
        above, before = (
            (size - 1) * gap // step
            for size, gap, step in zip(self.window, self.dilation, self.steps, strict=True)
        )
        last_y = (self.image[0] - 1 + self.windows.top) // self.steps[0]
        last_x = (self.image[1] - 1 + self.windows.left) // self.steps[1]
        height, width = max(self.windows.height, last_y + 1), max(self.windows.width, last_x + 1)
        return above, before, above + height, before + width

    def input_gradient(self, gradient: Array) -> Array:
        """Return dx: a convolution of the padded dy with the kernel, its last two axes exchanged."""
        dx = self.empty("dx", (len(gradient), *self.image))
        kernels.gather_gemm.convolution_input_gradient(
            gradient,
            self.exchanged_kernel(),
            dx,
            *self.steps,
            self.windows.top,
            self.windows.left,
            *self.dilation,
        )
        return self.outside(dx.reshape(len(dx), *self.image[-1 - self.axes :]))

    def backward_winograd(self, x: Array, dy: Array) -> Array:
        """Return dx, and set the kernel's gradient, by Winograd's algorithm."""
        dx = self.empty("dx", (len(dy), *self.image) if self.needs_input_gradient else (0, 0, 0, 0))
        self.winograd_backward(x, dy, None, np.empty(0, self.dtype), dx)
        return self.outside(dx) if self.needs_input_gradient else np.empty(0, self.dtype)

    def backward_im2col(self, x: Array, dy: Array) -> Array:
        """Return dx, and set the kernel's gradient, as a matrix product would compute them."""
        columns = im2col(x, self.window, self.steps, self.padding)
        rows = dy.reshape(-1, self.filters)
        kernels.gather_gemm.dense_kernel_gradient(columns, rows, self.kernel.grad.reshape(-1, self.filters))
        if not self.needs_input_gradient:
            return np.empty(0, self.dtype)
        kernel = self.kernel.value.reshape(-1, self.filters)
        dy_columns, dx_columns = np.empty_like(rows.T, order="C"), np.empty_like(columns.T, order="C")
        kernels.gather_gemm.dense_input_gradient(rows, kernel, columns, dy_columns, dx_columns)
        dx = col2im(columns, x.shape, self.window, self.steps, self.padding)
        return self.outside(dx.reshape(len(dx), *self.image[-1 - self.axes :]))
