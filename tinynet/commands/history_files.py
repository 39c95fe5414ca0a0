"""The file of a training's history: written while it goes on, and read to be drawn."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

from ..callbacks import Callback, CSVLogger
from ..callbacks.base import Logs
from ..files.atomic import atomic_write
from ..training import History

SUFFIXES = (".csv", ".json")
BAD_JSON = (ValueError, RecursionError)  # what reading JSON raises, the latter of brackets in brackets in ...


class JSONLogger(Callback):
    """Write the history to a JSON file, whole after each epoch: lists by name, and epochs from 1.

    Args:
        path: the file.

    Raises:
        OSError: before the first epoch, the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Find out whether the file can be written."""
        self.found: dict[str, list[Any]] = {"epoch": []}
        self.write()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write all epochs."""
        self.found["epoch"].append(epoch + 1)
        for name, value in (logs or {}).items():
            number = float(value)
            self.found.setdefault(name, []).append(number if math.isfinite(number) else None)
        self.write()

    def write(self) -> None:
        """Write the file."""
        atomic_write(self.path, json.dumps(self.found).encode())


def logger(path: Path) -> Callback:
    """Return what writes a history to a file that ends in .csv or .json."""
    return CSVLogger(path) if path.suffix.lower() == ".csv" else JSONLogger(path)


def read_history(path: Path) -> History:
    """Return the history in a file of `logger`, or of `json.dump(history.history, file)`.

    Raises:
        OSError, ValueError: it cannot be read, or is something else.
    """
    try:
        text = path.read_text("utf-8-sig")
        columns = _of_csv(text) if path.suffix.lower() == ".csv" else json.loads(text)
        first = columns.pop("epoch", None)
        rows = max(map(len, columns.values()))
        record = {
            name: [math.nan if value is None else float(value) for value in values]
            for name, values in columns.items()
        }
        record = {name: values for name, values in record.items() if not all(map(math.isnan, values))}
        begin = 0 if first is None else int(float(first[0])) - (path.suffix.lower() == ".json")
    except (*BAD_JSON, csv.Error, TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(f"{str(path)!r} holds no history of a training: {error}") from None
    return History(record, [*range(begin, begin + rows)])


def _of_csv(text: str) -> dict[str, list[Any]]:
    """Return the columns of a table by name, with None for NA."""
    head, *rows = csv.reader(text.splitlines())
    return {
        name: [None if row[place] == "NA" else row[place] for row in rows] for place, name in enumerate(head)
    }
