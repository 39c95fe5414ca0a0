"""What layers hold besides numbers: initializers, regularizers, constraints, activations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .values import class_name, mapping, number, plain, short, whole, word

Data = dict[str, Any]

INITIALIZERS = {
    "Zeros": "zeros", "Ones": "ones", "zero": "zeros", "one": "ones", "zeros": "zeros", "ones": "ones",
    "GlorotUniform": "glorot_uniform", "GlorotNormal": "glorot_normal", "HeUniform": "he_uniform",
    "HeNormal": "he_normal", "LecunUniform": "lecun_uniform", "LecunNormal": "lecun_normal",
    "Constant": "constant", "RandomNormal": "random_normal", "RandomUniform": "random_uniform",
    "TruncatedNormal": "truncated_normal", "Orthogonal": "orthogonal", "Identity": "identity",
    "OrthogonalInitializer": "orthogonal", "IdentityInitializer": "identity", "normal": "random_normal",
    "uniform": "random_uniform", "VarianceScaling": "variance_scaling",
}  # fmt: skip
KINDS = {name: kind for kind, name in INITIALIZERS.items() if kind[0].isupper()}
KINDS |= {"orthogonal": "Orthogonal", "identity": "Identity"}
ARGUMENTS = (
    "value", "mean", "stddev", "minval", "maxval", "gain", "scale", "mode", "distribution", "seed",
)  # fmt: skip


def initializer(value: Any) -> Any:
    """Return an initializer as tinynet's layers take it; None for one of somebody's own.

    In a model file the weights are there, so that nothing is lost with it.
    """
    value = plain(value)
    config: Any = {}
    if not isinstance(value, Mapping):
        name = value
    elif value.get("class_name") == "function":
        name = value.get("config")
    else:
        name = value.get("class_name", value.get("name"))
        config = value.get("config") or {}
    name = class_name(name) if isinstance(name, str) else name
    name = INITIALIZERS.get(name, name)
    if name not in KINDS or not isinstance(config, Mapping):
        return None
    given: Data = {}
    for argument in ARGUMENTS:
        one = config.get(argument)
        if isinstance(one, str):
            given[argument] = {"normal": "truncated_normal"}.get(one, one)
        elif argument == "seed" and isinstance(one, int) and one >= 0:
            given[argument] = one
        elif argument != "seed" and one is not None and not isinstance(one, list):
            given[argument] = number(one)
    if name in ("zeros", "ones") or not given:
        return name
    return {"class_name": KINDS[name], "config": given}


REGULARIZERS = {
    "l1": "L1", "l2": "L2", "l1l2": "L1L2", "l1_l2": "L1L2", "l1l2regularizer": "L1L2",
    "weightregularizer": "L1L2",
}  # fmt: skip


def regularizer(value: Any) -> Data | None:
    """Return a regularizer as tinynet's layers take it; None for none, or of no effect; or raise."""
    value = plain(value)
    if not value:
        return None
    kind, given = _told(value, "regularizer")
    found = REGULARIZERS.get(kind.lower())
    if found is None:
        raise ValueError(f"tinynet has no regularizer {kind!r}")
    default = 0.01 if isinstance(value, str) and found != "L1L2" else 0.0
    wanted = [name for name in ("l1", "l2") if name.upper() in found]
    factors = {name: number(given.get(name, default) or 0) for name in wanted}
    return {"class_name": found, "config": factors} if any(factors.values()) else None


def _told(value: Any, what: str) -> tuple[str, Mapping[str, Any]]:
    """Return the name of a regularizer or a constraint, and its arguments, as all versions write them."""
    given: Mapping[str, Any] = {"name": value} if isinstance(value, str) else mapping(value, f"a {what}")
    if "config" in given:
        return class_name(given.get("class_name")), mapping(given["config"], f"a {what}'s arguments")
    return class_name(given.get("class_name", given.get("name"))), given  # of Keras 1


CONSTRAINTS: dict[str, tuple[str, dict[str, float]]] = {
    "maxnorm": ("MaxNorm", {"max_value": 2}),
    "nonneg": ("NonNeg", {}),
    "unitnorm": ("UnitNorm", {}),
    "minmaxnorm": ("MinMaxNorm", {"min_value": 0.0, "max_value": 1.0, "rate": 1.0}),
}


def constraint(value: Any) -> Data | None:
    """Return a constraint as tinynet's layers take it, or raise."""
    value = plain(value)
    if not value:
        return None
    kind, given = _told(value, "constraint")
    name = kind.replace("_", "").lower()
    if name not in CONSTRAINTS:
        raise ValueError(f"tinynet has no constraint {kind!r}")
    kind, defaults = CONSTRAINTS[name]
    if "m" in given:  # of Keras 1
        given = {**given, "max_value": given["m"]}
    config: Data = {one: number(given.get(one, default)) for one, default in defaults.items()}
    if kind != "NonNeg":
        axes = given.get("axis", 0)
        config["axis"] = [whole(one) for one in axes] if isinstance(axes, list) else whole(axes)
    return {"class_name": kind, "config": config}


ACTIVATIONS = (
    "linear", "relu", "relu6", "leaky_relu", "elu", "sigmoid", "tanh", "softmax", "log_softmax",
    "exponential", "gelu", "hard_sigmoid", "hard_silu", "mish", "selu", "silu", "softplus", "softsign",
)  # fmt: skip
OTHER_ACTIVATIONS = {
    "swish": "silu", "hard_swish": "hard_silu", "log_softmax_v2": "log_softmax", "softmax_v2": "softmax",
    "leaky_relu_v2": "leaky_relu", "identity": "linear",
}  # fmt: skip


def activation_name(value: Any) -> str:
    """Return the name of an activation as tinynet has it, or raise.

    Args:
        value: as all versions of Keras write it: a name, None, or a dictionary of a name.
    """
    for _ in range(3):
        if isinstance(value, Mapping):
            kind, inside = value.get("class_name"), value.get("config")
            value = inside if kind == "function" or not isinstance(kind, str) else kind
            if isinstance(value, Mapping):
                value = value.get("name")
    if value is None:
        return "linear"
    name = class_name(value)
    name = {"ReLU": "relu", "Softmax": "softmax", "ELU": "elu"}.get(name, word(name))
    name = OTHER_ACTIVATIONS.get(name, name)
    if name not in ACTIVATIONS:
        raise ValueError(f"tinynet has no activation {short(value)}")
    return name
