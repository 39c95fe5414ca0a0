"""Keras's own estimators: of its `wrappers` today, and of its `wrappers.scikit_learn` before Keras 3."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..layers.config import layer_config, layer_from_config
from ..models import Model
from ..seeds import next_seed
from .classifier import NetworkClassifier
from .estimator import NetworkEstimator
from .parameters import takes
from .regressor import NetworkRegressor

Array = NDArray[Any]

FIT_ARGUMENTS = {*inspect.signature(Model.fit).parameters, "nb_epoch"} - {"self", "x", "y"}


class Compiled(NetworkEstimator):
    """Estimators whose model is compiled by whoever makes it."""

    class_weight = random_state = None  # are no parameters here

    def _compile(self, model: Model) -> None:
        if not model.compiled:
            raise RuntimeError(
                f"{type(self).__name__}: the model must be compiled, by model.compile(...), where it is made."
            )


class OfKeras3(Compiled):
    """What `SKLearnClassifier` and `SKLearnRegressor` share."""

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def _new_model(self, x: Array, y: Array) -> Any:
        if isinstance(self.model, Model):
            config = layer_config(self.model) | {"steps_trained": 0, "epochs_trained": 0}
            return layer_from_config(config | {"seed": next_seed()})
        return self.model(X=x, y=self._rows(y), **(self.model_kwargs or {}))

    def _rows(self, y: Array) -> Array:
        return y[:, np.newaxis] if y.ndim == 1 else y

    def _fit_arguments(self) -> dict[str, Any]:
        return dict(self.fit_kwargs or {})


class SKLearnClassifier(OfKeras3, NetworkClassifier):
    """Keras's classifier for scikit-learn; see `tinynet.sklearn.NetworkClassifier`.

    Args:
        model: a function of X, y (labels are one-hot rows) and model_kwargs that returns a compiled model; or
            a compiled model: a new one like it is trained.
        warm_start: whether `fit` goes on with the model that there is; default False.
        model_kwargs: further arguments of the function; default None.
        fit_kwargs: arguments of `Model.fit`; default None.

    Example:
        >>> from tinynet import Sequential, layers
        >>> def build(X, y, units):
        ...     model = Sequential([layers.Dense(units, "relu"), layers.Dense(y.shape[1], "softmax")])
        ...     model.compile("adam", "categorical_crossentropy")
        ...     return model
        >>> network = SKLearnClassifier(build, model_kwargs={"units": 8}, fit_kwargs={"verbose": 0})
        >>> network.fit([[0.0], [1.0]], ["no", "yes"]).classes_.tolist()
        ['no', 'yes']
    """

    def decision_function(self, X: Any) -> Array:  # noqa: N803
        """Return the model's outputs, (N, classes)."""
        return self._outputs(X)

    def _rows(self, y: Array) -> Array:
        return y if y.ndim == 2 else np.eye(len(self.classes_))[y]


class SKLearnRegressor(OfKeras3, NetworkRegressor):
    """Keras's regressor for scikit-learn; see `tinynet.sklearn.NetworkRegressor`.

    Args:
        model, warm_start, model_kwargs, fit_kwargs: see `SKLearnClassifier`; y is (N, outputs).

    Example:
        >>> from tinynet import Sequential, layers
        >>> def build(X, y):
        ...     model = Sequential([layers.Dense(y.shape[1])])
        ...     model.compile("adam", "mse")
        ...     return model
        >>> network = SKLearnRegressor(build, fit_kwargs={"verbose": 0})
        >>> network.fit([[0.0], [1.0]], [0.0, 1.0]).predict([[0.5]]).shape
        (1,)
    """


class OfKeras2(Compiled):
    """What `KerasClassifier` and `KerasRegressor` share."""

    warm_start = False

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.__dict__.update(sk_params)

    @property
    def model(self) -> Model:
        """The trained model."""
        return self.model_

    def set_params(self, **params: Any) -> Self:
        """Set arguments of the function and of `Model.fit`, by name."""
        self.__dict__.update(params)
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:  # noqa: N803
        """Train, as Keras 2 does it: return the history."""
        self._fit(X, y, sample_weight, kwargs, False)
        assert self.model_.history is not None
        return self.model_.history

    def _check_names(self) -> None:
        for name in self._others():
            if not (takes(self.build_fn, name) or name in FIT_ARGUMENTS):
                raise ValueError(
                    f"{type(self).__name__}: {name} is no argument of {self.build_fn!r} or of Model.fit."
                )

    def _new_model(self, x: Array, y: Array) -> Any:
        others = self._others()
        return self.build_fn(**{name: others[name] for name in others if takes(self.build_fn, name)})

    def _fit_arguments(self) -> dict[str, Any]:
        return {name: value for name, value in self._others().items() if name in FIT_ARGUMENTS}


class KerasClassifier(OfKeras2, NetworkClassifier):
    """The classifier of Keras 1 and 2 for scikit-learn; today `tinynet.sklearn.NetworkClassifier`.

    Args:
        build_fn: a function that returns a compiled model.
        sk_params: arguments of the function, and of `Model.fit`.

    Example:
        >>> from tinynet import Sequential, layers
        >>> def build(units=8):
        ...     model = Sequential([layers.Dense(units, "relu"), layers.Dense(2, "softmax")])
        ...     model.compile("adam", "sparse_categorical_crossentropy")
        ...     return model
        >>> network = KerasClassifier(build_fn=build, units=4, epochs=2, verbose=0)
        >>> len(network.fit([[0.0], [1.0]], ["no", "yes"]).history["loss"])
        2
    """

    def predict(self, X: Any, **_: Any) -> Array:  # noqa: N803
        """Return the likeliest label of each sample, (N,)."""
        return super().predict(X)

    def predict_proba(self, X: Any, **_: Any) -> Array:  # noqa: N803
        """Return the probability of each class, (N, classes)."""
        return super().predict_proba(X)

    def score(self, X: Any, y: Any, **_: Any) -> float:  # noqa: N803
        """Return the share of samples whose label is right."""
        return float(np.mean(self.predict(X) == numbered(y)[0]))

    def _fit(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        fit_arguments: dict[str, Any],
        going_on: bool,
        classes: Any = None,
    ) -> Self:
        labels, classes = numbered(y)
        return super()._fit(x, labels, sample_weight, fit_arguments, going_on, classes)


class KerasRegressor(OfKeras2, NetworkRegressor):
    """The regressor of Keras 1 and 2 for scikit-learn; today `tinynet.sklearn.NetworkRegressor`.

    Args:
        build_fn, sk_params: see `KerasClassifier`.

    Example:
        >>> from tinynet import Sequential, layers
        >>> def build():
        ...     model = Sequential([layers.Dense(1)])
        ...     model.compile("adam", "mse")
        ...     return model
        >>> history = KerasRegressor(build, epochs=3, verbose=0).fit([[0.0], [1.0]], [0.0, 1.0])
        >>> len(history.history["loss"])
        3
    """

    def predict(self, X: Any, **_: Any) -> Array:  # noqa: N803
        """Return the outputs, (N,), or (N, outputs) if the targets were so."""
        return super().predict(X)

    def score(self, X: Any, y: Any, **_: Any) -> float:  # noqa: N803
        """Return the loss, negative, so that more is better: not R², which scikit-learn's regressors give."""
        targets = self._targets(self._encoded(y))
        return -float(np.ravel(self.model_.evaluate(self._validated(X), targets, verbose=0))[0])


def numbered(y: Any) -> tuple[Array, Array | None]:
    """Return labels, and of one-hot rows what labels there are."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        return y.argmax(axis=1), np.arange(y.shape[1])
    return y, None
