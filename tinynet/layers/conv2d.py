"""The convolution layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import initializers, kernels
from .activation import ActivatedLayer
from .activation import get as get_activation
from .base import Array
from .geometry import Shape, image_shape, place_windows, positive_pair
from .im2col import col2im, im2col

METHODS = ("gather", "im2col")


@dataclass(eq=False, repr=False)
class Conv2D(ActivatedLayer, only_kernels=True):
    """y[n, oy, ox, f] = activation(bias[f] + sum of a window of x times kernel[:, :, :, f]).

    The images are (N, height, width, channels), the kernel (height, width, channels, filters), and the
    kernel is not flipped. LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998).

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, or one integer for both.
        strides: steps of the window, or one integer for both; default 1.
        padding: "valid" (default: windows lie inside the image), or "same" (zeros around the image, so
            that the output's size is the input's divided by the stride, rounded up).
        activation: a name ("relu", "tanh", ...), a function of `tinynet.activations`, an activation layer,
            or None for none.
        use_bias: whether to add a bias; default True.
        kernel_initializer: the kernel's first values; default "glorot_uniform".
        bias_initializer: the bias's first values; default "zeros".
        method: "gather" (default, fast), or "im2col", which lays all windows out as the rows of a matrix
            and multiplies: the same results, slower, and easier to follow.

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
    activation: Any = None
    use_bias: bool = True
    kernel_initializer: str | initializers.Initializer = "glorot_uniform"
    bias_initializer: str | initializers.Initializer = "zeros"
    method: str = "gather"

    def __post_init__(self) -> None:
        if not isinstance(self.filters, int | np.integer) or self.filters < 1:
            raise ValueError(f"Conv2D: filters must be a positive integer; got {self.filters!r}.")
        self.window = positive_pair("Conv2D", "kernel_size", self.kernel_size)
        self.steps = positive_pair("Conv2D", "strides", self.strides)
        if self.padding not in ("valid", "same"):
            raise ValueError(f"Conv2D: padding must be 'valid' or 'same'; got {self.padding!r}.")
        if self.method not in METHODS:
            raise ValueError(f"Conv2D: method must be one of {METHODS}; got {self.method!r}.")
        get_activation(self.activation)  # raises if it is none
        self.initialize_kernel = initializers.get(self.kernel_initializer)
        self.initialize_bias = initializers.get(self.bias_initializer)

    @property
    def only_kernels(self) -> bool:
        """Whether only kernels are called: not by the textbook way."""
        return super().only_kernels and self.method == "gather"

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Make the kernel (KH, KW, channels, filters) and the bias (filters,); see `Layer.declare`."""
        _, _, channels = image_shape(self.title, input_shape)
        self.windows = place_windows(self.title, input_shape, self.window, self.steps, self.padding)
        shape = (*self.window, channels, self.filters)
        self.kernel = self.add_parameter("kernel", shape, self.initialize_kernel, random)
        if self.use_bias:
            self.bias = self.add_parameter("bias", (self.filters,), self.initialize_bias, random)
        return self.build_activation((self.windows.height, self.windows.width, self.filters))

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Compute the convolution and its activation; see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", (len(x), self.windows.height, self.windows.width, self.filters), training)
        bias = self.bias.value if self.use_bias else np.empty(0, self.dtype)
        if self.method == "im2col":
            columns = im2col(x, self.window, self.steps, self.padding)
            kernel = self.kernel.value.reshape(-1, self.filters)
            kernels.gather_gemm.dense(columns, kernel, bias, y.reshape(-1, self.filters), self.fuses_relu)
            remembered = x
        else:
            remembered = self.padded(x, training)
            kernels.gather_gemm.convolution(
                remembered, self.kernel.value, bias, y, *self.steps, self.fuses_relu
            )
        if training:
            self.x = remembered
        return self.activate(y, training)

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients with respect to kernel, bias and input; see `Layer.backward`."""
        x, dy = self.check_upstream(self.x, dy)
        gather = self.method == "gather" and self.needs_input_gradient
        above, before, height, width = self.gradient_padding() if gather else (0, 0, *dy.shape[1:3])
        gradient = self.empty("dy", (len(dy), height, width, self.filters))
        bias_gradient = self.bias.grad if self.use_bias else np.empty(0, self.dtype)
        self.result_gradient(dy, dy.shape[1:], gradient, above, before, bias_gradient)
        if self.method == "im2col":
            return self.backward_im2col(x, gradient)
        kernels.gather_gemm.convolution_kernel_gradient(
            x, gradient, self.kernel.grad, *self.steps, above, before
        )
        return self.input_gradient(gradient) if self.needs_input_gradient else np.empty(0, self.dtype)

    def padded(self, x: Array, training: bool) -> Array:
        """Return x with the zeros that the windows need around it."""
        _, height, width, channels = x.shape
        around = self.windows
        bottom, right = max(around.bottom, 0), max(around.right, 0)
        if not (around.top or around.left or bottom or right):
            return x
        shape = (len(x), around.top + height + bottom, around.left + width + right, channels)
        padded = self.empty("padded", shape, training)
        kernels.elementwise.pad(x, padded, around.top, around.left)
        return padded

    def gradient_padding(self) -> tuple[int, int, int, int]:
        """Return how the input's gradient needs dy padded: rows above, columns before, and the size."""
        assert self.input_shape is not None
        (kernel_height, kernel_width), (stride_y, stride_x) = self.window, self.steps
        above, before = (kernel_height - 1) // stride_y, (kernel_width - 1) // stride_x
        last_y = (self.input_shape[0] - 1 + self.windows.top) // stride_y
        last_x = (self.input_shape[1] - 1 + self.windows.left) // stride_x
        height, width = max(self.windows.height, last_y + 1), max(self.windows.width, last_x + 1)
        return above, before, above + height, before + width

    def exchanged_kernel(self) -> Array:
        """Return the kernel with its last two axes exchanged, as the input's gradient needs it."""
        height, width, channels, filters = self.kernel.value.shape
        kernel = self.empty("exchanged kernel", (height, width, filters, channels))
        kernels.elementwise.exchange(
            self.kernel.value.reshape(-1, channels, filters), kernel.reshape(-1, filters, channels)
        )
        return kernel

    def input_gradient(self, gradient: Array) -> Array:
        """Return dx: a convolution of the padded dy with the kernel, its last two axes exchanged."""
        assert self.input_shape is not None
        dx = self.empty("dx", (len(gradient), *self.input_shape))
        kernels.gather_gemm.convolution_input_gradient(
            gradient, self.exchanged_kernel(), dx, *self.steps, self.windows.top, self.windows.left
        )
        return dx

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
        return col2im(columns, x.shape, self.window, self.steps, self.padding)
