"""Keras's layers and their arguments, and what they are in tinynet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .parts import constraint, initializer, regularizer
from .values import axis, flag, nested, number, optional, plain, sequence, whole, word

Reader = Callable[[Any], Any]

sizes: Reader = nested(whole)
numbers: Reader = nested(number)


def moments(value: Any) -> Any:
    """Return means or variances, of which Keras may write axes of 1 before the others."""
    value = numbers(value)
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    return value


def activation(value: Any) -> Any:
    """Mark an argument that is an activation, which `reading.py` reads."""
    return value


def seed(value: Any) -> int | None:
    """Return a seed, of which Keras 3 may write a generator."""
    value = plain(value)
    while isinstance(value, Mapping):
        inside = value.get("config")
        value = inside.get("seed") if isinstance(inside, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def data_format(value: Any) -> str:
    """Return where the channels are."""
    found = "channels_last" if value is None else word(value)
    if found not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format is {found!r}")
    return found


def target(value: Any) -> list[int]:
    """Return a target shape, in which a size that is not known is -1."""
    return [-1 if size is None else whole(size) for size in sequence(plain(value), "a target shape")]


@dataclass(frozen=True)
class Kind:
    """What a class of Keras's is here.

    Args:
        name: tinynet's class.
        arguments: how each is read, by Keras's names today, which are tinynet's.
        needed: those that must be there.
        either_format: whether tinynet's layer takes images with their channels first.
        rank: of the output, with the batch axis; 0 for that of the input.
    """

    name: str
    arguments: dict[str, Reader]
    needed: tuple[str, ...] = ()
    either_format: bool = False
    rank: int = 0


def of(*names: str) -> dict[str, Reader]:
    """Return how the initializer, the regularizer and the constraint of weights are read."""
    readers = {"initializer": initializer, "regularizer": regularizer, "constraint": constraint}
    return {f"{name}_{what}": reader for name in names for what, reader in readers.items()}


FORMAT: dict[str, Reader] = {"data_format": data_format}
WINDOWS: dict[str, Reader] = {"strides": optional(sizes), "padding": word, **FORMAT}
CONVOLUTION: dict[str, Reader] = {
    "kernel_size": sizes, **WINDOWS, "dilation_rate": sizes,
    "activation": activation, "use_bias": flag, **of("bias"),
}  # fmt: skip
CONV: dict[str, Reader] = {"filters": whole, **CONVOLUTION, "groups": whole, **of("kernel")}
POOL: dict[str, Reader] = {"pool_size": sizes, **WINDOWS}
GLOBAL: dict[str, Reader] = {"keepdims": flag, **FORMAT}
NORMALIZATION: dict[str, Reader] = {"axis": axis, "epsilon": number, "center": flag, "scale": flag}
MOVING: dict[str, Reader] = {
    "fill_mode": word, "interpolation": word, "seed": seed, "fill_value": number, **FORMAT,
}  # fmt: skip

KINDS: dict[str, Kind] = {
    "Activation": Kind("Activation", {"activation": activation}, ("activation",)),
    "Add": Kind("Add", {}),
    "Average": Kind("Average", {}),
    "AveragePooling1D": Kind("AveragePool1D", POOL, rank=3),
    "AveragePooling2D": Kind("AveragePool2D", POOL, either_format=True, rank=4),
    "BatchNormalization": Kind("BatchNormalization", {**NORMALIZATION, "momentum": number}),
    "Concatenate": Kind("Concatenate", {"axis": axis}),
    "Conv1D": Kind("Conv1D", CONV, ("filters", "kernel_size"), rank=3),
    "Conv2D": Kind("Conv2D", CONV, ("filters", "kernel_size"), either_format=True, rank=4),
    "Cropping2D": Kind("Cropping2D", {"cropping": sizes, **FORMAT}, ("cropping",), rank=4),
    "Dense": Kind(
        "Dense",
        {"units": whole, "activation": activation, "use_bias": flag, **of("kernel", "bias")},
        ("units",),
    ),
    "DepthwiseConv2D": Kind(
        "DepthwiseConv2D",
        {**CONVOLUTION, "depth_multiplier": whole, **of("depthwise")},
        ("kernel_size",),
        rank=4,
    ),
    "Dropout": Kind(
        "Dropout",
        {"rate": number, "noise_shape": optional(nested(optional(whole))), "seed": seed},
        ("rate",),
    ),
    "ELU": Kind("ELU", {"alpha": number}),
    "Flatten": Kind("Flatten", FORMAT, either_format=True, rank=2),
    "GlobalAveragePooling1D": Kind("GlobalAveragePool1D", GLOBAL, rank=2),
    "GlobalAveragePooling2D": Kind("GlobalAveragePool2D", GLOBAL, rank=2),
    "GlobalMaxPooling1D": Kind("GlobalMaxPool1D", GLOBAL, rank=2),
    "GlobalMaxPooling2D": Kind("GlobalMaxPool2D", GLOBAL, rank=2),
    "LayerNormalization": Kind("LayerNormalization", NORMALIZATION),
    "LeakyReLU": Kind("LeakyReLU", {"negative_slope": number}),
    "MaxPooling1D": Kind("MaxPool1D", POOL, rank=3),
    "MaxPooling2D": Kind("MaxPool2D", POOL, either_format=True, rank=4),
    "Maximum": Kind("Maximum", {}),
    "Multiply": Kind("Multiply", {}),
    "Normalization": Kind(
        "Normalization",
        {
            "axis": optional(sizes), "mean": optional(moments), "variance": optional(moments), "invert": flag,
        },
    ),
    "PReLU": Kind("PReLU", {"alpha_initializer": initializer, "shared_axes": optional(sizes)}),
    "Permute": Kind("Permute", {"dims": sizes}, ("dims",)),
    "RandomFlip": Kind("RandomFlip", {"mode": word, "seed": seed, **FORMAT}),
    "RandomRotation": Kind("RandomRotation", {"factor": numbers, **MOVING}, ("factor",)),
    "RandomTranslation": Kind(
        "RandomTranslation",
        {"height_factor": numbers, "width_factor": numbers, **MOVING},
        ("height_factor", "width_factor"),
    ),
    "RandomZoom": Kind(
        "RandomZoom",
        {"height_factor": numbers, "width_factor": optional(numbers), **MOVING},
        ("height_factor",),
    ),
    "ReLU": Kind("ReLU", {"max_value": optional(number), "negative_slope": number, "threshold": number}),
    "Rescaling": Kind("Rescaling", {"scale": numbers, "offset": numbers}, ("scale",)),
    "Reshape": Kind("Reshape", {"target_shape": target}, ("target_shape",)),
    "Resizing": Kind(
        "Resizing",
        {
            "height": whole, "width": whole, "interpolation": word, "crop_to_aspect_ratio": flag,
            "pad_to_aspect_ratio": flag, "fill_mode": word, "fill_value": number, "antialias": flag, **FORMAT,
        },
        ("height", "width"),
        rank=4,
    ),
    "SeparableConv2D": Kind(
        "SeparableConv2D",
        {"filters": whole, **CONVOLUTION, "depth_multiplier": whole, **of("depthwise", "pointwise")},
        ("filters", "kernel_size"),
        rank=4,
    ),
    "Softmax": Kind("Softmax", {"axis": axis}),
    "SpatialDropout1D": Kind("SpatialDropout1D", {"rate": number, "seed": seed}, ("rate",)),
    "SpatialDropout2D": Kind("SpatialDropout2D", {"rate": number, "seed": seed, **FORMAT}, ("rate",)),
    "Subtract": Kind("Subtract", {}),
    "ThresholdedReLU": Kind("ReLU", {"threshold": number}, ("threshold",)),
    "UpSampling2D": Kind("UpSampling2D", {"size": sizes, "interpolation": word, **FORMAT}, rank=4),
    "ZeroPadding2D": Kind("ZeroPadding2D", {"padding": sizes, **FORMAT}, rank=4),
}  # fmt: skip

STANDARD = (
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_shape", "input_dim",
    "input_length", "input_dtype", "batch_size",
)  # fmt: skip
# Arguments that Keras gives to layers of people's own classes.
NOT_OWN = ("name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_dtype")
# Further arguments that change neither predictions nor training.
NO_EFFECT = (
    *STANDARD, "autocast", "fused", "implementation", "ragged", "renorm_momentum", "rng_type", "seed",
    "sparse", "supports_masking", "synchronized", "value_range",
)  # fmt: skip
# Further arguments with the values that change nothing.
NEUTRAL: dict[str, Any] = {"groups": 1, "mode": 0, "dilation_rate": [1, 1], "depth_multiplier": 1}
# Endings of arguments that matter only while a model trains.
TRAINING_ONLY = ("_regularizer", "_constraint")
