"""One layer of Keras's to one or several of tinynet's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .absent import ABSENT
from .former import of_today
from .layers import KINDS, NEUTRAL, NO_EFFECT, NOT_OWN, TRAINING_ONLY, Kind, activation
from .parts import activation_name
from .values import class_name, flag, layer_name, mapping, plain, short

Data = dict[str, Any]
# Layers that give what they take, but while a model trains.
IN_TRAINING = (
    "ActivityRegularization", "AlphaDropout", "GaussianDropout", "GaussianNoise", "RandomBrightness",
    "RandomContrast",
)  # fmt: skip
Row = list[tuple[str, Data]]  # layers one after another, with their names


@dataclass
class Reading:
    """What is known while a model is read.

    Args:
        version: of the Keras that wrote it.
        of_tensorflow: whether that was tf.keras, or Keras 2.4 or later.
        left_out: notes of what is not there in tinynet, and matters only while a model trains.
    """

    version: tuple[int, ...]
    of_tensorflow: bool = True
    left_out: list[str] = field(default_factory=list)


def read_layer(kind: Any, config: Any, reading: Reading, rank: int | None) -> tuple[Row, int | None]:
    """Return what a layer of Keras's is in tinynet, and the rank of what it gives.

    Args:
        kind: its class, as the file says.
        config: its arguments, with its name.
        reading: what is known.
        rank: of its input with the batch axis, or None where that is not known.

    Returns:
        Layers that run one after another, of which the one that has the layer's name holds its weights; and
        the rank of the output.

    Raises:
        ValueError: tinynet has no such layer, or not with these arguments.
    """
    given = mapping(config, "a layer's arguments")
    called = given.get("name")
    title = f"layer {called!r} ({class_name(kind)})"
    try:
        name = layer_name(called)
        today, arguments = of_today(kind, given)
        if today in IN_TRAINING:
            reading.left_out.append(title)
        if today == "Identity" or today in IN_TRAINING:
            today, arguments = "Activation", {"name": name, "activation": "linear"}
        known = KINDS.get(today)
        if known is None:
            return [(name, unknown(today, title, name, arguments))], None
        return _read_known(known, name, title, arguments, reading, rank)
    except ValueError as error:
        text = str(error)
        raise ValueError(text if title in text else f"{title}: {text}") from None


def unknown(kind: str, title: str, name: str, arguments: Mapping[str, Any]) -> Data:
    """Return a layer of somebody's own class, which tinynet finds if it is defined, or raise."""
    if kind == "Lambda":
        raise ValueError(
            f"{title} is a Lambda, whose code is in the file, and nothing from a file is executed: build the "
            "model of tinynet's layers, with a class of your own that derives from tinynet.layers.Layer in "
            "its place, and give it the weights"
        )
    if kind in ABSENT:
        raise ValueError(f"tinynet has no layer {kind} ({title})")
    own = {key: plain(value) for key, value in arguments.items() if key not in NOT_OWN}
    if "class" in own:
        raise ValueError(f"{title} has an argument 'class'")
    return {"class": kind, "name": name, **own}


def _read_known(
    kind: Kind, name: str, title: str, given: Data, reading: Reading, rank: int | None
) -> tuple[Row, int | None]:
    data: Data = {"class": kind.name}
    after: Row = []
    for key, read in kind.arguments.items():
        if key not in given:
            if key in kind.needed:
                raise ValueError(f"the argument {key} is missing")
            continue
        value = plain(given[key])
        if read is activation:
            value, after = read_activation(value, name, reading)
        else:
            try:
                value = read(value)
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None
        if value is not None or key in ("max_value", "noise_shape", "axis", "strides"):
            data[key] = value
    if "data_format" in kind.arguments:  # whatever it is here where none is said
        data.setdefault("data_format", "channels_last")
    _check_others(title, kind, given, reading)
    if kind.rank == 4 and kind.name == "UpSampling2D":
        _check_interpolation(data, reading)
    found = 0 if rank is None else rank
    row, out = _placed(kind, name, data, found)
    return [*row, *after], out or None


def read_activation(value: Any, name: str, reading: Reading) -> tuple[Any, Row]:
    """Return an activation as tinynet's layers take it, and the layers that do the rest of it.

    The hard sigmoid was clip(0.2 x + 0.5, 0, 1) before Keras 3, and is clip(x / 6 + 0.5, 0, 1).
    """
    if isinstance(value, Mapping) and isinstance(value.get("class_name"), str):
        kind = class_name(value["class_name"])
        if kind in ("LeakyReLU", "ReLU", "ELU", "Softmax", "ThresholdedReLU"):
            inside = {"name": name, **mapping(value.get("config") or {}, "an activation's arguments")}
            (row, _) = read_layer(kind, inside, reading, None)
            return row[0][1], []
    found = activation_name(value)
    if found == "hard_sigmoid" and reading.version < (3,):
        return "linear", [
            (f"{name}_rescaling", {"class": "Rescaling", "scale": 0.2, "offset": 0.5}),
            (f"{name}_clipping", {"class": "ReLU", "max_value": 1.0}),
        ]
    return found, []


def _check_others(title: str, kind: Kind, given: Data, reading: Reading) -> None:
    """Raise, or note it, if a layer has an argument that tinynet's lacks, and that is not without effect."""
    for key, value in given.items():
        if key in kind.arguments or key in NO_EFFECT or key.endswith(("_initializer", "_init")):
            continue
        value = plain(value)
        if value is None or value is False or value == NEUTRAL.get(key, None):
            continue
        if key.endswith(TRAINING_ONLY):
            reading.left_out.append(f"{key}={short(value)} of {title}")
        else:
            raise ValueError(f"tinynet's {kind.name} has no {key}; got {short(value)}")


def _check_interpolation(data: Data, reading: Reading) -> None:
    if data.get("interpolation", "nearest") != "nearest" and not reading.of_tensorflow:
        raise ValueError("interpolation between pixels had another formula before Keras 2.3")


def _placed(kind: Kind, name: str, data: Data, rank: int) -> tuple[Row, int]:
    """Return a layer between two that move the channels, where tinynet wants them at the end."""
    rank = kind.rank if kind.rank > 2 else rank
    out = kind.rank or rank
    turn = 0
    if kind.name == "Reshape":
        out = len(data["target_shape"]) + 1
    if kind.name in ("BatchNormalization", "LayerNormalization"):
        place = data.get("axis", -1)
        if rank:
            place = place + rank if place < 0 else place
            if not 0 < place < rank:
                raise ValueError(f"axis: there is no axis {place} of {rank}")
            data["axis"] = -1
            turn = place if place < rank - 1 else 0
    elif data.get("data_format") == "channels_first" and not kind.either_format:
        rank = rank if kind.rank != 2 else 4 if kind.name.endswith("2D") else 3
        if kind.name == "SpatialDropout2D" or kind.name.startswith("Random"):
            rank = 4
        turn, data["data_format"] = 1, "channels_last"
    if data.get("keepdims"):
        out = 4 if kind.name.endswith("2D") else 3
    if not turn:
        return [(name, data)], out
    last = [*range(1, turn), *range(turn + 1, rank), turn]
    first = [last.index(place) + 1 for place in range(1, rank)]
    row: Row = [(f"{name}_channels_last", {"class": "Permute", "dims": last}), (name, data)]
    if out == rank:
        row.append((f"{name}_channels_first", {"class": "Permute", "dims": first}))
    return row, out


def is_frozen(config: Mapping[str, Any]) -> bool:
    """Return whether a layer's arguments say that it does not train."""
    return not flag(config.get("trainable", True))
