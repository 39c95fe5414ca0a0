"""What classifiers and regressors share: parameters, building a model, training it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..models import Model
from ..names import unknown
from ..seeds import seeded
from .networks import perceptron
from .parameters import check_arguments, is_nested, of_part, optimizer_of, takes

Array = NDArray[Any]

LARGEST_SEED = 2**31 - 1


class NetworkEstimator(BaseEstimator):
    """The base of `NetworkClassifier` and `NetworkRegressor`, which say what the arguments are."""

    def __init__(
        self,
        model: Any = None,
        *,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Any = "relu",
        optimizer: Any = "adam",
        loss: Any = None,
        metrics: Any = None,
        epochs: int = 100,
        batch_size: int | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        callbacks: Any = None,
        verbose: int | str = 0,
        warm_start: bool = False,
        random_state: Any = None,
        **nested: Any,
    ) -> None:
        self.model = model
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_split = validation_split
        self.shuffle = shuffle
        self.callbacks = callbacks
        self.verbose = verbose
        self.warm_start = warm_start
        self.random_state = random_state
        self.__dict__.update(nested)

    # Parameters

    def _others(self) -> dict[str, Any]:
        """Return the parameters besides those that the class names: of its parts, or unknown ones."""
        named = self._get_param_names()
        return {
            name: value
            for name, value in vars(self).items()
            if name not in named and not name.startswith("_") and not name.endswith("_")
        }

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, also those of parts that were set, such as `model__units`.

        Args:
            deep: as in scikit-learn; default True.
        """
        return {**super().get_params(deep=deep), **self._others()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also those of parts: `model__units=32`, `optimizer__learning_rate=0.01`.

        Args:
            params: by name.

        Returns:
            The estimator itself.

        Raises:
            ValueError: there is no such parameter.
        """
        nested = {name: value for name, value in params.items() if is_nested(name)}
        super().set_params(**{name: value for name, value in params.items() if name not in nested})
        self.__dict__.update(nested)
        return self

    def _check_names(self) -> None:
        """Raise if a parameter is unknown; `fit` does, because scikit-learn's estimators check there."""
        for name in self._others():
            if not is_nested(name):
                raise TypeError(
                    f"{type(self).__name__}: {unknown('parameter', name, self._get_param_names())} Those of "
                    "the function that builds the model are called model__..., the optimizer's optimizer__..."
                )

    def __sklearn_tags__(self) -> Any:
        """Say what the estimator takes: images, too."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    # Training

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_arguments: Any) -> Self:  # noqa: N803
        """Train.

        Args:
            X: (N, features) numbers, or (N, height, width, channels) images; an array or a pandas DataFrame.
            y: the targets, (N,) or (N, outputs).
            sample_weight: how much each sample weighs in the loss, (N,); default None.
            fit_arguments: of `Model.fit`, in place of the estimator's, such as epochs or validation_data.

        Returns:
            The estimator itself.

        Raises:
            TypeError: X is sparse.
            ValueError: X or y does not fit, or a parameter is wrong.
        """
        going_on = self.warm_start and hasattr(self, "model_")
        return self._fit(X, y, sample_weight, fit_arguments, going_on)

    def _fit(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        fit_arguments: dict[str, Any],
        going_on: bool,
        classes: Any = None,
    ) -> Self:
        """Train a new model, or the one that there is."""
        self._check_names()
        x, y = self._validated(x, y, reset=not going_on)
        y = self._learn_targets(y, going_on, classes)
        weights = self._weights(x, y, sample_weight, fit_arguments)
        if not going_on:
            self.model_ = self._built(x, y)
        arguments = {**self._fit_arguments(), **fit_arguments}
        if arguments.get("validation_data") is not None:
            x_validation, y_validation, *rest = arguments["validation_data"]
            arguments["validation_data"] = (
                np.asarray(x_validation),
                self._targets(self._encoded(y_validation)),
                *rest,
            )
        history = self.model_.fit(x, self._targets(y), sample_weight=weights, **arguments)
        self.history_ = history.history
        return self

    def _validated(self, x: Any, y: Any = None, reset: bool = False) -> Any:
        """Return samples, and targets if there are any, as arrays, checked as scikit-learn does."""
        if y is None and not reset:
            return validate_data(self, x, reset=False, allow_nd=True)
        return validate_data(self, x, y, reset=reset, allow_nd=True, multi_output=True)

    def _weights(self, x: Array, y: Array, sample_weight: Any, fit_arguments: dict[str, Any]) -> Any:
        """Return how much each sample weighs in the loss, or None."""
        return None if sample_weight is None else _check_sample_weight(sample_weight, x)

    def _fit_arguments(self) -> dict[str, Any]:
        """Return the arguments of `Model.fit` that are parameters."""
        return {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "validation_split": self.validation_split,
            "shuffle": self.shuffle,
            "callbacks": self.callbacks,
            "verbose": self.verbose,
        }

    # The model

    def _built(self, x: Array, y: Array) -> Model:
        """Return a new model, built for the samples and compiled."""
        if self.random_state is None:
            model = self._new_model(x, y)
        else:
            with seeded(self._seed()):
                model = self._new_model(x, y)
        if not isinstance(model, Model):
            raise TypeError(f"{type(self).__name__}: the function must return a model; got {model!r}.")
        if model.output_shape is None:
            model.build((None, *x.shape[1:]))
        self._compile(model)
        self._check_outputs(model)
        return model

    def _compile(self, model: Model) -> None:
        """Compile a new model, unless the function has done so."""
        title = type(self).__name__
        arguments = of_part(self.get_params(deep=False), "optimizer")
        if not model.compiled:
            optimizer = optimizer_of(title, self.optimizer, arguments)
            loss = self._default_loss(model) if self.loss is None else self.loss
            model.compile(optimizer, loss, metrics=self.metrics or ())
        elif arguments or self.loss is not None:
            names = [f"optimizer__{name}" for name in arguments] + ["loss"] * (self.loss is not None)
            raise ValueError(
                f"{title}: the model is compiled already, so {', '.join(names)} would have no effect: leave "
                "model.compile to the estimator, or give the function arguments of its own, model__..."
            )

    def _seed(self) -> int:
        """Return the seed that the parameter random_state gives a new model."""
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(LARGEST_SEED))

    def _new_model(self, x: Array, y: Array) -> Any:
        """Return what the parameter `model` makes."""
        arguments = of_part(self.get_params(deep=False), "model")
        title = type(self).__name__
        if callable(self.model) and not isinstance(self.model, Model):
            check_arguments(title, self.model, arguments)
            return self.model(**self._told(x), **arguments)
        if arguments:
            raise ValueError(
                f"{title}: model__{next(iter(arguments))} is for a function that builds the model, and "
                f"model is {'none' if self.model is None else 'a model'}."
            )
        if self.model is not None:
            return copy.deepcopy(self.model)  # which `fit` must not change
        outputs, last = self._default_output()
        return perceptron(self.hidden_layer_sizes, self.activation, outputs, last, x.shape[1:])

    def _told(self, x: Array) -> dict[str, Any]:
        """Return what the function is told besides its own arguments, if it has arguments for it."""
        told = {
            "meta": {"n_features_in_": self.n_features_in_, "X_shape_": x.shape, **self._meta()},
            "compile_kwargs": {
                "optimizer": self.optimizer,
                "loss": self.loss,
                "metrics": self.metrics,
            },
        }
        return {name: value for name, value in told.items() if takes(self.model, name)}

    def _outputs(self, x: Any) -> Array:
        """Return the model's outputs for samples."""
        check_is_fitted(self, "model_")
        outputs: Array = self.model_.predict(self._validated(x))
        return outputs

    # What classifiers and regressors define

    def _learn_targets(self, y: Array, going_on: bool, classes: Any) -> Array:
        """Note what the targets are, unless training goes on, and return them as numbers."""
        raise NotImplementedError

    def _encoded(self, y: Any) -> Array:
        """Return targets as numbers, as those that were learned."""
        raise NotImplementedError

    def _targets(self, y: Array) -> Array:
        """Return targets as the model's loss takes them."""
        raise NotImplementedError

    def _default_output(self) -> tuple[int, str]:
        """Return how many outputs the default model has, and its last activation."""
        raise NotImplementedError

    def _default_loss(self, model: Model) -> str:
        """Return the loss for a model that its function does not compile."""
        raise NotImplementedError

    def _meta(self) -> dict[str, Any]:
        """Return what functions are told of the targets."""
        raise NotImplementedError

    def _check_outputs(self, model: Model) -> None:
        """Raise if the model's outputs are not for such targets."""
        raise NotImplementedError
