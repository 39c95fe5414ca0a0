"""What a training in progress is: plain data from which it goes on to the same bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from ..files.plain_file import is_plain
from ..keywords import warn
from ..optim import Optimizer
from .average import MovingAverage
from .trainer import Trainer

State = dict[str, Any]


def state_of(model: Any, trainer: Trainer, average: MovingAverage) -> State:
    """Return what steps change: weights, the optimizer's and metrics' state, and the counts of steps.

    Args:
        model: what trains; its weights may be the average's for now.
        trainer, average: of this training.
    """
    with average.out_of_place():
        weights = {path: parameter.value.copy() for path, parameter in model.named_parameters().items()}
    return {
        "seed": model.seed,
        "steps_trained": model.steps_trained,
        "epochs_trained": model.epochs_trained,
        "weights": weights,
        "average": {"steps": average.steps, "averages": average.averages},
        "optimizer": {"arguments": numbers_of(trainer.optimizer), "state": trainer.optimizer.state},
        "iterations": trainer.optimizer.iterations,
        "loss": [trainer.loss_sum, trainer.samples],
        "metrics": {name: counts_of(metric) for name, metric in trainer.metrics.items()},
    }


def restore(state: State, model: Any, trainer: Trainer, average: MovingAverage) -> None:
    """Go on from what `state_of` returned, in the same arrays, whose addresses recorded steps hold.

    Raises:
        ValueError: it is the state of another model; then nothing is changed.
    """
    optimizer, parameters = trainer.optimizer, model.named_parameters()
    optimizer._add_state(trainer.steps.runs)
    held = state["optimizer"]["state"]
    pairs = [
        *matching("weights", {path: [one.value] for path, one in parameters.items()}, state["weights"]),
        *matching("optimizer", optimizer.state, held),
        *matching("average", {"averages": average.averages}, {"averages": state["average"]["averages"]}),
    ]
    if {*state["metrics"]} != {*trainer.metrics}:
        raise ValueError(f"it counts the metrics {[*state['metrics']]}, and not {[*trainer.metrics]}")
    if state["seed"] != model.seed:
        warn(
            f"BackupAndRestore: the backup's model had the seed {state['seed']}, this one has {model.seed}, "
            "so that the order of samples and dropout differ from there on: give the model a seed.",
            UserWarning,
        )
    for own, array in pairs:
        own[...] = array
    for name, value in state["optimizer"]["arguments"].items():
        setattr(optimizer, name, value)
    optimizer.iterations = state["iterations"]
    model.steps_trained, model.epochs_trained = state["steps_trained"], state["epochs_trained"]
    average.steps = state["average"]["steps"]
    trainer.loss_sum, trainer.samples = state["loss"]
    for name, metric in trainer.metrics.items():
        set_counts(metric, state["metrics"][name])


def matching(what: str, own: Mapping[str, Iterable[Any]], given: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Return pairs of arrays of one name, or raise ValueError if these are not arrays of the same shapes."""
    listed = {name: arrays if isinstance(arrays, list) else [arrays] for name, arrays in given.items()}
    wanted = {name: [(one.shape, one.dtype) for one in arrays] for name, arrays in own.items()}
    if {name: [(one.shape, one.dtype) for one in arrays] for name, arrays in listed.items()} != wanted:
        raise ValueError(f"its {what} are of other names, shapes or types than this training's")
    return [pair for name, arrays in own.items() for pair in zip(arrays, listed[name], strict=True)]


def numbers_of(optimizer: Optimizer) -> State:
    """Return those arguments of an optimizer that are numbers, which callbacks may assign."""
    values = {item.name: getattr(optimizer, item.name) for item in fields(optimizer) if item.init}
    return {name: value for name, value in values.items() if isinstance(value, int | float | np.number)}


def tell_of_other_numbers(own: State, begun: State, held: State) -> None:
    """Warn if the program makes its optimizer with other numbers than those that a backup goes on with.

    Args:
        own: the numbers of the program's optimizer.
        begun: those with which the interrupted training began.
        held: those that it had come to.
    """
    for name, value in own.items():
        if name in begun and value not in (begun[name], held.get(name)):
            warn(
                f"BackupAndRestore: the interrupted training began with {name}={begun[name]} and goes on so; "
                f"{name}={value} has no effect. Remove the backup's folder to begin anew with it.",
                UserWarning,
            )


def counts_of(metric: Any) -> State:
    """Return what a metric, or a part of it, keeps; not functions and classes, which do not count."""
    state: State = {}
    for name, value in vars(metric).items():
        if is_plain(value):
            state[name] = value
        elif not callable(value):
            if not hasattr(value, "__dict__"):
                raise TypeError(
                    f"a file can hold numbers, texts, arrays, lists and dicts of them, not {name} = "
                    f"{value!r} of {metric!r}."
                )
            state[name] = counts_of(value)
    return state


def set_counts(metric: Any, state: State) -> None:
    """Let a metric count on from what `counts_of` returned."""
    for name, value in state.items():
        part = getattr(metric, name, None)
        if is_plain(part):
            setattr(metric, name, tuple(value) if isinstance(part, tuple) else value)
        else:
            set_counts(part, value)
