"""What a layer is."""

from __future__ import annotations

import copy
import dataclasses
import math
import weakref
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .. import initializers
from ..seeds import next_seed
from .declaration import Declaration, running
from .geometry import OpenShape, Shape, as_shape, is_several, open_shape
from .parameter import Parameter
from .tree import SETTINGS, Node
from .workspace import Workspace

Array = NDArray[Any]
Seed = int | Sequence[int]

# The last word of the seeds of initial weights: keeps their random numbers apart from others.
INITIAL_WEIGHTS = 1

TWIN = 1  # the word before the number of a layer's copy, in seeds


class Symbol(ABC):
    """What stands for an array that is not there yet, in a graph of layers; see `symbols.py`."""

    @abstractmethod
    def join(self, layer: Layer, inputs: Any) -> Any:
        """Return the symbols of what a layer gives for these inputs."""


class Join(NamedTuple):
    """A layer's call within another layer; the values that are passed on are numbered.

    Args:
        layer: which of the layers.
        inputs: the numbers of the values that it takes: those given to the whole, then what each call gives.
    """

    layer: int
    inputs: tuple[int, ...]


class Wiring(NamedTuple):
    """How a layer is made of others, where it does nothing but call them.

    Args:
        layers: what it is made of.
        joins: their calls, in order.
        outputs: the numbers of the values that it gives.
    """

    layers: Sequence[Layer]
    joins: Sequence[Join]
    outputs: Sequence[int]


