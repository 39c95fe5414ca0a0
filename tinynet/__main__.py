"""The command line: `python -m tinynet`, or `tinynet`.

tinynet predict my_seven.jpg scans/     read the digit in pictures, or what a model of yours tells apart
tinynet train --network cnn             train on MNIST by a named recipe
tinynet evaluate mnist_cnn              measure a model on MNIST's test images
tinynet data fetch                      get MNIST
tinynet doctor                          what tinynet finds on this machine
tinynet warmup                          compile all kernels now instead of when they are first used
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import __version__, data, inference, layers
from .doctor import found
from .models import Model, Sequential, load_model
from .reader import Reader
from .recipes import RECIPES
from .recognition import number_of, reading_of

WRONG_USAGE = 64  # as sysexits.h has it; a smaller status is a number of failures
SUFFIXES = {  # of what counts as a picture in a folder
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".avif", ".heic", ".ppm",
    ".pgm", ".pbm", ".ico", ".jp2", ".tga",
}  # fmt: skip


class Parser(argparse.ArgumentParser):
    """Exits with a status of its own on a wrong command line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit."""
        self.exit(WRONG_USAGE, f"{self.format_usage()}{self.prog}: error: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        arguments: those after the program's name; default: the process's.

    Returns:
        The exit status: 0, or the number of failures (at most 63).
    """
    options = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except (OSError, ValueError, TypeError) as error:  # a missing file, a damaged model, no MNIST
        print(f"tinynet {options.name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> Parser:
    """Return the parser of the command line."""
    top = Parser(prog="tinynet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"tinynet {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND", dest="name")

    def add(name: str, function: Callable[[argparse.Namespace], int]) -> Parser:
        summary = str(function.__doc__).split("\n", 1)[0]
        command = commands.add_parser(name, help=summary, description=function.__doc__)
        command.set_defaults(command=function)
        return command

    command = add("predict", predict)
    command.add_argument(
        "pictures", nargs="+", metavar="PICTURE", help="a file, a folder, or - for the input"
    )
    command.add_argument("--model", help="mnist_cnn (default), mnist_mlp, or a model file")
    command.add_argument(
        "--labels",
        metavar="A,B,...",
        help="of the model's classes, in order; default: the digits, or its own",
    )
    command.add_argument(
        "--kind",
        choices=("ink", "photo"),
        help="something written, or the whole picture; default: by the labels",
    )
    command.add_argument(
        "--value-range", nargs=2, type=float, metavar=("BLACK", "WHITE"), help="what they are for the model"
    )
    command.add_argument(
        "--inverted", action=argparse.BooleanOptionalAction, help="whether the model sees the negative"
    )
    command.add_argument("--number", action="store_true", help="read several digits, from left to right")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")

    command = add("train", train)
    command.add_argument("--network", choices=RECIPES, default="cnn", help="default: cnn")
    command.add_argument("--recipe", default="quick", help="one of tinynet/recipes.py; default: quick")
    command.add_argument("--epochs", type=int, help="times through the data; default: the recipe's")
    command.add_argument("--seed", type=int, default=0, help="another seed, another network; default: 0")
    command.add_argument("--data", metavar="FOLDER", help="where MNIST is or shall be; default: a cache")
    command.add_argument(
        "--save", metavar="FILE", help="the trained model; default: mnist_NETWORK.safetensors"
    )

    command = add("evaluate", evaluate)
    command.add_argument("model", help="a model file, mnist_cnn or mnist_mlp")
    command.add_argument("--data", metavar="FOLDER", help="where MNIST is or shall be; default: a cache")
    command.add_argument("--json", action="store_true", help="print one JSON object")

    command = add("data", mnist)
    command.add_argument("action", nargs="?", choices=("where", "fetch", "verify"), default="where")
    command.add_argument("--data", metavar="FOLDER", help="where MNIST is or shall be; default: a cache")

    command = add("doctor", doctor)
    command.add_argument("--json", action="store_true", help="print one JSON object")

    add("warmup", warmup)
    return top


def named_model(name: str | None) -> Model:
    """Return the pretrained network of a name, or the model of a file."""
    if name is None or (name in ("mnist_cnn", "mnist_mlp") and not Path(name).exists()):
        return inference.pretrained(name or "mnist_cnn")
    return load_model(name)


def predict(options: argparse.Namespace) -> int:
    """Read the digit, or what else a model tells apart, in each picture, and print it with its confidence.

    A folder stands for all pictures in it. A picture that cannot be read is named on the error output, and
    the next one is read; the exit status is how many could not (at most 63).
    """
    labels = None if options.labels is None else options.labels.split(",")
    reader = inference.reader_for(
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
            print(f"{name}: {error}", file=sys.stderr)
            line = json.dumps({"file": name, "error": str(error)}) if options.json else ""
        if line:
            print(line, flush=True)
    if failures:
        print(f"{failures} of {count} pictures could not be read.", file=sys.stderr)
    elif count == 0:
        print("There is no picture in " + ", ".join(options.pictures), file=sys.stderr)
    return min(failures, WRONG_USAGE - 1) or int(count == 0)


def pictures_of(arguments: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the name of each picture that is meant, and what to read."""
    for argument in arguments:
        if argument == "-":
            yield "-", sys.stdin.buffer.read()
        elif Path(argument).is_dir():
            for path in sorted(Path(argument).iterdir()):
                if path.is_file() and not path.name.startswith(".") and path.suffix.lower() in SUFFIXES:
                    yield str(path), path
        else:
            yield argument, Path(argument)


def read_one(name: str, picture: Any, reader: Reader, options: argparse.Namespace) -> str:
    """Return the line to print about a picture."""
    if options.number:
        number = number_of(reader, picture)
        if options.json:
            digits = [reading.as_dict() for reading in number.digits]
            return json.dumps(
                {
                    "file": name,
                    "number": number.text,
                    "confidence": round(number.confidence, 6),
                    "digits": digits,
                }
            )
        return f"{name}: {number.text or 'no digit'}  {number.confidence:.1%}"
    reading = reading_of(reader, picture)
    if options.json:
        return json.dumps({"file": name, **reading.as_dict()})
    nothing = "no digit" if reader.reads_digits else "nothing"
    said = nothing if reading.label is None else f"{reading.label}  {reading.confidence:.1%}"
    return "  ".join([f"{name}: {said}", *reading.warnings])


def train(options: argparse.Namespace) -> int:
    """Train a documented network on MNIST by a named recipe, and print its accuracy on the test images."""
    recipes = RECIPES[options.network]
    if options.recipe not in recipes:
        raise ValueError(f"--recipe is one of {', '.join(recipes)}; got {options.recipe!r}")
    recipe = recipes[options.recipe]
    if options.epochs is not None:
        recipe = dataclasses.replace(recipe, epochs=options.epochs)
    path = Path(options.save or f"mnist_{options.network}.safetensors").absolute()
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise ValueError(f"--save {path}: a folder, or in a folder that cannot be written")
    (x_train, y_train), (x_test, y_test) = data.load_mnist(options.data)
    model, _ = recipe.train(data.scale_pixels(x_train), y_train, options.seed)
    model.save(path)
    loss, accuracy = model.evaluate(data.scale_pixels(x_test), y_test)
    print(f"Saved {path}")
    print(f"Test loss: {loss:.4f} - test accuracy: {accuracy:.2%} of {len(y_test):,} images")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Measure a model's accuracy on MNIST's 10,000 test images."""
    model = named_model(options.model)
    _, (x, y) = data.load_mnist(options.data)
    probabilities = model.predict(data.scale_pixels(x))
    accuracy = float(np.mean(probabilities.argmax(axis=1) == y))
    if options.json:
        print(json.dumps({"model": options.model, "accuracy": accuracy, "images": len(y)}))
    else:
        print(f"{options.model}: {accuracy:.2%} of {len(y):,} test images")
    return 0


def mnist(options: argparse.Namespace) -> int:
    """Say where MNIST is, fetch it, or verify its checksums."""
    if options.action == "fetch":
        print(data.fetch_mnist(options.data))
    elif options.action == "verify":
        print(f"{data.verify_mnist(options.data)}: all four files are as they should be")
    else:
        print(data.mnist_directory(options.data))
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Say what tinynet finds on this machine: versions, threads, BLAS, register tile, folders."""
    findings = found()
    if options.json:
        print(json.dumps(findings))
    else:
        width = max(map(len, findings))
        for name, finding in findings.items():
            print(f"{name:{width}}  {finding}")
    return 0


def warmup(options: argparse.Namespace) -> int:
    """Compile all kernels and keep them, so that no later process has to."""
    x, y = np.zeros((4, 28, 28, 1), np.float32), np.arange(4)
    x[:, 8:20, 12:15] = 1
    network = [
        layers.Conv2D(4, 3, activation="relu"), layers.MaxPool2D(), layers.Conv2D(4, 3, method="im2col"),
        layers.AveragePool2D(), layers.Sigmoid(), layers.MaxPool2D(), layers.Tanh(), layers.Dropout(0.5),
        layers.LeakyReLU(), layers.GlobalAveragePool2D(), layers.Dense(10, activation="softmax"),
    ]  # fmt: skip
    for optimizer in ("sgd", "adam", "adamw"):
        model = Sequential(network, (28, 28, 1)) if optimizer == "sgd" else RECIPES["cnn"]["quick"].build()
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        augment = data.Augmentation(elastic_alpha=1.0)
        model.fit(x, y, batch_size=2, epochs=2, verbose=0, augment=augment, ema_momentum=0.9)
        model.predict(x)
    inference.predict_image(1 - np.pad(x[0, :, :, 0], 30))
    print("All kernels are compiled.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
