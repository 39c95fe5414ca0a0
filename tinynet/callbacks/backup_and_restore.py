"""Go on with a training that was interrupted."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..files.atomic import write_new, writes_files
from ..files.plain_file import plain_bytes, read_plain
from .base import Callback, Logs


class BackupAndRestore(Callback):
    """Let a training that was killed go on where its last backup was, to the same bits as without the kill.

    Run the same program again: `fit` then takes the model, the optimizer, the metrics, the history and what
    other callbacks have counted from the backup, and the batches that come after it. For that, data that is
    made batch by batch must come in the order in which it came: an iterator begins with its first batch, and
    is gone through; a sequence gives the same batch for a number, or says in `get_state()` what else it
    depends on, and takes that in `set_state(state)`, as tinynet's generators of images do.

    Args:
        backup_dir: a folder for the backup of this training alone; it is made where it is missing.
        save_freq: "epoch" (default) for a backup at the end of each epoch, or the number of batches after
            which there is one.
        double_checkpoint: whether the backup before the last one is kept, and taken if the last one is
            damaged; default False.
        delete_checkpoint: whether the backup is removed at the end of the training; default True. One that is
            kept lets the next `fit` go on from that end, to a larger number of epochs.

    Raises:
        ValueError: an argument is not what is said above, the backup is of another model, or it is damaged.
        TypeError: a callback or a metric of your own keeps what no file can hold.
        OSError: the backup cannot be written.

    Example:
        >>> import tempfile
        >>> from tinynet import Sequential, layers
        >>> model = Sequential([layers.Dense(1)], 1, seed=1)
        >>> model.compile("sgd", "mse")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     backup = BackupAndRestore(folder, save_freq=10, delete_checkpoint=False)
        ...     _ = model.fit([[1.0], [2.0]], [[1.0], [2.0]], epochs=2, verbose=0, callbacks=[backup])
        ...     len(model.fit([[1.0], [2.0]], [[1.0], [2.0]], epochs=3, verbose=0, callbacks=[backup]).epoch)
        3
    """

    training: Any = None  # the loop that `fit` runs, which knows its state; set by it
    _counted = ("batches",)

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: int | Literal["epoch"] = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        if not os.fspath(backup_dir):
            raise ValueError("BackupAndRestore: backup_dir must be a folder's name; got an empty one.")
        counts = isinstance(save_freq, int | np.integer) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not counts:
            raise ValueError(
                "BackupAndRestore: save_freq must be 'epoch' or a positive number of batches; got "
                f"{save_freq!r}."
            )
        self.backup_dir, self.save_freq = Path(backup_dir), save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self.latest = self.backup_dir / "latest.safetensors"
        self.previous = self.backup_dir / "previous.safetensors"
        self.batches = 0  # since the last backup
        self.restored: dict[str, Any] | None = None  # what goes on in the midst of an epoch

    def on_train_begin(self, logs: Logs | None = None) -> None:
        for path in self.backup_dir.glob(".tinynet-*.tmp"):  # of a backup in whose midst a kill came
            path.unlink(missing_ok=True)
        self.batches, self.restored = 0, self.read()
        if self.restored is None:
            self.save()  # raises now, not after an epoch
        else:
            self.restore()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.restored is not None and self.restored["place"][1:] > [0]:
            self.restore()  # what others did now, they had done before
        self.restored = None

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.batches += 1
        # A batch that ends the training is done again: what comes after it belongs to it.
        if self.save_freq != "epoch" and self.batches >= self.save_freq and not self.model.stop_training:
            self.save()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self.save()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.delete_checkpoint and self.training.is_over:
            self.latest.unlink(missing_ok=True)
            self.previous.unlink(missing_ok=True)
            with suppress(OSError):  # it holds something else
                self.backup_dir.rmdir()

    def save(self) -> None:
        """Write a backup, whole or not at all."""
        self.batches = 0
        try:
            content = plain_bytes(self.training.state())
        except TypeError as error:
            raise TypeError(f"BackupAndRestore, of a callback's or a metric's state: {error}") from None
        if self.double_checkpoint and self.latest.exists() and writes_files():
            self.latest.replace(self.previous)
        write_new(self.latest, content)

    def read(self) -> dict[str, Any] | None:
        """Return what the last backup holds, or, if it is damaged, the one before; None if there is none."""
        if not self.latest.exists() and not self.previous.exists():
            return None
        try:
            return dict(read_plain(self.latest))
        except (OSError, ValueError) as error:
            if not self.previous.exists():
                raise ValueError(
                    f"BackupAndRestore: {error} Remove the file to begin the training anew."
                ) from error
            if self.latest.exists():
                warnings.warn(f"BackupAndRestore: {error} The backup before it is taken.", stacklevel=2)
            return dict(read_plain(self.previous))

    def restore(self) -> None:
        """Go on from the backup that has been read."""
        try:
            self.training.restore(self.restored)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"BackupAndRestore: the backup in {os.fspath(self.backup_dir)!r} is of another training: "
                f"{error}. Remove the folder to begin anew, or give another one."
            ) from error
