"""Keras's arguments: those without a meaning here are taken, others refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..keywords import unknown_argument

TAKEN = ("optimizer", "loss", "metrics", "weighted_metrics")  # by compile
IGNORED = {"run_eagerly", "jit_compile", "steps_per_execution", "auto_scale_loss"}


def check_compile(keywords: dict[str, Any]) -> None:
    """Raise if `compile` was given something that would change what it does, and that is not there.

    Args:
        keywords: those that `compile` has no arguments for.

    Raises:
        TypeError: an argument is unknown.
        ValueError: an argument of Keras's is not there.
    """
    reasons = {
        "loss_weights": "a model trains on one loss: scale its gradients by the learning rate instead",
    }
    for name, value in keywords.items():
        if name in reasons and value is not None and value != []:
            raise ValueError(f"compile: {name} must be None, because {reasons[name]}; got {value!r}.")
        if name not in reasons and name not in IGNORED:
            raise TypeError(unknown_argument("compile", name, [*TAKEN, *reasons, *sorted(IGNORED)]))


def check_silent(method: str, batch_size: Any, verbose: Any, callbacks: Any) -> None:
    """Raise if what `predict` and `evaluate` take without effect is nothing that Keras takes.

    Args:
        method: which of them.
        batch_size, verbose, callbacks: see `Trainable.predict`.

    Raises:
        ValueError: one of them.
    """
    if batch_size is not None and (
        isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1
    ):
        raise ValueError(f"{method}: batch_size must be a positive integer or None; got {batch_size!r}.")
    if not isinstance(verbose, str | int | np.integer) or verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"{method}: verbose must be 0, 1, 2 or 'auto'; got {verbose!r}.")
    if callbacks:
        raise ValueError(f"{method}: callbacks are for fit; leave them out.")
