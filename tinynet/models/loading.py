"""Model files: from a file to a model."""

from __future__ import annotations

import os

import numpy as np

from ..files.model_file import read_model_file
from ..layers.config import kind_of
from .model import Model
from .sequential import Sequential


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model that `Model.save` wrote.

    Args:
        path: the file.

    Returns:
        The model with its weights, compiled if it was compiled when it was saved.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, of another program, or of a later version of the format.

    Example:
        >>> import tempfile
        >>> from tinynet import layers
        >>> model = Sequential([layers.Dense(2)], 3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.safetensors")
        ...     same = load_model(f"{folder}/model.safetensors")
        >>> bool(np.all(same.flat.value == model.flat.value))
        True
    """
    tensors, description = read_model_file(path)
    held = sum(tensor.size for tensor in tensors.values())
    largest = max(held, 2**10)  # a tampered description must not make us allocate what the file cannot fill
    try:
        kind: type[Model] = Model if "joins" in description else Sequential
        if "class" in description:
            kind = kind_of(description["class"])
        model = kind.from_config(description, most_weights=largest)
    except Exception as error:  # a damaged description can raise anything
        raise ValueError(
            f"{os.fspath(path)!r} describes no model that this tinynet can build: {error!r}."
        ) from error
    expected = model.named_parameters()
    found = {name: tensor.shape for name, tensor in tensors.items()}
    wanted = {name: parameter.value.shape for name, parameter in expected.items()}
    if found != wanted or any(tensor.dtype not in (model.dtype, np.float16) for tensor in tensors.values()):
        dtypes = sorted({tensor.dtype.name for tensor in tensors.values()})
        raise ValueError(
            f"{os.fspath(path)!r} holds weights {found} of dtypes {dtypes}; its model needs {wanted} of "
            f"{model.dtype} or float16."
        )
    for name, parameter in expected.items():
        parameter.value = tensors[name]
    return model
