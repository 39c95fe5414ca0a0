"""A network as a regressor of scikit-learn."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from ..models import Model
from .estimator import NetworkEstimator

Array = NDArray[Any]


class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """A regressor for scikit-learn: a function that builds a model, or the sizes of hidden layers.

    Args:
        model: and all others but the loss: see `NetworkClassifier`. The function's `meta` holds
            `n_features_in_`, `X_shape_`, `target_type_` and `n_outputs_expected_`.
        loss: default None for "mse".

    Attributes:
        model_: the trained model.
        history_: losses and metrics epoch by epoch, by name.
        n_features_in_, feature_names_in_: as in scikit-learn.

    Raises:
        TypeError: an unknown argument.

    Example:
        >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
        >>> network = NetworkRegressor(hidden_layer_sizes=(), optimizer="sgd", random_state=0)
        >>> network.set_params(optimizer__learning_rate=0.1).fit(x, 3 * x[:, 0]).predict([[1.0]]).round(2)
        array([3.])
    """

    def __sklearn_tags__(self) -> Any:
        """Say what the regressor takes: several targets a sample, too."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Train for one more epoch, on these samples.

        Args:
            X: (N, features) or (N, height, width, channels).
            y: their targets, (N,) or (N, outputs).
            sample_weight: how much each sample weighs in the loss, (N,); default None.

        Returns:
            The regressor itself.

        Raises:
            ValueError: X or y does not fit.

        Example:
            >>> NetworkRegressor().partial_fit([[0.0], [1.0]], [0.0, 1.0]).predict([[0.5]]).shape
            (1,)
        """
        arguments = {"epochs": 1, "validation_split": 0.0}
        return self._fit(X, y, sample_weight, arguments, hasattr(self, "model_"))

    def predict(self, X: Any) -> Array:  # noqa: N803
        """Return the outputs.

        Args:
            X: (N, features) or (N, height, width, channels).

        Returns:
            (N,), or (N, outputs) if the targets were so; float64.

        Example:
            >>> NetworkRegressor(epochs=1).fit([[0.0], [1.0]], [[0.0], [1.0]]).predict([[0.5]]).shape
            (1, 1)
        """
        outputs = self._outputs(X).astype(np.float64)
        return outputs[:, 0] if self._target_shape == () else outputs

    def _learn_targets(self, y: Array, going_on: bool, classes: Any) -> Array:
        y = self._encoded(y)
        if not going_on:
            self._target_shape = y.shape[1:]
        elif y.shape[1:] != self._target_shape:
            raise ValueError(
                f"{type(self).__name__}: y was {('N', *self._target_shape)} before, and is {y.shape} now."
            )
        return y

    def _encoded(self, y: Any) -> Array:
        targets: Array = np.asarray(y)
        return targets if targets.dtype.kind == "f" else targets.astype(np.float64)

    def _targets(self, y: Array) -> Array:
        return y[:, np.newaxis] if y.ndim == 1 else y

    def _default_output(self) -> tuple[int, str]:
        return self._count(), "linear"

    def _count(self) -> int:
        return self._target_shape[0] if self._target_shape else 1

    def _default_loss(self, model: Model) -> str:
        return "mse"

    def _meta(self) -> dict[str, Any]:
        kind = "continuous" if self._target_shape == () else "continuous-multioutput"
        return {"target_type_": kind, "n_outputs_expected_": self._count()}

    def _check_outputs(self, model: Model) -> None:
        if model.output_shape != (self._count(),):
            raise ValueError(
                f"{type(self).__name__}: y has {self._count()} numbers a sample, and the model gives "
                f"{model.output_shape}; expected {(self._count(),)}."
            )
