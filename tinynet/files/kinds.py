"""What a model's file is, for people: its format, and what wrote it."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

from .model_file import file_in
from .reading import ZIP, is_hdf5

MOST_TEXT = 2**20  # bytes of a zip's metadata that are read
SHOWN = 60  # characters of what a file says of its writer


def kind_of_file(path: str | os.PathLike[str]) -> str:
    """Return what a model's file is, such as "HDF5 as of Keras 2.4.0, 2,454,584 bytes".

    Args:
        path: of a file that `load_model` reads, or `Model.export` writes; or the folder of one.

    Raises:
        OSError: it cannot be read.
    """
    data = Path(file_in(path)).read_bytes()
    if is_hdf5(data[:4096]):
        kind, writer = "HDF5", _keras_of_hdf5(data)
    elif data.startswith(ZIP):
        kind, writer = "zip", _keras_of_zip(data)
    elif data[8:9] == b"{":
        kind, writer = "safetensors", _writer_of_safetensors(data)
    elif data[4:8] == b"TFL3":
        kind, writer = "TensorFlow Lite", ""
    elif data[:1] == b"\x08":
        kind, writer = "ONNX", _producer_of_onnx(data[:4096])
    else:
        kind, writer = "unknown format", ""
    writer = "".join(one if one.isprintable() else "?" for one in writer)[:SHOWN]
    return f"{kind}{f' {writer}' if writer else ''}, {len(data):,} bytes"


def _keras_of_hdf5(data: bytes) -> str:
    from .hdf5 import read_hdf5

    try:
        file = read_hdf5(data)
        version = file.attributes.get("keras_version")
    except ValueError:
        return ""
    return f"as of Keras {version}" if version else ""


def _keras_of_zip(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open("metadata.json") as file:
            version = json.loads(file.read(MOST_TEXT)).get("keras_version")
    except Exception:  # a damaged zip can raise anything
        return ""
    return f"as of Keras {version}" if version else ""


def _writer_of_safetensors(data: bytes) -> str:
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return f"of {header['__metadata__']['format']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _producer_of_onnx(start: bytes) -> str:
    """Return the producer's name and version, the fields 2 and 3 of ONNX's ModelProto."""
    found: dict[int, str] = {}
    place = 0
    while place + 1 < len(start) and len(found) < 2:
        number, kind = start[place] >> 3, start[place] & 7
        if (
            kind == 0
        ):  # a number, such as the format's version, in bytes that go on while their top bit is set
            place += 1
            while place < len(start) and start[place] & 128:
                place += 1
            place += 1
        elif kind == 2 and number in (2, 3) and start[place + 1] < 128:
            end = place + 2 + start[place + 1]
            found[number] = start[place + 2 : end].decode("utf-8", "replace")
            place = end
        else:
            break
    return " ".join(["of", *(found[number] for number in sorted(found))]) if found else ""
