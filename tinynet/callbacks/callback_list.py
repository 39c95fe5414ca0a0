"""All callbacks of a call of `fit`, told as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

from .backup_and_restore import BackupAndRestore
from .base import Callback, Logs, takes
from .history import History


class CallbackList:
    """Callbacks, after them the history, and after that backups of all: told what happens in this order.

    Args:
        callbacks: those that the user gave.
        model: the model.
        params: "verbose", "epochs" and "steps".

    Raises:
        TypeError: something in callbacks is no callback.

    Attributes:
        history: the `History` among the callbacks, or a new one.
    """

    def __init__(self, callbacks: Iterable[Callback], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"fit: callbacks must be a list of Callback objects; it holds {callback!r}.")
        given = [callback for callback in self.callbacks if isinstance(callback, History)]
        self.history = given[0] if given else History()
        if not given:
            self.callbacks.append(self.history)
        self.callbacks.sort(key=lambda callback: isinstance(callback, BackupAndRestore))  # these at the end
        for callback in self.callbacks:
            callback.set_params(params)
            callback.set_model(model)
        self.methods = cache(self.methods_of)

    def named(self) -> dict[str, Callback]:
        """Return the callbacks by their classes' names, numbered."""
        kinds = [type(callback).__name__ for callback in self.callbacks]
        return {
            f"{kind}_{kinds[:place].count(kind)}": callback
            for place, (kind, callback) in enumerate(zip(kinds, self.callbacks, strict=True))
        }

    def get_state(self) -> dict[str, Any]:
        """Return what all callbacks have counted."""
        return {name: callback.get_state() for name, callback in self.named().items()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Give the callbacks what they had counted; one that is new begins anew."""
        for name, callback in self.named().items():
            if name in state:
                callback.set_state(state[name])

    def tell(self, hook: str, *arguments: int, logs: Logs | None = None) -> None:
        """Call a method of all callbacks.

        Args:
            hook: its name, such as "on_epoch_end".
            arguments: the number of the epoch or the batch, if it is called with one.
            logs: what it is told besides; default: an empty dict.
        """
        logs = {} if logs is None else logs
        for method in self.methods(hook, len(arguments)):
            method(*arguments, logs)

    def methods_of(self, hook: str, count: int) -> list[Callable[..., Any]]:
        """Return the callbacks' methods of a name that do something, as functions that take logs."""
        found = []
        for callback in self.callbacks:
            method = getattr(callback, hook)
            same = hook.replace("train_batch", "batch")  # on_train_batch_end calls on_batch_end
            if not all(is_default(callback, name) for name in {hook, same}):
                found.append(method if takes(method, count + 1) else partial(without_logs, method))
        return found


def is_default(callback: Callback, hook: str) -> bool:
    """Return whether a callback has the method of `Callback`, which does nothing."""
    return hook not in vars(callback) and getattr(type(callback), hook) is getattr(Callback, hook)


def without_logs(method: Callable[..., Any], *arguments: Any) -> None:
    """Call a method with all arguments but the last."""
    method(*arguments[:-1])
