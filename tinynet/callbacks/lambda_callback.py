"""A callback from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..names import unknown
from .base import Callback

Function = Callable[..., Any]


class LambdaCallback(Callback):
    """A callback from functions.

    Args:
        on_epoch_begin, on_epoch_end, on_train_begin, on_train_end, on_train_batch_begin, on_train_batch_end:
            called like the methods of `Callback`, with logs or without; default None.
        others: the other methods of `Callback`, likewise.

    Raises:
        TypeError: one of them is not a function, or there is no method of its name.

    Example:
        >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
        >>> callback.on_epoch_end(0, {"loss": 0.5})
        0 0.5
    """

    def __init__(
        self,
        on_epoch_begin: Function | None = None,
        on_epoch_end: Function | None = None,
        on_train_begin: Function | None = None,
        on_train_end: Function | None = None,
        on_train_batch_begin: Function | None = None,
        on_train_batch_end: Function | None = None,
        **others: Function | None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name.startswith("on_")} | others
        for name, value in given.items():
            hooks = [hook for hook in vars(Callback) if hook.startswith("on_")]
            if name not in hooks:
                raise TypeError(f"LambdaCallback: {unknown('method', name, hooks)}")
            if value is not None and not callable(value):
                raise TypeError(f"LambdaCallback: {name} must be a function; got {value!r}.")
        vars(self).update({name: value for name, value in given.items() if value is not None})
