"""The command `tinynet evaluate`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import data
from ..images import resized
from ..names import unknown
from ..reader import Reader, reader_of
from ..recognition import reading_of
from .console import may_write, progress, say, shown, tell, why
from .figures import check_figure, write_figure
from .mnist import add_folder
from .named import attempt, composed, labelled_pictures, named_model
from .parsing import FAILED, WELL, UsageError, check_different
from .predict import add_form
from .report import Report

EXAMPLES = """
tinynet evaluate mnist_cnn                            on MNIST's test images
tinynet evaluate pets.safetensors more_pets/          on your pictures: more_pets/cat/1.jpg, ...
tinynet evaluate mnist_cnn digits/ --plot confusion.png --mistakes mistakes.png
tinynet evaluate pets.safetensors more_pets/ --json > pets.json
"""
Array = NDArray[Any]

PART = 1000  # images at a time
NO_CLASS = "none"  # the label of pictures that show none of the classes
MOST_DRAWN = 100  # mistakes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add("model", help="a model file, mnist_cnn or mnist_mlp")
    add("folder", nargs="?", metavar="FOLDER", help="has a folder of pictures for each class; default: MNIST")
    add(
        "--labels",
        metavar="A,B,...",
        help="of the model's classes, in order; default: its own, or the digits",
    )
    add_form(parser)
    add_folder(parser)
    add("--json", action="store_true", help="print one JSON object")
    add("--plot", type=Path, metavar="FILE", help="draw the confusion matrix: a .png, .pdf or .svg file")
    add("--mistakes", type=Path, metavar="FILE", help="draw what the model saw where it was wrong")
    add("--overwrite", action="store_true", help="replace drawings that are there without asking")


def run(options: argparse.Namespace) -> int:
    """Measure how often a model is right: on pictures of yours, or on MNIST's 10,000 test images.

    A picture's class is the name of the folder that it lies in, or FOLDER/manifest.csv (.tsv) says it in the
    columns `file` and `label`. It is read as `tinynet predict` reads it. Pictures of the class `none` should
    have a warning. Prints the accuracy, the same of each class, which classes are taken for which, and the
    mistakes.
    """
    check_figure(options.plot)
    check_figure(options.mistakes)
    check_different({"--plot": options.plot, "--mistakes": options.mistakes})
    may_write((options.plot, options.mistakes), options.overwrite)
    labels = None if options.labels is None else options.labels.split(",")
    model = named_model(options.model)
    reader = reader_of(model, labels, options.kind, options.value_range, options.inverted)
    for doubt in reader.doubts:
        tell(f"tinynet evaluate: {doubt}")
    failures = 0
    if options.folder is None:
        report, seen = on_mnist(options, reader)
    else:
        report, seen, failures = on_pictures(options, reader)
    if options.json:
        say(json.dumps(report.as_dict() | {"failures": failures}))
    else:
        say("\n".join(report.lines("test images" if options.folder is None else "pictures")))
    draw(options, report, seen)
    if failures:
        tell(f"{failures} of {failures + len(report.true) + len(report.flagged)} pictures could not be read.")
    return FAILED if failures else WELL


def on_mnist(options: argparse.Namespace, reader: Reader) -> tuple[Report, list[Array]]:
    """Return what is read in MNIST's test images, and what the model saw in those that it read wrong."""
    if not reader.reads_digits:
        raise UsageError(
            f"{options.model} tells apart {', '.join(reader.labels)}, and no ten digits: name a folder with "
            "pictures of these."
        )
    _, (x, y) = data.load_mnist(options.data)
    pixels = data.scale_pixels(x)[..., 0]
    parts = [
        reader.probabilities(reader.fitted_ink(pixels[start : start + PART]))
        for start in range(0, len(x), PART)
    ]
    names = [f"test image {number}" for number in range(len(x))]
    report = Report(options.model, reader.labels, names, y.astype(np.int64), np.concatenate(parts))
    return report, [pixels[place] for place in report.mistakes]


def on_pictures(options: argparse.Namespace, reader: Reader) -> tuple[Report, list[Array], int]:
    """Return what is read in a folder's pictures, what the model saw in the mistakes, and how many failed."""
    pictures = labelled_pictures(options.folder)
    numbers = {composed(label): number for number, label in enumerate(reader.labels)}
    for label in sorted({label for _, _, label in pictures} - {*numbers, NO_CLASS}):
        raise ValueError(f"{shown(str(options.folder))}: {unknown('class', label, reader.labels)}")
    names, true, rows, flagged = list[str](), list[int](), list[Array](), list[bool]()
    saw: dict[int, Array] = {}
    failures = 0
    with progress(pictures, " pictures") as items:
        for name, picture, label in items:
            reading: Any = attempt(picture, lambda one: reading_of(reader, one))
            if isinstance(reading, Exception):
                failures += 1
                tell(f"{shown(name)}: {why(reading)}")
            elif label not in numbers:
                flagged.append(bool(reading.warnings))
            else:
                number = numbers[label]
                if reading.probabilities.argmax() != number:
                    saw[len(true)] = reading.pixels
                names.append(name)
                true.append(number)
                rows.append(reading.probabilities)
    if not true:
        raise ValueError(f"{shown(str(options.folder))}: there is no picture of a class that could be read.")
    report = Report(options.model, reader.labels, names, np.array(true), np.stack(rows), flagged)
    return report, [saw[place] for place in report.mistakes], failures


def draw(options: argparse.Namespace, report: Report, seen: list[Array]) -> None:
    """Draw what is asked for."""
    from .. import plotting

    notice = tell if options.json else say  # the output is one object then
    if options.plot is not None:
        figure = plotting.plot_confusion_matrix(report.confusion, report.labels)
        write_figure(figure, options.plot, notice)
    if options.mistakes is not None:
        places = report.mistakes[:MOST_DRAWN]
        smallest = min((pixels.shape[:2] for pixels in seen), default=(28, 28))
        figure = plotting.plot_mistakes(
            [resized(pixels, *smallest) for pixels in seen[:MOST_DRAWN]] or np.zeros((0, *smallest)),
            report.true[places],
            report.probabilities[places],
            report.labels,
            MOST_DRAWN,
        )
        write_figure(figure, options.mistakes, notice)
