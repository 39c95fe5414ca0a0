"""Layers as Keras 1 wrote them, in the words of today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .values import class_name, plain, sequence, short

CLASSES = {
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "AtrousConvolution2D": "Conv2D",
    "AtrousConvolution1D": "Conv1D", "SeparableConvolution2D": "SeparableConv2D",
    "BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization", "Model": "Functional",
}  # fmt: skip

WORDS = {
    "W_constraint": "kernel_constraint", "W_regularizer": "kernel_regularizer",
    "atrous_rate": "dilation_rate", "b_constraint": "bias_constraint", "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer", "bias": "use_bias", "border_mode": "padding", "concat_axis": "axis",
    "dim_ordering": "data_format", "filter_length": "kernel_size", "gamma_init": "gamma_initializer",
    "init": "kernel_initializer", "nb_filter": "filters", "output_dim": "units", "p": "rate",
    "pool_length": "pool_size", "stride": "strides", "subsample": "strides", "subsample_length": "strides",
}  # fmt: skip
OF_LAYERS = {
    "LeakyReLU": {"alpha": "negative_slope"},
    "ThresholdedReLU": {"theta": "threshold"},
    "PReLU": {"init": "alpha_initializer"},
}
FORMATS = {"th": "channels_first", "tf": "channels_last", "default": "channels_last"}
MERGES = {
    "sum": "Add", "mul": "Multiply", "concat": "Concatenate", "ave": "Average", "max": "Maximum",
}  # fmt: skip


def of_today(kind: Any, config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a layer's class and arguments under the names of Keras 3.

    Args:
        kind: the class, as any version of Keras called it.
        config: its arguments.

    Raises:
        ValueError: what it says has no meaning today.

    Example:
        >>> of_today("Convolution2D", {"nb_filter": 8, "nb_row": 3, "nb_col": 5, "border_mode": "same"})
        ('Conv2D', {'filters': 8, 'padding': 'same', 'kernel_size': [3, 5]})
    """
    name = class_name(kind)
    name = CLASSES.get(name, name)
    given = dict(config)
    if name == "Merge":
        name = _merge(given)
    words = WORDS | OF_LAYERS.get(name, {})
    found: dict[str, Any] = {}
    for key, value in given.items():
        word = words.get(key, key)
        found[key if word != key and word in given else word] = value
    if "nb_row" in found:
        found["kernel_size"] = [found.pop("nb_row"), found.pop("nb_col", None)]
    if isinstance(found.get("data_format"), str):
        found["data_format"] = FORMATS.get(found["data_format"], found["data_format"])
    if name in ("ZeroPadding2D", "Cropping2D"):
        for key in ("padding", "cropping"):
            if key in found:
                found[key] = _sides(found[key])
    return name, found


def _merge(given: dict[str, Any]) -> str:
    """Return the class that a Merge of Keras 1 is today, and leave its arguments."""
    mode = given.pop("mode", None)
    if given.pop("mode_type", "raw") != "raw" or mode not in MERGES:
        raise ValueError(
            f"it is a Merge of mode {short(mode)}; of these there are {', '.join(MERGES)}, and functions in "
            "a file are never executed"
        )
    axis = given.pop("concat_axis", -1)
    for key in [key for key in given if key != "name" and key != "trainable"]:
        del given[key]
    if mode == "concat":
        given["axis"] = axis
    return MERGES[mode]


def _sides(value: Any) -> Any:
    """Return paddings or croppings at the sides as Keras 3 writes them."""
    value = plain(value)
    if isinstance(value, Mapping):
        names = ("top_pad", "bottom_pad", "left_pad", "right_pad")
        value = [value.get(name, 0) for name in names]
    if isinstance(value, list) and len(value) == 4:
        return [value[:2], value[2:]]
    return value


def layers_of(config: Any) -> tuple[str, list[Any], Mapping[str, Any]]:
    """Return the name and the layers of a Sequential, and what else its config holds.

    Args:
        config: a dictionary, or of Keras 1 and of 2 before 2.2, the bare list of layers.
    """
    if isinstance(config, Mapping):
        layers = sequence(config.get("layers"), "the layers of a Sequential")
        name = config.get("name")
        return name if isinstance(name, str) else "sequential", layers, config
    return "sequential", sequence(config, "the layers of a Sequential"), {}
