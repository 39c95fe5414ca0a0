"""The arguments that all optimizers have: their defaults, their checks, and themselves as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

import numpy as np

from ..arguments import (
    arguments_of,
    as_float,
    is_positive,
    is_rate,
    require,
    require_numbers,
)
from ..keywords import unknown_argument
from ..schedules import rate_as_data, rate_from_data
from .former import Former

Rate = float | Callable[..., float]

CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
# What Keras's optimizers have besides, its defaults there, and what to do instead.
REFUSED = {
    "use_ema": (False, "pass ema_momentum= to fit, which averages the weights"),
    "ema_overwrite_frequency": (None, "pass ema_momentum= to fit, which averages the weights"),
    "loss_scale_factor": (None, "leave it out: float32 needs no scaled loss"),
    "gradient_accumulation_steps": (None, "use a batch that is as many times as large"),
}


@dataclass(eq=False, repr=False)
class Arguments(Former):
    """The arguments that all optimizers have; `Optimizer` says what they mean."""

    is_ours: ClassVar[bool] = False

    learning_rate: Rate
    weight_decay: float | None = field(default=None, kw_only=True)
    clipnorm: float | None = field(default=None, kw_only=True)
    clipvalue: float | None = field(default=None, kw_only=True)
    global_clipnorm: float | None = field(default=None, kw_only=True)
    use_ema: bool = field(default=False, kw_only=True)
    ema_momentum: float = field(default=0.99, kw_only=True)
    ema_overwrite_frequency: int | None = field(default=None, kw_only=True)
    loss_scale_factor: float | None = field(default=None, kw_only=True)
    gradient_accumulation_steps: int | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    iterations: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        for name, number in arguments_of(self).items():
            vars(self)[name] = as_float(number)
        vars(self)["name"] = self.name or type(self).__name__.lower()
        vars(self)["_ready"] = True
        self._check()

    def __repr__(self) -> str:
        """Return the learning rate, and what else is not at its default."""
        defaults = {item.name: item.default for item in fields(self)} | {"name": type(self).__name__.lower()}
        shown = {name: value for name, value in arguments_of(self).items() if value != defaults[name]}
        shown = {"learning_rate": self.learning_rate} | shown
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

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
            except (TypeError, ValueError, NotImplementedError):
                object.__setattr__(self, name, before)
                raise

    def _check(self) -> None:
        """Raise if an argument is not what the class says."""
        kind = type(self).__name__
        for name, (default, instead) in REFUSED.items():
            if getattr(self, name) != default:
                raise NotImplementedError(
                    f"{kind}: {name} must be {default}, because it is not there yet; got "
                    f"{getattr(self, name)!r}: {instead}."
                )
        optional = dict.fromkeys((*CLIPS, *REFUSED, "weight_decay"), lambda value: value is None)
        require_numbers(self, learning_rate=callable, name=lambda value: True, **optional)
        if not isinstance(self.name, str):
            raise TypeError(f"{kind}: name must be a string; got {self.name!r}.")
        if not isinstance(self.iterations, int | np.integer) or self.iterations < 0:
            raise ValueError(f"{kind}: iterations must be an integer, at least 0; got {self.iterations!r}.")
        if not callable(self.learning_rate):
            require(self, learning_rate=is_rate)
        if self.weight_decay is not None:
            require(self, weight_decay=is_rate)
        given = [name for name in CLIPS if getattr(self, name) is not None]
        require(self, **dict.fromkeys(given, is_positive))
        if len(given) > 1:
            raise ValueError(
                f"{kind}: only one of {', '.join(CLIPS)} may be given; got {' and '.join(given)}."
            )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, as JSON can hold them; the state is not part of it.

        Returns:
            A dictionary, from which `from_config` makes an equal optimizer.

        Raises:
            TypeError: the learning rate is a function that is not one of tinynet's schedules.

        Example:
            >>> from tinynet.optim import SGD
            >>> SGD(0.5).get_config()["learning_rate"]
            0.5
        """
        arguments = arguments_of(self)
        arguments["learning_rate"] = rate_as_data(arguments["learning_rate"])
        return arguments

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the optimizer that `get_config` described.

        Args:
            config: arguments of the class.

        Returns:
            A new optimizer without state.

        Raises:
            TypeError: an unknown argument.
            ValueError: an invalid value, or an unknown schedule.

        Example:
            >>> from tinynet.optim import SGD
            >>> SGD.from_config({"learning_rate": 0.5, "momentum": 0.9})
            SGD(learning_rate=0.5, momentum=0.9)
        """
        arguments = dict(config)
        if "learning_rate" in arguments:
            arguments["learning_rate"] = rate_from_data(arguments["learning_rate"])
        return cls(**arguments)
