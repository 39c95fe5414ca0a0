"""Save the model as it trains."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import Literal

import numpy as np

from .base import Logs
from .monitor import Mode, Monitor


class ModelCheckpoint(Monitor):
    """Save the model after each epoch, or after each best one, unless the loss is NaN or infinite.

    Args:
        filepath: the file, whose ending says the format, as in `model.save`; may hold {epoch} (counted from
            1), {batch} (likewise, if save_freq counts batches) and any key of the logs, as in
            "cnn-{epoch:02d}-{val_loss:.2f}.safetensors". Its folder is made where it is missing.
        monitor: what decides which epoch is best; default "val_loss".
        verbose: 1 to print what is saved; default 0.
        save_best_only: whether to save only when that improved; default False. Epochs that are not validated
            (see validation_freq of `fit`) are then not saved for their "val_loss".
        save_weights_only: whether to save the weights alone, as `model.save_weights` does; default False.
        mode: "min", "max" or "auto" (default: from the name, such as "val_accuracy").
        save_freq: "epoch" (default), or the number of batches after which to save.
        initial_value_threshold: what the monitored value has to be better than at first; default None.
        period: save after each so many epochs; deprecated. Default None: after each.

    Raises:
        TypeError: the model cannot be saved.
        ValueError: an argument is not what is said above, the file's name holds an unknown key, its format
            cannot hold the model, or `fit` does not log what to monitor.
        OSError: the file cannot be written.

    Example:
        >>> ModelCheckpoint("best.safetensors", save_best_only=True).monitor
        'val_loss'
    """

    _counted = ("best", "batches", "epochs", "epoch")

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: Mode = "auto",
        save_freq: int | Literal["epoch"] = "epoch",
        initial_value_threshold: float | None = None,
        period: int | None = None,
    ) -> None:
        super().__init__(monitor, mode, 0.0, best=initial_value_threshold)
        counts = isinstance(save_freq, int | np.integer) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not counts:
            raise ValueError(
                "ModelCheckpoint: save_freq must be 'epoch' or a positive number of batches; got "
                f"{save_freq!r}."
            )
        if period is not None:
            warnings.warn(
                "ModelCheckpoint: period is deprecated: use save_freq, which counts batches.",
                DeprecationWarning,
                stacklevel=2,
            )
        if period is not None and (
            isinstance(period, bool) or not isinstance(period, int | np.integer) or period < 1
        ):
            raise ValueError(f"ModelCheckpoint: period must be a positive integer; got {period!r}.")
        self.filepath, self.verbose = os.fspath(filepath), verbose
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.save_freq, self.period = save_freq, period or 1
        self.batches = self.epochs = self.epoch = 0  # since it saved, and which epoch it is

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if self.save_best_only:
            self.check_monitor()
            if self.save_freq != "epoch" and self.monitor.startswith("val_"):
                raise ValueError(
                    f"ModelCheckpoint: {self.monitor!r} is measured after epochs, and save_freq="
                    f"{self.save_freq} saves between batches: leave save_freq out, or monitor 'loss'."
                )
        names = [*self.model.log_names, "learning_rate"]
        if self.save_freq != "epoch":
            names = [name for name in names if not name.startswith("val_")]
        name = self.name(0, None if self.save_freq == "epoch" else 0, dict.fromkeys(names, 0.0))
        self.check_path(name)
        self.model.check_saves(name, self.save_weights_only)  # raises now, not after an epoch

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.batches += 1
        if self.save_freq != "epoch" and self.batches >= self.save_freq:
            self.batches = 0
            self.save(self.epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epochs += 1
        if self.save_freq == "epoch" and self.epochs >= self.period:
            self.epochs = 0
            self.save(epoch, None, logs or {})

    def save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        """Save the model, if it should be saved."""
        if self.save_best_only and self.monitor not in logs:
            self.say(f"Epoch {epoch + 1}: {self.monitor} was not measured")
            return
        path = self.name(epoch, batch, logs)
        if not math.isfinite(logs["loss"]) or not all(
            np.isfinite(parameter.value).all() for parameter in self.model.parameters
        ):
            warnings.warn(
                "ModelCheckpoint: not saved, because the training has diverged to NaN.", stacklevel=2
            )
            return
        before = "None" if self.best is None else f"{self.best:.5f}"
        if self.save_best_only:
            value = logs[self.monitor]
            if not self.is_improvement(value, self.best):
                self.say(f"Epoch {epoch + 1}: {self.monitor} did not improve from {before}")
                return
            self.say(f"Epoch {epoch + 1}: {self.monitor} improved from {before} to {value:.5f}")
            self.best = value
        self.say(f"Epoch {epoch + 1}: saving model to {path}")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)

    def say(self, text: str) -> None:
        """Print, if that is wanted."""
        if self.verbose:
            print(f"\n{text}")

    def name(self, epoch: int, batch: int | None, logs: Logs) -> str:
        """Return the file's name for an epoch, or a batch of it."""
        counted = {"epoch": epoch + 1} if batch is None else {"epoch": epoch + 1, "batch": batch + 1}
        try:
            return self.filepath.format(**logs | counted)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"ModelCheckpoint: filepath {self.filepath!r} may hold {{{'}, {'.join(counted)}}} and any of "
                f"{', '.join(logs)} in braces; got {error!r}."
            ) from None

    def check_path(self, name: str) -> None:
        """Raise, before any training, if no file of that name could be written."""
        path = Path(name)
        if "\0" in name or (path.exists() and not path.is_file() and not path.is_dir()):
            raise OSError(f"ModelCheckpoint: cannot write {name!r}: it is no file, nor could it become one.")
        folder = next((parent for parent in path.parents if parent.exists()), path.parent)
        problem = "it is a folder" if path.is_dir() else "a file is where a folder should be"
        if path.is_dir() or not folder.is_dir():
            raise OSError(f"ModelCheckpoint: cannot write {name!r}: {problem}.")
