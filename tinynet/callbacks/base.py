"""What a callback is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..keywords import Spoken

Logs = dict[str, float]


class Callback(metaclass=Spoken):
    """The base of all callbacks: define any of the methods, each with `logs` or without.

    What a callback adds to an epoch's logs is recorded in the history, and seen by the callbacks after it.

    Attributes:
        model: the model that trains.
        params: "verbose", "epochs" and "steps" (batches an epoch) of this call of `fit`.

    Example:
        >>> class Announce(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print("epoch", epoch, sorted(logs))
    """

    model: Any = (
        None  # a Sequential; models call callbacks, so that to import its class here would be a circle
    )
    params: Any = None
    _counted: tuple[str, ...] = ()  # the attributes that `get_state` returns

    def __repr__(self) -> str:
        """Return the arguments that are not at their defaults."""
        shown = []
        for name, argument in inspect.signature(type(self)).parameters.items():
            value = vars(self).get(name, argument.default)
            if repr(value) != repr(argument.default):
                shown.append(f"{name}={getattr(value, '__name__', repr(value))}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def set_model(self, model: Any) -> None:
        """Take the model that trains; called before all others."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Take what `fit` was called with; see `params`."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """Return what `BackupAndRestore` keeps of this callback.

        Returns:
            What it has counted since `on_train_begin`, by name: numbers, texts, arrays, lists and dicts of
            them.
        """
        return {name: getattr(self, name) for name in self._counted}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned in a training that was interrupted, after `on_train_begin`."""
        vars(self).update(state)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch; the logs are empty."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch, with its logs."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before epoch `epoch`, counted from 0; the logs are empty."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation: what the history records."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a step; the logs are empty."""
        tell(self.on_batch_begin, batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a step: the loss and metrics of that batch."""
        tell(self.on_batch_end, batch, logs=logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation, also of the validation data in `fit`; the logs are empty."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation: the loss and metrics."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of an evaluation; the logs are empty."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of an evaluation: the loss and metrics so far."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before a prediction; the logs are empty."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of a prediction; the logs are empty."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of a prediction."""


def takes(function: Callable[..., Any], count: int) -> bool:
    """Return whether a function can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # it has no signature
        return True
    return True


def tell(method: Callable[..., Any], *arguments: int, logs: Logs | None) -> None:
    """Call a method with the logs, or, if it does not take them, without."""
    if takes(method, len(arguments) + 1):
        method(*arguments, logs)
    else:
        method(*arguments)
