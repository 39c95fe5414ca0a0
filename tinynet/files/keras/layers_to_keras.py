"""tinynet's layers as Keras 3 describes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .layers import KINDS, activation
from .output_shapes import pairs, several
from .parts import KINDS as INITIALIZERS
from .parts import constraint, initializer, regularizer

Data = dict[str, Any]

FROM_OURS = {kind.name: name for name, kind in KINDS.items() if name != "ThresholdedReLU"}
AXES = {"Conv1D": 1, "AveragePooling1D": 1, "MaxPooling1D": 1}
WINDOWS = ("kernel_size", "pool_size", "strides", "dilation_rate", "size")
NAMES_ONLY = {
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "LogSoftmax": "log_softmax",
}  # activations without a class
NO_ASPECT = {"crop_to_aspect_ratio": False, "pad_to_aspect_ratio": False, "antialias": False}
NO_AXES = {"input_axes": None, "output_axes": None}
SCALING = {"seed": None, **NO_AXES}
INITIALIZER_ARGUMENTS: dict[str, Data] = {
    "Zeros": {}, "Ones": {}, "Constant": {"value": 0.0}, "Identity": {"gain": 1.0},
    "Orthogonal": {"seed": None, "gain": 1.0},
    "RandomNormal": {"seed": None, "mean": 0.0, "stddev": 0.05},
    "RandomUniform": {"seed": None, "minval": -0.05, "maxval": 0.05},
    "TruncatedNormal": {"seed": None, "mean": 0.0, "stddev": 0.05},
    "VarianceScaling": {
        "seed": None, "scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", **NO_AXES,
    },
    **dict.fromkeys(
        ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"), SCALING
    ),
}  # fmt: skip
# What Keras's layers have besides, and its defaults; and tinynet's defaults that are no plain numbers.
OTHERS: dict[str, Data] = {
    "BatchNormalization": {
        "momentum": 0.99, "beta_initializer": "zeros", "gamma_initializer": "ones",
        "moving_mean_initializer": "zeros", "moving_variance_initializer": "ones",
        "beta_regularizer": None, "gamma_regularizer": None, "beta_constraint": None,
        "gamma_constraint": None, "synchronized": False, "renorm": False, "renorm_clipping": None,
        "renorm_momentum": 0.99,
    },
    "Conv1D": {"activity_regularizer": None},
    "Conv2D": {"activity_regularizer": None},
    "Dense": {"quantization_config": None},
    "DepthwiseConv2D": {"activity_regularizer": None},
    "LayerNormalization": {
        "beta_initializer": "zeros", "gamma_initializer": "ones", "beta_regularizer": None,
        "gamma_regularizer": None, "beta_constraint": None, "gamma_constraint": None, "rms_scaling": False,
    },
    "PReLU": {"alpha_regularizer": None, "alpha_constraint": None},
    "SeparableConv2D": {"activity_regularizer": None},
}  # fmt: skip
DEFAULTS: Data = {
    "activation": "linear", "alpha": 1.0, "alpha_initializer": "zeros", "axis": -1, "bias_constraint": None,
    "bias_initializer": "zeros", "bias_regularizer": None, "center": True, "data_format": "channels_last",
    "depth_multiplier": 1, "depthwise_constraint": None, "depthwise_initializer": "glorot_uniform",
    "depthwise_regularizer": None, "dilation_rate": 1, "epsilon": 0.001, "fill_mode": "reflect",
    "fill_value": 0.0, "groups": 1, "interpolation": "nearest", "invert": False, "keepdims": False,
    "kernel_constraint": None, "kernel_initializer": "glorot_uniform", "kernel_regularizer": None,
    "max_value": None, "mean": None, "mode": "horizontal_and_vertical", "momentum": 0.99,
    "negative_slope": 0.0, "noise_shape": None, "offset": 0.0, "padding": "valid",
    "pointwise_constraint": None, "pointwise_initializer": "glorot_uniform", "pointwise_regularizer": None,
    "pool_size": 2, "scale": True, "seed": None, "shared_axes": None, "size": 2, "threshold": 0.0,
    "use_bias": True, "variance": None, "width_factor": None,
}  # fmt: skip
OWN_DEFAULTS: dict[str, Data] = {
    "LeakyReLU": {"negative_slope": 0.3},
    "ZeroPadding2D": {"padding": 1},
    "Cropping2D": {"cropping": 0},
    "RandomRotation": {"interpolation": "bilinear"},
    "RandomTranslation": {"interpolation": "bilinear"},
    "RandomZoom": {"interpolation": "bilinear"},
    "Resizing": {"interpolation": "bilinear", "fill_mode": "constant", **NO_ASPECT},
}


@dataclass(frozen=True)
class Writing:
    """What is known while a model is written.

    Args:
        dtype: of the model, "float32" or "float64".
    """

    dtype: str


def keras_object(module: str, kind: str, config: Data) -> Data:
    """Return an object as Keras 3 writes it."""
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def snake(kind: str) -> str:
    """Return what a layer of a class is called by default."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", kind).lower()


