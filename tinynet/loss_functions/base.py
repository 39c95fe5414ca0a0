"""What a loss is: its value, its gradient, and what a training step asks of it."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import KW_ONLY, InitVar, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..keywords import SpokenABC
from ..masked import unmasked
from ..order import ORDER, check_order
from ..tensor import Number
from .means import scaled, weighted_mean
from .targets import check_finite, check_same_shape, like_predictions, numbers
from .weights import weights_of_rows

Array = NDArray[Any]
Floats = NDArray[np.float64]

EPSILON = 1e-7  # Keras's: what probabilities and divisors are kept away from 0 by


@dataclass(frozen=True)
class Loss(metaclass=SpokenABC):
    """What every loss can do; a subclass writes `_value` and `_gradient`, and `check` for targets of its own.

    Args:
        reduction: how the samples' losses become one number: "sum_over_batch_size" (default) or "mean", which
            both mean their mean; Keras's others are refused.
        name: what the loss is called; default: its class's name, in lower case with underscores.

    Attributes:
        cancels: the name of the activation that the loss undoes, so that a model which ends in it is trained
            on what comes before it, the logits, by `of_logits`; "" for none.

    Raises:
        ValueError: another reduction.

    Example:
        >>> class Cubed(Loss):
        ...     def _value(self, y_true, y_pred):
        ...         return (np.abs(y_pred - y_true) ** 3).mean()
        ...
        ...     def _gradient(self, y_true, y_pred):
        ...         distance = y_pred - y_true
        ...         return 3 * distance * np.abs(distance) / distance.size
        >>> Cubed()([[1.0]], [[3.0]]), Cubed().gradient([[1.0]], [[3.0]])
        (8.0, array([[12.]]))
    """

    cancels: ClassVar[str] = ""
    _: KW_ONLY
    reduction: InitVar[str] = "sum_over_batch_size"
    name: InitVar[str | None] = None

    def __post_init__(self, reduction: str, name: str | None) -> None:
        if reduction not in ("sum_over_batch_size", "mean"):
            raise ValueError(
                f"{type(self).__name__}: reduction must be 'sum_over_batch_size', the mean of the samples' "
                f"losses, by which models are trained; got {reduction!r}. For each sample's own loss call a "
                "function, such as losses.mean_squared_error(y_true, y_pred)."
            )
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(self).__name__)
        object.__setattr__(self, "name", words.lower() if name is None else name)

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "call" in vars(cls):
            raise TypeError(
                f"{cls.__name__} defines call, as losses for Keras do, which cannot be differentiated here: "
                "define _value(y_true, y_pred), the mean loss, and _gradient(y_true, y_pred), its gradient."
            )
        for name in ("__call__", "gradient", "check", "write", "_value", "_gradient", "_both", "_losses"):
            if name in vars(cls):
                check_order(vars(cls)[name], f"{cls.__name__}.{name}", method=True)

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the loss, averaged over the batch.

        Args:
            y_true: the targets, what the output should have been; `check` says which shapes fit.
            y_pred: the predictions, the model's output, (N, ...), of a floating type.
            sample_weight: (N,) what each sample's loss is multiplied by before they are averaged, or one for
                each row of outputs, y_pred.shape[:-1]; default None, all 1. As in Keras, the sum is divided
                by the number of samples, not by the sum of the weights.

        Returns:
            The mean loss as a Python float; NaN or infinite where the predictions are.

        Raises:
            TypeError: the predictions or the targets have the wrong type, as where their order is the other.
            ValueError: the targets do not fit the predictions.

        Example:
            >>> from tinynet.losses import MeanSquaredError
            >>> MeanSquaredError()([[3.0], [6.0]], [[3.0], [5.0]])
            0.5
            >>> MeanSquaredError()([[3.0], [6.0]], [[3.0], [5.0]], sample_weight=[1.0, 4.0])
            2.0
        """
        predictions = self._checked(y_true, y_pred)
        weights = self._weights(sample_weight, predictions)
        return Number(self.of_checked(np.asarray(y_true), predictions, weights))

    def gradient(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        """Return the gradient of the mean loss with respect to the predictions.

        Args:
            y_true: the targets, what the output should have been; `check` says which shapes fit.
            y_pred: the predictions, the model's output, (N, ...), of a floating type.
            sample_weight: as for a call.

        Returns:
            A new array with the shape and the type of the predictions.

        Raises:
            TypeError: the predictions or the targets have the wrong type, as where their order is the other.
            ValueError: the targets do not fit the predictions.

        Example:
            >>> from tinynet.losses import MeanSquaredError
            >>> MeanSquaredError().gradient([[3.0], [6.0]], [[3.0], [5.0]])
            array([[ 0.],
                   [-1.]])
        """
        predictions = self._checked(y_true, y_pred)
        weights = self._weights(sample_weight, predictions)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            gradient = self._gradient(self.prepared(y_true, predictions.shape), predictions)
            if weights is not None:
                gradient = scaled(gradient, weights)
            return gradient.astype(predictions.dtype, copy=False)

    def value_and_gradient(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[float, Array]:
        """Return both the loss and its gradient, which is quicker than one after the other.

        Args:
            y_true: the targets, what the output should have been; `check` says which shapes fit.
            y_pred: the predictions, the model's output, (N, ...), of a floating type.
            sample_weight: as for a call.

        Returns:
            What calling the loss returns, and what `gradient` returns.

        Raises:
            TypeError: the predictions or the targets have the wrong type, as where their order is the other.
            ValueError: the targets do not fit the predictions.

        Example:
            >>> from tinynet.losses import MeanSquaredError
            >>> MeanSquaredError().value_and_gradient([[1.0]], [[3.0]])
            (4.0, array([[4.]]))
        """
        predictions = self._checked(y_true, y_pred)
        weights = self._weights(sample_weight, predictions)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value, gradient = self._weighted(self.prepared(y_true, predictions.shape), predictions, weights)
            return value, gradient.astype(predictions.dtype, copy=False)

    def of_logits(self) -> Loss:
        """Return the same loss for predictions before the activation that it cancels."""
        raise NotImplementedError

    @property
    def only_kernels(self) -> bool:
        """Whether `write` does nothing to arrays but call kernels, so that a step may be recorded."""
        return False

    def prepare(self, y_true: Array) -> Array:
        """Return a batch's checked targets as `_value`, `_gradient` and `write` get them: contiguous."""
        return np.ascontiguousarray(y_true)

    def prepared(self, y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
        """Return checked targets as `prepare` does, (N,) of a single output as (N, 1), like predictions."""
        return self.prepare(like_predictions(np.asarray(y_true), shape))

    def prepare_weights(self, weights: ArrayLike, shape: tuple[int, ...]) -> Array:
        """Return samples' weights as `write` and `of_checked` take them, or raise; see `weights_of_rows`.

        Args:
            weights: (N,), or as many as there are rows of outputs.
            shape: of the predictions, (N, ...).
        """
        return weights_of_rows(weights, shape)

    def write(
        self,
        y_true: Array,
        y_pred: Array,
        share: float,
        gradient: Array,
        value: Array,
        weights: Array | None = None,
    ) -> None:
        """Write the mean loss of a shard, and its gradient times the shard's share of the batch.

        Args:
            y_true: the targets, as `prepare` returns them.
            y_pred: the predictions, the model's output, (N, ...).
            share: what to multiply the gradient by.
            gradient: like y_pred, written.
            value: (1,) float64, written.
            weights: of the samples, as `prepare_weights` returns them; default None, all 1.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value[0], slope = self._weighted(y_true, y_pred, weights)
            np.multiply(slope.astype(y_pred.dtype, copy=False), share, out=gradient)

    def of_checked(self, y_true: Array, y_pred: Array, weights: Array | None = None) -> float:
        """Return the loss, as a call does, of targets that have been checked and a model's own output."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            targets = self.prepared(y_true, y_pred.shape)
            if weights is None:
                return self._value(targets, y_pred)
            return weighted_mean(self._losses(targets, y_pred), weights)

    def of_rows(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return the loss of each row of outputs, of which a call returns the mean.

        Args:
            y_true: the targets, as for a call.
            y_pred: the predictions, (N, ..., outputs).

        Returns:
            (N, ...) in the type of the predictions.

        Raises:
            TypeError, ValueError: as a call.
        """
        predictions = self._checked(y_true, y_pred)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            losses = self._losses(self.prepared(y_true, predictions.shape), predictions)
            return losses.astype(predictions.dtype)

    def check(self, y_true: ArrayLike, shape: tuple[int, ...]) -> None:
        """Raise a clear error if the targets do not fit predictions of a shape.

        Unless a class says something else, they are finite numbers of that shape; for one output, also (N,).

        Args:
            y_true: the targets of a batch, or of a whole data set before training starts.
            shape: of the predictions, (N, ...).

        Raises:
            TypeError: the targets have the wrong type.
            ValueError: the targets have the wrong shape or values.
        """
        check_same_shape(numbers(y_true), shape)
        check_finite(y_true)

    def _checked(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return the predictions as an array, if they are some and the targets fit."""
        targets, predictions = np.asarray(unmasked(y_true, "y_true")), np.asarray(unmasked(y_pred, "y_pred"))
        if predictions.dtype.kind != "f":
            turned = f" {ORDER}" if targets.dtype.kind == "f" else ""
            raise TypeError(f"Predictions must be floating-point numbers, not {predictions.dtype}.{turned}")
        if self._turned(targets, predictions):
            raise ValueError(
                f"y_pred holds nothing but 0 and 1, and y_true nothing but fractions. {ORDER} "
                "(If this is what you mean, move y_pred a little away from 0 and 1.)"
            )
        self.check(targets, predictions.shape)
        return predictions

    def _turned(self, targets: Array, predictions: Array) -> bool:
        """Return whether the arguments are sure to be given in the other order."""
        return False

    @abstractmethod
    def _value(self, y_true: Array, y_pred: Array) -> float: ...

    @abstractmethod
    def _gradient(self, y_true: Array, y_pred: Array) -> Array: ...

    def _both(self, y_true: Array, y_pred: Array) -> tuple[float, Array]:
        return self._value(y_true, y_pred), self._gradient(y_true, y_pred)

    def _losses(self, y_true: Array, y_pred: Array) -> Floats:
        """Return the loss of each row of outputs, y_pred.shape[:-1], of which `_value` is the mean.

        Where a class says nothing else, each sample's loss is that of a batch of one.
        """
        losses = [self._value(y_true[n : n + 1], y_pred[n : n + 1]) for n in range(len(y_pred))]
        rows = y_pred.shape[:-1] or y_pred.shape
        return np.broadcast_to(np.reshape(losses, (-1,) + (1,) * (len(rows) - 1)), rows)

    def _weights(self, sample_weight: ArrayLike | None, y_pred: Array) -> Array | None:
        return None if sample_weight is None else self.prepare_weights(sample_weight, y_pred.shape)

    def _weighted(self, y_true: Array, y_pred: Array, weights: Array | None) -> tuple[float, Array]:
        if weights is None:
            return self._both(y_true, y_pred)
        value = weighted_mean(self._losses(y_true, y_pred), weights)
        return value, scaled(self._gradient(y_true, y_pred), weights)
