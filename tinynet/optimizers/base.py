"""What an optimizer is: the three parts of a step, its state, and itself as data.

An optimizer works on anything that has a ``value`` and a ``grad``, and keeps its state in lists in the order
of the parameters. A model gives it its parameters joined to as few vectors as possible.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from .. import kernels
from ..arguments import (
    Keywords,
    arguments_of,
    as_float,
    is_positive,
    is_rate,
    named,
    require,
    require_numbers,
    unknown_argument,
)
from ..schedules import rate_as_data, rate_from_data
from .parameters import Array, Parameter, blocks_of, cut_like, layout_of, run_in_turn

OPTIMIZERS: dict[str, type[Optimizer]] = {}  # tinynet's own, by their names in model files


@dataclass(eq=False)
class Optimizer(Keywords, ABC):
    """What optimizers have in common; a subclass names its state and writes `_update`.

    Args:
        learning_rate: a float, or a schedule (any function of the number of steps done).
        weight_decay: each step also multiplies the weights by 1 - learning_rate * weight_decay. Default 0.
        clipnorm: scale the gradients down to this joint L2 norm if theirs is larger. Default None: never.

    Attributes:
        learning_rate: a float, which may be assigned, or a schedule.
        iterations: the number of steps done.
        state: what `build` allocated: by name, one array for each parameter, in their order.
        is_ours: whether the class is one of tinynet's, and not one that derives from it.
    """

    is_ours: ClassVar[bool] = False

    learning_rate: float | Callable[[int], float]
    weight_decay: float = field(default=0.0, kw_only=True)
    clipnorm: float | None = field(default=None, kw_only=True)
    iterations: int = field(default=0, init=False, repr=False)
    state: dict[str, list[Array]] = field(default_factory=dict, init=False, repr=False)
    _built_for: list[str] | None = field(default=None, init=False, repr=False)
    _owner: object = field(default=None, init=False, repr=False)
    _checked: Sequence[Parameter] | None = field(default=None, init=False, repr=False)  # a model's own
    _settings: Array = field(default_factory=lambda: np.zeros(8), init=False, repr=False)

    def __init_subclass__(cls) -> None:
        """Note tinynet's own classes by their names in model files."""
        super().__init_subclass__()
        cls.is_ours = cls.__module__.startswith("tinynet.")
        if cls.is_ours:
            OPTIMIZERS[cls.__name__.lower()] = cls

    def __post_init__(self) -> None:
        for name, number in arguments_of(self).items():
            vars(self)[name] = as_float(number)
        vars(self)["_ready"] = True
        self._check()

    def __setattr__(self, name: str, value: object) -> None:
        """Let a number take effect in the next step, and refuse what would have no effect."""
        arguments = getattr(self, "__dataclass_fields__", {})
        if self.is_ours and name not in arguments:
            raise AttributeError(unknown_argument(type(self).__name__, name, list(arguments_of(self))))
        before = vars(self).get(name)
        object.__setattr__(self, name, value if name == "iterations" else as_float(value))
        if "_ready" in vars(self) and name in arguments and not name.startswith("_"):
            try:
                self._check()
            except (TypeError, ValueError):
                object.__setattr__(self, name, before)
                raise

    def _check(self) -> None:
        """Raise if an argument is not what the class says."""
        require_numbers(self, learning_rate=callable, clipnorm=lambda value: value is None)
        if not isinstance(self.iterations, int | np.integer) or self.iterations < 0:
            raise ValueError(
                f"{type(self).__name__}: iterations must be an integer, at least 0; got {self.iterations!r}."
            )
        if not callable(self.learning_rate):
            require(self, learning_rate=is_rate)
        require(self, weight_decay=is_rate)
        if self.clipnorm is not None:
            require(self, clipnorm=is_positive)

    def __getstate__(self) -> dict[str, Any]:
        """Let a copy be compiled into another model."""
        return vars(self) | {"_owner": None, "_checked": None}

    @property
    def current_learning_rate(self) -> float:
        """The learning rate of the next step."""
        rate = self.learning_rate
        rate = float(rate(self.iterations) if callable(rate) else rate)
        if problem := is_rate(rate):
            raise ValueError(f"{type(self).__name__}: learning_rate {problem}, not {rate}.")
        return rate

    def step(self, parameters: Sequence[Parameter], run: Callable[..., Any] = run_in_turn) -> None:
        """Update the values of parameters, in place, from their gradients.

        Args:
            parameters: objects with a ``value`` and a ``grad``: contiguous arrays of one shape and type,
                float32 or float64. Always the same parameters in the same order.
            run: calls a function of an index a number of times, in any order: how to update blocks of the
                parameters on several threads. Default: one after another.

        Raises:
            TypeError: not a sequence of such objects.
            ValueError: arrays of another number, shape or type than in the first step, or not contiguous.

        Example:
            >>> import numpy as np
            >>> from types import SimpleNamespace
            >>> weight = SimpleNamespace(value=np.array([1.0, 2.0]), grad=np.array([0.5, -0.5]))
            >>> from tinynet.optim import SGD
            >>> SGD(learning_rate=0.5).step([weight])
            >>> weight.value
            array([0.75, 2.25])
        """
        self.begin(parameters)
        self.update_all(parameters, run)
        self.end()

    # The three parts of a step, for a model that updates each block as soon as it has the block's gradient.

    def begin(self, parameters: Sequence[Parameter]) -> None:
        """Write down what the updates of a step need: the learning rate, the state, and so on; see `step`."""
        if parameters is not self._checked:
            layout = layout_of(parameters)
            if self._built_for is None:
                self.build(parameters)
            elif layout != self._built_for:
                raise ValueError(
                    f"This {type(self).__name__} began with parameters {self._built_for} and now got "
                    f"{layout}: make a new optimizer for another model."
                )
        numbers = self.current_learning_rate, self.weight_decay, 1.0, self.iterations + 1, *self._numbers()
        self._settings[: len(numbers)] = numbers
        self._add_state(parameters)

    def update(self, parameters: Sequence[Parameter], index: int, block: slice) -> None:
        """Update a block of a parameter, with its gradient of now."""
        vectors = [parameters[index].value, parameters[index].grad]
        vectors += [self.state[name][index] for name in self._state_names()]
        self._update(*(vector.reshape(-1)[block] for vector in vectors))

    def update_all(self, parameters: Sequence[Parameter], run: Callable[..., Any]) -> None:
        """Update all blocks, with clipped gradients if that is wanted; see `step`."""
        self._settings[2] = self._clip_scale([parameter.grad.reshape(-1) for parameter in parameters])
        blocks = blocks_of(parameters)
        run(lambda number: self.update(parameters, *blocks[number]), len(blocks))

    def end(self) -> None:
        """Count the step."""
        vars(self)["iterations"] += 1  # which needs no check

    @property
    def updates_blocks(self) -> bool:
        """Whether a block's update needs no other block's gradient, and does nothing but call kernels."""
        return self.clipnorm is None and self.is_ours

    def layout(self) -> tuple[Any, ...]:
        """Return what a recorded step depends on: where the state is, and whether gradients are clipped."""
        arrays = [id(array) for arrays in self.state.values() for array in arrays]
        return (self.updates_blocks, *self._state_names(), *arrays)

    def build(self, parameters: Sequence[Parameter]) -> None:
        """Allocate the state for parameters, and start from step 0; the first `step` does this by itself.

        Args:
            parameters: as for `step`.

        Raises:
            TypeError: not a sequence of such objects.
            ValueError: arrays that do not fit together, or are not contiguous.

        Example:
            >>> import numpy as np
            >>> from types import SimpleNamespace
            >>> from tinynet.optim import Adam
            >>> adam = Adam()
            >>> adam.build([SimpleNamespace(value=np.ones(2), grad=np.ones(2))])
            >>> adam.state
            {'m': [array([0., 0.])], 'v': [array([0., 0.])]}
        """
        self._built_for = layout_of(parameters)
        self.state, self.iterations = {}, 0
        self._add_state(parameters)

    def adopt(self, owner: object, parameters: Sequence[Parameter]) -> None:
        """Start afresh for a model's parameters, unless another model uses this optimizer already.

        Args:
            owner: the model.
            parameters: as for `step`.

        Raises:
            ValueError: the optimizer belongs to another model, whose state it would lose.
        """
        if type(self).step is not Optimizer.step:
            raise TypeError(
                f"{type(self).__name__} defines step, which a model does not call: define _update, which "
                "updates a vector in place."
            )
        if self._owner is not None and self._owner is not owner:
            raise ValueError(f"This {type(self).__name__} belongs to another model: make a new one for each.")
        self._owner = owner
        self.build(parameters)
        self._checked = parameters

    def follow(self, owner: object, parameters: Sequence[Parameter]) -> None:
        """Go on with these elements, in the same order cut into other parameters, as in a model's copy."""
        self._owner = owner
        self.state = {name: cut_like(parameters, arrays) for name, arrays in self.state.items()}
        self._built_for, self._checked = layout_of(parameters), parameters

    def config(self) -> dict[str, Any]:
        """Return the name and the arguments, as JSON can hold them; the state is not part of it.

        Returns:
            A dictionary, from which `from_config` and `get` make an equal optimizer.

        Raises:
            TypeError: the learning rate is a function that is not one of this module's schedules.

        Example:
            >>> from tinynet.optim import SGD
            >>> SGD(0.5).config()["learning_rate"]
            0.5
        """
        arguments = arguments_of(self)
        arguments["learning_rate"] = rate_as_data(arguments["learning_rate"])
        return {"name": type(self).__name__.lower(), **arguments}

    @staticmethod
    def from_config(config: Mapping[str, Any]) -> Optimizer:
        """Return the optimizer that `config` described.

        Args:
            config: "name", and the arguments of that optimizer.

        Returns:
            A new optimizer without state.

        Raises:
            TypeError: an unknown argument.
            ValueError: an unknown name, or an invalid value.

        Example:
            >>> Optimizer.from_config({"name": "sgd", "learning_rate": 0.5, "momentum": 0.9})
            SGD(learning_rate=0.5, weight_decay=0.0, clipnorm=None, momentum=0.9, nesterov=False)
        """
        optimizer, arguments = named(OPTIMIZERS, config, "optimizer")
        if "learning_rate" in arguments:
            arguments["learning_rate"] = rate_from_data(arguments["learning_rate"])
        return optimizer(**arguments)

    def _add_state(self, parameters: Sequence[Parameter]) -> None:
        """Allocate what the state lacks and let go what is not used, after `momentum` was assigned."""
        if [*self.state] != [*self._state_names()]:
            self.state = {
                name: self.state.get(name) or [np.zeros_like(parameter.value) for parameter in parameters]
                for name in self._state_names()
            }

    def _clip_scale(self, gradients: list[Array]) -> float:
        if self.clipnorm is None:
            return 1.0
        norm = math.sqrt(sum(kernels.update.sum_of_squares(gradient) for gradient in gradients))
        return self.clipnorm / norm if norm > self.clipnorm else 1.0

    def _state_names(self) -> tuple[str, ...]:
        return ()

    def _numbers(self) -> tuple[float, ...]:
        """Return what the kernel's settings hold besides those of all optimizers."""
        return ()

    @abstractmethod
    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        """Update a vector, or any block of it, as `_settings` say."""
