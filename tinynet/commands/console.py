"""What commands say, and ask: on consoles of any encoding, with a bar where somebody looks at a terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")

FEW = 10  # of which no progress is shown


def prepare() -> None:
    """Let names of files and of classes be printed that the console's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def shown(name: str) -> str:
    r"""Return a name as a line shows it, with what could end or change the line escaped.

    Example:
        >>> print(shown("a\nb"), shown("Ж"))
        a\nb Ж
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def why(error: Exception) -> str:
    """Return what an error says, or, where it says nothing, what it is."""
    return str(error) or type(error).__name__


def tell(text: str) -> None:
    """Print a line on the error output, past a bar that is there."""
    _print(text, sys.stderr)


def say(text: str) -> None:
    """Print a line, past a bar that is there."""
    _print(text, sys.stdout)


def _print(text: str, stream: Any) -> None:
    if _bars:
        _bars[-1].write(text, file=stream)
    else:
        print(text, file=stream, flush=True)


_bars: list[Any] = []  # that are shown


@contextmanager
def progress(items: Sequence[Item], unit: str) -> Iterator[Iterable[Item]]:
    """Give the items, and show a bar meanwhile, if the error output is a terminal and they are many."""
    if len(items) <= FEW or sys.stderr is None or not sys.stderr.isatty():
        yield items
        return
    from tqdm import tqdm

    with tqdm(items, unit=unit, leave=False, dynamic_ncols=True) as bar:
        _bars.append(bar)
        try:
            yield bar
        finally:
            _bars.pop()


def may_write(paths: Iterable[Path | None], overwrite: bool) -> None:
    """Return if no such file is there, or whoever sits at the terminal says that it may go; else raise.

    Raises:
        FileExistsError: they stay.
    """
    there = [str(path) for path in paths if path is not None and path.exists()]
    if not there or overwrite:
        return
    names = f"{shown(', '.join(there))} {'is' if len(there) == 1 else 'are'} there already"
    if sys.stdin is None or sys.stderr is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise FileExistsError(f"{names}: --overwrite replaces what is there.")
    print(f"{names}. Overwrite? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise FileExistsError("nothing is overwritten, and nothing was done.")
