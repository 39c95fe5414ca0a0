"""Which format a file is to have."""

from __future__ import annotations

import os
from pathlib import Path

ENDINGS = {".onnx": "onnx", ".tflite": "litert"}  # Keras's names of the formats


def format_of(filepath: str | os.PathLike[str], name: str | None) -> str:
    """Return "onnx" or "litert", as a file's ending says, and the format's name, if it is given.

    Raises:
        ValueError: they say nothing, or contradict each other.
    """
    found = ENDINGS.get(Path(filepath).suffix.lower())
    if found is None and name == "onnx":  # Keras takes any ending
        return name
    if found is None or name not in (None, found):
        raise ValueError(
            "export: filepath must end in '.onnx' (format None or 'onnx') or in '.tflite' (None or "
            "'litert'), because these are the formats here (model.save writes others); got "
            f"{os.fspath(filepath)!r}, format={name!r}."
        )
    return found
