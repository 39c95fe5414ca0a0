"""Layers that merge inputs element by element: Add, Subtract, Average, Multiply, Maximum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .. import kernels
from .base import Array
from .geometry import Shape
from .merge import Elementwise


@dataclass(eq=False, repr=False)
class Add(Elementwise, only_kernels=True):
    """y = the sum of the inputs: what ends a residual block.

    Samples are broadcast to a common shape, as NumPy does it, and the batch axis is not. He, Zhang, Ren and
    Sun, "Deep Residual Learning for Image Recognition" (2016).

    Raises:
        ValueError: `build` got shapes that do not fit.

    Example:
        >>> layer = Add()
        >>> layer.build([(2,), (2,)])
        (2,)
        >>> layer.forward([[[1.0, 2.0]], [[10.0, 20.0]]])
        array([[11., 22.]], dtype=float32)
    """

    def merge(self, inputs: list[Array], y: Array) -> None:
        """Add the inputs; see `Merge.merge`."""
        self.fold(inputs, y, kernels.merging.ADD)

    def gradients(self, dy: Array) -> list[Array]:
        """Give dy to each input; see `Merge.gradients`."""
        return [self.share(dy, position) for position in range(len(self.spreads))]


@dataclass(eq=False, repr=False)
class Subtract(Elementwise, only_kernels=True):
    """y = the first input - the second one, and there are no others; broadcast as by `Add`.

    Raises:
        ValueError: `build` got shapes that do not fit, or not two of them.

    Example:
        >>> layer = Subtract()
        >>> layer.build([(2,), (2,)])
        (2,)
        >>> layer.forward([[[1.0, 2.0]], [[10.0, 20.0]]])
        array([[ -9., -18.]], dtype=float32)
    """

    def join(self, shapes: tuple[Shape, ...]) -> Shape:
        """Take two shapes; see `Merge.join`."""
        if len(shapes) != 2:
            raise ValueError(f"{self.title} takes two inputs; got {len(shapes)}: {shapes}.")
        return super().join(shapes)

    def merge(self, inputs: list[Array], y: Array) -> None:
        """Subtract; see `Merge.merge`."""
        self.fold(inputs, y, kernels.merging.SUBTRACT)

    def gradients(self, dy: Array) -> list[Array]:
        """Give dy to the first input and -dy to the second one; see `Merge.gradients`."""
        return [self.share(dy, 0), self.share(dy, 1, -1.0)]


@dataclass(eq=False, repr=False)
class Average(Elementwise, only_kernels=True):
    """y = the sum of the inputs / their number; broadcast as by `Add`.

    Raises:
        ValueError: `build` got shapes that do not fit.

    Example:
        >>> layer = Average()
        >>> layer.build([(2,), (2,)])
        (2,)
        >>> layer.forward([[[1.0, 2.0]], [[10.0, 20.0]]])
        array([[ 5.5, 11. ]], dtype=float32)
    """

    def merge(self, inputs: list[Array], y: Array) -> None:
        """Add and divide; see `Merge.merge`."""
        self.fold(inputs, y, kernels.merging.ADD, float(len(inputs)))

    def gradients(self, dy: Array) -> list[Array]:
        """Give each input its share of dy; see `Merge.gradients`."""
        assert self.input_shape is not None
        shares: dict[Any, Array] = {}  # the same for all inputs of one shape
        for position, shape in enumerate(self.input_shape):
            if shape not in shares:
                shares[shape] = self.share(dy, position, float(len(self.input_shape)))
        return [shares[shape] for shape in self.input_shape]


@dataclass(eq=False, repr=False)
class Multiply(Elementwise, only_kernels=True):
    """y = the product of the inputs: what a gate does; broadcast as by `Add`.

    So an image (H, W, C) is multiplied by a gate (1, 1, C) or (C,) for its channels: Hu, Shen and Sun,
    "Squeeze-and-Excitation Networks" (2018).

    Raises:
        ValueError: `build` got shapes that do not fit.

    Example:
        >>> layer = Multiply()
        >>> layer.build([(2, 1, 2), (2,)])
        (2, 1, 2)
        >>> layer.forward([[[[[1.0, 2.0]], [[3.0, 4.0]]]], [[0.0, 0.5]]])[0, :, 0]
        array([[0., 1.],
               [0., 2.]], dtype=float32)
    """

    keeps_inputs: ClassVar[bool] = True

    def merge(self, inputs: list[Array], y: Array) -> None:
        """Multiply the inputs; see `Merge.merge`."""
        self.fold(inputs, y, kernels.merging.MULTIPLY)

    def gradients(self, dy: Array) -> list[Array]:
        """Multiply dy by the other inputs; see `Merge.gradients`."""
        space: Array | None = None
        results = []
        for mine in range(len(self.inputs)):
            others = [other for other in range(len(self.inputs)) if other != mine]
            others.sort(key=lambda other: not self.spreads[other].lead)  # those that are not broadcast last
            product, broadcast = dy, self.spreads[mine].lead
            fused = broadcast and not self.spreads[others[-1]].lead
            dx = None if broadcast else self.empty_gradient(dy, mine)
            for other in others[:-1] if fused else others:
                target = dx
                if target is None:
                    target = space = self.empty("product", dy.shape) if space is None else space
                self.combine(product, self.inputs[other], other, target, kernels.merging.MULTIPLY)
                product = target
            if dx is None:
                dx = self.gather(product, mine, self.inputs[others[-1]] if fused else None)
            results.append(dx)
        return results


@dataclass(eq=False, repr=False)
class Maximum(Elementwise, only_kernels=True):
    """y = the largest of the inputs, or NaN where one is NaN; broadcast as by `Add`.

    The gradient goes to the first of equally large inputs.

    Raises:
        ValueError: `build` got shapes that do not fit.

    Example:
        >>> layer = Maximum()
        >>> layer.build([(2,), (2,)])
        (2,)
        >>> layer.forward([[[1.0, 20.0]], [[10.0, 2.0]]])
        array([[10., 20.]], dtype=float32)
    """

    keeps_inputs: ClassVar[bool] = True

    def merge(self, inputs: list[Array], y: Array) -> None:
        """Take the largest; see `Merge.merge`."""
        self.fold(inputs, y, kernels.merging.LARGER)

    def gradients(self, dy: Array) -> list[Array]:
        """Give dy to the inputs that it came from; see `Merge.gradients`."""
        assert self.y is not None
        rest, space = self.empty("rest", dy.shape), self.nothing
        if any(spread.lead for spread in self.spreads):
            space = self.empty("here", dy.shape)
        results = []
        for position, (spread, x) in enumerate(zip(self.spreads, self.inputs, strict=True)):
            here = space if spread.lead else self.empty_gradient(dy, position)
            left = self.nothing if position + 1 == len(self.inputs) else spread.rows(rest)
            part, y, upstream, mine = (spread.rows(array) for array in (x, self.y, dy, here))
            kernels.merging.largest_gradient(part, y, upstream, mine, left, spread.r, spread.s)
            results.append(self.gather(here, position) if spread.lead else here)
            dy = rest
        return results
