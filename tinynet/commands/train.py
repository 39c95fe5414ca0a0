"""The command `tinynet train`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ..callbacks import Callback
from ..models import Model
from ..recipes import RECIPES
from .console import may_write, shown, tell
from .figures import check_figure, write_figure
from .folder_training import FolderTraining, on_folder
from .history_files import SUFFIXES, logger
from .mnist import add_folder
from .mnist_training import MnistTraining, on_mnist
from .parsing import FAILED, INTERRUPTED, WELL, UsageError, check_different, count, positive, side

Training = FolderTraining | MnistTraining

EXAMPLES = """
tinynet train pets/ --save pets.safetensors           on pictures of yours: pets/cat/1.jpg, ...
tinynet train pets/ --size 96 --epochs 50 --history history.csv --plot history.png
tinynet train letters/ --validation letters_2/        where other pictures say how good it is
tinynet train --network cnn                           on MNIST, by a recipe
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add("folder", nargs="?", metavar="FOLDER", help="has a folder of pictures for each class; default: MNIST")
    add("--network", choices=RECIPES, default="cnn", help="default: cnn")
    add("--epochs", type=count, help="times through the data; default: 30, or the recipe's")
    add("--seed", type=int, default=0, help="another seed, another network; default: 0")
    kept = "of the pictures that only say how good it is, or another folder; default: 0.2, of MNIST 0"
    add("--validation", metavar="SHARE", help=kept)
    add("--save", metavar="FILE", help="the model; default: FOLDER.safetensors, mnist_NETWORK.safetensors")
    add("--history", type=Path, metavar="FILE", help="write loss and accuracy of each epoch: .csv or .json")
    add("--plot", type=Path, metavar="FILE", help="draw them at the end: a .png, .pdf or .svg file")
    add("--overwrite", action="store_true", help="replace files that are there without asking")
    own = parser.add_argument_group("with a folder")
    kinds = "something written, or all of the picture; default: ink where classes are single characters"
    own.add_argument("--kind", choices=("ink", "photo"), help=kinds)
    seen = "that the network sees, each way; default: 64, of ink 28"
    own.add_argument("--size", type=side, metavar="PIXELS", help=seen)
    own.add_argument("--color", choices=("rgb", "grayscale"), help="default: rgb, of ink grayscale")
    own.add_argument("--batch-size", type=count, default=32, help="default: 32")
    own.add_argument("--learning-rate", type=positive, default=0.001, help="the highest; default: 0.001")
    change = "turn, move and zoom pictures at random in each epoch; default: yes"
    own.add_argument("--augment", action=argparse.BooleanOptionalAction, default=True, help=change)
    mnist = parser.add_argument_group("with MNIST")
    mnist.add_argument("--recipe", help="one of tinynet/recipes.py; default: quick")
    add_folder(mnist)


def run(options: argparse.Namespace) -> int:
    """Train a network on a folder of pictures that has a folder for each class, or on MNIST.

    Of a folder's pictures a part is kept aside to say how good the network is, and the model has the weights
    of its best epoch. It sees pictures as `tinynet predict` does, and its file keeps the classes' names.
    Ctrl-C ends the training early, and saves the model as far as it has come; so does an output that nobody
    reads any more.
    """
    path = checked(options)
    training = on_mnist(options) if options.folder is None else on_folder(options, path.stem)
    try:
        training.model.check_saves(path)
    except ValueError as error:  # of the file's ending
        raise UsageError(f"--save: {error}") from None
    training.load()
    watch = Callback()
    try:
        training.fit([watch, *([] if options.history is None else [logger(options.history)])])
    except (KeyboardInterrupt, OSError) as error:  # OSError: nobody reads the output any more, or a full disk
        if watch.model is None or not watch.model.steps_trained:
            raise
        save_early(training, watch, path)
        if isinstance(error, OSError):
            raise
        return INTERRUPTED
    result = saved(training, watch.model, path)
    print("\n".join([*result, f"Saved {shown(str(path))}{training.use(path)}"]))
    if options.plot is not None:
        from .. import plotting

        write_figure(plotting.plot_history(watch.model.history), options.plot)
    return FAILED if training.failures else WELL


def checked(options: argparse.Namespace) -> Path:
    """Return where the model is saved, or raise if a file cannot be written, or may not be."""
    name = f"mnist_{options.network}" if options.folder is None else Path(options.folder).resolve().name
    path = Path(options.save or f"{name}.safetensors")
    if options.history is not None and options.history.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--history ends in {' or '.join(SUFFIXES)}; got {str(options.history)!r}")
    check_different({"--save": path, "--history": options.history, "--plot": options.plot})
    check_figure(options.plot)
    for one in filter(None, (path, options.history, options.plot)):
        if one.is_dir() or not os.access(one.absolute().parent, os.W_OK):
            raise OSError(f"{str(one)!r} is a folder, or in a folder that cannot be written")
    may_write((path, options.history, options.plot), options.overwrite)
    return path


def save_early(training: Training, watch: Callback, path: Path) -> None:
    """Save what a training that was stopped has learned, before all else: people press Ctrl-C twice."""
    watch.model.save(path)
    epochs = len(watch.model.history.epoch)
    done = f"after {epochs} of {watch.params['epochs']} epochs"
    tell(f"Stopped {done}; saved {shown(str(path))}, with {training.weights(epochs)}.")


def saved(training: Training, model: Model, path: Path) -> list[str]:
    """Save a trained model, and return what is said of it."""
    model.save(path)  # at once: hours of work, and what comes now may fail or be stopped
    try:
        result = training.result(model)
    except BaseException:
        tell(f"Saved {shown(str(path))} as it was trained, before what comes after it.")
        raise
    model.save(path)  # with the confidence that the result has changed
    return result
