"""The fully connected layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import initializers, kernels
from ..constraints import Constraint
from ..execution.recording import each
from ..regularizers import L1L2
from .activation import ActivatedLayer
from .activation import get as get_activation
from .base import Array
from .geometry import Shape
from .parameter import Parameter, bias_of
from .restraints import check_restraints, restraints

PART_PRODUCTS = 2**17  # of a single sample: then it pays that another thread takes a part of them


@dataclass(eq=False, repr=False)
class Dense(ActivatedLayer, only_kernels=True):
    """y = activation(x @ kernel + bias).

    Of inputs of several axes, such as (N, steps, features), the last one is what the kernel multiplies.

    Args:
        units: size of the output.
        activation: a name ("relu", "softmax", ...), a function of `tinynet.activations`, an activation layer,
            or None for none.
        use_bias: whether to add a bias; default True.
        kernel_initializer: the kernel's first values; default "glorot_uniform".
        bias_initializer: the bias's first values; default "zeros".
        kernel_regularizer, bias_regularizer: penalties on the weights, which a model adds to its
            loss, such as "l2" or `regularizers.L2(0.001)`; default None.
        activity_regularizer: None: penalties on outputs are not there.
        kernel_constraint, bias_constraint: what the weights must fulfil after each training
            step, such as "non_neg" or `constraints.MaxNorm(3)`; default None.

    Raises:
        ValueError: units is not a positive integer, or a name is unknown.

    Example:
        >>> layer = Dense(2)
        >>> layer.build(3)
        (2,)
        >>> layer.kernel.value[:] = [[1, 4], [2, 5], [3, 6]]
        >>> layer.forward([[1.0, 1.0, 1.0]])
        array([[ 6., 15.]], dtype=float32)
    """

    units: int
    activation: Any = None
    use_bias: bool = True
    kernel_initializer: str | initializers.Initializer = "glorot_uniform"
    bias_initializer: str | initializers.Initializer = "zeros"
    kernel_regularizer: str | Mapping[str, Any] | L1L2 | None = None
    bias_regularizer: str | Mapping[str, Any] | L1L2 | None = None
    activity_regularizer: None = None
    kernel_constraint: str | Mapping[str, Any] | Constraint | None = None
    bias_constraint: str | Mapping[str, Any] | Constraint | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.units, int | np.integer) or self.units < 1:
            raise ValueError(f"Dense: units must be a positive integer; got {self.units!r}.")
        get_activation(self.activation)  # raises if it is none
        check_restraints(self)
        self.initialize_kernel = initializers.get(self.kernel_initializer)
        self.initialize_bias = initializers.get(self.bias_initializer)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Make the kernel (features, units) and the bias (units,); see `Layer.declare`."""
        if not input_shape:
            raise ValueError(f"{self.title}: expected input_shape (..., features); got {input_shape}.")
        *places, features = input_shape
        self.rows = math.prod(places)  # of each sample
        shape = (features, self.units)
        self.kernel = self.add_parameter(
            "kernel", shape, self.initialize_kernel, random, **restraints(self, "kernel")
        )
        if self.use_bias:
            self.bias = self.add_parameter(
                "bias", (self.units,), self.initialize_bias, random, **restraints(self, "bias")
            )
        return self.build_activation((*places, self.units))

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Compute activation(x @ kernel + bias); see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", (*x.shape[:-1], self.units), training)
        bias = bias_of(self)
        rows = x.reshape(-1, x.shape[-1])
        outputs, parts = y.reshape(-1, self.units), [slice(0, self.units)]
        if len(rows) == 1 and not training:
            parts = self.parts_of_columns()

        def part(number: int) -> None:
            kernels.gather_gemm.dense(rows, self.kernel.value, bias, outputs, self.fuses_relu, parts[number])

        each(part, len(parts))
        if training:
            self.x = x
        return self.activate(y, training)

    def parts_of_columns(self) -> list[slice]:
        """Cut the units into parts of PART_PRODUCTS each or more, of what the micro-kernel takes at once."""
        at_once = kernels.register_tile.MANY_VECTORS * kernels.cpu.VECTOR_BYTES // self.dtype.itemsize
        size = at_once * max(math.ceil(PART_PRODUCTS / max(len(self.kernel.value) * at_once, 1)), 1)
        return [slice(begin, min(begin + size, self.units)) for begin in range(0, self.units, size)]

    def backward(self, dy: ArrayLike) -> Array:
        """Compute dkernel = xᵀ @ dy, dbias = the sum of dy, and dx = dy @ kernelᵀ; see `Layer.backward`."""
        x, dy = self.check_upstream(self.x, dy)
        gradient = self.empty("dy", dy.shape)
        bias_gradient = bias_of(self, "grad")
        image = (1, self.rows, self.units)
        self.result_gradient(dy, image, gradient.reshape(len(dy), *image), 0, 0, bias_gradient)
        self.dy = gradient
        if not self.defers:
            self.batch_gradient(x, gradient, slice(0, len(self.kernel.grad)), self.kernel.grad, False)
        if not self.needs_input_gradient:
            return np.empty(0, self.dtype)
        dx, count = self.empty("dx", x.shape), len(dy) * self.rows
        kernels.gather_gemm.dense_input_gradient(
            gradient.reshape(-1, self.units),
            self.kernel.value,
            dx.reshape(-1, x.shape[-1]),
            self.for_now("dy columns", (self.units, count)),
            self.for_now("dx columns", (x.shape[-1], count)),
        )
        return dx

    @property
    def batch_parameter(self) -> Parameter | None:
        """The kernel: one matrix product for the whole batch is faster than a sum over shards."""
        return self.kernel if type(self) is Dense else None  # and no layer of one's own that derives from it

    def batch_gradient(self, x: Array, dy: Array, rows: slice, total: Array, accumulate: bool) -> None:
        """Compute some rows of the kernel's gradient; see `Layer.batch_gradient`."""
        inputs, upstream, target = (
            a.reshape(-1, a.shape[-1]) for a in (x, dy, total.reshape(-1, self.units))
        )
        kernels.gather_gemm.dense_kernel_gradient(inputs, upstream, target, rows.start, accumulate)
