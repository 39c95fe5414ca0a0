"""Model files as Keras 3.15 writes them: .keras, .weights.h5, and the .h5 that all versions read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..description import Description
from .config import config_to_keras
from .layout import Place, Weight, places_of
from .optimizers import state_to_keras
from .own import KEY, own_data

Array = NDArray[Any]
Data = Mapping[str, Any]

KERAS_VERSION = "3.15.1"  # whose files these are
DATE = 1980, 1, 1, 0, 0, 0  # of all of them, so that the same model gives the same bytes
# Arguments that earlier versions of Keras 3 do not take, with the values that they have if they are left out.
LATER = {
    "antialias": False, "input_axes": None, "optional": False, "output_axes": None,
    "pad_to_aspect_ratio": False, "quantization_config": None, "ragged": False, "renorm": False,
    "renorm_clipping": None, "renorm_momentum": 0.99,
}  # fmt: skip
OF_PADDING = ("fill_mode", "fill_value")  # which have no effect where images are not padded
MOST_BYTES = 64512  # of an attribute in HDF5, as Keras cuts them


def keras_zip_bytes(description: Description) -> bytes:
    """Return the content of a .keras file, which Keras 3 opens, and goes on training from.

    Args:
        description: the model.

    Returns:
        The same bytes for the same description.

    Raises:
        ValueError: Keras has no such layer, which the error names.
    """
    network, compiled = map(without_later, config_to_keras(description.config))
    saved = "{:04}-{:02}-{:02}@{:02}:{:02}:{:02}".format(*DATE)
    metadata = {"keras_version": KERAS_VERSION, "date_saved": saved, KEY: own_data(description.config)}
    content = {
        "metadata.json": json.dumps(metadata).encode(),
        "config.json": json.dumps({**network, "compile_config": compiled or None}).encode(),
        "model.weights.h5": _weights_bytes(description, network, compiled),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name, DATE), data)
    return buffer.getvalue()


def keras_weights_bytes(description: Description) -> bytes:
    """Return the content of a .weights.h5 file, as Keras 3's `model.save_weights` writes it.

    Args, Returns, Raises: see `keras_zip_bytes`.
    """
    return _weights_bytes(description, *config_to_keras(description.config))


def without_later(config: Any) -> Any:
    """Return what Keras 3.15 says of something as earlier versions can read it, too.

    Example:
        >>> without_later({"units": 3, "quantization_config": None, "others": [{"ragged": True}]})
        {'units': 3, 'others': [{'ragged': True}]}
    """
    if isinstance(config, list):
        return [without_later(item) for item in config]
    if not isinstance(config, dict):
        return config
    kept = {name: value for name, value in config.items() if name not in LATER or LATER[name] != value}
    if "pad_to_aspect_ratio" in config.keys() - kept:
        kept = {name: value for name, value in kept.items() if name not in OF_PADDING}
    return {name: without_later(value) for name, value in kept.items()}


def keras_hdf5_bytes(description: Description) -> bytes:
    """Return the content of an .h5 file, which Keras 3 opens.

    The optimizer's state lies where a .keras file has it, and not in "optimizer_weights": from there no
    version of Keras 3 gets it (up to 3.15), and its training then ends in "Unknown variable", even with its
    own files. So Keras begins with a fresh optimizer, and tinynet goes on with this one.

    Args, Returns, Raises: see `keras_zip_bytes`.
    """
    network, compiled = map(without_later, config_to_keras(description.config))
    places = places_of(network, description.weights, description.config.get("frozen", ()))
    texts = {"backend": "tensorflow", "keras_version": KERAS_VERSION}
    with _hdf5() as (file, buffer):
        for name, text in texts.items():
            file.attrs[name] = text
        file.attrs["model_config"] = json.dumps(network)
        file.attrs[KEY] = json.dumps(own_data(description.config))
        if compiled:
            file.attrs["training_config"] = json.dumps(_training_config(compiled))
        group = file.create_group("model_weights")
        for name, text in texts.items():
            group.attrs[name] = text
        _set_names(group, "layer_names", [place.name for place in places])
        for place in places:
            weights = sorted(place.all_weights(), key=lambda weight: not weight.trains)  # in their order else
            _write_named(group.create_group(place.name), [(weight.path, weight.value) for weight in weights])
        _write_named(group.create_group("top_level_model_weights"), [])
        if compiled:
            _write_optimizer(file, compiled["optimizer"], description, places)
    return buffer.getvalue()


def _weights_bytes(description: Description, network: Data, compiled: Data) -> bytes:
    """Return an HDF5 file in which weights lie by the kinds of their layers, as Keras 3 has it."""
    places = places_of(network, description.weights, description.config.get("frozen", ()))
    with _hdf5() as (file, buffer):
        _write_layer(file, Place(network["config"]["name"], "", [], places))
        if compiled:
            _write_optimizer(file, compiled["optimizer"], description, places)
    return buffer.getvalue()


def _write_layer(group: Any, place: Place) -> None:
    """Write the weights of a layer, and of those that it is made of."""
    held = group.create_group("vars")
    held.attrs["name"] = place.name
    for number, weight in enumerate(place.weights):
        held[str(number)] = weight.value
    for layer in place.layers:
        _write_layer(group.require_group("layers").create_group(layer.group), layer)


def _write_named(group: Any, arrays: Sequence[tuple[str, Array]]) -> None:
    """Write arrays under their names, and note these in their order."""
    _set_names(group, "weight_names", [name for name, _ in arrays])
    for name, array in arrays:
        group[name] = array


def _set_names(group: Any, attribute: str, names: Sequence[str]) -> None:
    """Write names as an attribute, or, if they are too long for one, as several that are numbered."""
    encoded, count = np.array([name.encode() for name in names]), 1
    while any(part.nbytes > MOST_BYTES for part in np.array_split(encoded, count)):
        count += 1
    for number, part in enumerate(np.array_split(encoded, count)):
        group.attrs[attribute if count == 1 else f"{attribute}{number}"] = part


def _write_optimizer(group: Any, optimizer: Data, description: Description, places: Sequence[Place]) -> None:
    """Write the state of an optimizer, which Keras describes so, if the description has it."""
    kind, config = optimizer["class_name"], optimizer["config"]
    weights = [weight for place in places for weight in place.all_weights() if weight.trains]
    wanted = [weight.value.shape for weight in weights]
    for name, arrays in description.slots.items():
        if (found := [array.shape for array in arrays]) != wanted:
            raise ValueError(
                f"the optimizer's {name!r} has arrays of {found}; what trains are {wanted}, with all weights "
                "of layers of your own: save the model with include_optimizer=False, or as .safetensors."
            )
    paths = [weight.path for weight in weights]
    variables = state_to_keras(kind, config, description.iterations, description.slots, paths)
    if variables:
        held = [Weight(name, array, False) for name, array in variables]
        _write_layer(group.create_group("optimizer"), Place(config["name"], "", held))


def _training_config(compiled: Data) -> dict[str, Any]:
    """Return what an .h5 file says of how a model was compiled."""
    optimizer = compiled["optimizer"]
    rest = {"loss_weights": None, "run_eagerly": False, "steps_per_execution": 1, "jit_compile": False}
    named = {name: compiled.get(name) for name in ("loss", "metrics", "weighted_metrics")}
    return named | rest | {"optimizer_config": {name: optimizer[name] for name in ("class_name", "config")}}


@contextmanager
def _hdf5() -> Iterator[tuple[Any, io.BytesIO]]:
    """Open a new HDF5 file in memory."""
    import h5py  # at first use, so that `import tinynet` does not wait for it

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        yield file, buffer
