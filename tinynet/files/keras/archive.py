"""Keras's .keras files, zips of a model's description and its weights, of Keras 3 and of 2.12 to 2.15."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ..description import Description
from ..hdf5 import read_hdf5
from .assembling import describe, optimizer_of, parsed
from .config import config_from_keras
from .own import KEY, add_own
from .places import keras_places, optimizer_variables, places_in
from .weights import leaves, share_out

Array = NDArray[Any]

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
EXPANSION = 16  # what a member may be larger unpacked than the file; Keras does not compress
MOST_MEMBERS = 10_000


def read_keras_zip(data: bytes) -> Description:
    """Return the model that a .keras file holds; nothing is unpacked to a disk, and no code in it is run.

    Args:
        data: the file's content.

    Returns:
        The model, with its optimizer's state where that is there and can go on.

    Raises:
        ValueError: the file is damaged or hostile, or holds a model that tinynet has not.
    """
    members = _members(data)
    network = _json(members, CONFIG)
    if WEIGHTS not in members:
        raise ValueError(
            f"the .keras file has no {WEIGHTS}: it is damaged, or its weights are in several files, which "
            "is not read; have Keras save it without max_shard_size"
        )
    metadata = _json(members, METADATA) if METADATA in members else {}
    version = metadata.get("keras_version")
    version = version if isinstance(version, str) else None
    training = network.get("compile_config")
    config = add_own(config_from_keras(network, training, version), metadata.get(KEY))
    held = places_in(file := read_hdf5(members[WEIGHTS]))
    weights: dict[str, list[Array]] = {}
    for leaf, place in keras_places(network, leaves(config), held):
        weights |= share_out([leaf], held.get(place, []), f"layer {leaf.path!r}")
    return describe(config, weights, optimizer_variables(file), optimizer_of(training), version)


def _members(data: bytes) -> dict[str, bytes]:
    """Return the content of those members of a zip that are needed."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            if len(listed) > MOST_MEMBERS:
                raise ValueError(f"the .keras file has {len(listed)} members, and Keras's have a few")
            for member in listed:
                if member.filename not in (CONFIG, METADATA, WEIGHTS):
                    continue
                if member.filename in found:
                    raise ValueError(f"the .keras file has {member.filename} twice")
                if member.flag_bits & 1:
                    raise ValueError("the .keras file is encrypted: unpack it, and zip it without a password")
                most = EXPANSION * len(data) + 2**16
                with archive.open(member) as opened:
                    content = opened.read(most + 1)
                if len(content) > most:
                    raise ValueError(f"{member.filename} in the .keras file is unreasonably compressed")
                found[member.filename] = content
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"the .keras file is a damaged or truncated zip ({error})") from error
    except (OverflowError, LookupError, AttributeError, TypeError) as error:
        raise ValueError(f"the .keras file is a damaged zip ({error!r})") from error
    return found


def _json(members: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """Return what a member says in JSON."""
    if name not in members:
        raise ValueError(f"it is a zip without {name}, and no .keras file")
    found = parsed(members[name], f"{name} in the .keras file")
    if not isinstance(found, dict):
        raise ValueError(f"{name} in the .keras file is damaged: it is no dictionary")
    return found
