"""Callbacks: what happens between the steps and epochs of `fit`."""

from __future__ import annotations

import csv
import math
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from .model import Sequential

Logs = Mapping[str, float]
Mode = Literal["auto", "min", "max"]


class Callback:
    """The base of all callbacks: define any of the methods; `self.model` is the model that trains.

    Example:
        >>> class Announce(Callback):
        ...     def on_epoch_end(self, epoch, logs):
        ...         print("epoch", epoch, sorted(logs))
    """

    model: Sequential

    def on_train_begin(self) -> None:
        """Before the first epoch."""

    def on_epoch_begin(self, epoch: int) -> None:
        """Before epoch `epoch`, counted from 0."""

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """After a step: the loss and metrics of that batch."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """After an epoch and its validation: what the history records."""

    def on_train_end(self) -> None:
        """After the last epoch."""


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


class _Monitor(Callback):
    """The base of callbacks that watch whether a logged value still improves."""

    def __init__(self, monitor: str, mode: Mode, min_delta: float) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{type(self).__name__}: mode must be 'auto', 'min' or 'max'; got {mode!r}.")
        larger_is_better = mode == "max" or (mode == "auto" and "acc" in monitor)
        self.monitor, self.sign, self.min_delta = monitor, -1 if larger_is_better else 1, abs(min_delta)
        self.best, self.wait = math.inf, 0

    def on_train_begin(self) -> None:
        self.best, self.wait = math.inf, 0
        if self.monitor not in self.model.log_names:
            raise ValueError(
                f"{type(self).__name__}: monitor={self.monitor!r} is not among what this training logs: "
                f"{', '.join(self.model.log_names)}. For val_... give fit validation_data or "
                "validation_split."
            )

    def improved(self, logs: Logs) -> bool:
        """Return whether the monitored value is better than ever, and count the epochs since it was."""
        value = self.sign * logs[self.monitor]
        better = value < self.best - self.min_delta
        if better:
            self.best = value
        self.wait = 0 if better else self.wait + 1
        return better


def _check_count(owner: Callback, name: str, value: int) -> None:
    if not isinstance(value, int | np.integer) or value < 0:
        raise ValueError(f"{type(owner).__name__}: {name} must be an integer, at least 0; got {value!r}.")


class EarlyStopping(_Monitor):
    """Stop training when a value has not improved for some epochs.

    Args:
        monitor: what to watch, a key of the history; default "val_loss".
        min_delta: a smaller change is no improvement; default 0.
        patience: epochs without improvement before training stops; default 0.
        mode: "min", "max" or "auto" (default: larger is better where the name holds "acc").
        restore_best_weights: whether the model ends with the weights of its best epoch; default False.

    Raises:
        ValueError: mode or patience is not what is said above, or `fit` does not log what to monitor.

    Example:
        >>> EarlyStopping(monitor="val_accuracy", patience=3, restore_best_weights=True).patience
        3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        mode: Mode = "auto",
        restore_best_weights: bool = False,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        _check_count(self, "patience", patience)
        self.patience, self.restore_best_weights = patience, restore_best_weights
        self.best_weights: list[np.ndarray[Any, Any]] | None = None
        self.stopped_epoch: int | None = None

    def on_train_begin(self) -> None:
        super().on_train_begin()
        self.best_weights, self.stopped_epoch = None, None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if self.improved(logs):
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        elif self.wait >= self.patience:
            self.model.stop_training, self.stopped_epoch = True, epoch

    def on_train_end(self) -> None:
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


