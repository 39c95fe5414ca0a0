"""An optimizer's state, parameter by parameter, so that files can hold it and training goes on from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...optimizers.parameters import cut_like
from ..compiled import Compiled

Array = NDArray[Any]


def optimizer_state(model: Compiled) -> tuple[int, dict[str, list[Array]]]:
    """Return what the optimizer of a model knows of the steps that it has made.

    Args:
        model: built and compiled.

    Returns:
        How many steps the optimizer has made, and, by its own names such as "m" and "v", an array for each of
        `model.trainable_weights`, in their order: copies of their shapes. A parameter that the optimizer does
        not train, as its layer has been unfrozen since `compile`, has what the optimizer would begin with.

    Raises:
        RuntimeError: the model is not compiled.

    Example:
        >>> from tinynet import Sequential, layers
        >>> model = Sequential([layers.Dense(2)], 3)
        >>> model.compile("adam", "mse")
        >>> iterations, slots = optimizer_state(model)
        >>> iterations, {name: [array.shape for array in arrays] for name, arrays in slots.items()}
        (0, {'m': [(3, 2), (2,)], 'v': [(3, 2), (2,)]})
    """
    trainer = model.trainer
    optimizer, trained = trainer.optimizer, trainer.steps.parameters
    slots: dict[str, list[Array]] = {}
    for name in optimizer._state_names():
        held: dict[int, Array] = {}
        if name in optimizer.state:  # not yet, if momentum has been assigned since the last step
            arrays = cut_like(trained, optimizer.state[name])
            held = {id(parameter): array for parameter, array in zip(trained, arrays, strict=True)}
        slots[name] = [
            held.get(id(parameter), np.full_like(parameter.value, optimizer._initial_state))
            for parameter in model.trainable_weights
        ]
    return optimizer.iterations, slots


def set_optimizer_state(model: Compiled, iterations: int, slots: Mapping[str, Sequence[ArrayLike]]) -> None:
    """Let the optimizer of a model go on from what `optimizer_state` returned.

    Args:
        model: built and compiled, with an optimizer of the same class and kind.
        iterations: how many steps the optimizer has made; schedules go on from there.
        slots: the state; see `optimizer_state`.

    Raises:
        RuntimeError: the model is not compiled, or is being trained.
        ValueError: these are not the arrays that the optimizer needs for the parameters that train; then
            nothing is changed.

    Example:
        >>> from tinynet import Sequential, layers
        >>> first, second = Sequential([layers.Dense(1)], 2, seed=1), Sequential([layers.Dense(1)], 2, seed=1)
        >>> first.compile("adam", "mse")
        >>> second.compile("adam", "mse")
        >>> _ = first.train_on_batch([[1.0, 2.0]], [[3.0]])
        >>> second.set_weights(first.get_weights())
        >>> set_optimizer_state(second, *optimizer_state(first))
        >>> losses = [model.train_on_batch([[1.0, 2.0]], [[3.0]]) for model in (first, second)]
        >>> losses[0] == losses[1], bool((first.flat.value == second.flat.value).all())
        (True, True)
    """
    trainer = model.trainer
    optimizer, parameters, runs = trainer.optimizer, trainer.steps.parameters, trainer.steps.runs
    kind, names = type(optimizer).__name__, [*optimizer._state_names()]
    if not isinstance(iterations, int | np.integer) or iterations < 0:
        raise ValueError(f"{kind}: iterations must be an integer, at least 0; got {iterations!r}.")
    if not parameters:  # and so no arrays, which a file does not show
        slots = {name: [] for name in names} | dict(slots)
    if {*slots} != {*names}:
        raise ValueError(f"{kind}: its state is {names}; got {[*slots]}.")
    wanted, flat = [parameter.value.shape for parameter in parameters], dict[str, list[Array]]()
    for name in names:
        arrays = [np.asarray(array) for array in slots[name]]
        if [array.shape for array in arrays] != wanted:
            raise ValueError(
                f"{kind}: {name!r} of its state needs arrays of the shapes of the parameters that train, "
                f"{wanted}; got {[array.shape for array in arrays]}."
            )
        if any(array.dtype.kind not in "fiu" for array in arrays):
            raise ValueError(f"{kind}: {name!r} of its state must be numbers.")
        flat[name] = cut_like(runs, arrays)
    with model.alone:
        optimizer._add_state(runs)
        optimizer.iterations = int(iterations)
        for name, arrays in flat.items():
            for target, array in zip(optimizer.state[name], arrays, strict=True):
                target[...] = array  # in place: recorded steps hold its address
