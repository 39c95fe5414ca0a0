"""What a layer and a parameter are."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .. import initializers
from .geometry import Shape, as_shape

Array = NDArray[Any]
Seed = int | Sequence[int]

WEIGHTS = 1  # the last word of the seeds of initial weights: keeps their random numbers apart from others


class Parameter:
    """A learned array and its gradient, of one shape.

    Inside a model, `value` and `grad` are views into the model's two flat vectors. Assigning to them
    copies the numbers into the arrays that are there.

    Args:
        name: "kernel" or "bias".
        value: the current values.
        grad: the gradient that the last backward pass left; it is overwritten, never added to.

    Raises:
        ValueError: what is assigned has another shape.

    Example:
        >>> bias = Parameter("bias", np.ones(3), np.zeros(3))
        >>> bias.value = [1, 2, 3]
        >>> bias.value
        array([1., 2., 3.])
    """

    def __init__(self, name: str, value: Array, grad: Array) -> None:
        self.name = name
        self.bind(value, grad)

    def bind(self, value: Array, grad: Array) -> None:
        """Make these very arrays the parameter's value and gradient."""
        self._value, self._grad = value, grad

    @property
    def value(self) -> Array:
        """The current values."""
        return self._value

    @value.setter
    def value(self, new: ArrayLike) -> None:
        self._copy(new, self._value, "value")

    @property
    def grad(self) -> Array:
        """The gradient that the last backward pass left."""
        return self._grad

    @grad.setter
    def grad(self, new: ArrayLike) -> None:
        self._copy(new, self._grad, "grad")

    def _copy(self, new: ArrayLike, target: Array, what: str) -> None:
        if np.shape(new) != target.shape:
            raise ValueError(
                f"The {what} of parameter {self.name!r} has shape {target.shape}; got {np.shape(new)}."
            )
        target[...] = new

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, shape={self.value.shape}, dtype={self.value.dtype})"


