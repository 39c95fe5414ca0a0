"""The command line: `python -m tinynet`, or `tinynet`.

tinynet predict my_seven.jpg scans/     read the digit in pictures, or what a model of yours tells apart
tinynet train --network cnn             train on MNIST by a named recipe
tinynet evaluate mnist_cnn              measure a model on MNIST's test images
tinynet convert model.h5 model.onnx     write a model in another format
tinynet summary model.keras             what a model's file is, and its layers
tinynet data fetch                      get MNIST
tinynet doctor                          what tinynet finds on this machine
tinynet warmup                          compile all kernels now instead of when they are first used
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np

from . import __version__, conversion, data, inference, layers
from .doctor import found
from .files.kinds import kind_of_file
from .models import Sequential
from .picture_command import named_model, predict
from .reader import reader_of
from .recipes import RECIPES

EVALUATED = 1000  # images at a time
WRONG_USAGE = 64  # as sysexits.h has it; a smaller status is a number of failures


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
    for stream in (sys.stdout, sys.stderr):  # names of files may hold what the console cannot show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        with warnings.catch_warnings():
            # For people at a shell, in whose programs no line is to blame.
            warnings.showwarning = lambda message, *_: print(
                f"tinynet {options.name}: {message}", file=sys.stderr
            )
            return command(options)
    except (
        OSError,
        ValueError,
        TypeError,
        ImportError,
    ) as error:  # a missing file, a damaged model, no MNIST
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
    command.add_argument(
        "--number",
        action="store_true",
        help="read a number, with its sign and point; several lines are parted by /",
    )
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

    command = add("convert", convert)
    command.add_argument("source", help="a file of tinynet, Keras (.keras, .h5) or ONNX")
    command.add_argument(
        "target", help=".safetensors, .keras, .h5, .onnx or .tflite; replaced if it is there"
    )

    command = add("summary", summary)
    command.add_argument("model", help="a model file of tinynet, Keras or ONNX, mnist_cnn or mnist_mlp")
    command.add_argument("--nested", action="store_true", help="list the layers of models in the model, too")

    command = add("data", mnist)
    command.add_argument("action", nargs="?", choices=("where", "fetch", "verify"), default="where")
    command.add_argument("--data", metavar="FOLDER", help="where MNIST is or shall be; default: a cache")

    command = add("doctor", doctor)
    command.add_argument("--json", action="store_true", help="print one JSON object")

    add("warmup", warmup)
    return top


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
    """Measure a model's accuracy on MNIST's 10,000 test images, in the form that `predict` finds for it."""
    reader = reader_of(named_model(options.model))
    if not reader.reads_digits:
        raise ValueError(f"{options.model} tells apart {', '.join(reader.labels)}, and no ten digits.")
    _, (x, y) = data.load_mnist(options.data)
    pixels = data.scale_pixels(x)[..., 0]
    parts = [slice(start, start + EVALUATED) for start in range(0, len(x), EVALUATED)]
    found = [reader.probabilities(reader.fitted_ink(pixels[part])).argmax(axis=1) for part in parts]
    accuracy = float(np.mean(np.concatenate(found) == y))
    for doubt in reader.doubts:
        print(f"tinynet evaluate: {doubt}", file=sys.stderr)
    if options.json:
        print(json.dumps({"model": options.model, "accuracy": accuracy, "images": len(y)}))
    else:
        print(f"{options.model}: {accuracy:.2%} of {len(y):,} test images")
    return 0


def convert(options: argparse.Namespace) -> int:
    """Write a model to a file of another format, and compare the predictions of both."""
    for line in conversion.convert(options.source, options.target):
        print(line)
    return 0


def summary(options: argparse.Namespace) -> int:
    """Say what a model's file is, and list the model's layers."""
    model = named_model(options.model)
    if Path(options.model).exists():
        print(f"{options.model}: {kind_of_file(options.model)}")
    model.summary(expand_nested=options.nested)
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
