"""How layers are built: for which shape, from which seed, as parts of others, and again for other inputs."""

from __future__ import annotations

import copy
import functools
import weakref
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from ..seeds import next_seed
from .declaration import Declaration, aside, running
from .geometry import OpenShape, Shape, as_shape, is_several, open_shape
from .members import mapped, members
from .tree import SETTINGS
from .weights import Weighted
from .wiring import Wiring
from .workspace import Workspace

Seed = int | Sequence[int]

# The last word of the seeds of initial weights: keeps their random numbers apart from others.
INITIAL_WEIGHTS = 1

TWIN = 1  # the word before the number of a layer's copy, in seeds


@dataclass(eq=False, repr=False)
class Buildable(Weighted):
    """A layer as something that is built, by `declare`, for the shape of its inputs; see `Layer`."""

    name: str = field(default="", kw_only=True)
    input_shape: Shape | None = field(default=None, kw_only=True)
    input_dim: int | None = field(default=None, kw_only=True)
    batch_input_shape: Sequence[int | None] | None = field(default=None, kw_only=True)

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
        if self.in_model and self.output_shape is not None:
            return self._check_shared(parent, input_shape, dtype)
        shape = self._checked_shape(input_shape)
        if np.dtype(dtype or "float32") not in (np.dtype("float32"), np.dtype("float64")):
            raise ValueError(f"{self.title}: dtype must be 'float32' or 'float64'; got {dtype!r}.")
        self.remember(
            dtype=np.dtype(dtype or "float32"), seed=self.own_seed(0 if seed is None else seed),
            x=None, y=None, step_cell=np.zeros(1, np.int64), _first_sample=0,
            _sublayers=None, _own_parameters=None,
        )  # fmt: skip
        # Not default_rng(seed), which the data may well come from; trailing zeros would not tell seeds apart.
        random = np.random.default_rng([*words_of(self.seed), INITIAL_WEIGHTS])
        above = now.above if now is not None and parent is not None else []
        with Declaration(self, above).run():
            self.find_sublayers()  # raises where two have equal paths
            output_shape = self.declare(shape, random)
        if output_shape is None:
            raise TypeError(f"{self.title}: declare must return the output's shape, without the batch axis.")
        if is_several(output_shape) and self.wiring is None:
            raise ValueError(
                f"{self.title} gives several outputs, {output_shape}: only models of symbols may; make it "
                "several layers."
            )
        self.remember(input_shape=shape, output_shape=output_shape)
        self.settle(above)
        self.named_parameters()  # raises where two have equal paths
        if self._first_weights is not None:
            self.set_weights(self._first_weights)
        if not self.trainable:
            for _, part in self.parts():  # those that `declare` made, too
                part.remember(_trainable=part.in_model and part.trainable)
        if parent is None:
            self.remember(drawn=self.checksum())
        return output_shape

    def take(self, name: str, value: Any) -> None:
        """Take trainable= or weights=, which all layers may be made with."""
        if name == "trainable":
            self.trainable = value
        else:
            self.remember(_first_weights=value)

    def checksum(self) -> int:
        """Return a number that tells whether parameters have changed."""
        return functools.reduce(lambda total, one: zlib.crc32(one.value.tobytes(), total), self.parameters, 0)

    def own_seed(self, seed: Seed) -> Seed:
        """Return what the layer keeps as its seed."""
        return seed

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
        with aside():
            return self._rebuilt(input_shape, self.seed if seed is None else seed, dtype or self.dtype)

    def _rebuilt(self, input_shape: Any, seed: Seed, dtype: DTypeLike) -> Self:
        clone = copy.deepcopy(self)
        for _, part in [*clone.parts()]:
            part.remember(in_model=False)  # free to be built again
        clone.build_sample(input_shape, seed, dtype)
        for (name, parameter), mine in zip(clone.named_parameters().items(), self.parameters, strict=True):
            if parameter.value.shape != mine.value.shape:
                raise ValueError(
                    f"{self.title} has a {name} of shape {mine.value.shape}, as it was built for inputs of "
                    f"shape {self.input_shape}: inputs of {input_shape} would need {parameter.value.shape}."
                )
            parameter.value = mine.value
        return clone

    def keep_parameters(self, before: Any) -> None:
        """Have the parameters again that there were before the layer was built anew.

        Args:
            before: parameters by their paths, of the shapes that the new ones have.
        """
        now = self.named_parameters()
        old = {id(now[path]): parameter for path, parameter in before.items()}
        for _, part in self.parts():
            for name, value in vars(part).items():
                if any(id(member) in old for _, member in members(value)):
                    part.remember(**{name: mapped(value, lambda one: old.get(id(one), one))})

    def twin(self, input_shape: Shape, number: int) -> Self:
        """Return a copy that shares the parameters' values, and has its own gradients and memory.

        Args:
            input_shape: of one sample; of each input, if there are several.
            number: of the copy; another one drops other elements.
        """
        seed = (*words_of(self.seed), TWIN, number) if number else self.seed
        clone = self.rebuilt(input_shape, seed)
        for (_, part), (_, mine) in zip(clone.parts(), self.parts(), strict=True):
            part.remember(
                step_cell=mine.step_cell, in_model=mine.in_model,
                workspace=None if mine.workspace is None else Workspace(), _original=mine,
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

    def build_for_symbols(self, shape: Any, opened: Any, seed: Seed, dtype: DTypeLike) -> None:
        """Build the layer for the first symbols that it is called with.

        Args:
            shape: of one sample, with stand-ins for sizes that are not known; several, if it takes several.
            opened: the same, with None in their places.
            seed, dtype: see `build`.
        """
        self.build_sample(shape, seed, dtype)

    def build_for(self, x: Any) -> None:
        """Build the layer for its first data, if it is not built yet."""
        if self.output_shape is None:
            shapes = [np.shape(one)[1:] for one in x] if self.takes_several else np.shape(x)[1:]
            self.build_sample(shapes, next_seed())


GENERAL = frozenset(Buildable.__dataclass_fields__)  # what every layer takes
SETTINGS.update(GENERAL)


def words_of(seed: Seed) -> tuple[int, ...]:
    """Return a seed as integers."""
    return (seed,) if isinstance(seed, int | np.integer) else tuple(seed)
