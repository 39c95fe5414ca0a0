"""The picture files in a folder that has a folder for each class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def class_folders(owner: str, directory: Any) -> list[str]:
    """Return the names of the folders in a folder, sorted.

    Args:
        owner: who asks, for errors.
        directory: the folder.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if not Path(directory).is_dir():
        raise FileNotFoundError(f"{owner}: there is no folder {os.fspath(directory)!r}.")
    return sorted(path.name for path in Path(directory).iterdir() if path.is_dir())


def picture_files(directory: Any, suffixes: tuple[str, ...], follow_links: bool) -> Iterator[str]:
    """Yield the paths of files with one of the suffixes, in a folder and those in it, in Keras's order."""
    for root, _, names in sorted(os.walk(directory, followlinks=follow_links), key=lambda found: found[0]):
        for name in sorted(names):
            if name.lower().endswith(suffixes):
                yield str(Path(root) / name)
