"""The command `tinynet summary`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..files.kinds import kind_of_file
from .console import shown
from .named import named_model
from .parsing import WELL

EXAMPLES = """
tinynet summary digits.h5           what a model's file is, and its layers
tinynet summary mnist_cnn           of a network that comes with tinynet
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("model", help="a model file of tinynet, Keras or ONNX, mnist_cnn or mnist_mlp")
    parser.add_argument("--nested", action="store_true", help="list the layers of models in the model, too")


def run(options: argparse.Namespace) -> int:
    """Say what a model's file is, and list the model's layers, and its classes, if it names them."""
    model = named_model(options.model)
    if Path(options.model).exists():
        print(f"{shown(options.model)}: {kind_of_file(options.model)}")
    model.summary(expand_nested=options.nested)
    if model.class_names is not None:
        print("Classes: " + ", ".join(map(shown, model.class_names)))
    return WELL
