"""What an optimizer is: the three parts of a step, and its state.

An optimizer works on anything that has a ``value`` and a ``grad``, and keeps its state in lists in the order
of the parameters. A model gives it its parameters joined to as few vectors as possible.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arguments import is_rate
from ..schedules import rate_at
from .arguments import Arguments
from .clipping import clipped, scales_of
from .parameters import Array, Parameter, blocks_of, cut_like, layout_of, run_in_turn

OPTIMIZERS: dict[str, type[Optimizer]] = {}  # tinynet's own, by their names in lower case


@dataclass(eq=False, repr=False)
class Optimizer(Arguments, ABC):
    """What optimizers have in common; a subclass names its state and writes `_update`.

    All arguments have Keras's names, meanings and defaults.

    Args:
        learning_rate: a float, or a schedule (any function of the number of steps done, or of nothing).
        weight_decay: each step first multiplies the weights by 1 - learning_rate × weight_decay. Default
            None: 0.
        clipnorm: scale the gradient of each variable (a kernel, a bias) down to this L2 norm if its own is
            larger. Default None: never.
        clipvalue: keep each element of the gradients between -clipvalue and clipvalue. Default None: do not.
        global_clipnorm: scale all gradients down to this joint L2 norm if theirs is larger. Default None:
            never. Only one of the three may be given.
        use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps: not
            there; their defaults in Keras, False, 0.99 and None, are taken.
        name: Default None: the class's name in lower case.

    Attributes:
        learning_rate: a float or a schedule; may be assigned, as all arguments may.
        iterations: the number of steps done.
        state: what `build` allocated: by name, one array for each parameter, in their order.
        is_ours: whether the class is one of tinynet's, and not one that derives from it.

    Example:
        >>> from types import SimpleNamespace
        >>> from tinynet.optim import SGD
        >>> weights = SimpleNamespace(value=np.ones(2), grad=np.array([3.0, -4.0]))
        >>> optimizer = SGD(learning_rate=0.5, clipnorm=1.0)
        >>> optimizer.step([weights])
        >>> isinstance(optimizer, Optimizer), optimizer.iterations, weights.value
        (True, 1, array([0.7, 1.4]))
    """

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

    def __getstate__(self) -> dict[str, Any]:
        """Let a copy be compiled into another model."""
        return vars(self) | {"_owner": None, "_checked": None}

    @property
    def current_learning_rate(self) -> float:
        """The learning rate of the next step."""
        rate = rate_at(self.learning_rate, self.iterations)
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
        rate, limit = self.current_learning_rate, self.clipvalue
        shared = rate * (self.weight_decay or 0.0), np.inf if limit is None else limit
        numbers = *shared, *self._numbers(rate, self.iterations + 1)
        self._settings[: len(numbers)] = numbers
        self._add_state(parameters)

    def update(
        self, parameters: Sequence[Parameter], index: int, block: slice, scale: float | None = None
    ) -> None:
        """Update a block of a parameter, with its gradient of now, times `scale` if that is given."""
        vectors = [parameters[index].value, parameters[index].grad]
        vectors += [self.state[name][index] for name in self._state_names()]
        value, gradient, *state = (vector.reshape(-1)[block] for vector in vectors)
        if scale is not None or self.clipvalue is not None:
            gradient = clipped(gradient, scale, self._settings)
        self._update(value, gradient, *state)

    def update_all(self, parameters: Sequence[Parameter], run: Callable[..., Any]) -> None:
        """Update all blocks, with clipped gradients if that is wanted; see `step`."""
        blocks = blocks_of(parameters)
        scales = scales_of(parameters, blocks, run, self.clipnorm, self.global_clipnorm)

        def update(number: int) -> None:
            index, part, variable = blocks[number]
            self.update(parameters, index, part, scales[variable] if scales else None)

        run(update, len(blocks))

    def end(self) -> None:
        """Count the step."""
        vars(self)["iterations"] += 1  # which needs no check

    @property
    def updates_blocks(self) -> bool:
        """Whether a block's update needs no other block's gradient, and does nothing but call kernels."""
        return self.clipnorm is None and self.global_clipnorm is None and self.is_ours

    def layout(self) -> tuple[Any, ...]:
        """Return what a recorded step depends on: where the state is, and whether gradients are clipped."""
        arrays = [id(array) for arrays in self.state.values() for array in arrays]
        return (self.updates_blocks, self.clipvalue is None, *self._state_names(), *arrays)

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

    def _add_state(self, parameters: Sequence[Parameter]) -> None:
        """Allocate what the state lacks and let go what is not used, after `momentum` was assigned."""
        if [*self.state] != [*self._state_names()]:
            self.state = {
                name: self.state.get(name)
                or [np.full_like(parameter.value, self._initial_state) for parameter in parameters]
                for name in self._state_names()
            }

    @property
    def _initial_state(self) -> float:
        return 0.0

    def _state_names(self) -> tuple[str, ...]:
        return ()

    def _numbers(self, rate: float, step: int) -> tuple[float, ...]:
        """Return what the kernel reads of the settings, from the third on; `step` counts from 1."""
        return ()

    @abstractmethod
    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        """Update a vector, or any block of it, as `_settings` say."""
