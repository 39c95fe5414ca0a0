"""The command `tinynet data`."""

from __future__ import annotations

import argparse

from .. import data
from .parsing import WELL

EXAMPLES = """
tinynet data                        where MNIST is, or would be
tinynet data fetch                  get it
tinynet data verify                 compare its checksums
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("action", nargs="?", choices=("where", "fetch", "verify"), default="where")
    add_folder(parser)


def add_folder(parser: argparse._ActionsContainer) -> None:
    """Say where MNIST is."""
    parser.add_argument("--data", metavar="FOLDER", help="where MNIST is or shall be; default: a cache")


def run(options: argparse.Namespace) -> int:
    """Say where MNIST is, fetch it, or verify its checksums."""
    if options.action == "fetch":
        print(data.fetch_mnist(options.data))
    elif options.action == "verify":
        print(f"{data.verify_mnist(options.data)}: all four files are as they should be")
    else:
        print(data.mnist_directory(options.data))
    return WELL
