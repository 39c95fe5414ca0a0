"""Models as layers whose parts are settled, and whose parameters have their places in memory."""

from __future__ import annotations

import difflib
import os
import threading
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from ..execution.prediction import Prediction
from ..layers import Layer, Parameter
from ..layers.building import Seed, words_of
from ..layers.geometry import OpenShape
from ..layers.graph import Graph, prediction
from ..layers.members import members, unchanged_by_failure
from ..layers.parameter import place, runs_of
from ..layers.tree import SETTINGS
from ..seeds import next_seed
from ..waiting import Alone
from .class_names import checked_names

_first_use = [threading.RLock()]

if hasattr(os, "register_at_fork"):  # the child does not have the thread that may hold it
    os.register_at_fork(after_in_child=lambda: _first_use.__setitem__(0, threading.RLock()))


def first_use() -> Any:
    """Return the lock for models that are built or placed when they are first used, by whatever thread."""
    return _first_use[0]


class Placed(Graph, only_kernels=True):
    """The base of models: what its layers are is settled, and their parameters have their places in memory.

    Attributes:
        seed: what everything random follows from: initial weights, dropout, shuffling, augmentation.
        flat: the parameters that can be trained, in one piece: `flat.value` and `flat.grad` are vectors.
        temperature: what `tinynet.predict_image` divides the logits by, so that its confidence is honest; see
            `tinynet.inference.calibrate`.
        stop_training: a callback sets it to True to end `fit`.
        log_names: what the current or last `fit` logs, for callbacks.
    """

    describes_itself = True
    seed: int
    default_name: ClassVar[str] = "model"
    _seeded: bool = False  # whether a seed was given
    _infer: Prediction | None = None
    _alone: Alone | None = None
    _class_names: tuple[str, ...] | None = None

    @property
    def class_names(self) -> list[str] | None:
        """What the classes are called that the model tells apart, in the order of its outputs.

        They may be set, to a list of texts or None; `tinynet.predict_image` reads them, and model files keep
        them. A model of one output, which says yes or no, has two, the first of which is what its 0 means.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(2, activation="softmax")], 3)
            >>> model.class_names = ["cat", "dog"]
            >>> model.class_names
            ['cat', 'dog']
        """
        return None if self._class_names is None else [*self._class_names]

    @class_names.setter
    def class_names(self, names: Sequence[str] | None) -> None:
        checked = None if names is None else checked_names("class_names", names, self.output_shape)
        self.remember(_class_names=checked)

    def _begin(self, seed: int | None, name: str | None) -> None:
        """Set what every model has."""
        kind, by_default = type(self).__name__, name is None
        name = self.default_name if name is None else name
        if seed is not None and (not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63):
            raise ValueError(f"{kind}: seed must be an integer from 0 to 2**63 - 1; got {seed!r}.")
        if not isinstance(name, str):
            raise TypeError(f"{kind}: name must be a string; got {name!r}.")
        self.name, self.seed, self._seeded = name, next_seed() if seed is None else seed, seed is not None
        self._named_by_default = by_default
        self.steps_trained, self.epochs_trained, self.stop_training = 0, 0, False
        self.temperature = 1.0
        self.log_names: list[str] = []

    def own_seed(self, seed: Seed) -> int:
        """Return what a model keeps as its seed: one number, also where it is a part of another layer."""
        words = words_of(seed)
        return words[0] if len(words) == 1 else int(np.random.SeedSequence(words).generate_state(2)[0])

    @property
    def open_shapes(self) -> list[OpenShape]:
        """The shape of a sample of each input, with None where any size is taken."""
        shapes: Any = self.input_shape
        return [*shapes] if self.takes_several else [shapes]

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs, as a dict of inputs has them."""
        return ["input"]

    def _settle(self) -> None:
        """Make the layers parts of this model."""
        self._check_shared_parts(self, True, {id(self): True})
        parameters = self.parameters
        if len({id(parameter) for parameter in parameters}) < len(parameters):
            raise ValueError(f"{self.title}: a parameter is used twice: make one for each place.")
        self._take([part for _, part in self.parts()])

    def _take(self, parts: Iterable[Any]) -> None:
        """Note that these are parts of a model; what was made of those before is over."""
        for part in parts:
            for _, layer in [("", part), *members(vars(part))]:  # an activation that was given, too
                if isinstance(layer, Layer):
                    layer.remember(in_model=True, _inside=layer._inside or layer is not self)
        self.remember(_flows={}, _own_flow=None, _infer=None, _alone=None)

    def _build_anew(self, input_shape: Any, seed: int, dtype: DTypeLike) -> None:
        """Build the layers as parts of this model; those that have been built before keep their parameters.

        Only where the model was given a seed, weights that nobody has changed since they were drawn are drawn
        anew from it. If that fails, the layers are as they were.
        """
        layers = [layer for layer in self.find_sublayers().values() if not layer.in_model]
        kept = [(layer, layer.named_parameters()) for layer in layers if self._keeps_weights(layer)]
        with unchanged_by_failure(layers):
            self.build_sample(input_shape, seed, dtype)
            for layer, parameters in kept:
                self._give_back(layer, parameters)

    def _keeps_weights(self, layer: Any) -> bool:
        """Return whether a layer that becomes a part of the model has weights that must not be lost."""
        if layer.output_shape is None:
            return False
        used = any(parameter.placed for parameter in layer.parameters)
        return used or not self._seeded or layer.drawn != layer.checksum()

    def _give_back(self, layer: Any, parameters: dict[str, Parameter]) -> None:
        """Give a layer the parameters back that it had before it was built as a part of this model."""
        now = layer.named_parameters()
        shapes, known = ({path: one.value.shape for path, one in some.items()} for some in (now, parameters))
        if shapes != known:
            raise ValueError(
                f"{self.title}: {layer.title} has weights of other shapes than its inputs need here, {known} "
                f"instead of {shapes}: make a new layer."
            )
        if all(parameter.value.dtype == layer.dtype for parameter in parameters.values()):
            layer.keep_parameters(parameters)
        for path, parameter in layer.named_parameters().items():
            parameter.value = parameters[path].value

    def _check_shared_parts(self, part: Any, laid_out: bool, seen: dict[int, bool]) -> None:
        """Raise if a layer that Python code calls has another place, too: it would forget its inputs."""
        laid_out = laid_out and part.wiring is not None
        for layer in part.sublayers().values():
            if id(layer) not in seen:
                seen[id(layer)] = laid_out
                self._check_shared_parts(layer, laid_out, seen)
            elif not (laid_out and seen[id(layer)]):
                raise ValueError(f"{self.title}: {layer.title} is used twice: make a new layer.")

    def _place(self) -> None:
        """Give the parameters their places: from now on they do not move."""
        self._check_shared_parts(self, True, {id(self): True})
        parameters = self.parameters
        place(parameters)
        homes = {id(parameter.home): parameter.home for parameter in parameters if parameter.home is not None}
        alone = Alone(
            "The model, or one that it shares layers with, is being trained already: wait for the end of "
            "that, or train a copy.",
            [*homes.values()],
        )
        self.remember(_alone=alone, _infer=prediction(self.fused))

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was recorded out of copies and pickles."""
        return super().__getstate__() | {"_infer": None, "_alone": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy or a pickle: its parameters are its own, and lie side by side again."""
        vars(self).update(state)
        if self.output_shape is not None:
            self._settle()

    @property
    def infer(self) -> Prediction:
        """How the model predicts."""
        while self._infer is None:
            with first_use():
                if self._infer is None:
                    self._place()
        return self._infer

    @property
    def alone(self) -> Alone:
        """Who trains the model."""
        _ = self.infer  # which sets both
        assert self._alone is not None
        return self._alone

    @property
    def flat(self) -> Parameter:
        """The parameters that can be trained, in one piece.

        Raises:
            AttributeError: they lie in several pieces, because the model shares layers with another one, or
                has got further layers since.
        """
        _ = self.infer  # which gives the parameters their places
        runs = runs_of([parameter for parameter in self.parameters if parameter.trainable])
        if len(runs) > 1:
            raise AttributeError(
                f"{self.title} shares layers with another model, or has got further layers, so that its "
                "parameters lie in several pieces: use model.parameters, get_weights or set_weights."
            )
        return runs[0] if runs else Parameter("run", np.empty(0, self.dtype), np.empty(0, self.dtype))

    def _check_change(self, name: str, value: object) -> None:
        if not self.in_model or name == "name" or (name.startswith("_") and name not in SETTINGS):
            return
        if name in ("optimizer", "loss", "metrics"):
            raise AttributeError(
                f"{self.title}: {name} is what compile makes: call model.compile({name}=...)."
            )
        if name in {"layers", *SETTINGS}:
            raise AttributeError(f"{self.title} has used its {name}: make a new model to change it.")
        ours = type(self).__module__.startswith("tinynet.")
        if ours and name not in vars(self) and not hasattr(type(self), name):
            closest = difflib.get_close_matches(name, {*vars(self), *dir(type(self))}, n=1)
            hint = f" Did you mean {closest[0]}?" if closest else ""
            raise AttributeError(f"{self.title} has no {name}: to assign it would have no effect.{hint}")
