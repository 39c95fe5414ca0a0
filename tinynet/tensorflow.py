"""What scripts use of TensorFlow beside Keras, for `import tinynet as tf`: devices, settings, arrays."""

from __future__ import annotations

import contextlib
import logging as _logging
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import nn as nn
from . import random as random
from .keras.places import missing
from .seeds import set_random_seed
from .tensor import Tensor

float16, float32, float64 = np.float16, np.float32, np.float64
int8, int16, int32, int64, uint8 = np.int8, np.int16, np.int32, np.int64, np.uint8
newaxis = None


class Place:
    """A module of TensorFlow's with some names in it; others raise."""

    def __init__(self, place: str, /, **names: Any) -> None:
        self._name = place
        vars(self).update(names)

    def __getattr__(self, name: str) -> Any:
        """Say that there is no such name."""
        return missing(f"tinynet.{self._name}", name, [one for one in vars(self) if one != "_name"])


def constant(value: ArrayLike, dtype: DTypeLike | None = None, shape: Any = None) -> Tensor:
    """Return an array of a value."""
    array = np.asarray(value, dtype)
    return (array if shape is None else np.broadcast_to(array, shape).copy()).view(Tensor)


def convert_to_tensor(value: ArrayLike, dtype: DTypeLike | None = None) -> Tensor:
    """Return an array of a value."""
    return np.asarray(value, dtype).view(Tensor)


def cast(x: ArrayLike, dtype: DTypeLike) -> Tensor:
    """Return an array of another type."""
    return np.asarray(x).astype(dtype).view(Tensor)


def reshape(tensor: ArrayLike, shape: Any) -> Tensor:
    """Return an array of another shape."""
    return np.reshape(np.asarray(tensor), shape).view(Tensor)


def expand_dims(input: ArrayLike, axis: int) -> Tensor:  # noqa: A002  (as in TensorFlow)
    """Return an array with one more axis."""
    return np.expand_dims(np.asarray(input), axis).view(Tensor)


def argmax(input: ArrayLike, axis: int = 0) -> Tensor:  # noqa: A002
    """Return the places of the largest values along an axis."""
    return np.asarray(np.argmax(np.asarray(input), axis)).view(Tensor)


def one_hot(indices: ArrayLike, depth: int, dtype: DTypeLike = "float32") -> Tensor:
    """Return rows of 0 and 1; of a number outside of 0..depth-1, a row of zeros."""
    rows: Tensor = (np.asarray(indices)[..., None] == np.arange(depth)).astype(dtype).view(Tensor)
    return rows


def device(device_name: Any) -> contextlib.AbstractContextManager[None]:
    """Do nothing, in a `with` block: everything runs on the CPU, as in TensorFlow where there is no other."""
    return contextlib.nullcontext()


def executing_eagerly() -> bool:
    """Return True."""
    return True


def get_logger() -> _logging.Logger:
    """Return the logger "tinynet", to which nothing is written."""
    return _logging.getLogger("tinynet")


def list_physical_devices(device_type: str | None = None) -> list[Any]:
    """Return no devices, as there is no GPU, or, if asked for, the CPU."""
    return (
        [Place("CPU", name="/physical_device:CPU:0", device_type="CPU")]
        if device_type in (None, "CPU")
        else []
    )


def no_effect(*_: Any, **__: Any) -> None:
    """Do nothing: a setting of devices, logs or graphs, which are not there."""


_devices = {
    "get_visible_devices": list_physical_devices, "list_logical_devices": list_physical_devices,
    "list_physical_devices": list_physical_devices, "set_memory_growth": no_effect,
    "set_visible_devices": no_effect,
}  # fmt: skip
config = Place(
    "config",
    experimental=Place("config.experimental", **_devices),
    run_functions_eagerly=no_effect,
    **_devices,
)
test = Place(
    "test",
    gpu_device_name=lambda: "",
    is_built_with_cuda=lambda: False,
    is_gpu_available=lambda *_, **__: False,
)
logging = Place("logging", DEBUG=10, ERROR=40, FATAL=50, INFO=20, WARN=30, set_verbosity=no_effect)
v1 = Place("compat.v1", disable_eager_execution=no_effect, logging=logging, set_random_seed=set_random_seed)
compat = Place("compat", v1=v1)

NAMES = [
    "argmax", "cast", "compat", "config", "constant", "convert_to_tensor", "device", "executing_eagerly",
    "expand_dims", "float16", "float32", "float64", "get_logger", "int16", "int32", "int64", "int8",
    "logging", "newaxis", "nn", "one_hot", "random", "reshape", "test", "uint8",
]  # fmt: skip
