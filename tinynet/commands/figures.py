"""Pictures that commands draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .console import say, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_figure(path: Path | None) -> None:
    """Raise now, and not after all work, if no figure can be written to a file of that name.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: it is no name of a picture.
    """
    from ..plotting.figures import new_figure

    if path is None:
        return
    kinds = sorted(new_figure().canvas.get_supported_filetypes())
    if path.suffix.lower().removeprefix(".") not in kinds:
        raise ValueError(f"{str(path)!r} is no picture's name: it ends in none of .{', .'.join(kinds)}.")


def write_figure(figure: Figure, path: Path, notice: Callable[[str], None] = say) -> None:
    """Write a figure, and say so, where the output is for people; else by `notice=tell`."""
    figure.savefig(path)
    notice(f"Drew {shown(str(path))}")
