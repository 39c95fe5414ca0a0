"""Optimizers; the learning-rate schedules are in schedules.py, and can be had from here.

An optimizer works on anything that has a ``value`` and a ``grad``, and keeps its state in lists in the order
of the parameters. A model gives it its parameters joined to as few vectors as possible.
"""

from __future__ import annotations

import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import kernels
from .arguments import (
    Keywords,
    arguments_of,
    is_fraction,
    is_positive,
    is_rate,
    require,
    unknown_argument,
)
from .names import unknown
from .schedules import SCHEDULES, Constant, CosineDecay, ExponentialDecay, OneCycle, Schedule, StepDecay

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "Adam",
    "AdamW",
    "Constant",
    "CosineDecay",
    "ExponentialDecay",
    "OneCycle",
    "Optimizer",
    "Parameter",
    "Schedule",
    "StepDecay",
    "get",
]

Array = NDArray[Any]
Named = TypeVar("Named")

BLOCK = 2**16  # elements that are updated at a time: small enough to stay in cache, large enough for a thread


class Parameter(Protocol):
    """What an optimizer can update: a value, in place, and its gradient; arrays of one shape and type."""

    @property
    def value(self) -> Array: ...  # noqa: D102
    @property
    def grad(self) -> Array: ...  # noqa: D102


def _run_in_turn(function: Callable[[int], Any], count: int) -> None:
    """Call function(0), ..., function(count - 1)."""
    for number in range(count):
        function(number)


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
    """

    learning_rate: float | Callable[[int], float]
    weight_decay: float = field(default=0.0, kw_only=True)
    clipnorm: float | None = field(default=None, kw_only=True)
    iterations: int = field(default=0, init=False, repr=False)
    state: dict[str, list[Array]] = field(default_factory=dict, init=False, repr=False)
    _built_for: list[str] | None = field(default=None, init=False, repr=False)
    _owner: object = field(default=None, init=False, repr=False)
    _checked: Sequence[Parameter] | None = field(default=None, init=False, repr=False)  # a model's own
    _settings: Array = field(default_factory=lambda: np.zeros(8), init=False, repr=False)

    def __post_init__(self) -> None:
        for name, number in arguments_of(self).items():
            vars(self)[name] = _as_float(number)
        vars(self)["_ready"] = True
        self._check()

    def __setattr__(self, name: str, value: object) -> None:
        """Let a number take effect in the next step, and refuse what would have no effect."""
        arguments = getattr(self, "__dataclass_fields__", {})
        if type(self) in OPTIMIZERS.values() and name not in arguments:
            raise AttributeError(unknown_argument(type(self).__name__, name, list(arguments_of(self))))
        before = vars(self).get(name)
        object.__setattr__(self, name, value if name == "iterations" else _as_float(value))
        if "_ready" in vars(self) and name in arguments and not name.startswith("_"):
            try:
                self._check()
            except (TypeError, ValueError):
                object.__setattr__(self, name, before)
                raise

    def _check(self) -> None:
        """Raise if an argument is not what the class says."""
        for name, value in arguments_of(self).items():
            if name == "nesterov":
                fits, wanted = isinstance(value, bool), "True or False"
            else:
                fits, wanted = isinstance(value, numbers.Real) and not isinstance(value, bool), "a number"
            allowed = (name == "learning_rate" and callable(value)) or (name == "clipnorm" and value is None)
            if not fits and not allowed:
                raise TypeError(f"{type(self).__name__}: {name} must be {wanted}; got {value!r}.")
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

    def step(self, parameters: Sequence[Parameter], run: Callable[..., Any] = _run_in_turn) -> None:
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
            layout = _layout(parameters)
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
        blocks = [
            (index, slice(begin, begin + BLOCK))
            for index, parameter in enumerate(parameters)
            for begin in range(0, parameter.value.size, BLOCK)
        ]
        run(lambda number: self.update(parameters, *blocks[number]), len(blocks))

    def end(self) -> None:
        """Count the step."""
        vars(self)["iterations"] += 1  # which needs no check

    @property
    def updates_blocks(self) -> bool:
        """Whether a block's update needs no other block's gradient, and does nothing but call kernels."""
        return self.clipnorm is None and type(self) in OPTIMIZERS.values()

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
            >>> adam = Adam()
            >>> adam.build([SimpleNamespace(value=np.ones(2), grad=np.ones(2))])
            >>> adam.state
            {'m': [array([0., 0.])], 'v': [array([0., 0.])]}
        """
        self._built_for = _layout(parameters)
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
        for name, arrays in self.state.items():
            whole = np.concatenate([array.reshape(-1) for array in arrays]) if arrays else np.empty(0)
            ends = np.cumsum([parameter.value.size for parameter in parameters], dtype=int)
            self.state[name] = [
                whole[end - p.value.size : end].reshape(p.value.shape)
                for p, end in zip(parameters, ends, strict=True)
            ]
        self._built_for, self._checked = _layout(parameters), parameters

    def config(self) -> dict[str, Any]:
        """Return the name and the arguments, as JSON can hold them; the state is not part of it.

        Returns:
            A dictionary, from which `from_config` and `get` make an equal optimizer.

        Raises:
            TypeError: the learning rate is a function that is not one of this module's schedules.

        Example:
            >>> SGD(0.5).config()["learning_rate"]
            0.5
        """
        config = {"name": type(self).__name__.lower(), **arguments_of(self)}
        if isinstance(self.learning_rate, Schedule):
            config["learning_rate"] = self.learning_rate.config()
        elif callable(self.learning_rate):
            raise TypeError(f"Only a Schedule can be saved as a learning rate, not {self.learning_rate!r}.")
        return config

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
        optimizer, arguments = _named(OPTIMIZERS, config, "optimizer")
        rate = arguments.get("learning_rate")
        if isinstance(rate, Mapping):
            schedule, of_schedule = _named(SCHEDULES, rate, "schedule")
            arguments["learning_rate"] = schedule(**of_schedule)
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


