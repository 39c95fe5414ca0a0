"""What tinynet's models were compiled with, as Keras 3 says it."""

from __future__ import annotations

from typing import Any

from .compiling import LOSSES, snake
from .layers_to_keras import keras_object

Data = dict[str, Any]

COMMON: Data = {
    "weight_decay": None, "clipnorm": None, "global_clipnorm": None, "clipvalue": None, "use_ema": False,
    "ema_momentum": 0.99, "ema_overwrite_frequency": None, "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}  # fmt: skip


def compile_to_keras(how: Data | None) -> Data:
    """Return Keras's compile_config of tinynet's "compile"; {} for none, or for what Keras has not.

    Args:
        how: {"optimizer", "loss", "metrics", "weighted_metrics"}, or None.

    Example:
        >>> compile_to_keras(None)
        {}
    """
    if how is None:
        return {}
    optimizer, loss = optimizer_to_keras(how["optimizer"]), loss_to_keras(how["loss"])
    if optimizer is None or loss is None:
        return {}
    return {
        "optimizer": optimizer,
        "loss": loss,
        "loss_weights": None,
        "metrics": how["metrics"] or None,
        "weighted_metrics": how.get("weighted_metrics") or None,
        "run_eagerly": False,
        "steps_per_execution": 1,
        "jit_compile": False,
    }


def optimizer_to_keras(given: Any) -> Data | None:
    """Return an optimizer as Keras 3 describes it, or None."""
    if isinstance(given, str):
        given = {"class_name": given, "config": {}}
    config = {"name": given["class_name"].lower(), **given["config"]}
    config["learning_rate"] = rate_to_keras(config.get("learning_rate", 0.001))
    if config["learning_rate"] is None:
        return None
    return keras_object("keras.optimizers", given["class_name"], COMMON | config)


def rate_to_keras(rate: Any) -> Any:
    """Return a learning rate, a number or a schedule, as Keras 3 describes it, or None."""
    if not isinstance(rate, dict):
        return rate
    kind, config = rate["class_name"], dict(rate["config"])
    if kind == "Constant":
        return config["learning_rate"]
    if kind == "StepDecay":
        kind, config = "ExponentialDecay", {"decay_rate": 0.1, **config, "staircase": True}
    if kind == "OneCycle":
        return None
    return keras_object("keras.optimizers.schedules", kind, config)


def loss_to_keras(given: Any) -> Any:
    """Return a loss as Keras 3 describes it, or None."""
    config = {"name": given} if isinstance(given, str) else dict(given)
    kind = config.pop("name")
    name = kind if kind in LOSSES else snake(kind)
    if name == "sparse_categorical_crossentropy" and not config.pop("label_smoothing", 0):
        pass
    elif "label_smoothing" in config and "label_smoothing" not in LOSSES.get(name, {}):
        return None
    if name not in LOSSES:
        return None
    if all(config.get(key, default) == default for key, default in LOSSES[name].items()):
        return name
    classes = {"huber": "Huber", "kl_divergence": "KLDivergence", "log_cosh": "LogCosh"}
    made = classes.get(name, "".join(word.capitalize() for word in name.split("_")))
    return keras_object("keras.losses", made, {"name": name, "reduction": "sum_over_batch_size", **config})
