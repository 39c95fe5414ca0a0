"""How a command line is read: its help with examples, its errors, and what arguments may be."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn, Protocol

# The statuses with which all commands end, as the help says.
WELL, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
STATUSES = """\
exit status:
  0    all went well
  1    something failed, such as one of the pictures; the error output says what
  2    the command line is wrong
  130  Ctrl-C
"""


class UsageError(Exception):
    """What is wrong with a command line, where only the command itself can tell."""


class Command(Protocol):
    """What a command's module has; the docstring of `run` describes it.

    Attributes:
        EXAMPLES: command lines, a line each: the command, two spaces or more, and what it does.
    """

    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what the command takes."""

    def run(self, options: argparse.Namespace) -> int:
        """Do it, and return the status."""


class Parser(argparse.ArgumentParser):
    """Shows examples and statuses below the help."""

    def __init__(self, *, examples: str = "", **settings: object) -> None:
        epilog = "\n".join(["examples:", *(f"  {line}" for line in examples.strip().splitlines())])
        settings |= {"epilog": f"{epilog}\n\n{STATUSES}" if examples else STATUSES}
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **settings)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit."""
        self.exit(WRONG_USE, f"{self.format_usage()}{self.prog}: error: {message}\n")


def check_different(files: Mapping[str, Path | None]) -> None:
    """Raise if two options name the same file, of which one would replace the other.

    Args:
        files: by the options that name them; None where an option is not given.
    """
    seen: dict[Path, str] = {}
    for option, path in files.items():
        if path is not None and (other := seen.setdefault(path.resolve(), option)) != option:
            raise UsageError(f"{other} and {option} are the same file: {str(path)!r}")


def count(text: str) -> int:
    """Return a whole number of at least 1, or raise."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def side(text: str) -> int:
    """Return a whole number of at least 8 pixels, or raise."""
    number = int(text)
    if number < 8:
        raise ValueError(text)
    return number


def port(text: str) -> int:
    """Return a whole number from 0 to 65535, or raise."""
    number = int(text)
    if not 0 <= number < 2**16:
        raise ValueError(text)
    return number


def positive(text: str) -> float:
    """Return a number above 0, or raise."""
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError(text)
    return number


count.__name__ = "whole number from 1 on:"  # as argparse names them in its errors
side.__name__ = "number of pixels (at least 8):"
port.__name__ = "port (0 to 65535):"
positive.__name__ = "number above 0:"
