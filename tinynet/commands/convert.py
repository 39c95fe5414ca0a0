"""The command `tinynet convert`."""

from __future__ import annotations

import argparse

from ..conversion import convert
from .parsing import WELL

EXAMPLES = """
tinynet convert digits.h5 digits.onnx             for ONNX Runtime and many others
tinynet convert digits.safetensors digits.tflite  for phones
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("source", help="a file of tinynet, Keras (.keras, .h5) or ONNX")
    parser.add_argument("target", help=".safetensors, .keras, .h5, .onnx or .tflite; replaced if it is there")


def run(options: argparse.Namespace) -> int:
    """Write a model to a file of another format, and compare the predictions of both."""
    for line in convert(options.source, options.target):
        print(line)
    return WELL
