"""Write the history to a table."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from .base import Callback, Logs


class CSVLogger(Callback):
    """Write the history to a CSV file, a line after each epoch.

    The columns are those of Keras: the epoch, counted from 0, and in alphabetical order what the first epoch
    logs, and, if it was not validated, the values of a validation, with NA in them.

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

    def on_train_begin(self, logs: Logs | None = None) -> None:
        with self.filename.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.separator)  # raises now, not after an epoch
            self.starts_anew, self.needs_header = not self.append, not self.append or file.tell() == 0
        self.keys: list[str] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if not self.keys:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in logs):
                self.keys += [f"val_{key}" for key in self.keys]
        with self.filename.open("w" if self.starts_anew else "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=self.separator)
            if self.needs_header:
                writer.writerow(["epoch", *self.keys])
            self.starts_anew = self.needs_header = False
            writer.writerow([epoch, *(logs.get(key, "NA") for key in self.keys)])
