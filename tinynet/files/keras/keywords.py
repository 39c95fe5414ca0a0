"""What calls of layers say besides their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .calls import Call, flat
from .operations import is_operation
from .reading import Data, Reading
from .values import short

VARIES = (
    "BatchNormalization", "Dropout", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom",
    "SpatialDropout1D", "SpatialDropout2D",
)  # fmt: skip


def varies(data: Data) -> bool:
    """Return whether training changes what a layer, or one inside of it, gives."""
    return data["class"] in VARIES or any(varies(one) for one in data.get("layers", ()))


def check_keywords(entry: Mapping[str, Any], call: Call, data: Data, reading: Reading) -> None:
    """Raise if a call says what tinynet's layers cannot be told, and note what matters only in training."""
    if is_operation(entry):
        return
    title = f"layer {entry.get('name')!r} ({entry.get('class_name')})"
    for argument in call.arguments[1:]:
        if argument is not None and not flat(argument):
            raise ValueError(f"{title} is called with {short(argument)} besides its input")
    for key, value in call.keywords.items():
        if value is None or (key == "mask" and isinstance(value, list) and not any(value)):
            continue
        if key == "training" and not varies(data):
            continue
        if key == "training" and value in (False, 0):
            reading.left_out.append(f"training=False in the call of {title}")
        else:
            raise ValueError(
                f"{title} is called with {key}={short(value)}, which tinynet's layers do not take"
            )
