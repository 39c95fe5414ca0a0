"""Optimizers as Keras's files say them, as tinynet's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .optimizers import inner_epsilon
from .values import class_name, mapping, number, plain, short

# By optimizers in lower case: tinynet's name, and the arguments besides those that all have.
OPTIMIZERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "sgd": ("SGD", ("momentum", "nesterov")),
    "rmsprop": ("RMSprop", ("rho", "momentum", "epsilon", "centered")),
    "adam": ("Adam", ("beta_1", "beta_2", "epsilon", "amsgrad")),
    "adamw": ("AdamW", ("beta_1", "beta_2", "epsilon", "amsgrad")),
    "adamax": ("Adamax", ("beta_1", "beta_2", "epsilon")),
    "nadam": ("Nadam", ("beta_1", "beta_2", "epsilon")),
    "adagrad": ("Adagrad", ("initial_accumulator_value", "epsilon")),
    "adadelta": ("Adadelta", ("rho", "epsilon")),
}
COMMON = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm")
FLAGS = ("nesterov", "centered", "amsgrad")
# What tinynet's optimizers lack, with the values that change nothing.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "use_ema": (None, False),
    "loss_scale_factor": (None,),
    "gradient_accumulation_steps": (None, 1),
}
SCHEDULES: dict[str, tuple[str, ...]] = {
    "CosineDecay": ("initial_learning_rate", "decay_steps", "alpha", "warmup_target", "warmup_steps"),
    "CosineDecayRestarts": ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha"),
    "ExponentialDecay": ("initial_learning_rate", "decay_steps", "decay_rate", "staircase"),
    "InverseTimeDecay": ("initial_learning_rate", "decay_steps", "decay_rate", "staircase"),
    "PiecewiseConstantDecay": ("boundaries", "values"),
    "PolynomialDecay": ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle"),
}


def optimizer(given: Any, of_tensorflow: bool) -> dict[str, Any]:
    """Return {"class_name", "config"} of an optimizer as tinynet has it, or raise.

    Args:
        given: a name, or a class and arguments, of any version of Keras.
        of_tensorflow: whether tf.keras or Keras 3 wrote it. Before, `clipnorm` was of all gradients together.

    Example:
        >>> adam = {"class_name": "Custom>Adam", "config": {"lr": 0.5, "epsilon": None, "decay": 0.0}}
        >>> optimizer(adam, True)
        {'class_name': 'Adam', 'config': {'learning_rate': 0.5}}
    """
    if isinstance(given, str):
        given = {"class_name": given, "config": {}}
    given = mapping(given, "an optimizer")
    config = mapping(plain(given.get("config") or {}), "an optimizer's arguments")
    kind = class_name(given.get("class_name"))
    if kind.startswith("LossScaleOptimizer"):
        return optimizer(config.get("inner_optimizer", config.get("optimizer")), of_tensorflow)
    if kind.lower() not in OPTIMIZERS:
        raise ValueError(f"tinynet has no optimizer {short(kind)}")
    name, arguments = OPTIMIZERS[kind.lower()]
    for key, allowed in NEUTRAL.items():
        if config.get(key) not in allowed:
            raise ValueError(f"tinynet's {name} has no {key}, which is {short(config[key])}")
    found: dict[str, Any] = {}
    rate = config.get("learning_rate", config.get("lr"))
    if rate is not None:
        found["learning_rate"] = learning_rate(rate)
    decay = number(config.get("decay") or 0)
    if name == "Nadam":
        if number(config.get("schedule_decay", decay) or 0.004) != 0.004:
            raise ValueError("tinynet's Nadam has a schedule_decay of 0.004")
    elif decay:
        found["learning_rate"] = {
            "class_name": "InverseTimeDecay",
            "config": {
                "initial_learning_rate": number(found.get("learning_rate")),
                "decay_steps": 1,
                "decay_rate": decay,
            },
        }
    for key in (*arguments, *COMMON):
        value = config.get(key)
        if key in FLAGS and value is not None:
            found[key] = bool(value)
        elif value is not None and value is not False and (value or key not in COMMON):
            found[key] = number(value)
    epsilon = inner_epsilon(name, config)
    if epsilon is not None:
        found["epsilon"] = epsilon
    if name == "Adagrad" and not of_tensorflow:
        found.setdefault("initial_accumulator_value", 0.0)
    if "clipnorm" in found and not of_tensorflow:
        found["global_clipnorm"] = found.pop("clipnorm")
    if not found.get("momentum"):
        found.pop("nesterov", None)  # without effect
    check_ranges(name, found)
    return {"class_name": name, "config": found}


def check_ranges(name: str, config: dict[str, Any]) -> None:
    """Raise if a number is none that tinynet's optimizers take."""
    for key, value in config.items():
        is_share = key in ("rho", "momentum", "beta_1", "beta_2")
        is_positive = key in ("epsilon", "clipnorm", "clipvalue", "global_clipnorm")
        if isinstance(value, int | float) and (
            value < 0 or (is_share and value >= 1) or (is_positive and not value)
        ):
            raise ValueError(f"tinynet's {name} takes no {key} of {value}")
    if sum(key in config for key in ("clipnorm", "clipvalue", "global_clipnorm")) > 1:
        raise ValueError(f"tinynet's {name} clips gradients in one way only")


def learning_rate(value: Any) -> Any:
    """Return a learning rate, a number or a schedule's class and arguments, or raise."""
    value = plain(value)
    if not isinstance(value, Mapping):
        return number(value)
    kind = class_name(value.get("class_name"))
    if kind not in SCHEDULES:
        raise ValueError(f"tinynet has no schedule {short(kind)}")
    config = mapping(value.get("config"), "a schedule's arguments")
    found: dict[str, Any] = {}
    for key in SCHEDULES[kind]:
        one = config.get(key)
        if isinstance(one, bool):
            found[key] = one
        elif one is not None:
            found[key] = [number(item) for item in one] if isinstance(one, list) else number(one)
    return {"class_name": kind, "config": found}
