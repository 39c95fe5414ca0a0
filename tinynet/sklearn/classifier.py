"""A network as a classifier of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from ..losses import SparseCategoricalCrossentropy
from ..models import Model
from .estimator import NetworkEstimator

Array = NDArray[Any]


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A classifier for scikit-learn: a function that builds a model, or the sizes of hidden layers.

    Labels may be of any kind; several labels a sample are rows of 0 and 1. The function gets its own
    arguments as parameters `model__...`, and, if it has an argument `meta`, a dict of `n_features_in_`,
    `X_shape_`, `n_classes_`, `classes_`, `target_type_` and `n_outputs_expected_`. A model that it does not
    compile, the estimator compiles.

    Args:
        model: a function that returns a model; or a model, of which copies are trained, from its weights on;
            None (the default) for a perceptron of hidden_layer_sizes.
        hidden_layer_sizes: units of each hidden layer; default (100,).
        activation: of the hidden layers; default "relu".
        optimizer: a name or an optimizer, default "adam"; `optimizer__learning_rate` and the like change it.
        loss: default None: binary_crossentropy for a single output or several labels a sample, else
            sparse_categorical_crossentropy. For other losses labels become one-hot rows.
        metrics: see `Model.compile`; default None.
        epochs: default 100. (Keras's own default is 1.)
        batch_size, validation_split, shuffle, callbacks, verbose: see `Model.fit`; verbose is 0 by default.
        warm_start: whether `fit` goes on with the model that there is; default False.
        class_weight: how much each class weighs in the loss, {label: weight}, or "balanced"; default None.
        random_state: an integer for the same model each time; default None.
        nested: `model__...` for arguments of the function, `optimizer__...` for those of the optimizer.

    Attributes:
        model_: the trained model.
        history_: losses and metrics epoch by epoch, by name.
        classes_: the labels, sorted.
        n_features_in_, feature_names_in_: as in scikit-learn.

    Raises:
        TypeError: an unknown argument.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from tinynet import Sequential, layers
        >>> def build(meta, units=16):
        ...     return Sequential(
        ...         [layers.Dense(units, "relu"), layers.Dense(meta["n_classes_"], "softmax")]
        ...     )
        >>> network = NetworkClassifier(build, model__units=32, optimizer__learning_rate=0.01, random_state=0)
        >>> x, y = load_iris(return_X_y=True)
        >>> bool(make_pipeline(StandardScaler(), network).fit(x, y).score(x, y) > 0.9)
        True
    """

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
        class_weight: Any = None,
        random_state: Any = None,
        **nested: Any,
    ) -> None:
        super().__init__(
            model,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            optimizer=optimizer,
            loss=loss,
            metrics=metrics,
            epochs=epochs,
            batch_size=batch_size,
            validation_split=validation_split,
            shuffle=shuffle,
            callbacks=callbacks,
            verbose=verbose,
            warm_start=warm_start,
            random_state=random_state,
            **nested,
        )
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        """Say what the classifier takes: several labels a sample, too."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803
        """Train for one more epoch, on these samples.

        Args:
            X: (N, features) or (N, height, width, channels).
            y: their labels.
            classes: all labels that may come, which the first call needs, if its y lacks some; default None.
            sample_weight: how much each sample weighs in the loss, (N,); default None.

        Returns:
            The classifier itself.

        Raises:
            ValueError: a label is none of the classes, or X does not fit.

        Example:
            >>> network = NetworkClassifier(hidden_layer_sizes=4)
            >>> network.partial_fit([[0.0], [1.0]], ["no", "yes"], classes=["maybe", "no", "yes"]).classes_
            array(['maybe', 'no', 'yes'], dtype='<U5')
        """
        arguments = {"epochs": 1, "validation_split": 0.0}
        return self._fit(X, y, sample_weight, arguments, hasattr(self, "model_"), classes)

    def predict(self, X: Any) -> Array:  # noqa: N803
        """Return the likeliest label of each sample.

        Args:
            X: (N, features) or (N, height, width, channels).

        Returns:
            (N,) labels; for several labels a sample, (N, labels) of 0 and 1.

        Example:
            >>> x, y = [[0.0], [1.0]] * 20, ["no", "yes"] * 20
            >>> NetworkClassifier(random_state=0).fit(x, y).predict([[0.1], [0.9]]).tolist()
            ['no', 'yes']
        """
        probabilities = self.predict_proba(X)
        if self._is_multilabel():
            return (probabilities > 0.5).astype(np.int64)
        labels: Array = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> Array:  # noqa: N803
        """Return the probability of each class.

        Args:
            X: (N, features) or (N, height, width, channels).

        Returns:
            (N, classes) float32, in the order of `classes_`.

        Example:
            >>> x, y = [[0.0], [1.0]] * 20, ["no", "yes"] * 20
            >>> NetworkClassifier(random_state=0).fit(x, y).predict_proba([[0.1]]).shape
            (1, 2)
        """
        outputs = self._outputs(X)
        if getattr(self.model_.loss, "from_logits", False):
            from ..activations import sigmoid, softmax

            single = outputs.shape[1] == 1 or self._is_multilabel()
            outputs = np.asarray(sigmoid(outputs) if single else softmax(outputs))
        if outputs.shape[1] == 1:
            outputs = np.hstack([1 - outputs, outputs])
        return outputs

    def _is_multilabel(self) -> bool:
        return bool(self.target_type_ == "multilabel-indicator")

    def _learn_targets(self, y: Array, going_on: bool, classes: Any) -> Array:
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError(
                f"{type(self).__name__}: Unknown label type: {kind}; several labels a sample are rows of 0 "
                "and 1."
            )
        if going_on:
            return self._encoded(y)
        self.target_type_ = kind
        if self._is_multilabel():
            self.classes_ = np.arange(y.shape[1])
            return self._encoded(y)
        y = column_or_1d(y, warn=True)
        self.classes_ = np.unique(y if classes is None else np.asarray(classes))
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__}: needs samples of 2 classes at least; got one class, "
                f"{self.classes_.tolist()}."
            )
        self.target_type_ = "binary" if len(self.classes_) == 2 else "multiclass"
        return self._encoded(y)

    def _encoded(self, y: Any) -> Array:
        y = np.asarray(y)
        if self._is_multilabel():
            if y.shape[1:] != self.classes_.shape:
                raise ValueError(
                    f"{type(self).__name__}: expected rows of {len(self.classes_)} labels; got y {y.shape}."
                )
            rows: Array = y.astype(np.float32)
            return rows
        labels = column_or_1d(y)
        places: Array = np.searchsorted(self.classes_, labels).clip(0, len(self.classes_) - 1)
        wrong = self.classes_[places] != labels
        if wrong.any():
            raise ValueError(
                f"{type(self).__name__}: y holds {labels[wrong][0]!r}, which is none of the classes, "
                f"{self.classes_.tolist()}."
            )
        return places

    def _weights(self, x: Array, y: Array, sample_weight: Any, fit_arguments: dict[str, Any]) -> Any:
        weights = super()._weights(x, y, sample_weight, fit_arguments)
        class_weight = fit_arguments.pop("class_weight", self.class_weight)
        if class_weight is None:
            return weights
        labels = y if self._is_multilabel() else self.classes_[y]
        of_classes = compute_sample_weight(class_weight, labels)
        return of_classes if weights is None else weights * of_classes

    def _targets(self, y: Array) -> Array:
        loss, shape = self.model_.loss, self.model_.output_shape
        if self._is_multilabel() or isinstance(loss, SparseCategoricalCrossentropy):
            return y
        if shape == (1,):
            return y.astype(np.float32)[:, np.newaxis]
        return np.eye(len(self.classes_), dtype=np.float32)[y]

    def _default_output(self) -> tuple[int, str]:
        return len(self.classes_), "sigmoid" if self._is_multilabel() else "softmax"

    def _default_loss(self, model: Model) -> str:
        if self._is_multilabel() or model.output_shape == (1,):
            return "binary_crossentropy"
        return "sparse_categorical_crossentropy"

    def _meta(self) -> dict[str, Any]:
        count = len(self.classes_)
        return {
            "n_classes_": count,
            "classes_": self.classes_,
            "target_type_": self.target_type_,
            "n_outputs_expected_": 1 if self.target_type_ == "binary" else count,
        }

    def _check_outputs(self, model: Model) -> None:
        count = len(self.classes_)
        expected = [(count,)] + [(1,)] * (count == 2 and not self._is_multilabel())
        if model.output_shape not in expected:
            kind = "labels" if self._is_multilabel() else "classes"
            raise ValueError(
                f"{type(self).__name__}: y has {count} {kind}, and the model gives {model.output_shape} a "
                f"sample; expected {' or '.join(map(str, expected))}."
            )
