"""The command `tinynet plot`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..models import load_model
from .console import may_write
from .figures import check_figure, write_figure
from .history_files import BAD_JSON, read_history
from .parsing import WELL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXAMPLES = """
tinynet plot history.csv                              how a training went: history.png
tinynet plot history.csv --metric accuracy --output accuracy.pdf
tinynet plot pets.json                                which classes are confused, of `tinynet evaluate --json`
tinynet plot pets.safetensors                         a model's layers
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add("file", type=Path, help="a history (.csv, .json), what `tinynet evaluate --json` printed, or a model")
    add(
        "--output", type=Path, help="a .png, .pdf or .svg file, replaced if it is there; default: FILE's name"
    )
    add("--overwrite", action="store_true", help="replace a file of FILE's name without asking")
    add("--metric", help="of a history, such as accuracy; default: all of them")


def run(options: argparse.Namespace) -> int:
    """Draw the history of a training, the confusion matrix of an evaluation, or the layers of a model."""
    output = options.output or options.file.with_suffix(".png")
    if not options.file.exists():
        raise FileNotFoundError(f"No such file: {str(options.file)!r}")
    check_figure(output)
    if options.output is None:  # a name that nobody said may be that of a picture
        may_write([output], options.overwrite)
    write_figure(drawn(options.file, options.metric), output)
    return WELL


def drawn(path: Path, metric: str | None) -> Figure:
    """Return the figure of a file."""
    from .. import plotting

    suffix = path.suffix.lower()
    if suffix == ".json" and (found := evaluation_in(path)) is not None:
        return plotting.plot_confusion_matrix(found["confusion"], found["labels"])
    if suffix in (".json", ".csv"):
        return plotting.plot_history(read_history(path), metric)
    return plotting.plot_model(load_model(path, compile=False), None, show_shapes=True)


def evaluation_in(path: Path) -> dict[str, Any] | None:
    """Return what `tinynet evaluate --json` printed, or None if a file holds something else."""
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except BAD_JSON:  # which is said of it as a history
        return None
    return found if isinstance(found, dict) and {"confusion", "labels"} <= found.keys() else None
