"""The network that an estimator has if it is given none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import layers
from ..models import Sequential


def perceptron(
    sizes: int | Sequence[int], activation: Any, outputs: int, last: str, input_shape: tuple[int, ...]
) -> Sequential:
    """Return a multilayer perceptron.

    Args:
        sizes: units of each hidden layer; one number for a single one.
        activation: of the hidden layers.
        outputs: units of the last layer.
        last: its activation.
        input_shape: shape of one sample; images are flattened.
    """
    hidden = [sizes] if isinstance(sizes, int) else list(sizes)
    row: list[Any] = [layers.Flatten()] if len(input_shape) > 1 else []
    row += [layers.Dense(units, activation=activation) for units in hidden]
    return Sequential([*row, layers.Dense(outputs, activation=last)], input_shape)
