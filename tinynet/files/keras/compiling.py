"""What Keras's models were compiled with, as tinynet's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from .training import optimizer
from .values import class_name, mapping, number, plain, short

SHORT = {
    "bce": "binary_crossentropy", "mse": "mean_squared_error", "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error", "msle": "mean_squared_logarithmic_error",
    "kld": "kl_divergence", "kullback_leibler_divergence": "kl_divergence", "logcosh": "log_cosh",
    "cosine": "cosine_similarity", "cosine_proximity": "cosine_similarity", "huber_loss": "huber",
    "log_cosh_error": "log_cosh", "lossfunctionwrapper": "",
}  # fmt: skip
LOSSES: dict[str, dict[str, Any]] = {  # tinynet's classes by Keras's names, with their arguments' defaults
    "sparse_categorical_crossentropy": {"from_logits": False},
    "categorical_crossentropy": {"from_logits": False, "label_smoothing": 0.0},
    "binary_crossentropy": {"from_logits": False, "label_smoothing": 0.0},
    "mean_squared_error": {}, "mean_absolute_error": {}, "mean_absolute_percentage_error": {},
    "mean_squared_logarithmic_error": {}, "huber": {"delta": 1.0}, "log_cosh": {}, "hinge": {},
    "squared_hinge": {}, "categorical_hinge": {}, "kl_divergence": {}, "poisson": {},
    "cosine_similarity": {"axis": -1},
}  # fmt: skip
CLASSES = {
    "KLDivergence": "kl_divergence", "CosineProximity": "cosine_similarity", "LogCosh": "log_cosh",
    "MSE": "mean_squared_error", "MAE": "mean_absolute_error",
}  # fmt: skip
REDUCTIONS = (None, "auto", "sum_over_batch_size", "mean", "mean_with_sample_weight")
ABBREVIATIONS = ("bce", "mse", "mae", "mape", "msle", "BCE", "MSE", "MAE", "MAPE", "MSLE")
ACCURACIES = ("categorical_accuracy", "binary_accuracy", "sparse_categorical_accuracy", "accuracy")
METRICS: dict[str, dict[str, Any]] = {  # by Keras's names, with their arguments' defaults
    "accuracy": {}, "acc": {}, "binary_accuracy": {"threshold": 0.5}, "categorical_accuracy": {},
    "sparse_categorical_accuracy": {}, "top_k_categorical_accuracy": {"k": 5},
    "sparse_top_k_categorical_accuracy": {"k": 5, "from_sorted_ids": False},
    "precision": {"thresholds": 0.5}, "recall": {"thresholds": 0.5},
    "auc": {"num_thresholds": 200, "curve": "ROC", "summation_method": "interpolation",
            "multi_label": False, "from_logits": False, "num_labels": None},
    "f1_score": {}, "root_mean_squared_error": {}, "mean_squared_error": {}, "mean_absolute_error": {},
    "mean_absolute_percentage_error": {}, "mean_squared_logarithmic_error": {},
    "cosine_similarity": {"axis": -1}, "hinge": {}, "squared_hinge": {}, "categorical_hinge": {},
    "kl_divergence": {}, "poisson": {},
    "r2_score": {"class_aggregation": "uniform_average", "num_regressors": 0},
    "binary_crossentropy": {"from_logits": False, "label_smoothing": 0},
    "categorical_crossentropy": {"from_logits": False, "label_smoothing": 0, "axis": -1},
    "sparse_categorical_crossentropy": {"from_logits": False, "axis": -1},
}  # fmt: skip


def compile_from_keras(training: Any, outputs: int, of_tensorflow: bool) -> dict[str, Any]:
    """Return {"compile": ...}, or {"not_compiled": why}, or, where a part of it is left out, both.

    Args:
        training: Keras 2's training_config or Keras 3's compile_config; None or {} if it was not compiled.
        outputs: how many the model has.
        of_tensorflow: whether tf.keras or Keras 3 wrote it.
    """
    if not training:
        return {}
    try:
        if outputs > 1:
            raise ValueError(f"the model has {outputs} outputs, and trains on one")
        given = mapping(training, "what the model was compiled with")
        if _some(given.get("loss_weights")):
            raise ValueError(
                f"loss_weights are {short(given['loss_weights'])}, and a model trains on one loss"
            )
        how: dict[str, Any] = {
            "optimizer": optimizer(given.get("optimizer_config") or given.get("optimizer"), of_tensorflow),
            "loss": loss(given.get("loss")),
        }
    except ValueError as error:
        return {"not_compiled": str(error)}
    except (AttributeError, KeyError, TypeError) as error:
        return {"not_compiled": f"what is said of it is damaged: {error!r}"}
    left: list[str] = []
    how["metrics"] = _metrics(given.get("metrics"), left)
    how["weighted_metrics"] = _metrics(given.get("weighted_metrics"), left)
    return {"compile": how} | ({"not_compiled": "; ".join(left)} if left else {})


def _some(weights: Any) -> bool:
    """Return whether weights of losses change anything."""
    return any(one not in (None, 1) for one in _flat(plain(weights)))


def _flat(value: Any) -> Iterator[Any]:
    """Yield what lists of lists and dictionaries by outputs hold."""
    if isinstance(value, Mapping) and "class_name" not in value:
        value = [*value.values()]
    if isinstance(value, list):
        for one in value:
            yield from _flat(one)
    elif value is not None:
        yield value


def snake(name: str) -> str:
    """Return a class's name as Keras writes the function's."""
    if name in CLASSES:
        return CLASSES[name]
    words = "".join(f"_{one.lower()}" if one.isupper() else one for one in name).lstrip("_")
    words = {"a_u_c": "auc", "f1_score": "f1_score", "r2_score": "r2_score"}.get(words, words)
    return SHORT.get(words, words)


def arguments_of(value: Any) -> Mapping[str, Any] | None:
    """Return the arguments of an object of a class; None of what is a name or a function."""
    inside = value.get("config") if isinstance(value, Mapping) else None
    return inside if isinstance(inside, Mapping) and value.get("class_name") != "function" else None


def function_name(value: Any) -> str:
    """Return the name of a function, however Keras wrote it."""
    while isinstance(value, Mapping):
        value = value.get("config")
        if isinstance(value, Mapping):
            value = value.get("name")
    if not isinstance(value, str):
        raise ValueError(f"expected the name of a function; got {short(value)}")
    return class_name(value)


def loss(value: Any) -> dict[str, Any]:
    """Return {"name": ..., and arguments} of a loss as tinynet has it, or raise."""
    every = [*_flat(plain(value))]
    if len(every) != 1:
        raise ValueError(f"the loss is {short(value)}, and a model trains on one")
    value, config = every[0], arguments_of(every[0])
    if config is None:
        name, config = function_name(value), {}
        name = name if name in LOSSES else SHORT.get(name.lower(), snake(name))
    else:
        kind = class_name(value["class_name"])
        wrapped = kind == "LossFunctionWrapper" and "fn" in config
        name = function_name(config["fn"]) if wrapped else snake(kind)
    if name not in LOSSES:
        raise ValueError(f"tinynet has no loss {short(name)}")
    if config.get("reduction") not in REDUCTIONS:
        raise ValueError(f"the loss's reduction is {short(config['reduction'])}, and a loss is the mean here")
    if config.get("ignore_class") is not None or config.get("axis", -1) != -1:
        raise ValueError("the loss has an axis, or a class that it ignores")
    found: dict[str, Any] = {"name": name}
    for key, default in LOSSES[name].items():
        given = config.get(key)
        if given is not None and given != default:
            found[key] = bool(given) if isinstance(default, bool) else number(given)
            if key != "axis" and not 0 <= found[key] <= (math.inf if key == "delta" else 1):
                raise ValueError(f"the loss's {key} is {short(given)}")
    return found


def _metrics(value: Any, left: list[str]) -> list[str]:
    """Return the names of metrics as tinynet has them, and note those that it has not."""
    found = []
    for one in _flat(plain(value)):
        try:
            found.append(metric(one))
        except ValueError as error:
            left.append(str(error))
        except (AttributeError, KeyError, TypeError):
            left.append(f"the metric {short(one)} is damaged")
    return found


def metric(value: Any) -> str:
    """Return the name of a metric as tinynet has it, or raise."""
    config = arguments_of(value)
    if config is None:
        name, config = function_name(value), {}
    else:
        name = snake(class_name(value.get("class_name")))
        if name in ("mean_metric_wrapper", "sum_over_batch_size_metric_wrapper"):
            name = function_name(config.get("fn"))
            if name in ACCURACIES and config.get("name") in ("accuracy", "acc"):
                name = config["name"]
        elif name == "accuracy":
            raise ValueError("the metric Accuracy, of equal numbers, is left out")
    name = name if name in METRICS else SHORT.get(name.lower(), snake(name))
    if name not in METRICS:
        raise ValueError(f"tinynet has no metric {short(name)}, which is left out")
    defaults = METRICS[name]
    told = ("name", "dtype", "fn") if "thresholds" in defaults else ("name", "dtype", "fn", "thresholds")
    for key, given in config.items():
        if key not in told and given is not None and given != defaults.get(key, False):
            raise ValueError(f"the metric {name} with {key}={short(given)} is left out")
    called = config.get("name", value)  # by which the history lists it
    return called if called in ABBREVIATIONS and SHORT[called.lower()] == name else name
