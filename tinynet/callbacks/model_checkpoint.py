"""Save the model as it trains."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path

import numpy as np

from .base import Logs
from .monitor import Mode, Monitor


class ModelCheckpoint(Monitor):
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
