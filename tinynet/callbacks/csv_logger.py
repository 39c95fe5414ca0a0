"""Write the history to a table."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

from ..files.atomic import writes_files
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
        self.waiting = b""  # lines that the disk had no room for
        self.line([])  # raises now, not after an epoch, as the next line does
        end = self.end()
        self.cut = None if self.append else 0  # where the file is to be cut before the next line, if it is
        self.needs_header = not self.append or end == 0

    def end(self) -> int:
        """Return where the file ends, once it can be written to and its last line is whole."""
        if not writes_files():
            return 0
        with self.filename.open("ab") as file:
            end = file.tell()
        return self.repair(end) if self.append and end else end

    def get_state(self) -> dict[str, Any]:
        """Return where the file ends, and what belongs there."""
        end = self.filename.stat().st_size if self.filename.is_file() else 0
        return {
            "keys": self.keys,
            "waiting": self.waiting.decode(),
            "cut": end if self.cut is None else self.cut,
            "needs_header": self.needs_header,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on there: what was written since will be written again."""
        vars(self).update(state | {"waiting": state["waiting"].encode()})

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
        if not writes_files():
            return
        try:
            with self.filename.open("ab" if self.cut != 0 else "wb") as file:
                end = file.tell()
                if self.cut is not None and self.cut < end:
                    end = file.truncate(self.cut)
                self.cut = end  # should there be room for half a line
                file.write(self.waiting)
        except OSError as error:
            warn(
                f"CSVLogger: cannot write {os.fspath(self.filename)!r}: {error.strerror}. Training goes on, "
                "and each further epoch tries again, with all lines that are missing.",
                UserWarning,
            )
        else:
            self.cut, self.waiting = None, b""

    def line(self, values: list[Any]) -> bytes:
        """Return a line of the file."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator).writerow(values)
        return text.getvalue().encode()

    def repair(self, end: int) -> int:
        """Return where a file that ends there, perhaps in the midst of a line, is to go on."""
        content = self.filename.read_bytes()[:end]
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
