"""Pictures that commands draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .console import say, shown
from .parsing import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".pdf", ".svg")  # matplotlib has more, of which some need other programs


def check_figure(path: Path | None) -> None:
    """Raise now, and not after all work, if no figure can be written to a file of that name.

    Raises:
        UsageError: it is no name of a picture.
        ModuleNotFoundError: matplotlib is not installed.
    """
    if path is None:
        return
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{str(path)!r} is no drawing's name: it ends in none of {', '.join(SUFFIXES)}")
    from ..plotting.figures import new_figure

    new_figure()


def write_figure(figure: Figure, path: Path, notice: Callable[[str], None] = say) -> None:
    """Write a figure, and say so, where the output is for people; else by `notice=tell`."""
    figure.savefig(path)
    notice(f"Drew {shown(str(path))}")
