"""The models and the pictures that names on a command line stand for."""

from __future__ import annotations

import csv
import glob
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..images import SUFFIXES
from ..inference import pretrained
from ..models import Model, load_model
from .console import shown

TABLE = "manifest.tsv"  # of a folder without folders for classes


def named_model(name: str | None) -> Model:
    """Return the pretrained network of a name, or the model of a file, not compiled."""
    if name is None or (name in ("mnist_cnn", "mnist_mlp") and not Path(name).exists()):
        return pretrained(name or "mnist_cnn")
    return load_model(name, compile=False)


def pictures_of(arguments: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the name of each picture that is meant, and what to read, or why that cannot be.

    A folder stands for all pictures in it and in its folders, a pattern (`*.png`, `**/*.jpg`) for those that
    it matches, unless there is a file of that name; and - for the input.
    """
    for argument in arguments:
        if argument == "-":
            yield "-", ValueError("there is no input") if sys.stdin is None else sys.stdin.buffer
        elif os.path.isdir(argument):  # noqa: PTH112  (which is False of what can be no name)
            yield from pictures_in(argument)
        elif any(sign in argument for sign in "*?[") and not os.path.lexists(argument):
            yield from _matching(argument)
        else:
            yield argument, Path(argument)


def pictures_in(folder: str | Path) -> Iterator[tuple[str, Any]]:
    """Yield the pictures in a folder and in its folders, in the order of their paths, but what is hidden."""
    failures: list[OSError] = []
    for root, folders, files in os.walk(folder, onerror=failures.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            if _is_picture(path) and path.is_file():
                yield str(path), path
    for error in failures:  # folders that are not ours to read
        yield str(error.filename), error


def _matching(pattern: str) -> Iterator[tuple[str, Any]]:
    """Yield the pictures that a pattern matches."""
    try:
        found = sorted({name for name in glob.iglob(pattern, recursive=True) if _is_picture(Path(name))})  # noqa: PTH207
        files = [name for name in found if Path(name).is_file()]
    except (OSError, ValueError) as error:
        yield pattern, error
        return
    if not files:
        yield pattern, FileNotFoundError("there is no picture of such a name")
    for name in files:
        yield name, Path(name)


def _is_picture(path: Path) -> bool:
    return not path.name.startswith(".") and path.suffix.lower() in SUFFIXES


def labelled_pictures(folder: str | Path) -> list[tuple[str, Any, str]]:
    """Return the pictures in a folder with their labels: (name, what to read or why that cannot be, label).

    The label is the name of the folder in which a picture lies, also deeper; or a table, manifest.tsv or
    .csv, says it in the columns `file` and `label`.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: there is neither.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}.")
    tables = [folder / TABLE, folder / "manifest.csv"]
    for table in tables:
        if table.is_file():
            return _of_table(table)
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = [(*one, shown(composed(path.name))) for path in classes for one in pictures_in(path)]
    if not found:
        raise ValueError(
            f"There are no folders with pictures in {str(folder)!r}: each class needs one, such as "
            f"{folder / 'cat' / '1.jpg'} and {folder / 'dog' / '1.jpg'}."
        )
    return found


def _of_table(table: Path) -> list[tuple[str, Any, str]]:
    """Return the pictures that a table names."""
    found = list[tuple[str, Any, str]]()
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t" if table.suffix == ".tsv" else ",")
        try:
            for row in rows:
                if not {"file", "label"} <= row.keys():
                    break
                for name in ("file", "label"):
                    if not (row[name] or "").strip():
                        raise ValueError(f"{str(table)!r}, line {rows.line_num}: there is no {name}.")
                path = table.parent / row["file"]
                found.append((str(path), path, shown(composed(row["label"]))))
        except csv.Error as error:
            raise ValueError(f"{str(table)!r}, line {rows.line_num}: {error}") from None
    if not found:
        raise ValueError(f"{str(table)!r} needs a line of names with `file` and `label`, and lines below.")
    return found


def composed(name: str) -> str:
    r"""Return a class's name in the one form in which names are compared: macOS writes ä as two characters.

    Example:
        >>> composed("a\u0308") == "\xe4"
        True
    """
    return unicodedata.normalize("NFC", name)


def attempt(picture: Any, read: Callable[[Any], Any]) -> Any:
    """Return what is read in a picture of `pictures_of`, or the error: one picture never stops the others."""
    if isinstance(picture, Exception):
        return picture
    try:
        return read(picture)
    except Exception as error:  # of whatever kind
        return error
