"""What layers that call each other compute, laid out flat: call by call, forward and backward."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from .base import Layer
from .geometry import Shape
from .members import members
from .tree import NOTES, SETTINGS
from .wiring import Wiring

Array = NDArray[Any]

MOST_CALLS = 10_000  # of layers in a flow: a small file may describe models that would never end


@dataclass(frozen=True, eq=False)
class Call:
    """A layer's call. The values that are passed on are numbered: those given to the flow, then each call's.

    Args:
        layer: what is called.
        inputs: the numbers of the values that it takes.
        output: the number of the value that it gives.
    """

    layer: Layer
    inputs: tuple[int, ...]
    output: int


class Flow:
    """Calls of layers, in an order in which each finds its inputs.

    A layer that is called again, or for inputs of another shape, is called as a twin of its own, which shares
    the values of the parameters: so each call remembers its own inputs, and has its own gradients.

    Args:
        shapes: of a sample of each input.

    Attributes:
        calls: in order.
        shapes: of a sample of each value.
        outputs: the numbers of the values that the flow gives.

    Example:
        >>> from tinynet.layers import Dense, ReLU
        >>> flow, dense, relu = Flow([(2,)]), Dense(2), ReLU()
        >>> for layer in dense, relu:
        ...     _ = layer.build(2)
        >>> flow.outputs = flow.lay_out(relu, flow.lay_out(dense, [0]))
        >>> flow.forward([np.zeros((1, 2))])
        [array([[0., 0.]], dtype=float32)]
    """

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self.inputs, self.shapes = len(shapes), [*shapes]
        self.calls: list[Call] = []
        self.outputs: list[int] = []
        self.twins: list[tuple[Layer, Layer]] = []  # what is called, and the layer in whose place
        # A person's own among them, and what is set there.
        self.followed: list[tuple[Any, Any, dict[str, Any]]] = []
        self.fused: Flow | None = None  # the same with calls joined, once it is needed
        self.times: Counter[int] = Counter()  # how often each layer is called, by its id

    def lay_out(self, layer: Layer, inputs: Sequence[int]) -> list[int]:
        """Add a layer's call, or those of the layers that it is made of, and return its outputs' numbers.

        Args:
            layer: built.
            inputs: the numbers of the values that it takes.
        """
        wiring = layer.wiring
        return [self._call(layer, inputs)] if wiring is None else self.connect(wiring, inputs)

    def connect(self, wiring: Wiring, inputs: Sequence[int]) -> list[int]:
        """Add the calls that layers make as they are joined, and return the outputs' numbers."""
        values = [*inputs]
        for join in wiring.joins:
            values += self.lay_out(wiring.layers[join.layer], [values[i] for i in join.inputs])
        return [values[i] for i in wiring.outputs]

    def _call(self, layer: Layer, inputs: Sequence[int]) -> int:
        shapes = tuple(self.shapes[i] for i in inputs)
        shape: Any = shapes if layer.takes_several else shapes[0]
        times = self.times[id(layer)]
        self.times[id(layer)] += 1
        called = layer
        if times or shape != layer.input_shape:
            called = layer.twin(shape, times)
            self.twins.append((called, layer))
            for (_, part), (_, original) in zip(called.parts(), layer.parts(), strict=True):
                if not original.is_ours and not original.calls_only_kernels:
                    self.followed.append((part, original, dict(vars(original))))
        if len(self.calls) >= MOST_CALLS:
            raise ValueError(f"A model of more than {MOST_CALLS:,} calls of layers is too large.")
        assert called.output_shape is not None
        self.shapes.append(called.output_shape)
        self.calls.append(Call(called, tuple(inputs), len(self.shapes) - 1))
        return self.calls[-1].output

    @property
    def layers(self) -> list[Layer]:
        """The layers that are called, in order."""
        return [call.layer for call in self.calls]

    def parts(self) -> list[Any]:
        """Return the layers that are called and all that they are made of, call by call."""
        return [part for layer in self.layers for _, part in layer.parts()]

    @property
    def bytes_per_sample(self) -> int:
        """The size of all the calls' outputs for one sample."""
        return sum(math.prod(self.shapes[call.output]) * call.layer.dtype.itemsize for call in self.calls)

    @property
    def only_kernels(self) -> bool:
        """Whether all that the layers do to arrays is done by kernels."""
        return all(layer.only_kernels for layer in self.layers)

    def arrays(self) -> list[Array]:
        """Return the parameters' values and gradients, which are there anyway."""
        return [array for layer in self.layers for p in layer.parameters for array in (p.value, p.grad)]

    def maker(self, value: int) -> Call | None:
        """Return the call that gives a value, or None for an input."""
        return next((call for call in self.calls if call.output == value), None)

    def with_calls(self, calls: Sequence[Call], outputs: Sequence[int] | None = None) -> Flow:
        """Return a flow of the same inputs with other calls."""
        flow = Flow(self.shapes[: self.inputs])
        flow.shapes, flow.calls = self.shapes, [*calls]
        flow.twins, flow.followed = self.twins, self.followed
        flow.outputs = [*(self.outputs if outputs is None else outputs)]
        return flow

    def mapped(self, function: Callable[[Layer], Layer]) -> Flow:
        """Return the flow with what a function makes of each layer in its place."""
        flow = self.with_calls([replace(call, layer=function(call.layer)) for call in self.calls])
        flow.twins, flow.followed = [], []
        return flow

    def follow(self) -> None:
        """Let the twins of a person's own layers have what was set on the layers that they are copies of."""
        for part, original, known in self.followed:
            follow(original, known, [part])

    def forward(self, inputs: Sequence[Array], training: bool = False) -> list[Array]:
        """Return the outputs, for inputs (N, ...) of the layers' dtype."""
        self.follow()
        # Used alone, dropout counts its calls; here all calls of a layer belong to one step, as in training.
        steps = {id(twin): [(p, p.step) for _, p in twin.parts()] for twin, _ in self.twins if training}
        values = dict(enumerate(inputs))
        # Which call is the last to take each value.
        last = {i: call.output for call in self.calls for i in call.inputs}
        for call in self.calls:
            taken = [values[i] for i in call.inputs]
            for part, step in steps.get(id(call.layer), ()):
                part.step = step
            values[call.output] = call.layer.forward(_one_or_all(call.layer, taken), training)
            for i in {*call.inputs}:
                if last[i] == call.output and i not in self.outputs:
                    del values[i]  # which may be large
        return [values[i] for i in self.outputs]

    def backward(
        self, upstream: Sequence[Array], wanted: Collection[int] | None = None
    ) -> list[Array | None]:
        """Run the backward passes in reverse; where a value is taken more than once, its gradients add up.

        Args:
            upstream: the gradient with respect to each output.
            wanted: the numbers of the values whose gradients are needed; default: of all.

        Returns:
            The gradient with respect to each input: None if the outputs do not depend on it, or if it is not
            wanted.
        """
        gradients: dict[int, Array] = {}

        def add(value: int, gradient: Array) -> None:
            if wanted is None or value in wanted:
                known = gradients.get(value)
                gradients[value] = gradient if known is None else _sum(known, gradient)

        for value, gradient in zip(self.outputs, upstream, strict=True):
            add(value, gradient)
        taken = {*self.outputs, *(value for call in self.calls for value in call.inputs)}
        for call in reversed(self.calls):
            if call.output not in taken:  # an output of a model inside that nothing uses
                add(call.output, np.zeros((len(upstream[0]), *self.shapes[call.output]), call.layer.dtype))
            if call.output in gradients:
                downstream: Any = call.layer.backward(gradients.pop(call.output))
                parts = downstream if call.layer.takes_several else [downstream]
                for value, gradient in zip(call.inputs, parts, strict=True):
                    add(value, gradient)
        return [gradients.get(i) for i in range(self.inputs)]

    def collect(self) -> None:
        """Add the gradients of twins to those of the parameters whose values they share."""
        twins = {id(twin) for twin, _ in self.twins}
        complete = {id(p) for layer in self.layers if id(layer) not in twins for p in layer.parameters}
        for twin, layer in self.twins:
            for part, total in zip(twin.parameters, layer.parameters, strict=True):
                kernels.update.add_up(
                    part.grad.reshape(-1), total.grad.reshape(-1), id(total) not in complete
                )
                complete.add(id(total))


def _one_or_all(layer: Layer, values: list[Array]) -> Any:
    """Return a layer's inputs as its `forward` takes them."""
    return values if layer.takes_several else values[0]


def _sum(first: Array, second: Array) -> Array:
    """Return the sum of two gradients, as a new array."""
    total = np.empty(first.shape, first.dtype)
    for number, part in enumerate((first, second)):
        kernels.update.add_up(
            np.ascontiguousarray(part, total.dtype).reshape(-1), total.reshape(-1), number == 0
        )
    return total


def follow(layer: Any, known: dict[str, Any], copies: Sequence[Any]) -> None:
    """Let copies of a layer have what a person has set on it, or taken away, since its attributes were known.

    Args:
        layer: a person's own.
        known: its attributes, as they were; brought up to date.
        copies: twins or replicas.
    """
    now, noted = vars(layer), SETTINGS | NOTES
    for name in [name for name in known if name not in now]:
        del known[name]
        for copy in copies:
            vars(copy).pop(name, None)
    for name, value in now.items():
        if known.get(name, known) is not value:
            known[name] = value
            if name not in noted and next(members(value), None) is None:
                for copy in copies:
                    copy.remember(**{name: value})