@dataclasses.dataclass(eq=False, repr=False)
class Layer(Node):
    """The base of all layers: hyperparameters in the constructor, then `build`, `forward`, `backward`.

    A subclass is a dataclass whose fields are its hyperparameters, and defines `declare`, `forward` and
    `backward`. Only `forward(x, training=True)` remembers anything on the layer, for `backward`;
    inference writes nothing, so that one layer serves many threads. A layer never writes into an
    argument, and what it returns is read-only for the caller.

    While a model trains, `forward` and `backward` of a layer run on replicas, one for each shard of a batch,
    on threads that are not the caller's: what they assign to the layer is not there on the model's layer.

    A layer may be made of layers, in attributes, lists, tuples and dicts: its `declare` builds them, and its
    `forward` and `backward` call theirs. Inside of a model, hyperparameters and parameters cannot be
    replaced.

    `layer(x)` computes for an array, and joins a graph for a symbol; see `tinynet.Input`.

    Args:
        name: the layer's name in its model's summary, in model files and in error messages; default: one that
            its model gives it, such as "dense_1".
        input_shape: for a model's first layer, the shape of one sample, without the batch axis; default: what
            the model is built for.
        input_dim: the same, if it is one number.
        batch_input_shape: the same, after the batch axis.
        only_kernels: of the class, `class Mine(Layer, only_kernels=True)`: the promise that `forward` and
            `backward` do nothing to arrays but call kernels and other such layers, so that a step may be
            recorded; default False.

    Attributes:
        input_shape, output_shape: shapes without the batch axis, known after `build`; tuples of shapes where
            there are several.
        takes_several: whether `build` takes a list of shapes, `forward` one of arrays, and `backward` returns
            one; default False.
        in_model: whether the layer is part of a model, which then has built it.
        trainable: whether training changes the parameters, here and in all layers that it is made of; read
            when the model is compiled.
        seed: the layer's own seed.
        step: the number of the training step, and
        step_cell: an array (1,) with that number, which a recorded step reads.
        first_sample: the position in the batch of the first sample that `forward` gets: what dropout's
            random numbers depend on.
        needs_input_gradient: False on the first layer with parameters while a model trains: its
            `backward` then skips the gradient with respect to the input, and returns an empty array.
        defers: True while a model trains, on a layer with a `batch_parameter`: `backward` leaves the gradient
            of that parameter out, and remembers what `batch_gradient` needs.
        most_weights: more than this in one parameter is refused: what the model's file can hold.
        x, y: what the last training forward remembered of its input and output, if it needs them, and
        dy: what `backward` remembered for `batch_gradient`.
        workspace: of a replica, the arrays that it works in; None on a layer that is used alone.

    Example:
        >>> @dataclasses.dataclass(eq=False, repr=False)
        ... class Scale(Layer):
        ...     factor: float = 2.0
        ...
        ...     def forward(self, x, training=False):
        ...         return self.factor * self.check_input(x)
        ...
        ...     def backward(self, dy):
        ...         return self.factor * self.as_array(dy)
        >>> layer = Scale(3.0)
        >>> layer.build(2)
        (2,)
        >>> layer.forward([[1.0, 2.0]])
        array([[3., 6.]], dtype=float32)
    """

    name: str = dataclasses.field(default="", kw_only=True)
    input_shape: Shape | None = dataclasses.field(default=None, kw_only=True)
    input_dim: int | None = dataclasses.field(default=None, kw_only=True)
    batch_input_shape: Sequence[int | None] | None = dataclasses.field(default=None, kw_only=True)

    @property
    def step(self) -> int:
        """The number of the training step."""
        return int(self.step_cell[0])

    @step.setter
    def step(self, value: int) -> None:
        self.step_cell[0] = value

    @property
    def batch_parameter(self) -> Parameter | None:
        """The parameter whose gradient `batch_gradient` computes for all shards together, or None."""
        return None

    def batch_gradient(self, x: Array, dy: Array, rows: slice, total: Array, accumulate: bool) -> None:
        """Compute some rows of the gradient of `batch_parameter`, from what all shards remembered.

        Args:
            x, dy: (N, ...) what the layer remembered as `x` and `dy`.
            rows: which rows (of the parameter's first axis).
            total: their elements, written.
            accumulate: whether to add to what total holds.
        """
        raise NotImplementedError

    # What a layer does.

    def build(
        self,
        input_shape: int | Sequence[int] | Sequence[Sequence[int]],
        seed: Seed | None = None,
        dtype: DTypeLike | None = None,
    ) -> Shape:
        """Make the parameters.

        Args:
            input_shape: shape of one sample, without the batch axis; of a layer that takes several inputs, a
                list of their shapes.
            seed: an integer (or several) from which the initial values and dropout's choices follow. Default:
                0; for a layer that another one's `declare` builds, that one's seed and the place in it.
            dtype: "float32" or "float64", for gradient checks. Default: float32, or that of the other layer.

        Returns:
            The shape of one sample of the output.

        Raises:
            RuntimeError: the layer is part of a model.
            ValueError: the layer cannot take that shape, or its parts are not found or have equal paths.

        Example:
            >>> from tinynet import layers
            >>> layer = layers.Dense(3)
            >>> layer.build(5, seed=1)
            (3,)
        """
        return self.build_sample(input_shape, seed, dtype)

    def build_sample(
        self, input_shape: Any, seed: Seed | None = None, dtype: DTypeLike | None = None
    ) -> Shape:
        """Make the parameters: `build` of all layers, where shapes never have a batch axis."""
        now = running()
        place = None if now is None else now.place_of(self)
        parent: Any = None if now is None or place is None else now.layer
        if now is not None and parent is None:
            now.strays.append(weakref.ref(self))
        if parent is not None:
            if seed is None or seed == parent.seed:
                seed = (*words_of(parent.seed), place or 0)
            dtype = parent.dtype if dtype is None else dtype
            self.remember(most_weights=min(self.most_weights, parent.most_weights))
        if self.in_model and self.output_shape is not None:
            return self._check_shared(parent, input_shape, dtype)
        shape = self._checked_shape(input_shape)
        if np.dtype(dtype or "float32") not in (np.dtype("float32"), np.dtype("float64")):
            raise ValueError(f"{self.title}: dtype must be 'float32' or 'float64'; got {dtype!r}.")
        self.remember(
            dtype=np.dtype(dtype or "float32"), seed=0 if seed is None else seed, x=None, y=None,
            step_cell=np.zeros(1, np.int64), first_sample=0, _sublayers=None, _own_parameters=None,
        )  # fmt: skip
        # Not default_rng(seed), which the data may well come from; trailing zeros would not tell seeds apart.
        random = np.random.default_rng([*words_of(self.seed), INITIAL_WEIGHTS])
        above = now.above if now is not None and parent is not None else []
        with Declaration(self, above).run():
            self.find_sublayers()  # raises where two have equal paths
            output_shape = self.declare(shape, random)
        self.remember(input_shape=shape, output_shape=output_shape)
        self.settle(above)
        self.named_parameters()  # raises where two have equal paths
        if not self.trainable:
            for _, part in self.parts():  # those that `declare` made, too
                part.remember(_trainable=part.in_model and part.trainable)
        return output_shape

    def _checked_shape(self, input_shape: Any) -> Shape:
        """Return the input shape, or the shapes where there are several, as tuples."""
        shape: tuple[Any, ...] = as_shape(self.title, input_shape)
        several = is_several(shape)
        if several and not self.takes_several:
            raise ValueError(f"{self.title} takes one input; got {len(shape)}: {', '.join(map(str, shape))}.")
        if self.takes_several and not several:
            raise ValueError(
                f"{self.title} takes several inputs: expected a list of their shapes, such as [(8,), (8,)]; "
                f"got {shape}."
            )
        return shape

    def _check_shared(self, parent: Any, input_shape: Any, dtype: DTypeLike | None) -> Shape:
        """Return the output shape of a layer that another model has built, or raise if it does not fit."""
        if parent is None:
            raise RuntimeError(f"{self.title} is part of a model, which has built it; make a new layer.")
        output_shape = self.output_shape
        if input_shape != self.input_shape:
            input_shape = self._checked_shape(input_shape)
        if input_shape != self.input_shape:
            try:
                output_shape = None if parent.wiring is None else self.output_shape_for(input_shape)
            except ValueError:
                output_shape = None
        if output_shape is None or np.dtype(dtype) != self.dtype:
            raise ValueError(
                f"{self.title} is shared with another model, which built it for inputs {self.input_shape} of "
                f"{self.dtype}; here they are {input_shape} of {np.dtype(dtype)}: make a new layer."
            )
        return output_shape

    def output_shape_for(self, input_shape: Shape) -> Shape:
        """Return the output shape for inputs of another shape than the layer was built for.

        Raises:
            ValueError: the layer cannot take that shape with the weights that it has.
        """
        shape = self.twin(input_shape, 0).output_shape
        assert shape is not None
        return shape

    def rebuilt(self, input_shape: Any, seed: Seed | None = None, dtype: DTypeLike | None = None) -> Self:
        """Return a copy that is built for inputs of another shape or type, with the same weights.

        Args:
            input_shape, seed, dtype: as for `build`; default: the layer's own.

        Raises:
            ValueError: the layer cannot take that shape, or would need other weights for it.
        """
        clone = copy.deepcopy(self)
        for _, part in [*clone.parts()]:
            part.remember(in_model=False)  # free to be built again
        clone.build_sample(
            input_shape, self.seed if seed is None else seed, self.dtype if dtype is None else dtype
        )
        for (name, parameter), mine in zip(clone.named_parameters().items(), self.parameters, strict=True):
            if parameter.value.shape != mine.value.shape:
                raise ValueError(
                    f"{self.title} was built for inputs of shape {self.input_shape}: for {input_shape} its "
                    f"{name} would have the shape {parameter.value.shape} instead of {mine.value.shape}."
                )
            parameter.value = mine.value
        return clone

    def twin(self, input_shape: Shape, number: int) -> Self:
        """Return a copy that shares the parameters' values, and has its own gradients and memory.

        Args:
            input_shape: of one sample; of each input, if there are several.
            number: of the copy; another one drops other elements.
        """
        seed = (*words_of(self.seed), TWIN, number) if number else self.seed
        clone = self.rebuilt(input_shape, seed)
        for part, mine in zip(clone.parts(), self.parts(), strict=True):
            part[1].remember(
                step_cell=mine[1].step_cell, first_sample=mine[1].first_sample, _trainable=mine[1].trainable,
                in_model=mine[1].in_model, workspace=None if mine[1].workspace is None else Workspace(),
            )  # fmt: skip
        for parameter, original in zip(clone.parameters, self.parameters, strict=True):
            parameter.share(original)
        return clone

    @property
    def wiring(self) -> Wiring | None:
        """How the layer calls those that it is made of, if it does nothing else; None for other layers."""
        return None

    def given_shape(self) -> OpenShape | None:
        """Return the shape of one sample that the layer was given when it was made, or None."""
        if self.output_shape is None and self.input_shape is not None:
            return open_shape(self.title, self.input_shape)
        if self.input_dim is not None:
            return open_shape(self.title, (self.input_dim,))
        if self.batch_input_shape is not None:
            return open_shape(self.title, tuple(self.batch_input_shape)[1:])
        return None

    def note_call(self, call: Any) -> None:
        """Remember a call for symbols, of which the first gives `input` and `output`."""
        self.remember(_calls=(*self._calls, call))

    @property
    def input(self) -> Any:
        """The symbol that the layer was first called with, to make a model of a part of a graph."""
        symbols = self._first_call().inputs or self._first_call().outputs
        return symbols[0] if len(symbols) == 1 else [*symbols]

    @property
    def output(self) -> Any:
        """The symbol that the layer gave when it was first called, to make a model of a part of a graph.

        Raises:
            AttributeError: the layer was called for no symbol, and is part of no model.

        Example:
            >>> from tinynet import Model, Sequential, layers
            >>> model = Sequential([layers.Dense(5, activation="relu"), layers.Dense(2)], 3)
            >>> Model(model.input, model.layers[0].output).predict(np.zeros((1, 3))).shape
            (1, 5)
        """
        symbols = self._first_call().outputs
        return symbols[0] if len(symbols) == 1 else [*symbols]

    def _first_call(self) -> Any:
        if not self._calls:
            raise AttributeError(
                f"{self.title} has no input and output yet: they come once it is part of a built model, or "
                "was called with a symbol, such as tinynet.Input returns."
            )
        return self._calls[0]

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Check the input shape, make the parameters, and return the output shape: `build`'s own part.

        A layer that is made of layers builds them here: `self.first.build(input_shape)` returns the shape
        that the next one gets; their seeds and dtypes follow from this layer's.

        Args:
            input_shape: shape of one sample.
            random: the source of the initial values.

        Returns:
            The shape of one sample of the output.
        """
        return input_shape

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Compute the output for an array, or join the graph of a symbol.

        A layer that is not built yet is built for the shape that x has.

        Args:
            x: (N, *input_shape), a symbol such as `tinynet.Input` returns, or a list where the layer takes
                several.
            training: as for `forward`; default False.

        Returns:
            What `forward` returns; for a symbol, the symbol of the output.

        Example:
            >>> from tinynet import layers
            >>> layers.ReLU()([[-1.0, 2.0]])
            array([[0., 2.]], dtype=float32)
        """
        several = isinstance(x, list | tuple)
        symbol = next((one for one in (x if several else [x]) if isinstance(one, Symbol)), None)
        if symbol is not None:
            return symbol.join(self, x)
        self.build_for(x)
        return self.forward(x, training)

    def build_for(self, x: Any) -> None:
        """Build the layer for its first data, if it is not built yet."""
        if self.output_shape is None:
            shapes = [np.shape(one)[1:] for one in x] if self.takes_several else np.shape(x)[1:]
            self.build_sample(shapes, next_seed())

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Compute the output.

        Args:
            x: (N, *input_shape).
            training: whether to remember what `backward` needs, and whether dropout drops.

        Returns:
            (N, *output_shape), read-only for the caller.
        """
        raise NotImplementedError(f"{self.title} does not define forward(self, x, training=False).")

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients, given the loss's gradient with respect to the last training output.

        Args:
            dy: (N, *output_shape).

        Returns:
            The gradient with respect to the input, (N, *input_shape), read-only for the caller. The
            gradients with respect to the parameters overwrite their `.grad`.

        Raises:
            RuntimeError: there was no `forward(x, training=True)` before.
        """
        raise NotImplementedError(f"{self.title} does not define backward(self, dy).")

    def __repr__(self) -> str:
        chosen = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in hyperparameters(self)
            if getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(chosen)})"

    # For subclasses.

    def add_parameter(
        self,
        name: str,
        shape: Shape,
        initializer: initializers.Initializer,
        random: np.random.Generator,
        trainable: bool = True,
    ) -> Parameter:
        """Return a new parameter with initial values and a zero gradient.

        Args:
            name: its name in the layer.
            shape: its shape.
            initializer: draws the first values.
            random: where they come from.
            trainable: False for what the layer keeps up to date itself, such as a running mean; default True.
                While a model trains, `forward` runs for each shard of a batch, at the same time: sum what all
                of them need by `tinynet.meet`, and update the parameter where `self.first_sample == 0`; see
                `layers/batch_normalization.py`.

        Returns:
            The parameter, which the layer keeps in an attribute.

        Raises:
            ValueError: it is larger than the model's file.
        """
        if math.prod(shape) > self.most_weights:
            raise ValueError(f"{self.title}: {name} of shape {shape} is too large for its model file.")
        return Parameter(name, initializer(shape, random, self.dtype), np.zeros(shape, self.dtype), trainable)

    def check_input(self, x: ArrayLike) -> Array:
        """Return x as a contiguous array of the layer's dtype, or raise if its shape is wrong."""
        if self.output_shape is None or self.input_shape is None:
            raise RuntimeError(f"{self.title} is not built: call layer.build(input_shape) first.")
        return self.check_one(x, self.input_shape)

    def check_one(self, x: ArrayLike, shape: Shape) -> Array:
        """Return x as a contiguous array (N, *shape) of the layer's dtype, or raise if its shape is wrong."""
        array = self.as_array(x)
        if np.ndim(x) == 0 or array.shape[1:] != shape:
            raise ValueError(
                f"{self.title}: expected x of shape (N, {', '.join(map(str, shape))}), "
                f"as the layer was built; got {np.shape(x)}."
            )
        return array

    def as_array(self, x: ArrayLike) -> Array:
        """Return x as the kind of array that the kernels are compiled for, copied only if it differs."""
        array = np.ascontiguousarray(x, self.dtype)
        return array if array.flags.writeable and array.flags.aligned else array.copy()

    def check_upstream(self, remembered: Array | None, dy: ArrayLike) -> tuple[Array, Array]:
        """Return what the last training forward remembered, and dy as a contiguous array; or raise.

        Args:
            remembered: an array of N samples, or None if there was no training forward.
            dy: the upstream gradient.
        """
        if remembered is None or self.output_shape is None:
            raise RuntimeError(f"{self.title}: backward needs a forward(x, training=True) before it.")
        array = self.as_array(dy)
        expected = (len(remembered), *self.output_shape)
        if array.shape != expected:
            raise ValueError(
                f"{self.title}: expected dy of shape {expected}, the shape of the last training output; "
                f"got {array.shape}."
            )
        return remembered, array

    def empty(self, name: str, shape: Shape, training: bool = True, dtype: DTypeLike | None = None) -> Array:
        """Return an uninitialised array: new, or in a replica that trains, the one used last time.

        Args:
            name: what the array is for; one array is kept for each name.
            shape: its shape.
            training: False for inference, which must not touch what the layer keeps.
            dtype: default: the layer's.
        """
        if self.workspace is None or not training:
            return np.empty(shape, self.dtype if dtype is None else dtype)
        return self.workspace.empty(name, shape, np.dtype(self.dtype if dtype is None else dtype))


GENERAL = frozenset(Layer.__dataclass_fields__)  # what every layer takes
SETTINGS.update(GENERAL)


def hyperparameters(layer: Layer) -> list[dataclasses.Field[Any]]:
    """Return the fields of a layer's class, without what every layer takes."""
    return [field for field in dataclasses.fields(layer) if field.name not in GENERAL]


def words_of(seed: Seed) -> tuple[int, ...]:
    """Return a seed as integers."""
    return (seed,) if isinstance(seed, int | np.integer) else tuple(seed)
