"""Write the history to a table."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

from ..keywords import warn
from .base import Callback, Logs


class CSVLogger(Callback):
    """Write the history to a CSV file, a line after each epoch.

    The columns are those of Keras: the epoch, counted from 0, and in alphabetical order what the first epoch
    logs, and, if it was not validated, the values of a validation, with NA in them. Where the disk is full
    after that, training goes on, with a warning.

    Args:
        filename: the file.
        separator: between the values; default ",".
        append: whether to add to an existing file, from whose end half a line is taken out; default False.

    Raises:
        OSError: before the first epoch, the file cannot be written.

    Example:
        >>> CSVLogger("log.csv").separator
        ','
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename, self.separator, self.append = Path(filename), separator, append

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.keys: list[str] = []
        self.size: int | None = None  # of what is written; None for a file that is to begin anew
        self.waiting = b""  # lines that the disk had no room for
        self.line([])  # raises now, not after an epoch, as the next line does
        with self.filename.open("ab") as file:
            end = file.tell()
        if self.append:
            self.size = self.repair(end)
        self.needs_header = not self.size

    def get_state(self) -> dict[str, Any]:
        """Return where the file ends."""
        return {"keys": self.keys, "size": self.size, "waiting": self.waiting.decode()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on there: lines that were written since will be written again."""
        self.keys, self.size, self.waiting = state["keys"], state["size"], state["waiting"].encode()
        self.needs_header = not self.size and not self.keys

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if not self.keys:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in logs):
                self.keys += [f"val_{key}" for key in self.keys]
        if self.needs_header:
            self.waiting += self.line(["epoch", *self.keys])
        self.needs_header = False
        self.waiting += self.line([epoch, *(logs.get(key, "NA") for key in self.keys)])
        self.write()

    def write(self) -> None:
        """Write the lines that wait, or warn: a training is worth more than its log."""
        begin = self.size or 0
        try:
            with self.filename.open("r+b" if self.filename.exists() else "wb") as file:
                file.truncate(begin)  # what is there may be half a line, which the disk had no room for
                file.seek(begin)
                file.write(self.waiting)
        except OSError as error:
            warn(
                f"CSVLogger: cannot write {os.fspath(self.filename)!r}: {error.strerror}. Training goes on, "
                "and each further epoch tries again, with all lines that are missing.",
                UserWarning,
            )
        else:
            self.size, self.waiting = begin + len(self.waiting), b""

    def line(self, values: list[Any]) -> bytes:
        """Return a line of the file."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator).writerow(values)
        return text.getvalue().encode()

    def repair(self, end: int) -> int:
        """Return where a file that ends there, perhaps in the midst of a line, is to go on."""
        content = self.filename.read_bytes()[:end] if end else b""
        if content.endswith(b"\r"):
            content += b"\n"
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            warn(
                f"CSVLogger: the last line of {os.fspath(self.filename)!r} is not whole, as after a program "
                f"that was killed, and is taken out: {content[len(whole) :].decode(errors='replace')!r}.",
                UserWarning,
            )
        if len(whole) != end:
            with self.filename.open("r+b") as file:
                file.write(whole)
                file.truncate()
        return len(whole)
