"""The command `tinynet predict`."""

from __future__ import annotations

import argparse
import csv
import io
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ..inference import reader_for
from ..reader import Reader
from ..recognition import number_of, reading_of
from .console import FEW, progress, say, shown, tell, why
from .named import attempt, named_model, pictures_of
from .parsing import FAILED, WELL, UsageError

EXAMPLES = """
tinynet predict my_seven.jpg                      the digit in a picture
tinynet predict --number price.png                a number, with its sign and point
tinynet predict scans/ "more/**/*.png"            all pictures in folders, and of a pattern
tinynet predict scans/ --csv > digits.csv         a table, for a spreadsheet
tinynet predict photos/ --model pets.safetensors  what a model of yours tells apart
tinynet predict dog.jpg --model pets.keras --labels cat,dog
"""
COLUMNS = ("file", "reading", "confidence", "warnings", "error")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add("pictures", nargs="+", metavar="PICTURE", help="a file, a folder, a pattern, or - for the input")
    add("--model", help="mnist_cnn (default), mnist_mlp, or a model file")
    add(
        "--labels",
        metavar="A,B,...",
        help="of the model's classes, in order; default: its own, or the digits",
    )
    add_form(parser)
    add("--number", action="store_true", help="read a number; several lines are parted by /")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object a line")
    form.add_argument("--csv", action="store_true", help=f"print a table: {', '.join(COLUMNS)}")


def add_form(parser: argparse.ArgumentParser) -> None:
    """Say how a model takes pictures."""
    add = parser.add_argument
    add(
        "--kind",
        choices=("ink", "photo"),
        help="something written, or all of the picture; default: by labels",
    )
    add("--value-range", nargs=2, type=float, metavar=("BLACK", "WHITE"), help="what they are for the model")
    add("--inverted", action=argparse.BooleanOptionalAction, help="whether the model sees the negative")


def run(options: argparse.Namespace) -> int:
    """Read the digit, or what else a model tells apart, in each picture, and print it with its confidence.

    A folder stands for all pictures in it and in its folders. A picture that cannot be read is named on the
    error output, and the next one is read. Of more than ten pictures there is a summary at the end.
    """
    labels = None if options.labels is None else options.labels.split(",")
    model = None if options.model is None else named_model(options.model)
    reader = reader_for(model, labels, options.kind, options.value_range, options.inverted)
    if options.number and not reader.reads_digits:
        raise UsageError(
            "--number needs a model whose classes are the ten digits; these are " + ", ".join(reader.labels)
        )
    write, start = writer(options), time.perf_counter()
    found = list(pictures_of(options.pictures))
    told: Counter[str] = Counter()
    failures = doubted = 0
    with progress(found, " pictures") as items:
        for name, picture in items:
            reading = attempt(
                picture, lambda one: number_of(reader, one) if options.number else reading_of(reader, one)
            )
            if isinstance(reading, Exception):
                failures += 1
                tell(f"{shown(name)}: {why(reading)}")
            else:
                told[answer(reading, reader)] += 1
                doubted += bool(reading.warnings)
            write(name, reading, reader)
    if len(found) > FEW:
        tell(summary(told, doubted, time.perf_counter() - start, options.number))
    if failures:
        tell(f"{failures} of {len(found)} pictures could not be read.")
    elif not found:
        tell("There is no picture in " + ", ".join(map(shown, options.pictures)))
    return FAILED if failures or not found else WELL


def summary(told: Counter[str], doubted: int, seconds: float, numbers: bool) -> str:
    """Return a line about many pictures: how many were read, with warnings or without, and as what."""
    counts = ", ".join(f"{shown(label)} ({count:,})" for label, count in sorted(told.items()))
    of = f": {counts}" if told and not numbers else ""
    doubts = f"; {doubted:,} with a warning" if doubted else ""
    return f"{told.total():,} pictures read in {seconds:.1f} s{of}{doubts}"


def answer(reading: Any, reader: Reader) -> str:
    """Return what is read in a picture, in words."""
    text = reading.text.replace("\n", " / ") if hasattr(reading, "text") else reading.label
    return text or ("no digit" if reader.reads_digits else "nothing")


def writer(options: argparse.Namespace) -> Callable[[str, Any, Reader], None]:
    """Return what prints a picture's name with its reading, or with an error."""
    if options.json:
        return write_json
    if not options.csv:
        return write_line
    say(row(*COLUMNS))
    return write_row


def write_row(name: str, reading: Any, reader: Reader) -> None:
    """Print a row of a table."""
    if isinstance(reading, Exception):
        say(row(name, "", "", "", why(reading)))
    else:
        sure = f"{reading.confidence:.6f}"
        say(row(name, answer(reading, reader), sure, " ".join(reading.warnings), ""))


def row(*cells: str) -> str:
    """Return a row of a CSV file."""
    text = io.StringIO()
    csv.writer(text).writerow(cells)  # with its own line end, without which it would not quote those in cells
    return text.getvalue().removesuffix("\r\n")


def write_json(name: str, reading: Any, reader: Reader) -> None:
    """Print an object."""
    found = {"error": why(reading)} if isinstance(reading, Exception) else reading.as_dict()
    say(json.dumps({"file": name, **found}))


def write_line(name: str, reading: Any, reader: Reader) -> None:
    """Print a line for people; an error was printed already."""
    if not isinstance(reading, Exception):
        said = shown(answer(reading, reader))
        if reading.confidence:
            said += f"  {reading.confidence:.1%}"
        say("  ".join([f"{shown(name)}: {said}", *reading.warnings]))
