"""What a layer is."""

from __future__ import annotations

import dataclasses
import math
import threading
import weakref
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .. import initializers
from .geometry import Shape, as_shape
from .parameter import Parameter
from .tree import SETTINGS, Node

Array = NDArray[Any]
Seed = int | Sequence[int]

# The last word of the seeds of initial weights: keeps their random numbers apart from others.
INITIAL_WEIGHTS = 1

_building = threading.local()  # its `now` is the declaration that this thread runs


class Declaration:
    """A layer's `declare` while it runs: it builds the layers that the layer is made of.

    Args:
        layer: the layer.
        above: those that it is a part of.
    """

    def __init__(self, layer: Layer, above: Sequence[Layer]) -> None:
        self.layer, self.above = layer, [*above, layer]
        self.places: dict[int, int] = {}
        self.strays: list[weakref.ref[Layer]] = []  # what is built meanwhile, and is no part

    def place_of(self, part: Layer) -> int | None:
        """Return a part's place among those of the layer, or None if it is none of them."""
        if id(part) not in self.places:
            self.places = {id(layer): n for n, layer in enumerate(self.layer.find_sublayers().values())}
        return self.places.get(id(part))

    def check(self) -> None:
        """Raise if something was built too early, or is kept where nothing finds it."""
        layer, parts = self.layer, [*self.layer.find_sublayers().values()]
        for part in parts:
            if part.input_shape is not None and part.dtype != layer.dtype:
                raise ValueError(f"{layer.title}: {part.title} was built before it became a part of it.")
        for stray in (reference() for reference in self.strays):
            # A model that a signal handler builds in the midst of this has its layers in_model by now.
            if stray is not None and not stray.in_model and all(stray is not part for part in parts):
                raise ValueError(
                    f"{layer.title} holds {stray.title} where it is not found: keep the layers "
                    "that it is made of in attributes, lists, tuples or dicts."
                )


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

    Args:
        only_kernels: of the class, `class Mine(Layer, only_kernels=True)`: the promise that `forward` and
            `backward` do nothing to arrays but call kernels and other such layers, so that a step may be
            recorded; default False.

    Attributes:
        takes_several: of the class, whether it takes a list of inputs, and `backward` returns a list of
            gradients; `input_shape` is then a tuple of shapes.
        input_shape, output_shape: shapes without the batch axis, known after `build`.
        name: the layer's name in its model's summary, in model files and in error messages.
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

    takes_several: ClassVar[bool] = False
    input_shape: Shape | None = None
    output_shape: Shape | None = None
    seed: Seed = 0
    first_sample: int = 0
    needs_input_gradient: bool = True
    defers: bool = False
    most_weights: float = math.inf
    x: Array | None = None
    y: Array | None = None
    dy: Array | None = None

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
        shape = as_shape(self.title, input_shape)
        self._check_number_of_inputs(shape)
        now: Declaration | None = getattr(_building, "now", None)
        place = None if now is None else now.place_of(self)
        parent = None if now is None or place is None else now.layer
        if now is not None and parent is None:
            now.strays.append(weakref.ref(self))
        if parent is not None:
            if seed is None or seed == parent.seed:
                seed = (*words_of(parent.seed), place or 0)
            dtype = parent.dtype if dtype is None else dtype
            self.remember(most_weights=min(self.most_weights, parent.most_weights))
        if self.in_model and self.input_shape is not None:
            return self._check_shared(parent, shape, dtype)
        if np.dtype(dtype or "float32") not in (np.dtype("float32"), np.dtype("float64")):
            raise ValueError(f"{self.title}: dtype must be 'float32' or 'float64'; got {dtype!r}.")
        self.remember(
            dtype=np.dtype(dtype or "float32"), seed=0 if seed is None else seed, x=None, y=None,
            step_cell=np.zeros(1, np.int64), first_sample=0, _sublayers=None, _own_parameters=None,
        )  # fmt: skip
        # Not default_rng(seed), which the data may well come from; trailing zeros would not tell seeds apart.
        random = np.random.default_rng([*words_of(self.seed), INITIAL_WEIGHTS])
        above = now.above if now is not None and parent is not None else []
        _building.now = declaration = Declaration(self, above)
        try:
            self.find_sublayers()  # raises where two have equal paths
            output_shape = self.declare(shape, random)
            declaration.check()
        finally:
            _building.now = now
        self.remember(input_shape=shape, output_shape=output_shape)
        self.settle(above)
        self.named_parameters()  # raises where two have equal paths
        if not self.trainable:
            for _, part in self.parts():  # those that `declare` made, too
                part.remember(_trainable=part.in_model and part.trainable)
        return output_shape

    def _check_number_of_inputs(self, shape: tuple[Any, ...]) -> None:
        several = any(isinstance(size, tuple) for size in shape)
        if several and not self.takes_several:
            raise ValueError(f"{self.title} takes one input; got {len(shape)}: {', '.join(map(str, shape))}.")
        if self.takes_several and not several:
            raise ValueError(
                f"{self.title} takes several inputs: expected a list of their shapes, such as [(8,), (8,)]; "
                f"got {shape}."
            )

    def _check_shared(self, parent: Layer | None, shape: Shape, dtype: DTypeLike | None) -> Shape:
        """Return the output shape of a layer that another model has built, or raise if it does not fit."""
        if parent is None:
            raise RuntimeError(f"{self.title} is part of a model, which has built it; make a new layer.")
        if shape != self.input_shape or np.dtype(dtype) != self.dtype:
            raise ValueError(
                f"{self.title} is shared with another model, which built it for inputs {self.input_shape} of "
                f"{self.dtype}; here they are {shape} of {np.dtype(dtype)}: make a new layer."
            )
        assert self.output_shape is not None
        return self.output_shape

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
        fields: dict[str, dataclasses.Field[Any]] = getattr(self, "__dataclass_fields__", {})
        chosen = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields.values()
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
                of them need by `tinynet.meeting.meet`, and update the parameter where `self.first_sample ==
                0`; see `layers/batch_normalization.py`.

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
        if self.input_shape is None:
            raise RuntimeError(f"{self.title} is not built: call layer.build(input_shape) first.")
        array = self.as_array(x)
        if np.ndim(x) == 0 or array.shape[1:] != self.input_shape:
            raise ValueError(
                f"{self.title}: expected x of shape (N, {', '.join(map(str, self.input_shape))}), "
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


SETTINGS.update(Layer.__annotations__)


def words_of(seed: Seed) -> tuple[int, ...]:
    """Return a seed as integers."""
    return (seed,) if isinstance(seed, int | np.integer) else tuple(seed)
