"""Symbols: what stands for arrays that are not there yet, to join layers into a graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..keywords import spoken
from ..seeds import next_seed
from .base import Layer
from .chain import names_for
from .flow import Flow
from .geometry import OpenShape, Shape, open_shape, stand_in
from .members import unchanged_by_failure
from .wiring import Symbol, Wiring

# What stands for sizes that are not known: layers are built for the first one, and the second one shows
# which other sizes depend on it.
STAND_INS = 64, 96


@dataclass(eq=False)
class SymbolicCall:
    """A layer's call for symbols.

    Args:
        layer: what is called.
        inputs: the symbols that it takes.
        outputs: the symbols that it gives.
    """

    layer: Layer
    inputs: tuple[SymbolicTensor, ...]
    outputs: tuple[SymbolicTensor, ...] = ()


class SymbolicTensor(Symbol):
    """What `Input` and a layer's call for symbols return: it stands for a batch of arrays.

    Args:
        call: the call that gives it.
        sizes: of a sample, for the stand-ins that `STAND_INS` names; two shapes, equal where all is known.
        dtype: "float32" or "float64".

    Attributes:
        shape: (None, ...): with the batch axis, and None where a size is not known.
    """

    def __init__(self, call: SymbolicCall, sizes: tuple[Shape, Shape], dtype: np.dtype[Any]) -> None:
        self.call, self.sizes, self.dtype = call, sizes, dtype

    @property
    def sample_shape(self) -> OpenShape:
        """The shape of one sample: None where a size is not known."""
        return tuple(a if a == b else None for a, b in zip(*self.sizes, strict=True))

    @property
    def shape(self) -> OpenShape:
        """The shape of a batch, whose size is None."""
        return (None, *self.sample_shape)

    @property
    def name(self) -> str:
        """The name of the layer that gives it."""
        return self.call.layer.name or names_for([self.call.layer])[0]

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={self.shape}, dtype={self.dtype}, name={self.name!r}>"

    def __array__(self, *_: Any, **__: Any) -> Any:
        """Refuse to be an array, and what arrays can do."""
        raise TypeError(
            f"{self!r} stands for an array that is not there yet: only layers take it, such as layers.Add() "
            "in the place of +."
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __array__
    __matmul__ = __rmatmul__ = __pow__ = __neg__ = __abs__ = __getitem__ = __array__

    def __iter__(self) -> Iterator[Any]:
        """Refuse to be a sequence."""
        raise TypeError(f"{self!r} stands for one array: it has no elements to go through.")

    def join(self, layer: Layer, inputs: Any, seed: int | None = None) -> Any:
        """Return the symbols of what a layer gives for these inputs, one or a list of several.

        Args:
            layer: built, or it is built for these inputs.
            inputs: a symbol, or a list where the layer takes several.
            seed: to build it with; default: the next of this process.
        """
        symbols = tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,)
        if isinstance(inputs, list | tuple) != layer.takes_several:
            wanted = "a list of inputs" if layer.takes_several else "one input, and not a list"
            raise ValueError(f"{layer.title} takes {wanted}; got {inputs!r}.")
        for symbol in symbols:
            if not isinstance(symbol, SymbolicTensor):
                raise TypeError(
                    f"{layer.title} got a symbol and something else, {type(symbol).__name__}: all inputs of "
                    "a layer are symbols, or all are arrays."
                )
            if symbol.dtype != self.dtype:
                dtypes = f"{self.dtype} and {symbol.dtype}"
                raise TypeError(f"{layer.title} got inputs of {dtypes}: give all Inputs one dtype.")
        if layer.wiring is not None and layer.takes_several and len(symbols) != len(layer.input_shape or ()):
            raise ValueError(
                f"{layer.title} takes {len(layer.input_shape or ())} inputs; got {len(symbols)}."
            )
        if layer.output_shape is not None and layer.dtype != self.dtype:
            raise TypeError(f"{layer.title} is built for {layer.dtype}, and its input is of {self.dtype}.")
        with unchanged_by_failure(layer):
            shapes, others = self._output_shapes(layer, symbols, seed)
        call = SymbolicCall(layer, symbols)
        call.outputs = tuple(
            SymbolicTensor(call, pair, layer.dtype) for pair in zip(shapes, others, strict=True)
        )
        layer.note_call(call)
        return call.outputs[0] if len(call.outputs) == 1 else [*call.outputs]

    def _output_shapes(
        self, layer: Layer, symbols: Sequence[SymbolicTensor], seed: int | None
    ) -> tuple[list[Shape], list[Shape]]:
        """Return the shapes of a sample of each output, for either stand-in; build the layer if it is new."""
        first, second = (tuple(symbol.sizes[i] for symbol in symbols) for i in (0, 1))
        opened = tuple(symbol.sample_shape for symbol in symbols)
        known = first == second
        try:
            if layer.output_shape is None:
                seed = next_seed() if seed is None else seed
                shape, wanted = (first, opened) if layer.takes_several else (first[0], opened[0])
                layer.build_for_symbols(shape, wanted, seed, self.dtype)
            found = output_shapes(layer, first)
            return found, found if known else output_shapes(layer, second)
        except ValueError as error:
            if known:
                raise
            if not layer.parameters:
                sizes = " and ".join(map(str, STAND_INS))
                raise ValueError(f"{error} (Sizes that are not known were tried as {sizes}.)") from None
            raise ValueError(
                f"{layer.title} has weights whose shapes depend on sizes that are not known, of its inputs "
                f"{', '.join(map(str, opened))}: give them in Input, or use GlobalAveragePool2D in the "
                "place of Flatten."
            ) from error


def output_shapes(layer: Layer, shapes: Sequence[Shape]) -> list[Shape]:
    """Return the shapes of a sample of each output of a built layer, for inputs of these shapes."""
    flow = Flow(shapes)
    return [flow.shapes[output] for output in flow.lay_out(layer, range(len(shapes)))]


@dataclass(eq=False, repr=False)
class InputLayer(Layer, only_kernels=True):
    """Where a graph begins: it says what a model takes, and gives it on as it is.

    Args:
        shape: of one sample, without the batch axis; None where any size is taken.
        batch_size: taken as in Keras; a model takes batches of any size. Default None.

    Raises:
        TypeError, ValueError: the shape is not given, or is none.

    Example:
        >>> from tinynet import Sequential
        >>> from tinynet.layers import Dense
        >>> Sequential([InputLayer((4,)), Dense(2)]).output_shape
        (2,)
    """

    takes_seed = False

    shape: Any = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        given = self.given_shape()
        if (self.shape is None) == (given is None):
            raise TypeError(
                "Input: give the shape of one sample, and once, such as Input(shape=(28, 28, 1))."
            )
        self.shape = open_shape("Input", self.shape) if given is None else given

    @property
    def wiring(self) -> Wiring:
        """It is nothing but its input."""
        return Wiring((), (), (0,))

    def symbol(self, dtype: DTypeLike = "float32") -> SymbolicTensor:
        """Return a new symbol for what the model takes."""
        first, second = (stand_in(self.shape, size) for size in STAND_INS)
        if self.output_shape is None:
            self.build_sample(first, dtype=dtype)
        call = SymbolicCall(self, ())
        call.outputs = (SymbolicTensor(call, (first, second), self.dtype),)
        self.note_call(call)
        return call.outputs[0]

    def forward(self, x: Any, training: bool = False) -> Any:
        """Return x as it is; see `Layer.forward`."""
        x = self.check_input(x)
        if training:
            self.y = x
        return x

    def backward(self, dy: Any) -> Any:
        """Return dy as it is; see `Layer.backward`."""
        return self.check_upstream(self.y, dy)[1]


@spoken
def Input(  # noqa: N802  (as in Keras)
    shape: Any = None,
    batch_size: int | None = None,
    dtype: DTypeLike | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> SymbolicTensor:
    """Begin a graph: return the symbol of what a model takes.

    Args:
        shape: of one sample, without the batch axis, such as (28, 28, 1); None where any size is taken.
        batch_size: taken as in Keras; a model takes batches of any size.
        dtype: "float32" (default), or "float64" for gradient checks.
        batch_shape: the shape with the batch axis, in the place of `shape`.
        name: of the input, in summaries; default: "input_layer".

    Returns:
        A symbol, to call layers with.

    Raises:
        TypeError, ValueError: the shape is not given, or is none.

    Example:
        >>> from tinynet import Model, layers
        >>> inputs = Input((3,))
        >>> Model(inputs, layers.Dense(2)(inputs)).output_shape
        (2,)
    """
    layer = InputLayer(shape, batch_size, name=name or "", batch_input_shape=batch_shape)
    return layer.symbol("float32" if dtype is None else dtype)
