"""From a model's file to a file of another format, with a check of what was written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from .files.kinds import kind_of_file
from .models import Model, load_model

SAVED = (".safetensors", ".keras", ".h5", ".hdf5")
EXPORTED = (".onnx", ".tflite")
SAMPLES = 8
CLOSE = 1e-4  # relative to the largest output


def convert(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> list[str]:
    """Write the model of a file to another file, in the format that its name ends in.

    Args:
        source: a file that `load_model` reads.
        target: .safetensors, .keras, .h5, .hdf5, .onnx or .tflite; replaced if it is there.

    Returns:
        What was done, as lines for people.

    Raises:
        FileNotFoundError, ImportError, ValueError: as `load_model`, `Model.save` and `Model.export`; or the
            target ends in something else, is the source, or predicts something else than the source.
        OSError: a file cannot be read or written.

    Example:
        >>> import tempfile
        >>> from tinynet import Sequential, layers
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Sequential([layers.Dense(2)], 3).save(f"{folder}/a.safetensors")
        ...     _, check = convert(f"{folder}/a.safetensors", f"{folder}/b.safetensors")
        >>> check.startswith("Checked: on 8 random samples")
        True
    """
    suffix = Path(target).suffix.lower()
    if suffix not in SAVED + EXPORTED:
        raise ValueError(f"{os.fspath(target)!r} ends in none of {', '.join(SAVED + EXPORTED)}.")
    if Path(target).exists() and Path(source).exists() and Path(target).samefile(source):
        raise ValueError(f"{os.fspath(target)!r} is the file to convert: name another one.")
    model = load_model(source, compile=suffix in SAVED)
    if suffix in EXPORTED:
        model.export(target)
    else:
        model.save(target)
    names = (f"{os.fspath(path)} ({kind_of_file(path)})" for path in (source, target))
    return [" -> ".join(names), _check(model, target)]


def _check(model: Model, path: str | os.PathLike[str]) -> str:
    """Return how a model's predictions differ from those of its file, or raise if they do."""
    if Path(path).suffix.lower() == ".tflite":
        return "Not checked: tinynet does not read TensorFlow Lite files."
    try:
        other = load_model(path, compile=False)
    except (ValueError, ImportError) as error:
        return f"Not checked: {error}"
    random = np.random.default_rng(0)
    x: Any = [random.random((SAMPLES, *shape), np.float32) for shape in model.built_shapes]
    ours, theirs = (_outputs(one, x) for one in (model, other))
    largest = max(float(np.abs(array).max()) for array in ours)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
    said = f"on {SAMPLES} random samples the predictions of both files differ by {difference:.1e} at most"
    if not difference <= CLOSE * largest:
        raise ValueError(f"{os.fspath(path)} is not to be trusted: {said} (the largest is {largest:.3g}).")
    return f"Checked: {said} (the largest is {largest:.3g})."


def _outputs(model: Model, x: list[Any]) -> list[Any]:
    """Return a model's outputs as a list, also of one."""
    outputs = model.predict(x if model.takes_several else x[0])
    return outputs if isinstance(outputs, list) else [outputs]