class Workspace:
    """The arrays that the replica of a layer works in, from one training step to the next.

    What holds a row for each sample of the replica's shard is part of an array for the whole batch.

    Args:
        whole: the batch's arrays by name, shared by the replicas of this layer; filled as they are needed.
        shard: which samples are this replica's; default: of no batch.
        samples: the size of the batch.
    """

    def __init__(
        self, whole: dict[str, Array] | None = None, shard: slice = slice(0, 0), samples: int = 0
    ) -> None:
        self.whole, self.shard, self.samples = {} if whole is None else whole, shard, samples
        self.kept: dict[str, Array] = {}

    def empty(self, name: str, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Return the array of this name, as it was left; uninitialised if new or of another shape."""
        array = self.kept.get(name)
        if array is None or array.shape != shape:
            if self.samples and shape[0] == self.shard.stop - self.shard.start:
                whole = self.whole.setdefault(name, np.empty((self.samples, *shape[1:]), dtype))
                array = whole[self.shard]
            else:
                array = np.empty(shape, dtype)
            self.kept[name] = array
        return array


class Layer:
    """The base of all layers: hyperparameters in the constructor, then `build`, `forward`, `backward`.

    A subclass is a dataclass whose fields are its hyperparameters, and defines `declare`, `forward` and
    `backward`. Only `forward(x, training=True)` remembers anything on the layer, for `backward`;
    inference writes nothing, so that one layer serves many threads. A layer never writes into an
    argument, and what it returns is read-only for the caller.

    Attributes:
        input_shape, output_shape: shapes without the batch axis, known after `build`.
        name: the layer's name in its model's summary and in error messages.
        in_model: whether the layer is part of a model, which then has built it.
        seed: the layer's own seed.
        step: the number of the training step, and
        step_cell: an array (1,) with that number, where a program replays the layer; else None.
        first_sample: the position in the batch of the first sample that `forward` gets: what dropout's
            random numbers depend on.
        needs_input_gradient: False on the first layer with parameters while a model trains: its
            `backward` then skips the gradient with respect to the input, and returns an empty array.
        needs_kernel_gradient: False on a Dense layer while a model trains: the gradient of its kernel is then
            left out by `backward`, and computed for the whole batch at once.
        most_weights: more than this in one parameter is refused: what the model's file can hold.
        x, y: what the last training forward remembered of its input and output, if it needs them, and
        dy: what a Dense layer's `backward` remembers for the gradient of its kernel.
    """

    name: str = ""
    in_model: bool = False
    input_shape: Shape | None = None
    output_shape: Shape | None = None
    dtype: np.dtype[Any] = np.dtype("float32")
    seed: Seed = 0
    step: int = 0
    step_cell: Array | None = None
    first_sample: int = 0
    needs_input_gradient: bool = True
    needs_kernel_gradient: bool = True
    most_weights: float = math.inf
    x: Array | None = None
    y: Array | None = None
    dy: Array | None = None
    workspace: Workspace | None = None

    def build(self, input_shape: int | Sequence[int], seed: Seed = 0, dtype: DTypeLike = "float32") -> Shape:
        """Make the parameters.

        Args:
            input_shape: shape of one sample, without the batch axis.
            seed: an integer (or several) from which the initial values and dropout's choices follow.
            dtype: "float32", or "float64" for gradient checks.

        Returns:
            The shape of one sample of the output.

        Raises:
            ValueError: the layer cannot take that shape.
        """
        if self.in_model:
            raise RuntimeError(f"{self.title} is part of a model, which has built it; make a new layer.")
        shape = as_shape(self.title, input_shape)
        if dtype is None or np.dtype(dtype) not in (np.dtype("float32"), np.dtype("float64")):
            raise ValueError(f"{self.title}: dtype must be 'float32' or 'float64'; got {dtype!r}.")
        self.dtype = np.dtype(dtype)
        self.seed, self.step, self.first_sample, self.x, self.y = seed, 0, 0, None, None
        words = [seed] if isinstance(seed, int | np.integer) else [*seed]
        # Not default_rng(seed), which the data may well come from; trailing zeros would not tell seeds apart.
        self.output_shape = self.declare(shape, np.random.default_rng([*words, WEIGHTS]))
        self.input_shape = shape
        return self.output_shape

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Check the input shape, make the parameters, and return the output shape: `build`'s own part.

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
        raise NotImplementedError

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
        raise NotImplementedError

    @property
    def parameters(self) -> list[Parameter]:
        """The layer's parameters, in the order of their declaration."""
        return [value for value in vars(self).values() if isinstance(value, Parameter)]

    @property
    def title(self) -> str:
        """The layer in an error message: its class, and its name if it has one."""
        return f"{type(self).__name__} {self.name!r}" if self.name else type(self).__name__

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
        self, name: str, shape: Shape, initializer: initializers.Initializer, random: np.random.Generator
    ) -> Parameter:
        """Return a new parameter with initial values and a zero gradient."""
        if math.prod(shape) > self.most_weights:
            raise ValueError(f"{self.title}: {name} of shape {shape} is too large for its model file.")
        return Parameter(name, initializer(shape, random, self.dtype), np.zeros(shape, self.dtype))

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

    def empty(self, name: str, shape: Shape, training: bool = True) -> Array:
        """Return an uninitialised array: new, or in a replica that trains, the one used last time.

        Args:
            name: what the array is for; one array is kept for each name.
            shape: its shape.
            training: False for inference, which must not touch what the layer keeps.
        """
        if self.workspace is None or not training:
            return np.empty(shape, self.dtype)
        return self.workspace.empty(name, shape, self.dtype)

    def replica(self) -> Self:
        """Return a copy that shares the parameters' values and owns its gradients and what it remembers.

        Replicas let several threads train on parts of a batch at once; see `tinynet.shards`.
        """
        clone = copy.copy(self)
        clone.workspace = Workspace()
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                setattr(
                    clone, name, Parameter(value.name, value.value, np.zeros(value.grad.shape, self.dtype))
                )
            elif isinstance(value, Layer):
                setattr(clone, name, value.replica())
        return clone
