"""What the layers of several inputs share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array, Layer
from .broadcasting import Spread
from .geometry import Shape

MOST_ELEMENTS = 2**31  # of a sample: its offsets have to fit into memory


class Merge(Layer, only_kernels=True):
    """The base of the layers of several inputs; of a single one, all of them return what they get.

    A subclass defines `join`, `merge` and `gradients`.
    """

    takes_several = True
    inputs: list[Array]  # what `forward` remembers
    keeps_inputs: ClassVar[bool] = False  # whether `gradients` needs them

    def declare(self, input_shape: tuple[Any, ...], random: np.random.Generator) -> Shape:
        """Check that the shapes fit, and note where the inputs go; see `Layer.declare`."""
        self.nothing = np.empty((0, 0), self.dtype)  # for kernels that need one array less
        return self.join(input_shape)

    def join(self, shapes: tuple[Shape, ...]) -> Shape:
        """Return the output's shape, or raise if the inputs' do not fit."""
        raise NotImplementedError

    def merge(self, inputs: list[Array], y: Array) -> None:
        """Write to y what is made of two or more inputs."""
        raise NotImplementedError

    def gradients(self, dy: Array) -> list[Array]:
        """Return the gradients with respect to two or more inputs."""
        raise NotImplementedError

    def check_inputs(self, x: Any) -> list[Array]:
        """Return the inputs as contiguous arrays of the layer's dtype, or raise if one has a wrong shape."""
        shapes: Any = self.input_shape
        if shapes is None:
            raise RuntimeError(f"{self.title} is not built: call layer.build(input_shapes) first.")
        if not isinstance(x, list | tuple) or len(x) != len(shapes):
            got = f"{len(x)}" if isinstance(x, list | tuple) else f"one value of shape {np.shape(x)}"
            raise ValueError(
                f"{self.title}: expected a list of arrays, one for each of the {len(shapes)} inputs that the "
                f"layer was built for; got {got}."
            )
        inputs = [self.as_array(one) for one in x]
        for position, (one, array, shape) in enumerate(zip(x, inputs, shapes, strict=True)):
            if np.ndim(one) == 0 or array.shape[1:] != shape:
                raise ValueError(
                    f"{self.title}: expected x[{position}] of shape (N, {', '.join(map(str, shape))}), "
                    f"as the layer was built; got {np.shape(one)}."
                )
        if len({len(array) for array in inputs}) > 1:
            samples = ", ".join(str(len(array)) for array in inputs)
            raise ValueError(f"{self.title}: all inputs need the same number of samples; got {samples}.")
        return inputs

    def forward(self, x: Sequence[ArrayLike], training: bool = False) -> Array:  # type: ignore[override]
        """Compute the output.

        Args:
            x: a list of arrays with the same number of samples, (N, *shape) for each of the input's shapes.
            training: whether to remember what `backward` needs.

        Returns:
            (N, *output_shape), read-only for the caller.
        """
        inputs = self.check_inputs(x)
        y = inputs[0]
        if len(inputs) > 1:
            y = self.empty("y", batch_of(y, self.output_shape), training)
            self.merge(inputs, y)
        if training:
            self.y = y
            if self.keeps_inputs:
                self.remember(inputs=inputs)
        return y

    def backward(self, dy: ArrayLike) -> list[Array]:  # type: ignore[override]
        """Compute the gradients with respect to the inputs.

        Args:
            dy: (N, *output_shape).

        Returns:
            A list of arrays, one of each input's shape, read-only for the caller; several of them, and dy,
            may be the same array.

        Raises:
            RuntimeError: there was no `forward(x, training=True)` before.
        """
        _, dy = self.check_upstream(self.y, dy)
        assert self.input_shape is not None
        return [dy] if len(self.input_shape) == 1 else self.gradients(dy)

    def empty_gradient(self, dy: Array, position: int) -> Array:
        """Return an uninitialised array for the gradient with respect to an input."""
        assert self.input_shape is not None
        return self.empty(f"dx {position}", batch_of(dy, self.input_shape[position]))


def batch_of(batch: Array, shape: Any) -> Shape:
    """Return the shape of as many samples as a batch has."""
    return (len(batch), *shape)


class Elementwise(Merge, only_kernels=True):
    """The base of those that work element by element, and broadcast samples to a common shape."""

    def join(self, shapes: tuple[Shape, ...]) -> Shape:
        """Align the shapes at the right, where sizes are equal or 1; see `Merge.join`."""
        try:
            whole = np.broadcast_shapes(*shapes)
        except ValueError:
            raise ValueError(
                f"{self.title}: the input shapes {', '.join(map(str, shapes))} do not fit: aligned at the "
                "right, their sizes must be equal or 1."
            ) from None
        if math.prod(whole) > MOST_ELEMENTS:
            raise ValueError(f"{self.title}: a sample of its output would have the shape {whole}: too large.")
        self.spreads = [Spread.of(shape, whole) for shape in shapes]
        return whole

    def combine(
        self, whole: Array, part: Array, position: int, y: Array, operation: int, divisor: float = 1.0
    ) -> None:
        """Write (whole operation part) / divisor to y; the part is as large as the input at a position."""
        spread = self.spreads[position]
        rows = spread.rows(whole), spread.rows(part), spread.rows(y)
        kernels.merging.combine(*rows, spread.r, spread.s, operation, divisor)

    def fold(self, inputs: list[Array], y: Array, operation: int, divisor: float = 1.0) -> None:
        """Write ((first operation second) operation third ...) / divisor to y."""
        whole, *rest = range(len(inputs))
        commutes = operation != kernels.merging.SUBTRACT
        if self.spreads[0].lead and not self.spreads[1].lead and commutes:
            whole, rest[0] = 1, 0
        so_far = inputs[whole]
        if self.spreads[whole].lead:
            self.combine(y, so_far, whole, y, kernels.merging.COPY)
            so_far = y
        for position in rest:
            last = position == rest[-1]
            self.combine(so_far, inputs[position], position, y, operation, divisor if last else 1.0)
            so_far = y

    def gather(
        self, whole: Array, position: int, factors: Array | None = None, divisor: float = 1.0
    ) -> Array:
        """Return whole * factors / divisor, summed over the axes in which an input was broadcast."""
        spread, dx = self.spreads[position], self.empty_gradient(whole, position)
        weights = self.nothing if factors is None else spread.rows(factors)
        rows = spread.rows(whole), weights, spread.rows(dx)
        kernels.merging.gather_sum(*rows, spread.r, spread.s, divisor)
        return dx

    def share(self, dy: Array, position: int, divisor: float = 1.0) -> Array:
        """Return the gradient with respect to an input that is divided by this number and added."""
        if self.spreads[position].lead:
            return self.gather(dy, position, divisor=divisor)
        if divisor == 1 and self.input_shape is not None:
            return dy.reshape(batch_of(dy, self.input_shape[position]))
        dx = self.empty_gradient(dy, position)
        self.combine(dy, dy, position, dx, kernels.merging.COPY, divisor)
        return dx