@dataclass(eq=False)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    The velocity is the decaying sum of the gradients (as in PyTorch; Keras has the learning rate inside of
    it, which is the same as long as the rate is constant).

    Args:
        learning_rate: a float or a schedule. Default 0.01.
        momentum: the share of the velocity that a step keeps, in [0, 1). Default 0.
        nesterov: look one step ahead, as Nesterov does. Default False.
        weight_decay: each step first shrinks the values by learning_rate × weight_decay. Default 0.
        clipnorm: the largest joint L2 norm of all gradients, which are scaled down to it; Keras calls this
            global_clipnorm. Default None: no limit.

    Raises:
        TypeError: an unknown argument (lr, for example).
        ValueError: an invalid value.

    Example:
        >>> SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
        SGD(learning_rate=0.1, weight_decay=0.0, clipnorm=None, momentum=0.9, nesterov=True)

    Source:
        I. Sutskever et al.: On the importance of initialization and momentum in deep learning, 2013; weight
        decay: I. Loshchilov, F. Hutter: Decoupled Weight Decay Regularization, 2019.
    """

    learning_rate: float | Callable[[int], float] = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def _check(self) -> None:
        super()._check()
        require(self, momentum=is_fraction)
        if self.nesterov and not self.momentum:
            raise ValueError("SGD: nesterov=True needs momentum above 0, such as momentum=0.9.")

    def _state_names(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()

    def _numbers(self) -> tuple[float, ...]:
        return self.momentum, self.nesterov

    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        if self.momentum:
            (velocity,) = state
            kernels.update.sgd_momentum(value, gradient, velocity, self._settings)
        else:
            kernels.update.sgd(value, gradient, self._settings)


@dataclass(eq=False)
class Adam(Optimizer):
    """Adam: momentum, and for each element a step size of its own.

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        beta_1: the decay of the mean of the gradients, in [0, 1). Default 0.9.
        beta_2: the decay of the mean of their squares, in [0, 1). Default 0.999.
        epsilon: added to the square root of the bias-corrected mean square (as in the paper's Algorithm 1
            and PyTorch; Keras adds it before the correction). Default 1e-7.
        weight_decay: each step first shrinks the values by learning_rate × weight_decay. Default 0.
        clipnorm: the largest joint L2 norm of all gradients, which are scaled down to it; Keras calls this
            global_clipnorm. Default None: no limit.

    Raises:
        TypeError: an unknown argument (lr, for example).
        ValueError: an invalid value.

    Example:
        >>> Adam(CosineDecay(1e-3, decay_steps=5000)).current_learning_rate
        0.001

    Source:
        D. Kingma, J. Ba: Adam: A Method for Stochastic Optimization, 2015, Algorithm 1; weight decay:
        I. Loshchilov, F. Hutter: Decoupled Weight Decay Regularization, 2019.
    """

    learning_rate: float | Callable[[int], float] = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def _check(self) -> None:
        super()._check()
        require(self, beta_1=is_fraction, beta_2=is_fraction, epsilon=is_positive)

    def _state_names(self) -> tuple[str, ...]:
        return ("m", "v")

    def _numbers(self) -> tuple[float, ...]:
        return self.beta_1, self.beta_2, self.epsilon

    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        m, v = state
        kernels.update.adam(value, gradient, m, v, self._settings)


@dataclass(eq=False)
class AdamW(Adam):
    """Adam with weight decay by default; every optimizer here decays weights in this decoupled way.

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        beta_1: as for `Adam`. Default 0.9.
        beta_2: as for `Adam`. Default 0.999.
        epsilon: as for `Adam`. Default 1e-7.
        weight_decay: each step first shrinks the values by learning_rate × weight_decay. Default 0.004.
        clipnorm: as for `Adam`. Default None.

    Raises:
        TypeError: an unknown argument (lr, for example).
        ValueError: an invalid value.

    Example:
        >>> AdamW().weight_decay
        0.004

    Source:
        I. Loshchilov, F. Hutter: Decoupled Weight Decay Regularization, 2019.
    """

    weight_decay: float = field(default=0.004, kw_only=True)


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW}


def get(optimizer: str | Mapping[str, Any] | Optimizer) -> Optimizer:
    """Return an optimizer given by its name or its configuration, or the given optimizer itself.

    Args:
        optimizer: "sgd", "adam" or "adamw", what `Optimizer.config` returned, or an `Optimizer`.

    Returns:
        An `Optimizer`; of a name, with its default configuration.

    Raises:
        TypeError: none of these.
        ValueError: an unknown name.

    Example:
        >>> get("adam").learning_rate
        0.001
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, str):
        return Optimizer.from_config({"name": optimizer})
    if isinstance(optimizer, Mapping):
        return Optimizer.from_config(optimizer)
    raise TypeError(f"An optimizer is a name or an object such as Adam(), not {optimizer!r}.")