def policy(dtype: str) -> Data:
    """Return what Keras 3 says of a layer's dtype."""
    return keras_object("keras", "DTypePolicy", {"name": dtype})


def layer_to_keras(data: Data, name: str, writing: Writing, trainable: bool) -> Data:
    """Return a layer as Keras 3 describes it.

    Args:
        data: as tinynet does, not a network.
        name: the layer's.
        writing: what is known.
        trainable: whether it trains.

    Raises:
        ValueError: Keras has no such layer, although tinynet has.
    """
    start: Data = {"name": name, "trainable": trainable, "dtype": policy(writing.dtype)}
    if data["class"].startswith("SpatialDropout"):  # whose constructor takes no other
        start = {"name": name, "dtype": writing.dtype}
    alone = activation_name(data)
    if alone is not None:
        return keras_object("keras.layers", "Activation", {**start, "activation": alone})
    kind = FROM_OURS.get(data["class"])
    if data["class"] in ("Elementwise", *NAMES_ONLY):
        raise ValueError(
            f"Keras has no layer {data['class']} with these arguments (layer {name!r}): save the model as "
            ".safetensors, tinynet's own form, or make it of layers that Keras has"
        )
    if kind is None:
        mine = {key: value for key, value in data.items() if key != "class"}
        return own_object(data["class"], {**mine, "name": name, "trainable": trainable})
    return keras_object("keras.layers", kind, start | arguments(kind, data, writing))


def own_object(kind: str, config: Data) -> Data:
    """Return an object of a class that Keras has not, as Keras writes those of people's own classes."""
    return {"module": "tinynet", "class_name": kind, "config": config, "registered_name": f"tinynet>{kind}"}


def activation_name(data: Data) -> str | None:
    """Return the name of what is an activation by name alone in Keras, or None."""
    kind = data["class"]
    if kind == "Elementwise" and data["function"] != "gelu_approximate":
        return str(data["function"])
    return NAMES_ONLY.get(kind) if data.get("axis", -1) == -1 else None


def known(name: str) -> str:
    """Return the name of an activation, if Keras has it."""
    if name == "gelu_approximate":
        raise ValueError("Keras has no name for the approximate gelu: take 'gelu'")
    return name


def arguments(kind: str, data: Data, writing: Writing) -> Data:
    """Return a layer's arguments as Keras 3 has them."""
    defaults = DEFAULTS | OWN_DEFAULTS.get(kind, {})
    found: Data = {}
    for key, read in KINDS[kind].arguments.items():
        value = data.get(key, defaults.get(key))
        if key in ("strides",) and value is None:
            value = data.get("pool_size", 2) if "pool_size" in KINDS[kind].arguments else 1
        if read is activation:
            value = activation_to_keras(value, writing)
        elif read is initializer:
            value = initializer_to_keras(value)
        elif read is regularizer or read is constraint:
            value = part_to_keras(value, "regularizers" if read is regularizer else "constraints")
        elif key in WINDOWS and kind not in ("Rescaling",):
            value = several(value, AXES.get(kind, 2))
        elif kind in ("ZeroPadding2D", "Cropping2D") and key in ("padding", "cropping"):
            value = pairs(value)
        elif key == "data_format":
            value = value or "channels_last"
        elif key == "seed" and not isinstance(value, int):
            value = None
        found[key] = value
    for key, value in OTHERS.get(kind, {}).items():
        if key not in found:
            found[key] = initializer_to_keras(value) if key.endswith("_initializer") else value
    if kind in ("LayerNormalization", "Normalization") and isinstance(found["axis"], int):
        found["axis"] = [found["axis"]]
    return found


def activation_to_keras(value: Any, writing: Writing) -> Any:
    """Return an activation, a name or a layer, as Keras 3 describes it."""
    if not isinstance(value, Mapping):
        return known(value or "linear")
    if value["class"] == "Activation":
        return activation_to_keras(value["activation"], writing)
    alone = activation_name(dict(value))
    if alone is not None:
        return alone
    kind = str(FROM_OURS.get(value["class"]))
    return layer_to_keras(dict(value), snake(kind), writing, True)


def initializer_to_keras(value: Any) -> Data:
    """Return an initializer, a name or a class and arguments, as Keras 3 describes it."""
    value = initializer(value) or "zeros"
    kind, given = (
        (value["class_name"], value["config"]) if isinstance(value, Mapping) else (INITIALIZERS[value], {})
    )
    return keras_object("keras.initializers", kind, INITIALIZER_ARGUMENTS[kind] | given)


def part_to_keras(value: Any, module: str) -> Data | None:
    """Return a regularizer or a constraint as Keras 3 describes it."""
    value = regularizer(value) if module == "regularizers" else constraint(value)
    return None if value is None else keras_object(f"keras.{module}", value["class_name"], value["config"])
