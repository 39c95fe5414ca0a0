"""Models of layers that call each other, from some symbols to others."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from ..files.atomic import check_writable, write_new
from ..files.model_file import file_in
from ..layers.chain import Layers, names_for
from ..layers.config import give_names, layer_config, layer_from_config
from ..layers.flow import Flow
from ..layers.geometry import Shape, shapes_in
from ..layers.symbols import InputLayer, SymbolicTensor
from ..layers.tracing import symbols_of, trace
from ..layers.wiring import Wiring
from ..views import View
from .described import Described
from .description import as_ours, common_config, restore
from .inputs import as_inputs
from .storage.saving import content_of, warn_of_nan, weights_content
from .summary import summary, view_of


class Model(Described, only_kernels=True):
    """A model: layers that call each other, which can be trained.

    Layers may be called several times, and may be shared with other models: training one model then changes
    the other one's weights too, as in Keras.

    Args:
        inputs: the symbol of what the model takes, as `tinynet.Input` returns it, or a list of several. Any
            symbol will do: one in the midst of a graph makes a model of what comes after it.
        outputs: the symbol of what the model gives; a list of several is for prediction only.
        seed: everything random follows from it: dropout, shuffling, augmentation, and the initial weights,
            which are drawn anew where nobody has changed them. Default: the next seed of this process (see
            `tinynet.set_random_seed`), and the layers keep the weights that they have.
        dtype: "float32", or "float64" for gradient checks; default: that of the symbols.
        name: for `summary`; default "model".

    Attributes:
        layers: the layers, in the order that Keras has, those of the inputs among them.
        inputs, outputs: lists of symbols; `input` and `output` are the only one, or the list.
        input_shape, output_shape: shapes of one sample; None where any size is taken.

    Raises:
        TypeError: something is no symbol.
        ValueError: the outputs depend on an input that is not given, or two layers have the same name.

    Example:
        >>> from tinynet import Input, layers
        >>> inputs = Input((28, 28, 1))
        >>> x = layers.Conv2D(4, 3, padding="same")(inputs)
        >>> x = layers.Add()([x, layers.ReLU()(x)])
        >>> model = Model(inputs, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))
        >>> model.predict(np.zeros((2, 28, 28, 1))).shape
        (2, 10)
    """

    _wiring: Wiring
    _input_layers: list[InputLayer]
    _values: list[SymbolicTensor]
    _sizes: list[tuple[Shape, Shape]]

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        seed: int | None = None,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ) -> None:
        if inputs is None or outputs is None:
            raise TypeError(
                f"{type(self).__name__}: give inputs and outputs, symbols. (A model that is a class with a "
                "method `call` is not there: derive from Layer, and define forward and backward.)"
            )
        given, wanted = symbols_of("inputs", inputs), symbols_of("outputs", outputs)
        self._wiring, self._input_layers, self._values = trace(given, wanted)
        self._sizes = [symbol.sizes for symbol in given]
        self.layers, self.takes_several = Layers(self._wiring.layers), len(given) > 1
        self._begin(seed, name)
        new = [layer.name for layer in self.layers if layer.name and not layer.in_model]
        repeated = [one for one, count in Counter(new).items() if count > 1]
        if repeated:
            raise ValueError(f"{self.title}: two layers have the name {repeated[0]!r}: rename one of them.")
        shapes: Any = self.built_shapes if self.takes_several else self.built_shapes[0]
        self._build_anew(shapes, self.seed, wanted[0].dtype if dtype is None else dtype)
        for symbol in self._values:
            symbol.dtype = self.dtype
        self._settle()
        self._place()

    @property
    def joined(self) -> Wiring:
        """How the layers call each other."""
        return self._wiring

    @property
    def built_shapes(self) -> tuple[Shape, ...]:
        """The shapes of a sample of each input for which the layers were built."""
        return tuple(first for first, _ in self._sizes)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs, as a dict of inputs has them."""
        if not self._input_layers:  # built as a part of another layer
            return ["input_layer"]
        names = {id(layer): name for name, layer in self.find_sublayers().items()}
        return [names.get(id(layer), "input_layer") for layer in self._input_layers]

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbols of what the model takes."""
        return self._symbols()[: len(self._input_layers)]

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbols of what the model gives."""
        return [self._symbols()[number] for number in self.joined.outputs]

    @property
    def input(self) -> Any:
        """The symbol of what the model takes, or a list of several."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def output(self) -> Any:
        """The symbol of what the model gives, or a list of several."""
        return self.outputs[0] if len(self.outputs) == 1 else self.outputs

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """Compute the output, or join a graph; see `Layer.__call__`; a dict by name is taken, too."""
        if isinstance(x, Mapping):
            x = as_inputs(x, self.input_names)
            x = x if self.takes_several else x[0]
        return super().__call__(x, training)

    def __len__(self) -> int:
        """Return the number of layers."""
        return len(self.layers)

    def __bool__(self) -> bool:
        """Return True: a model without layers is a model, too."""
        return True

    def __repr__(self) -> str:
        count = sum(parameter.value.size for parameter in self.parameters)
        return f"{type(self).__name__}(name={self.name!r}, layers={len(self.layers)}, parameters={count})"

    def _view(self) -> View:
        """Return what a notebook shows: what `summary` prints, and each layer's share of the parameters."""
        return view_of(self, [] if self.output_shape is None else self._symbols())

    def find_sublayers(self) -> dict[str, Any]:
        """Return the layers by their names."""
        return dict(zip(names_for(self.layers), self.layers, strict=True))

    def declare(self, input_shape: Any, random: np.random.Generator) -> Any:
        """Name the layers and build each for the shape that it was called with first; see `Layer.declare`."""
        for given, name in zip(self._input_layers, names_for(self._input_layers), strict=True):
            if not given.name:
                given.remember(name=name)  # in the order of the inputs
        for name, layer in self.find_sublayers().items():
            if layer.is_nameless:
                layer.remember(name=name, _named_by_default=False)
        for layer in self.layers:
            layer.build(layer.input_shape)  # type: ignore[arg-type]
        flow = Flow(self.built_shapes)
        shapes = tuple(flow.shapes[output] for output in flow.connect(self.joined, range(len(self._sizes))))
        return shapes if len(shapes) > 1 else shapes[0]

    def _settle(self) -> None:
        """Make the layers parts of this model, and the symbols that a copy lacks."""
        super()._settle()
        self._open()

    def _open(self) -> None:
        """Note the shapes of what the model takes and gives, None where any size is taken."""
        self._symbols()
        opened = [tuple(symbol.sample_shape for symbol in symbols) for symbols in (self.inputs, self.outputs)]
        given, wanted = (shapes if len(shapes) > 1 else shapes[0] for shapes in opened)
        self.remember(input_shape=given, output_shape=wanted)

    def _symbols(self) -> list[SymbolicTensor]:
        """Return the symbols of all values, for which the layers are called that have not been yet."""
        if self.output_shape is None:
            raise AttributeError(f"{self.title} has no symbols: it is not built.")
        if not self._input_layers:
            self._input_layers = [
                InputLayer(tuple(a if a == b else None for a, b in zip(*sizes, strict=True)))
                for sizes in self._sizes
            ]
        values = [*self._values] or [layer.symbol(self.dtype) for layer in self._input_layers]
        number, layers = len(self._input_layers), self.layers
        for join in self.joined.joins:
            layer = layers[join.layer]
            if number == len(values):
                taken = [values[i] for i in join.inputs]
                found = taken[0].join(layer, taken if layer.takes_several else taken[0])
                values += found if isinstance(found, list) else [found]
            number += len(shapes_in(layer.output_shape))
        self._values = values
        return values

    def __getstate__(self) -> dict[str, Any]:
        """Leave the symbols out of copies and pickles; they are made anew."""
        return super().__getstate__() | {"_values": []}

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers, their output shapes and their numbers of parameters.

        Args:
            line_length: characters a line; what is longer is cut. Default: as many as the layers need.
            positions: None (default): columns are as wide as what they hold.
            print_fn: called with each line; default `print`.
            expand_nested: whether the layers of models and rows inside of this one have lines, too; default
                False.
            show_trainable: whether a column says what trains (Y or N); default False.
            layer_range: the names, or patterns that names begin with, of the first and the last layer to
                list; default: all.

        Raises:
            ValueError: an argument is not there, or wrong.

        Example:
            >>> from tinynet import Sequential, layers
            >>> Sequential([layers.Flatten(), layers.Dense(10)], (28, 28, 1)).summary()
            Model: "sequential"
            Layer (type)        Output Shape         Param #
            ------------------------------------------------
            flatten (Flatten)   (None, 784)                0
            dense (Dense)       (None, 10)             7,850
            ------------------------------------------------
            Total params: 7,850 (30.7 KiB)
        """
        if positions is not None:
            raise ValueError(
                f"summary: positions must be None, because columns are as wide as what they hold (and "
                f"line_length sets the whole); got {positions!r}."
            )
        values = [] if self.output_shape is None else self._symbols()
        lines = summary(self, values, line_length, expand_nested, show_trainable, layer_range)
        for line in lines:
            (print if print_fn is None else print_fn)(line)

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        *,
        include_optimizer: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        """Write the model to one file, whole or not at all; `tinynet.load_model` reads it.

        It holds the weights, the layers, what `compile` was given and the optimizer's state, so that training
        goes on where it was: not losses, optimizers, schedules and metrics of your own, which no file can
        rebuild. Weights that are NaN or infinite are written with a warning. `export` writes other formats,
        for predictions alone.

        Args:
            filepath: the file, whose ending says the format: ".keras" and ".h5" or ".hdf5" are Keras's, which
                opens them; ".safetensors", and any other ending that is no other program's, or none, is
                tinynet's. Folders that are missing are made.
            overwrite: whether an existing file is replaced; default True.
            include_optimizer: whether the file says how the model was compiled, and holds the optimizer's
                state; default True.
            dtype: "float16" makes a .safetensors file half as large, and rounds the weights to three digits;
                default: that of the model.

        Raises:
            TypeError: a layer of your own is no dataclass, which a file could describe.
            ValueError: the ending promises another format, the format cannot hold a layer, the dtype is
                another one, a weight is too large for it, or the model is not built.
            FileExistsError: overwrite is False, and the file exists.
            OSError: the file cannot be written, or filepath is a folder; what was there before is unchanged.

        Example:
            >>> import os, tempfile
            >>> from tinynet import Sequential, layers
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     Sequential([layers.Dense(2)], 3).save(f"{folder}/model.safetensors")
            ...     os.listdir(folder)
            ['model.safetensors']
        """
        path = file_in(filepath)
        content = content_of(self, path, include_optimizer, dtype)
        warn_of_nan("save", self)
        write_new(path, content, overwrite)

    def check_saves(self, filepath: str | os.PathLike[str], weights_only: bool = False) -> None:
        """Raise what `save` raises of a file's place and ending, and of the layers, and write nothing.

        Args:
            filepath: the file.
            weights_only: whether `save_weights` is meant, and not `save`; default False.

        Raises:
            TypeError, ValueError, OSError: as `save`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> Sequential([layers.Dense(2)], 3).check_saves("best.keras")
        """
        path = file_in(filepath)
        content = weights_content(self, path) if weights_only else content_of(self, path)
        check_writable(path, len(content))

    def config(self) -> dict[str, Any]:
        """Return what rebuilds the model, without its weights, as JSON can hold it.

        Returns:
            The layers and how they call each other, what `compile` was given, and how long the model has
            trained.

        Raises:
            TypeError: a layer of your own is no dataclass, which JSON could describe.
            ValueError: the model is not built.

        Example:
            >>> from tinynet import Sequential, layers
            >>> Sequential([layers.LeakyReLU()], 2).config()["layers"]
            [{'class': 'LeakyReLU', 'negative_slope': 0.3}]
        """
        places = {id(layer): place for place, layer in enumerate(self.layers)}
        return {
            "layers": [layer_config(layer) for layer in self.layers],
            "names": [*self.find_sublayers()],
            "inputs": [places[id(layer)] for layer in self._input_layers],
            "joins": [[join.layer, [*join.inputs]] for join in self.joined.joins],
            "outputs": [*self.joined.outputs],
            **common_config(self),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the model that `config` described, with new initial weights.

        Args:
            config: as `config` or `get_config` returns it, or Keras's `get_config`.

        Returns:
            A new model, compiled if that one was.

        Raises:
            KeyError, IndexError, TypeError, ValueError: the description is not complete or not valid.
        """
        config = as_ours("Functional", config)
        layers = [layer_from_config(layer) for layer in config["layers"]]
        give_names(layers, config["names"])
        used = [*config["inputs"], *(place for place, _ in config["joins"])]
        if {*used} != {*range(len(layers))} or len({*config["inputs"]}) < len(config["inputs"]):
            raise ValueError("Its layers are not those that are called.")
        inputs: list[Any] = [
            layer.symbol(config["dtype"])
            for layer in (layers[_natural(place)] for place in config["inputs"])
            if isinstance(layer, InputLayer)
        ]
        values = [*inputs]
        for place, numbers in config["joins"]:
            layer, taken = layers[_natural(place)], [values[_natural(number)] for number in numbers]
            found = inputs[0].join(layer, taken if layer.takes_several else taken[0], seed=0)
            values += found if isinstance(found, list) else [found]
        outputs = [values[_natural(number)] for number in config["outputs"]]
        model = cls(inputs, outputs, config["seed"], config["dtype"], config["name"])
        restore(model, config)
        return model


def _natural(number: int) -> int:
    """Return a number that counts something, or raise."""
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"Expected a number of a layer or a value; got {number!r}.")
    return number