def _as_float(value: Any) -> Any:
    """Return an integer as a float, which an optimizer shows and computes with; other things as they are."""
    return float(value) if type(value) is int else value


def _named(
    known: Mapping[str, type[Named]], config: Mapping[str, Any], kind: str
) -> tuple[type[Named], dict[str, Any]]:
    arguments = dict(config)
    name = arguments.pop("name", None)
    if name not in known:
        raise ValueError(unknown(kind, name, known))
    return known[name], arguments


def _layout(parameters: Sequence[Parameter]) -> list[str]:
    """Check parameters, and return the shape and type of each."""
    # Not any iterable: a set would give the parameters in another order in each run.
    if not isinstance(parameters, Sequence):
        raise TypeError(f"An optimizer takes a list of parameters, not {type(parameters).__name__}.")
    layout = []
    for index, parameter in enumerate(parameters):
        arrays = getattr(parameter, "value", None), getattr(parameter, "grad", None)
        for name, array in zip(("value", "grad"), arrays, strict=True):
            if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float64):
                what = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
                raise TypeError(f"Parameter {index}: .{name} must be a float32 or float64 array, not {what}.")
            if not array.flags.c_contiguous:
                raise ValueError(f"Parameter {index}: .{name} must be contiguous.")
        value, grad = parameter.value, parameter.grad
        if value.shape != grad.shape or value.dtype != grad.dtype:
            raise ValueError(
                f"Parameter {index}: .value is {value.dtype} {value.shape}, .grad {grad.dtype} {grad.shape}."
            )
        if not value.flags.writeable:
            raise ValueError(f"Parameter {index}: .value is read-only, and a step updates it in place.")
        layout.append(f"{value.dtype} {value.shape}")
    return layout
