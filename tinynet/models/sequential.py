"""Models of layers in a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from ..layers import Layer
from ..layers.building import Seed
from ..layers.chain import Chain, Layers, check_layer, names_for
from ..layers.config import give_names, layer_config, layer_from_config, names_config
from ..layers.declaration import Declaration, running
from ..layers.geometry import OpenShape, Shape, is_several, open_shape, stand_in
from ..layers.members import unchanged_by_failure
from ..layers.symbols import STAND_INS, InputLayer, SymbolicTensor
from .description import as_ours, common_config, restore
from .inputs import raw_input
from .model import Model
from .placed import first_use


class Sequential(Chain, Model, only_kernels=True):
    """A model: layers in a row, which can be trained.

    It is built as soon as it knows the shape of what it takes: by `input_shape`, by an `Input` or the first
    layer, by `build`, or by its first data. Layers may be shared with a model that was built before: training
    one model then changes the other one's weights too, as in Keras.

    Args:
        layers: the layers, in order; more can be added.
        input_shape: shape of one sample, without the batch axis; None where any size is taken. Default: see
            above.
        seed: everything random follows from it: initial weights, dropout, shuffling, augmentation. Default:
            the next seed of this process; see `tinynet.set_random_seed`.
        dtype: "float32" (default), or "float64" for gradient checks.
        name: for `summary`; default "sequential".

    Attributes:
        layers: the layers.
        input_shape, output_shape: shapes of one sample; None as long as the model is not built.

    Raises:
        ValueError: a layer cannot take its input's shape, or is used twice.

    Example:
        >>> from tinynet import layers
        >>> model = Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")], (28, 28, 1))
        >>> model.predict(np.zeros((2, 28, 28, 1))).shape
        (2, 10)
        >>> model = Sequential()
        >>> model.add(layers.Dense(3, input_shape=(5,)))
        >>> model.add(layers.Dense(2))
        >>> model.output_shape
        (2,)
    """

    default_name = "sequential"
    _shape: OpenShape | None
    _learned: bool = False  # whether the first data said the shape

    def __init__(
        self,
        layers: Sequence[Layer | SymbolicTensor] | None = None,
        input_shape: int | Sequence[int | None] | None = None,
        seed: int | None = None,
        dtype: DTypeLike = "float32",
        name: str | None = None,
    ) -> None:
        kind = type(self).__name__
        if not isinstance(layers, Sequence | None):
            raise TypeError(f"{kind}: expected a list of layers; got {layers!r}.")
        self._begin(seed, name)
        self.layers, self.dtype = Layers(), np.dtype(dtype)
        self._input_layers, self._values, self._sizes = [], [], []
        self._shape = None if input_shape is None else open_shape(kind, input_shape)
        for layer in layers or ():
            self._append(layer)
        if self._shape is not None and self.layers:
            self._build_all()
            self._place()

    def add(self, layer: Layer | SymbolicTensor) -> None:
        """Add a layer at the end; those that are there keep their weights.

        Args:
            layer: a new layer, or first of all an `Input`. If it is the first one, its `input_shape` says
                what the model takes.

        Raises:
            RuntimeError: the model is a part of another one.
            TypeError: it is no layer.
            ValueError: it cannot take what the layers before it give; then the model stays as it is.

        Example:
            >>> from tinynet import layers
            >>> model = Sequential()
            >>> model.add(layers.Dense(2, input_dim=3))
            >>> len(model)
            1
        """
        self._check_free()
        with unchanged_by_failure(self, layer):
            self._append(layer)
            if self.output_shape is not None:
                self._build_last()
            elif self._shape is not None and self.layers:
                self._build_all()

    def pop(self) -> Layer:
        """Take the last layer away, and return it; the others keep their weights.

        Raises:
            IndexError: there is no layer.
            RuntimeError: the model is a part of another one.

        Example:
            >>> from tinynet import layers
            >>> model = Sequential([layers.Dense(2), layers.ReLU()], 3)
            >>> model.pop()
            ReLU()
        """
        if not self.layers:
            raise IndexError(f"{self.title} has no layer to take away.")
        self._check_free()
        *others, last = self.layers
        with unchanged_by_failure(self):
            self.remember(layers=Layers(others), _values=self._values[: len(others) + 1])
            if not others:
                self.remember(
                    output_shape=None,
                    input_shape=None,
                    in_model=False,
                    _values=[],
                    _sizes=[],
                    _sublayers=None,
                )
                if self._learned:  # the shape was that of the first data
                    self.remember(_shape=None, _input_layers=[])
            elif self.output_shape is not None:
                self.remember(_sublayers=self.find_sublayers())
                self._open()
            self._take([])
            last.remember(_inside=False)
        return last

    def _check_free(self) -> None:
        """Raise if the model is a part of another layer, which would not notice that it changes."""
        if self._inside:
            raise RuntimeError(f"{self.title} is part of another model: make a new one, of the same layers.")

    def _append(self, layer: Any) -> None:
        """Take a layer into the row, and note the shape that it says."""
        given = layer.call.layer if isinstance(layer, SymbolicTensor) else layer
        if isinstance(given, InputLayer):
            if self.layers or self._input_layers:
                raise ValueError(f"{self.title}: an Input stands before all layers.")
            if given.output_shape is not None:  # an Input, which has a type, float32 if it was given none
                self.remember(dtype=np.promote_types(self.dtype, given.dtype))
                if given.dtype != self.dtype:
                    given = InputLayer(given.shape, name=given.name)
            self._shape, self._input_layers = given.shape, [given]
            return
        check_layer(type(self).__name__, self.layers, layer)
        if not self.layers:
            built = isinstance(layer, Model) and layer.output_shape is not None
            shape = layer.open_shapes[0] if built else layer.given_shape()
            if not built and shape is not None and self._shape not in (None, shape):
                raise ValueError(
                    f"{self.title} has the input_shape {self._shape}, and {layer.title}, its first layer, "
                    f"{shape}: give one of them."
                )
            self._shape = shape if self._shape is None else self._shape
        self.remember(layers=Layers((*self.layers, layer)))

    def _build_all(self) -> None:
        """Build the layers, for the shape that is known now."""
        assert self._shape is not None
        self._build_anew(stand_in(self._shape, STAND_INS[0]), self.seed, self.dtype)
        self._settle()

    def _build_last(self) -> None:
        """Build the layer that was added to those that are built."""
        layer: Any = self.layers[-1]
        kept = layer.named_parameters() if not layer.in_model and self._keeps_weights(layer) else None
        if layer.is_nameless:
            layer.remember(name=names_for(self.layers)[-1], _named_by_default=False)
        with Declaration(self, []).run():
            if is_several(layer.build(self._values[-1].sizes[0])):
                raise ValueError(f"{self.title}: {layer.title} has several outputs, and a row gives one.")
        if kept is not None:
            self._give_back(layer, kept)
        self.remember(_sublayers=self.find_sublayers())
        self._take([part for _, part in layer.parts()])
        self._open()

    def build(
        self, input_shape: Any = None, seed: Seed | None = None, dtype: DTypeLike | None = None
    ) -> Shape:
        """Build the model, as its first data would.

        Args:
            input_shape: as in Keras with the batch axis, such as (None, 28, 28, 1). In the `declare` of a
                layer that the model is a part of, without it, as for all layers.
            seed, dtype: see `Layer.build`; default: those of the model.

        Returns:
            The shape of one sample of the output.

        Raises:
            RuntimeError: the model is built for another shape.
            ValueError: the shape has no batch axis, or a layer cannot take what comes to it.

        Example:
            >>> from tinynet import layers
            >>> model = Sequential([layers.Flatten(), layers.Dense(10)])
            >>> model.build((None, 28, 28, 1))
            (10,)
        """
        now = running()
        if now is not None and now.place_of(self) is not None:
            return self.build_sample(input_shape, seed, dtype)
        if not isinstance(input_shape, Sequence) or len(input_shape) < 2:
            raise ValueError(
                f"{self.title}: build takes a shape with the batch axis, as in Keras, such as (None, 784); "
                f"got {input_shape!r}."
            )
        shape = open_shape(self.title, tuple(input_shape[1:]))
        if self.output_shape is None:
            self._build_as(shape, seed, dtype)
        elif shape != self.input_shape:
            raise RuntimeError(f"{self.title} is built for {self.input_shape}: make a new model for {shape}.")
        assert self.output_shape is not None
        return self.output_shape

    def build_sample(
        self, input_shape: Any, seed: Seed | None = None, dtype: DTypeLike | None = None
    ) -> Shape:
        """Build the model as a part of another layer; see `Layer.build_sample`."""
        if not self.in_model:
            first = second = self._checked_shape(input_shape)
            if self._shape is not None and stand_in(self._shape, STAND_INS[0]) == first:
                second = stand_in(self._shape, STAND_INS[1])
            self.remember(_sizes=[(first, second)], _values=[])
        return super().build_sample(input_shape, seed, dtype)

    def build_for_symbols(self, shape: Any, opened: Any, seed: Seed, dtype: DTypeLike) -> None:
        """Build the model for symbols, from its own seed; see `Layer.build_for_symbols`."""
        self._build_as(opened, dtype=dtype)

    def build_for(self, x: Any) -> None:
        """Build the model for its first data, if it is not built yet."""
        if self.output_shape is not None:
            return
        with first_use():
            if self.output_shape is None:
                shape = np.shape(x)[1:] or (1,) if self._shape is None else self._shape
                raw_input(x, shape, lambda: f"{self.title}, which its first data builds,")
                self._build_as(shape)

    def _build_as(self, shape: OpenShape, seed: Seed | None = None, dtype: DTypeLike | None = None) -> None:
        """Build the model for inputs of a shape; if that fails, it is as before."""
        if not self.layers:
            raise ValueError(f"{self.title} has no layers: add some first, by model.add(layer).")
        with unchanged_by_failure(self):
            self.remember(
                _shape=shape,
                _learned=self._shape is None,
                seed=self.seed if seed is None else seed,
                dtype=self.dtype if dtype is None else np.dtype(dtype),
            )
            self._build_all()
        self._place()

    def config(self) -> dict[str, Any]:
        """Return what rebuilds the model, without its weights; see `Model.config`."""
        if self.output_shape is None or self.input_shape is None:
            raise ValueError(f"{self.title} is not built: fit it, or call model.build, before it is saved.")
        return {
            "layers": [layer_config(layer) for layer in self.layers],
            **names_config(self),
            "input_shape": list(self.input_shape),
            **common_config(self),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the model that `config` described; see `Model.from_config`."""
        config = as_ours("Sequential", config)
        layers = [layer_from_config(layer) for layer in config["layers"]]
        if "names" in config:
            give_names(layers, config["names"])
        model = cls(layers, config["input_shape"], config["seed"], config["dtype"], config["name"])
        restore(model, config)
        return model
