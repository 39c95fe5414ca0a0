"""The tree that layers made of layers form: paths, parameters, replicas, and what may be assigned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .geometry import Shape
from .members import Member, mapped, members
from .parameter import Parameter
from .workspace import Workspace

Array = NDArray[Any]

MEMORY = ("x", "y", "dy", "step", "trainable")  # what may be assigned on a layer of a model

# Notes of a layer on itself, which make nothing a part of it.
NOTED = ("_sublayers", "_own_parameters", "_input_layers", "_wiring", "_original")

KINDS: dict[str, type[Any]] = {}  # all classes of layers that are defined, for model files


SETTINGS: set[str] = {"first_sample"}  # what all layers have; the model sets it
NOTES: set[str] = set()  # what graphs and models note on themselves


class Node(Member):
    """A layer as a part of a tree: it may be made of others, in attributes, lists, tuples and dicts."""

    name: str = ""
    in_model: bool = False
    output_shape: Shape | None = None
    takes_several: bool = False
    dtype: np.dtype[Any] = np.dtype("float32")
    seed: int | Sequence[int] = 0
    step_cell: Array
    _first_sample: int = 0
    needs_input_gradient: bool = True
    defers: bool = False
    x: Array | None = None
    y: Array | None = None
    dy: Array | None = None
    workspace: Workspace | None = None
    calls_only_kernels: ClassVar[bool] = False
    describes_itself: ClassVar[bool] = False  # by `config` and `from_config`, as a model
    drawn: int | None = None  # the checksum of the initial weights
    _calls: tuple[Any, ...] = ()  # for symbols
    _named_by_default: bool = False
    _inside: bool = False  # whether it is a part of another layer
    late: ClassVar[tuple[str, ...]] = ("trainable", "weights")
    _first_weights: Any = None  # given as weights=
    takes_seed: ClassVar[bool] = True  # whether it counts where seeds follow from places
    _original: Any = None  # of a twin, the layer that it is a copy of
    _trainable: bool = True
    _sublayers: dict[str, Any] | None = None
    _own_parameters: list[Parameter] | None = None

    def __init_subclass__(cls, only_kernels: bool = False) -> None:
        """Note the class for model files, and what it promises; one that derives from it promises nothing."""
        super().__init_subclass__()
        if "call" in vars(cls) and "forward" not in vars(cls):
            raise TypeError(
                f"{cls.__name__}: `call`, which Keras's layers and models have, would never be called. "
                "Derive from Layer; define forward and backward, as nothing is differentiated by itself, "
                "and declare for parameters, instead of build and add_weight: see docs/guides/own_layer.md."
            )
        cls.calls_only_kernels = only_kernels
        if cls.__module__.startswith("tinynet."):
            NOTES.update(name for name in vars(cls).get("__annotations__", {}) if name.startswith("_"))
        if cls.__name__ not in KINDS or not KINDS[cls.__name__].__module__.startswith("tinynet."):
            KINDS[cls.__name__] = cls

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse what would have no effect: a model has used the hyperparameters and holds the parameters."""
        if name not in MEMORY:
            self._check_change(name, value)
        if name == "name" and (not isinstance(value, str) or "/" in value):
            raise ValueError(f"A layer's name is a string without '/', which paths have; got {value!r}.")
        object.__setattr__(self, name, value)
        if name == "name":
            vars(self)["_named_by_default"] = False

    def __delattr__(self, name: str) -> None:
        """Refuse what a model would miss."""
        self._check_change(name, None)
        object.__delattr__(self, name)

    def _check_change(self, name: str, value: object) -> None:
        old = vars(self).get(name)
        if isinstance(old, Parameter) and (self.in_model or not isinstance(value, Parameter)):
            raise AttributeError(
                f"{self.title}: {name} stays the array that it is: change its numbers in place, as in "
                f"layer.{name}.value[...] = array."
            )
        if not self.in_model:
            return
        ours = self.calls_only_kernels or self.is_ours
        if ours and name not in vars(self) and not hasattr(type(self), name):
            raise AttributeError(
                f"{self.title} has no {name}, and to assign it would have no effect (what `forward` leaves "
                "for `backward` is kept by self.remember)."
            )
        settings = getattr(self, "__dataclass_fields__", {}).keys() | SETTINGS
        new = [member for _, member in members(value) if not getattr(member, "in_model", False)]
        if ours or new or name in settings or next(members(old), None):
            raise AttributeError(
                f"{self.title} is part of a model, which has used its {name}: make a new layer, and a new "
                "model, to change it."
            )

    def __getstate__(self) -> dict[str, Any]:
        """Let a copy of a layer be part of another model; a model's copy is a model again."""
        return vars(self) | {"in_model": False, "workspace": None, "_calls": (), "_inside": False}

    @property
    def title(self) -> str:
        """The layer in an error message: its class, and its name if it has one."""
        return f"{type(self).__name__} {self.name!r}" if self.name else type(self).__name__

    @property
    def is_nameless(self) -> bool:
        """Whether a row or a graph gives the layer a name: if nobody else has."""
        return not self.name or self._named_by_default

    @property
    def trainable(self) -> bool:
        """Whether training changes the parameters; read when the model is compiled."""
        return self._trainable if self._original is None else bool(self._original.trainable)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{self.title}: trainable must be True or False; got {value!r}.")
        for _, part in self.parts():
            part.remember(_trainable=bool(value))

    @property
    def origin(self) -> Any:
        """The layer itself, or what it is a copy of, to be called in its place."""
        return self if self._original is None else self._original.origin

    @property
    def first_sample(self) -> int:
        """The position in the batch of the first sample that `forward` gets."""
        return self._first_sample if self._original is None else int(self._original.first_sample)

    @first_sample.setter
    def first_sample(self, value: int) -> None:
        self.remember(_first_sample=value)

    def sublayers(self) -> dict[str, Any]:
        """Return the layers that this one is made of, by their names in paths, as when it was built.

        Returns:
            A dictionary; empty for most layers.

        Example:
            >>> from tinynet import layers
            >>> list(layers.Chain([layers.Flatten(), layers.Dense(2)]).sublayers())
            ['flatten', 'dense']
        """
        return self.find_sublayers() if self._sublayers is None else self._sublayers

    def find_sublayers(self) -> dict[str, Any]:
        """Return the layers in attributes, lists, tuples and dicts.

        Raises:
            ValueError: two of them have equal names.
        """
        found: dict[str, Any] = {}
        attributes = {name: value for name, value in vars(self).items() if name not in NOTED}
        for name, value in members(attributes):
            if name in found:
                raise ValueError(f"{self.title}: two sublayers have the path {name!r}: rename one of them.")
            if isinstance(value, Node) and value is not self:
                found[name] = value
        return found

    def parts(self, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
        """Yield this layer and all that it is made of, each once, with its first path, depth first.

        Args:
            path: this layer's own; default "", that of a model.
            seen: the ids of those that were yielded before, which are left out.

        Example:
            >>> from tinynet import layers
            >>> row = layers.Chain([layers.Flatten(), layers.Dense(2)])
            >>> _ = row.build((2, 2))
            >>> [path for path, _ in row.parts()]
            ['', 'flatten', 'dense']
        """
        seen = set() if seen is None else seen
        if id(self) in seen:
            return
        seen.add(id(self))
        yield path, self
        for name, layer in self.sublayers().items():
            yield from layer.parts(f"{path}/{name}" if path else name, seen)

    @property
    def own_parameters(self) -> list[Parameter]:
        """The layer's parameters without those of its sublayers, in the order of their declaration."""
        if self._own_parameters is not None:
            return self._own_parameters
        return [value for _, value in members(vars(self)) if isinstance(value, Parameter)]

    def settle(self, above: Sequence[Any]) -> None:
        """Note what the layer is made of, once it is built: what is assigned later is no part of it.

        Args:
            above: the layers that it is a part of, which it may know.
        """
        found = {
            name: layer for name, layer in self.find_sublayers().items() if not any(layer is a for a in above)
        }
        self.remember(_own_parameters=self.own_parameters, _sublayers=found)

    def check_unchanged(self) -> None:
        """Raise if layers were put into lists and dicts of a built layer, or taken out."""
        for _, part in self.parts():
            now, then = [*part.find_sublayers().values()], [*part.sublayers().values()]
            new = [layer for layer in now if not layer.in_model]
            if new or not all(any(layer is other for other in now) for layer in then):
                raise ValueError(
                    f"{part.title} has other layers than when its model was built: make a new "
                    "layer, and a new model, to change them."
                )

    @property
    def is_ours(self) -> bool:
        """Whether the class is one of tinynet's, and not one that derives from it."""
        return type(self).__module__.startswith("tinynet.")

    @property
    def varies(self) -> bool:
        """Whether training changes the output: what any class that is not one of tinynet's may do."""
        return not self.is_ours

    @property
    def meets(self) -> bool:
        """Whether `meet` may be called while training: by any class that is not one of tinynet's."""
        return not self.is_ours

    def remember(self, **values: Any) -> None:
        """Keep values under these names, such as what a training forward leaves for `backward`."""
        vars(self).update(values)

    @property
    def parameters(self) -> list[Parameter]:
        """All parameters, those of sublayers too."""
        return [parameter for _, part in self.parts() for parameter in part.own_parameters]

    def named_parameters(self) -> dict[str, Parameter]:
        """Return all parameters by their paths.

        Returns:
            A dictionary, in order.

        Raises:
            ValueError: two of them have equal paths, so that a model file could not hold both.

        Example:
            >>> from tinynet import Sequential, layers
            >>> list(Sequential([layers.Dense(2), layers.Dense(1, use_bias=False)], 3).named_parameters())
            ['dense/kernel', 'dense/bias', 'dense_1/kernel']
        """
        named: dict[str, Parameter] = {}
        for path, part in self.parts():
            for parameter in part.own_parameters:
                key = f"{path}/{parameter.name}" if path else parameter.name
                if key in named:
                    raise ValueError(
                        f"{self.title}: two parameters have the path {key!r}: rename one of them."
                    )
                named[key] = parameter
        return named

    def trainable_parameters(self) -> list[Parameter]:
        """Return those parameters that training changes, by what `trainable` says now.

        Returns:
            A list, in order; empty where `trainable` is False.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(2), layers.Dense(1)], 3)
            >>> model.layers[0].trainable = False
            >>> len(model.trainable_parameters())
            2
        """
        if not self.trainable:
            return []
        found = [parameter for parameter in self.own_parameters if parameter.trainable]
        found += [p for layer in self.sublayers().values() for p in layer.trainable_parameters()]
        return [*{id(parameter): parameter for parameter in found}.values()]

    def get_weights(self) -> list[Array]:
        """Return copies of all parameters' values, in order.

        Example:
            >>> from tinynet import layers
            >>> layer = layers.Dense(2)
            >>> _ = layer.build(3)
            >>> [array.shape for array in layer.get_weights()]
            [(3, 2), (2,)]
        """
        return [parameter.value.copy() for parameter in self.parameters]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Set all parameters' values, as `get_weights` returns them; the next prediction uses them.

        Args:
            weights: an array for each parameter, of its shape.

        Raises:
            ValueError: another number of arrays, or another shape; then nothing is changed.

        Example:
            >>> from tinynet import layers
            >>> layer = layers.Dense(1)
            >>> _ = layer.build(1)
            >>> layer.set_weights([[[2.0]], [1.0]])
            >>> layer.forward([[3.0]])
            array([[7.]], dtype=float32)
        """
        parameters = self.parameters
        arrays = [np.asarray(array, self.dtype) for array in weights]
        shapes, wanted = [array.shape for array in arrays], [p.value.shape for p in parameters]
        if shapes != wanted:
            raise ValueError(f"{self.title}: set_weights expects arrays of shapes {wanted}; got {shapes}.")
        for parameter, array in zip(parameters, arrays, strict=True):
            parameter.value = array

    @property
    def only_kernels(self) -> bool:
        """Whether this layer and all that it is made of do nothing to arrays but call kernels."""
        return self.calls_only_kernels and all(layer.only_kernels for layer in self.sublayers().values())

    def replica(
        self,
        step_cell: Array | None = None,
        whole: Callable[[], Workspace] = Workspace,
        copies: dict[int, Any] | None = None,
    ) -> Self:
        """Return a copy that shares the parameters' values and owns its gradients and what it remembers.

        Replicas let several threads train on parts of a batch at once; see `tinynet.training.step`.

        Args:
            step_cell: the number of the step, shared by all parts; default: one of its own.
            whole: makes the workspace of a part; called for each in the order of `parts`.
            copies: those made so far, of parts above, by the originals' ids.
        """
        clone, copies = type(self).__new__(type(self)), {} if copies is None else copies
        copies[id(self)] = clone
        own = vars(clone)
        own.update(vars(self))
        own["step_cell"] = np.zeros(1, np.int64) if step_cell is None else step_cell
        own["workspace"] = whole()
        own["_original"] = None
        for parameter in self.own_parameters:
            gradient = np.zeros(parameter.grad.shape, self.dtype)
            copies[id(parameter)] = Parameter(parameter.name, parameter.value, gradient, parameter.trainable)
        for layer in self.sublayers().values():
            if id(layer) not in copies:
                copies[id(layer)] = layer.replica(own["step_cell"], whole, copies)
        for name, value in vars(self).items():
            if name != "_original" and next(members(value), None):
                own[name] = mapped(value, lambda member: copies.get(id(member), member))
        return clone


SETTINGS.update(Node.__annotations__)
