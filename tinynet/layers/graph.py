"""Layers made of layers that call each other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ..execution.prediction import Prediction
from .base import Array, Layer
from .flow import Flow
from .fusion import fuse
from .geometry import Shape
from .wiring import Wiring

MOST_SHAPES = 32  # of inputs, for which a graph's calls are kept


class Graph(Layer, only_kernels=True):
    """The base of `Chain` and of models: runs its layers as its `wiring` says.

    Attributes:
        layers: what it is made of.
    """

    layers: Sequence[Layer]
    _flows: dict[tuple[Shape, ...], Flow] | None = None
    _own_flow: Flow | None = None
    _ran: Flow | None = None  # in the last training forward

    @property
    @abstractmethod
    def joined(self) -> Wiring:
        """How the layers call each other."""

    @property
    def is_plain(self) -> bool:
        """Whether it does nothing but that, which a class of one's own may, and then is one layer."""
        return type(self).forward is Graph.forward and type(self).backward is Graph.backward

    @property
    def wiring(self) -> Wiring | None:
        """How they call each other; None for a layer that does more."""
        return self.joined if self.is_plain else None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the flows out of copies and pickles, and what `backward` needs: they are made anew."""
        return super().__getstate__() | {"_flows": None, "_own_flow": None, "_ran": None, "y": None}

    def replica(self, *arguments: Any, **keywords: Any) -> Self:
        """Return a copy that shares the parameters' values; see `Node.replica`."""
        clone = super().replica(*arguments, **keywords)
        clone.remember(_flows=None, _own_flow=None)
        if clone.output_shape is not None:
            clone.laid_out(clone.built_shapes)
        return clone

    @property
    def built_shapes(self) -> tuple[Shape, ...]:
        """The shapes of a sample of each input for which the layers were built."""
        shapes: Any = self.input_shape if self.takes_several else (self.input_shape,)
        return tuple(shapes)

    def settle(self, above: Sequence[Any]) -> None:
        """Note what the layer is made of, once it is built; see `Node.settle`."""
        super().settle(above)
        self.remember(_flows={}, _own_flow=None)
        self.laid_out(self.built_shapes)

    def laid_out(self, shapes: Sequence[Shape]) -> Flow:
        """Return the calls that the layers make, always the same flow for the same shapes."""
        if self._flows is None:
            self.remember(_flows={})
        assert self._flows is not None
        key = tuple(shapes)
        flow = self._flows.get(key)
        if flow is None:
            flow = Flow(key)
            flow.outputs = flow.connect(self.joined, range(len(key)))
            self._flows[key] = flow
            for other in [*self._flows][1:-MOST_SHAPES]:  # the first are those that it was built for
                self._flows.pop(other, None)
        return flow

    def flow(self, shapes: Sequence[Shape] | None = None) -> Flow:
        """Return what the layer computes as calls: those of its layers, or its own where it does more.

        Args:
            shapes: of a sample of each input; default: those that it was built for.

        Returns:
            Always the same flow for the same shapes.

        Raises:
            ValueError: the layers cannot take inputs of these shapes.
        """
        shapes = self.built_shapes if shapes is None else tuple(shapes)
        if self.is_plain:
            return self.laid_out(shapes)
        if self._own_flow is None:
            flow = Flow(shapes)
            flow.outputs = flow.lay_out(self, range(len(shapes)))
            self.remember(_own_flow=flow)
        assert self._own_flow is not None
        return self._own_flow

    def output_shape_for(self, input_shape: Shape) -> Shape:
        """Return the output shape for inputs of another shape; see `Layer.output_shape_for`."""
        if not self.is_plain:
            return super().output_shape_for(input_shape)
        shapes: Any = input_shape if self.takes_several else (input_shape,)
        flow = self.laid_out(shapes)
        found = tuple(flow.shapes[output] for output in flow.outputs)
        return found if len(found) > 1 else found[0]  # type: ignore[return-value]

    def fused(self, shapes: Sequence[Shape] | None = None) -> Flow:
        """Return the same calls, with those that can run as one joined; see `fuse`."""
        flow = self.flow(shapes)
        if flow.fused is None:
            flow.fused = fuse(flow)
        return flow.fused

    def forward(self, x: ArrayLike, training: bool = False) -> Any:
        """Run the layers, the whole batch at once on one thread.

        Args:
            x: (N, *input_shape); a list, if there are several inputs.
            training: whether the layers remember what `backward` needs, and dropout drops.

        Returns:
            (N, *output_shape); a list, if there are several outputs.

        Example:
            >>> from tinynet import Sequential, layers
            >>> Sequential([layers.ReLU()], 2).forward([[-1.0, 1.0]])
            array([[0., 1.]], dtype=float32)
        """
        inputs = self.check_inputs(x)
        flow = self.laid_out([array.shape[1:] for array in inputs])
        outputs = flow.forward(inputs, training)
        if training:
            self.remember(y=outputs[0], _ran=flow)
        return outputs[0] if len(outputs) == 1 else outputs

    def backward(self, dy: ArrayLike) -> Any:
        """Run the layers' backward passes, last to first; the parameters' `grad` then holds all gradients.

        Args:
            dy: gradient of the loss with respect to the output, (N, *output_shape); a list, if there are
                several.

        Returns:
            The gradient with respect to the input, (N, *input_shape); a list, if there are several.

        Raises:
            RuntimeError: there was no `forward(x, training=True)` before.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.ReLU()], 2)
            >>> _ = model.forward([[-1.0, 1.0]], training=True)
            >>> model.backward([[3.0, 3.0]])
            array([[0., 3.]], dtype=float32)
        """
        flow = self._ran
        if self.y is None or flow is None:
            raise RuntimeError(f"{self.title}: backward needs a forward(x, training=True) before it.")
        upstream: Any = dy if len(flow.outputs) > 1 else [dy]
        shapes = [(len(self.y), *flow.shapes[output]) for output in flow.outputs]
        arrays = [self.as_array(array) for array in upstream]
        if [array.shape for array in arrays] != shapes:
            raise ValueError(
                f"{self.title}: expected dy of shape {', '.join(map(str, shapes))}, as the last training "
                f"output; got {', '.join(str(array.shape) for array in arrays)}."
            )
        found = flow.backward(arrays)
        flow.collect()
        gradients = [
            np.zeros((len(self.y), *shape), self.dtype) if gradient is None else gradient
            for gradient, shape in zip(found, flow.shapes, strict=False)
        ]
        return gradients if self.takes_several else gradients[0]

    def check_inputs(self, x: Any) -> list[Array]:
        """Return the inputs as contiguous arrays of the layer's dtype, or raise if a shape is wrong."""
        if not self.takes_several:
            return [self.check_input(x)]
        shapes: Any = self.input_shape
        if not isinstance(x, list | tuple) or len(x) != len(shapes):
            raise ValueError(f"{self.title} takes a list of {len(shapes)} inputs.")
        return [self.check_one(array, shape) for array, shape in zip(x, shapes, strict=True)]


def prediction(flow_of: Callable[..., Flow]) -> Prediction:
    """Return the function that predicts with layers, on several threads, and recorded.

    Args:
        flow_of: returns the layers' calls for inputs of these shapes; without an argument, of those that they
            were built for.
    """
    flow = flow_of()

    def forward(inputs: list[Array]) -> list[Array]:
        return flow_of([x.shape[1:] for x in inputs]).forward(inputs)

    return Prediction(forward, flow.bytes_per_sample, flow.only_kernels, flow.arrays())
