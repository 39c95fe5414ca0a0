"""Telling people that a training has diverged, when, and what the likeliest cause is."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from .. import kernels
from ..keywords import warn
from ..layers import Layer, Normalization, Rescaling
from ..optim import Optimizer
from .data import Array, Batch

LARGE = 30  # what is scaled to a mean of 0 and a deviation of 1 hardly ever reaches


class Watch:
    """Warns once when the loss or the weights become NaN or infinite.

    Args:
        model: what trains.
        optimizer: how.
    """

    def __init__(self, model: Layer, optimizer: Optimizer) -> None:
        self.model, self.optimizer, self.has_told = model, optimizer, False

    def loss(self, method: str, number: int, loss: float, batch: Batch) -> None:
        """Look at the loss of a step.

        Args:
            method: the model's, for the message.
            number: of the step, from 0.
            loss: as it was before the update.
            batch: what it was measured on.
        """
        if not self.has_told and not math.isfinite(loss):
            what = f"at step {number + 1} the loss is {loss}"
            self.tell(method, what, self.cause(batch, self.optimizer.iterations < 2))

    def weights(self, method: str, steps: int, batch: Batch) -> None:
        """Look at the weights after so many steps."""
        if not self.has_told and (path := not_finite(self.model)):
            what = f"after step {steps}, {path} holds NaN or infinite weights"
            self.tell(method, what, self.cause(batch))

    def tell(self, method: str, what: str, cause: str) -> None:
        """Warn."""
        self.has_told = True
        warn(f"{method}: the training has diverged: {what}. The likeliest cause: {cause}.", UserWarning)

    def cause(self, batch: Batch, is_first: bool = False) -> str:
        """Return what has most probably made training on such batches diverge, perhaps at its first step."""
        if not all(np.isfinite(x).all() for x in batch.inputs):
            return "x holds NaN or infinite values, of augment=, or put there since x was checked"
        is_scaled = any(isinstance(part, Rescaling | Normalization) for _, part in self.model.parts())
        if not is_scaled and (most := largest(batch.inputs)) > LARGE:
            return f"x reaches {most:.3g}: scale it to about -1 to 1, as in x / {most:.3g}"
        if batch.targets.dtype.kind == "f" and (most := largest([batch.targets])) > LARGE:
            return f"the targets reach {most:.3g}: scale them to about -1 to 1"
        if batch.weights is not None and (most := largest([batch.weights])) > LARGE:
            return f"the sample weights reach {most:.3g}: they should be about 1"
        if is_first:
            return "the first weights, or a loss that does not fit the targets or the model's last layer"
        return f"the learning rate, {self.optimizer.current_learning_rate}, is too high: try a tenth of it"


def largest(arrays: Iterable[Array]) -> float:
    """Return the largest absolute value of arrays."""
    return max((float(np.abs(array).max()) for array in arrays if array.size), default=0.0)


def not_finite(model: Layer) -> str | None:
    """Return the path of a parameter that holds NaN or infinite weights, if there is one."""
    for path, parameter in model.named_parameters().items():
        if not kernels.elementwise.all_finite(
            parameter.value.reshape(-1), np.empty(1, parameter.value.dtype)
        ):
            return path
    return None
