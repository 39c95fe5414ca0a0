"""The command `tinynet predict`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .inference import pretrained, reader_for
from .models import Model, load_model
from .reader import Reader
from .recognition import number_of, reading_of

MOST_FAILURES = 63  # that the exit status counts; wrong usage is 64
SUFFIXES = {  # of what counts as a picture in a folder
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".avif", ".heic", ".ppm",
    ".pgm", ".pbm", ".ico", ".jp2", ".tga",
}  # fmt: skip


def named_model(name: str | None) -> Model:
    """Return the pretrained network of a name, or the model of a file, not compiled."""
    if name is None or (name in ("mnist_cnn", "mnist_mlp") and not Path(name).exists()):
        return pretrained(name or "mnist_cnn")
    return load_model(name, compile=False)


def predict(options: argparse.Namespace) -> int:
    """Read the digit, or what else a model tells apart, in each picture, and print it with its confidence.

    A folder stands for all pictures in it. A picture that cannot be read is named on the error output, and
    the next one is read; the exit status is how many could not (at most 63).
    """
    labels = None if options.labels is None else options.labels.split(",")
    reader = reader_for(
        None if options.model is None else named_model(options.model),
        labels,
        options.kind,
        options.value_range,
        options.inverted,
    )
    failures = count = 0
    for name, picture in pictures_of(options.pictures):
        count += 1
        try:
            line = read_one(name, picture, reader, options)
        except (OSError, ValueError) as error:
            failures += 1
            print(f"{shown(name)}: {error}", file=sys.stderr)
            line = json.dumps({"file": name, "error": str(error)}) if options.json else ""
        if line:
            print(line, flush=True)
    if failures:
        print(f"{failures} of {count} pictures could not be read.", file=sys.stderr)
    elif count == 0:
        print("There is no picture in " + ", ".join(options.pictures), file=sys.stderr)
    return min(failures, MOST_FAILURES) or int(count == 0)


def pictures_of(arguments: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the name of each picture that is meant, and what to read, or why that cannot be."""
    for argument in arguments:
        if argument == "-":
            yield "-", sys.stdin.buffer
            continue
        path = Path(argument)
        try:
            found = [(str(one), one) for one in pictures_in(path)] if path.is_dir() else [(argument, path)]
        except (OSError, ValueError) as error:  # a folder that is not ours to read, or no name at all
            yield argument, error
            continue
        yield from found


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures in a folder, in the order of their names."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".") and path.suffix.lower() in SUFFIXES
    ]


def shown(name: str) -> str:
    """Return a name as a line shows it, with what could end or change the line escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def read_one(name: str, picture: Any, reader: Reader, options: argparse.Namespace) -> str:
    """Return the line to print about a picture."""
    if isinstance(picture, Exception):
        raise picture
    if options.number:
        number = number_of(reader, picture)
        if options.json:
            return json.dumps({"file": name, **number.as_dict()})
        if not number.text:
            return f"{shown(name)}: no digit  0.0%"
        said = f"{number.text.replace(chr(10), ' / ')}  {number.confidence:.1%}"
        return "  ".join([f"{shown(name)}: {said}", *number.warnings])
    reading = reading_of(reader, picture)
    if options.json:
        return json.dumps({"file": name, **reading.as_dict()})
    nothing = "no digit" if reader.reads_digits else "nothing"
    said = nothing if reading.label is None else f"{reading.label}  {reading.confidence:.1%}"
    return "  ".join([f"{shown(name)}: {said}", *reading.warnings])
