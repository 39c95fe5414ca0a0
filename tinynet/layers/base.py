"""What a layer is."""

from __future__ import annotations

import dataclasses
import inspect
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .. import initializers
from ..constraints import Constraint
from ..regularizers import L1L2
from ..tensor import as_tensors
from ..views import View
from .allowance import ask
from .building import GENERAL, Buildable
from .geometry import Shape
from .parameter import Parameter
from .view import view_of
from .wiring import Symbol
from .workspace import empty

Array = NDArray[Any]


@dataclasses.dataclass(eq=False, repr=False)
class Layer(Buildable):
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
        trainable: what the attribute begins as; default True.
        weights: arrays as `get_weights` returns them, which the layer begins with; default: as its
            initializers say.
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

    def note_call(self, call: Any) -> None:
        """Remember the first call for symbols, which gives `input` and `output`."""
        self.remember(_calls=self._calls or (call,))

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

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """Compute the output for an array, or join the graph of a symbol.

        A layer that is not built yet is built for the shape that x has, from the next seed of this process;
        without `training`, arrays of other shapes are taken, too, if the weights fit.

        Args:
            x: (N, *input_shape), a symbol such as `tinynet.Input` returns, or a list where the layer takes
                several.
            training: as for `forward`; default False. In a graph it is the model that decides: there only
                `training=False` of layers that do not change with it is taken.

        Returns:
            What `forward` returns, with TensorFlow's method `numpy`; for a symbol, the symbol of the output.

        Raises:
            ValueError: `training` would have no effect in a graph.

        Example:
            >>> from tinynet import layers
            >>> layers.ReLU()([[-1.0, 2.0]])
            array([[0., 2.]], dtype=float32)
        """
        several = isinstance(x, list | tuple)
        symbol = next((one for one in (x if several else [x]) if isinstance(one, Symbol)), None)
        if symbol is not None:
            if training or (training is False and any(part.varies for _, part in self.parts())):
                raise ValueError(
                    f"{self.title}: training={training} has no effect in a graph, where the model decides. "
                    "(Of normalizations, trainable = False, set before, does what training=False does.)"
                )
            return symbol.join(self, x)
        self.build_for(x)
        return as_tensors(self.answer(x, bool(training)))

    def answer(self, x: Any, training: bool) -> Any:
        """Compute what a call returns: what `forward` returns, also for other shapes than the built one."""
        if not training and self.wiring is None:
            shapes = [np.shape(one) for one in (x if self.takes_several else [x])]
            shape: Any = tuple(one[1:] for one in shapes) if self.takes_several else shapes[0][1:]
            if shape != self.input_shape and all(shapes):
                return self.twin(shape, 0).forward(x)
        return self.forward(x, training)

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

    def hyperparameter(self, name: str) -> Any:
        """Return a hyperparameter as it was given: `seed` is the layer's own once it is built."""
        return vars(self).get(f"given_{name}", getattr(self, name))

    def get_config(self) -> dict[str, Any]:
        """Return what makes such a layer, without its weights: `type(layer).from_config(layer.get_config())`.

        Example:
            >>> from tinynet.layers import Dropout
            >>> Dropout(0.5, name="drop").get_config()
            {'name': 'drop', 'trainable': True, 'rate': 0.5, 'noise_shape': None, 'seed': None}
        """
        values = {field.name: self.hyperparameter(field.name) for field in hyperparameters(self)}
        return {"name": self.name, "trainable": self.trainable} | values

    @classmethod
    def from_config(cls, config: Any) -> Any:
        """Return the layer that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        values = [(field, self.hyperparameter(field.name)) for field in hyperparameters(self)]
        chosen = [
            f"{field.name}={value.__name__ if inspect.isfunction(value) else value!r}"
            for field, value in values
            if value != field.default
        ]
        return f"{type(self).__name__}({', '.join(chosen)})"

    def _view(self) -> View:
        """Return what a notebook shows."""
        return view_of(self)

    def _repr_html_(self) -> str:
        """Show a notebook the shapes and the parameters."""
        return self._view().html()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Show the same as text where a page cannot be shown; inside of a list, a layer is its repr."""
        return self._view().bundle()

    # For subclasses.

    def add_parameter(
        self,
        name: str,
        shape: Shape,
        initializer: str | initializers.Initializer,
        random: np.random.Generator,
        trainable: bool = True,
        regularizer: L1L2 | None = None,
        constraint: Constraint | None = None,
    ) -> Parameter:
        """Return a new parameter with initial values and a zero gradient.

        Args:
            name: its name in the layer.
            shape: its shape.
            initializer: draws the first values, or its name, such as "zeros".
            random: where they come from.
            trainable: False for what the layer keeps up to date itself, such as a running mean; default True.
                While a model trains, `forward` runs for each shard of a batch, at the same time: sum what all
                of them need by `tinynet.meet`, and update the parameter where `self.first_sample == 0`; see
                `layers/batch_normalization.py`.
            regularizer: the penalty on its values that a model adds to its loss; default: none.
            constraint: what its values must fulfil after each training step; default: nothing.

        Returns:
            The parameter, which the layer keeps in an attribute.

        Raises:
            ValueError: it is more than the model's file holds.
        """
        if not ask(math.prod(shape)):
            raise ValueError(f"{self.title}: {name} of shape {shape} is more than its model's file holds.")
        draw = initializers.get(initializer) if isinstance(initializer, str) else initializer
        value = draw(shape, random, self.dtype)
        parameter = Parameter(name, value, np.zeros(shape, self.dtype), trainable)
        parameter.regularizer, parameter.constraint = regularizer, constraint
        return parameter

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
        """Return an uninitialised array: new, or in a replica that trains, the same place in every step.

        Args:
            name: what the array is for; one array is kept for each name.
            shape: its shape.
            training: False for inference, which must not touch what the layer keeps.
            dtype: default: the layer's.
        """
        kind = np.dtype(self.dtype if dtype is None else dtype)
        if self.workspace is None or not training:
            return empty(shape, kind)
        return self.workspace.empty(name, shape, kind)

    def for_now(self, name: str, shape: Shape, training: bool = True) -> Array:
        """Return an uninitialised array to work in until `forward` or `backward` returns, not longer.

        In a replica that trains, all layers get the same memory by the same name, which the cache then holds.

        Args:
            name, shape, training: as in `empty`.
        """
        if self.workspace is None or not training:
            return empty(shape, np.dtype(self.dtype))
        return self.workspace.for_now(name, shape, np.dtype(self.dtype))


def hyperparameters(layer: Layer) -> list[dataclasses.Field[Any]]:
    """Return the fields of a layer's class, without what every layer takes."""
    return [field for field in dataclasses.fields(layer) if field.name not in GENERAL]
