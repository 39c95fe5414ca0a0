"""Small files as versions of Keras wrote them, made by h5py; test modules share them."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np


def layer(kind, name, **arguments):
    """What Keras's JSON says of a layer."""
    return {"class_name": kind, "config": {"name": name, **arguments}}


def sequential(*layers, name="sequential"):
    """What Keras's JSON says of a row of layers."""
    return {"class_name": "Sequential", "config": {"name": name, "layers": [*layers]}}


def numbers(*shape):
    """An array like no other of its shape."""
    size = int(np.prod(shape))
    numbers.calls = getattr(numbers, "calls", 0) + 1
    return (np.arange(size, dtype=np.float32) / max(size, 1) + numbers.calls).reshape(shape)


def hdf5(
    model, groups, version="2.4.0", backend="tensorflow", training=None, optimizer=(), parts=1, names=None
):
    """An HDF5 file of a model.

    Args:
        model: what Keras's JSON says of it; None for weights alone.
        groups: of each layer its name, and its weights' names and arrays.
        version, backend: None to leave them out.
        training: the training_config.
        optimizer: names and arrays.
        parts: among how many attributes names are shared out.
        names: what sets an attribute to names, if not as Keras 2 does.
    """
    import h5py

    def set_names(group, attribute, texts):
        if names is not None:
            group.attrs[attribute] = names(texts)
        elif parts == 1:
            group.attrs[attribute] = [text.encode() for text in texts]
        else:
            for number, part in enumerate(np.array_split(np.array(texts, "S"), parts)):
                group.attrs[f"{attribute}{number}"] = part

    def write(group, arrays):
        set_names(group, "weight_names", [name for name, _ in arrays])
        for name, array in arrays:
            group[name] = array

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        said = {"keras_version": version, "backend": backend}
        if model is not None:
            said |= {"model_config": json.dumps(model), "training_config": training and json.dumps(training)}
        for name, text in said.items():
            if text is not None:
                file.attrs[name] = text.encode()
        weights = file if model is None else file.create_group("model_weights")
        set_names(weights, "layer_names", [name for name, _ in groups])
        for name, arrays in groups:
            write(weights.create_group(name), arrays)
        if optimizer:
            write(file.create_group("optimizer_weights"), optimizer)
    return buffer.getvalue()


def by_places(arrays):
    """An HDF5 file of arrays by their places, such as "layers/dense/vars/0", or with backslashes."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for place, array in arrays.items():
            file[place] = array
    return buffer.getvalue()


def archive(model, weights, version="3.8.0", compression=zipfile.ZIP_STORED, **others):
    """A .keras file of a model, the content of its HDF5 file, and other members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr("metadata.json", json.dumps({"keras_version": version}))
        file.writestr("config.json", json.dumps(model))
        file.writestr("model.weights.h5", weights)
        for name, content in others.items():
            file.writestr(name, content)
    return buffer.getvalue()
