"""From a model's file to its description, in whatever format it is: told by its content, not by its name."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

from .description import Description
from .model_file import file_in, read_safetensors
from .pytorch import is_pytorch

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"

# How files begin that hold neither models nor weights, what they are, and what to do.
OTHERS = (
    (b"version https://git-lfs", "a pointer of Git LFS's to a file that was not fetched: run git lfs pull"),
    (b"<", "a page of the web or XML: fetch the file itself, such as the raw file of a repository"),
    (b"\x80", "a pickle, which could run any code: only PyTorch's are read, by model.load_weights"),
    (b"\x93NUMPY", "an array of NumPy's, and no model"),
    (b"\x1f\x8b", "compressed by gzip: unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)

WITHOUT_NETWORK = (
    "it holds weights of PyTorch's without a network: make the model, and call model.load_weights with this "
    "path."
)


def refuse_others(start: bytes) -> None:
    """Raise if a file, which begins with `start`, is of a kind that holds neither a model nor weights."""
    if not start:
        raise ValueError("it is empty: get the file again, or save the model again.")
    if start[4:8] == b"TFL3":
        raise ValueError(
            "it is a TensorFlow Lite file, which is for predictions alone: load what it was made of."
        )
    text = start.lstrip()
    for begin, what in OTHERS:
        if text.startswith(begin):
            raise ValueError(f"it is {what}.")
    if text[:1] in (b"{", b"["):
        if b'"cells"' in start:
            raise ValueError("it is a notebook, and no model file.")
        raise ValueError(
            "it is JSON, such as model.to_json() returns, without weights: make the model by "
            "tinynet.keras.models.model_from_json, and call model.load_weights with the file of its weights."
        )


def read_description(path: str | os.PathLike[str]) -> Description:
    """Read a model's file.

    Args:
        path: the file, or the folder that a model was saved to.

    Returns:
        The model as plain data.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: the package that reads the format is not installed.
        ValueError: it is damaged, holds no model, or is of a format that is not there.
    """
    name = os.fspath(path)
    if Path(name, "saved_model.pb").is_file() or Path(name).name == "saved_model.pb":
        raise ValueError(
            f"{name!r} is a SavedModel, a program that only TensorFlow runs: save the model there as a "
            '.keras or .h5 file, by model.save("model.keras").'
        )
    file = Path(file_in(path))
    if not file.is_file():
        where = f"{file.name} in the folder" if Path(name).is_dir() else "model file"
        raise FileNotFoundError(f"There is no {where} {name!r}.")
    with file.open("rb") as opened:
        start = opened.read(4096)
    if start[8:9] == b"{":
        return read_safetensors(path)
    try:
        return _read(file, start)
    except ValueError as error:
        raise ValueError(f"{name!r}: {str(error).rstrip('.')}.") from error


def _read(file: Path, start: bytes) -> Description:
    """Read a file of another library, which begins with `start`."""
    if is_hdf5(start):
        from .keras.hdf5 import read_keras_hdf5  # on first use, as all formats but ours

        return read_keras_hdf5(file.read_bytes())
    if start.startswith(ZIP):
        return _read_zip(file.read_bytes())
    if is_pytorch(start):
        raise ValueError(WITHOUT_NETWORK)
    refuse_others(start)
    if start[:1] == b"\x08" or file.suffix.lower() == ".onnx":
        from .onnx import read_onnx

        return read_onnx(file.read_bytes(), file.parent)
    raise ValueError(
        "it is not a whole model file (.safetensors, .keras, .h5 or .onnx): it is truncated, damaged or of "
        "another kind. Save the model again."
    )


def _read_zip(data: bytes) -> Description:
    """Read a zip, which Keras's files are."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ValueError(
            f"it is a damaged or truncated zip ({error}): get the file again, or save the model again."
        ) from error
    if any(name.endswith("data.pkl") for name in names):
        raise ValueError(WITHOUT_NETWORK)
    if any(name.endswith("saved_model.pb") for name in names):
        raise ValueError(
            "it is a zipped SavedModel, which only TensorFlow runs: save a .keras or .h5 file there."
        )
    if names and all(name.endswith(".npy") for name in names):
        raise ValueError("it holds arrays of NumPy's, and no model.")
    from .keras.archive import read_keras_zip

    return read_keras_zip(data)


def is_hdf5(start: bytes) -> bool:
    """Return whether a file that begins so is HDF5, which a block of the user's may precede."""
    return any(start[place : place + 8] == HDF5 for place in (0, 512, 1024, 2048))