class ModelCheckpoint(_Monitor):
    """Save the model after each epoch, or after each best one, unless the loss is NaN or infinite.

    Args:
        filepath: the file; may hold {epoch} (counted from 1) and any key of the history, as in
            "cnn-{epoch:02d}-{val_loss:.3f}.safetensors".
        monitor: what decides which epoch is best; default "val_loss".
        save_best_only: whether to save only when that improved; default False.
        mode: "min", "max" or "auto" (default: larger is better where the name holds "acc").

    Raises:
        TypeError: the model cannot be saved.
        ValueError: mode is none of these, the file's name holds an unknown key, or `fit` does not log what to
            monitor.
        OSError: the file cannot be written.

    Example:
        >>> ModelCheckpoint("best.safetensors", save_best_only=True).monitor
        'val_loss'
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        save_best_only: bool = False,
        mode: Mode = "auto",
    ) -> None:
        super().__init__(monitor, mode, 0.0)
        self.filepath, self.save_best_only = os.fspath(filepath), save_best_only

    def on_train_begin(self) -> None:
        if self.save_best_only:
            super().on_train_begin()
        self.model.config()  # raises now, not after an epoch, if the model cannot be saved
        self.check_folder(self.name(0, dict.fromkeys(self.model.log_names, 0.0)))

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if not math.isfinite(logs["loss"]) or not all(
            np.isfinite(parameter.value).all() for parameter in self.model.parameters
        ):
            warnings.warn(
                "ModelCheckpoint: not saved, because the training has diverged to NaN.", stacklevel=2
            )
        elif not self.save_best_only or self.improved(logs):
            self.model.save(self.name(epoch, logs))

    def name(self, epoch: int, logs: Logs) -> str:
        """Return the file's name for an epoch."""
        try:
            return self.filepath.format(epoch=epoch + 1, **logs)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"ModelCheckpoint: filepath {self.filepath!r} may hold {{epoch}} and any of "
                f"{', '.join(logs)} in braces; got {error!r}."
            ) from None

    def check_folder(self, name: str) -> None:
        """Raise, before any training, if no file of that name could be written."""
        path = Path(name)
        if path.is_dir() or not path.parent.is_dir():
            raise OSError(
                f"ModelCheckpoint: cannot write {name!r}: it is a folder, or its folder is missing."
            )


class CSVLogger(Callback):
    """Write the history to a CSV file, a line after each epoch.

    Args:
        filename: the file.
        separator: between the values; default ",".
        append: whether to add to an existing file; default False.

    Raises:
        OSError: the file cannot be written.

    Example:
        >>> CSVLogger("log.csv").separator
        ','
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename, self.separator, self.append = Path(filename), separator, append

    def on_train_begin(self) -> None:
        with self.filename.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.separator)  # raises now, not after an epoch
            self.starts_anew, self.needs_header = not self.append, not self.append or file.tell() == 0

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        with self.filename.open("w" if self.starts_anew else "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=self.separator)
            if self.needs_header:
                writer.writerow(["epoch", *logs])
            self.starts_anew = self.needs_header = False
            writer.writerow([epoch, *logs.values()])


class ReduceLROnPlateau(_Monitor):
    """Lower the learning rate when a value has not improved for some epochs.

    Args:
        monitor: what to watch, a key of the history; default "val_loss".
        factor: what the learning rate is multiplied by, above 0 and below 1; default 0.1.
        patience: epochs without improvement before that; default 10.
        min_delta: a smaller change is no improvement; default 0.0001.
        cooldown: epochs to wait after lowering it before counting again; default 0.
        min_lr: the learning rate is never lower; default 0.
        mode: "min", "max" or "auto" (default: larger is better where the name holds "acc").

    Raises:
        ValueError: factor is not between 0 and 1, another argument is not what is said above, the learning
            rate follows a schedule, or `fit` does not log what to monitor.

    Example:
        >>> ReduceLROnPlateau(factor=0.5, patience=2).factor
        0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        mode: Mode = "auto",
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be above 0 and below 1; got {factor}.")
        _check_count(self, "patience", patience)
        _check_count(self, "cooldown", cooldown)
        if not isinstance(min_lr, int | float) or not min_lr >= 0:
            raise ValueError(f"ReduceLROnPlateau: min_lr must be a number, at least 0; got {min_lr!r}.")
        self.factor, self.patience, self.cooldown, self.min_lr = factor, patience, cooldown, min_lr
        self.resting = 0

    def on_train_begin(self) -> None:
        super().on_train_begin()
        self.resting = 0
        if callable(self.model.optimizer.learning_rate):
            raise ValueError(
                "ReduceLROnPlateau cannot change a learning rate that follows a schedule: give the optimizer "
                "a number, or leave this callback out."
            )

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        better = self.improved(logs)
        if self.resting > 0:
            self.resting, self.wait = self.resting - 1, 0
        elif not better and self.wait >= self.patience:
            optimizer = self.model.optimizer
            rate = optimizer.current_learning_rate
            optimizer.learning_rate = min(rate, max(rate * self.factor, self.min_lr))
            self.resting, self.wait = self.cooldown, 0


class TerminateOnNaN(Callback):
    """Stop training at once when the loss is NaN or infinite.

    Example:
        >>> callback = TerminateOnNaN()
    """

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        if not math.isfinite(logs["loss"]):
            print(
                f"\nBatch {batch}: the loss is {logs['loss']}, so training stops. Try a lower learning rate."
            )
            self.model.stop_training = True
