"""A callback from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .base import Callback, Logs


class LambdaCallback(Callback):
    """A callback from functions.

    Args:
        on_train_begin, on_epoch_begin, on_train_batch_end, on_epoch_end, on_train_end: called like the
            methods of `Callback`.

    Raises:
        TypeError: one of them is not a function.

    Example:
        >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
        >>> callback.on_epoch_end(0, {"loss": 0.5})
        0 0.5
    """

    def __init__(
        self,
        *,
        on_train_begin: Callable[[], Any] | None = None,
        on_epoch_begin: Callable[[int], Any] | None = None,
        on_train_batch_end: Callable[[int, Logs], Any] | None = None,
        on_epoch_end: Callable[[int, Logs], Any] | None = None,
        on_train_end: Callable[[], Any] | None = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name.startswith("on_") and value}
        for name, value in given.items():
            if not callable(value):
                raise TypeError(f"LambdaCallback: {name} must be a function; got {value!r}.")
        vars(self).update(given)
