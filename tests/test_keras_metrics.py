"""Metrics are Keras's: names, arguments, defaults and results, batch after batch, also with weights."""

from __future__ import annotations

import inspect
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet
from tinynet import metrics

torch = pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("these tests need Keras's backend torch", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings(  # tensors become arrays in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

# (class, arguments, what its targets are)
CONFIGURATIONS = [
    ("Accuracy", {}, "rounded"),
    ("BinaryAccuracy", {}, "several"),
    ("BinaryAccuracy", {"threshold": 0.3}, "one"),
    ("CategoricalAccuracy", {}, "one-hot"),
    ("SparseCategoricalAccuracy", {}, "labels"),
    ("SparseCategoricalAccuracy", {}, "columns"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one-hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "labels"),
    *(
        (kind, arguments, targets)
        for kind in ("Precision", "Recall")
        for arguments, targets in [
            ({}, "one"), ({}, "several"), ({"thresholds": 0.3}, "several"),
            ({"thresholds": [0.2, 0.7]}, "one"),
            ({"thresholds": [0, 0.25, 0.5, 0.75, 1]}, "several"), ({"top_k": 2}, "several"),
            ({"class_id": 1}, "several"), ({"top_k": 2, "class_id": 1}, "one-hot"),
            ({"top_k": 2, "thresholds": 0.4}, "one-hot"),
        ]
    ),
    *(
        ("AUC", {"curve": curve, "summation_method": method, **arguments}, targets)
        for curve in ("ROC", "PR")
        for method in ("interpolation", "minoring", "majoring")
        for arguments, targets in [
            ({}, "one"), ({"num_thresholds": 7}, "several"), ({"multi_label": True}, "several"),
            ({"thresholds": [0.1, 0.35, 0.4]}, "one"), ({"from_logits": True}, "one"),
            ({"multi_label": True, "label_weights": [1.0, 2.0, 0.5, 1.0]}, "several"),
        ]
    ),
    *(("F1Score", {"average": average}, "one-hot") for average in (None, "micro", "macro", "weighted")),
    ("F1Score", {"threshold": 0.4}, "several"),
    ("FBetaScore", {"beta": 2.0, "average": "macro"}, "several"),
    ("MeanSquaredError", {}, "numbers"),
    ("MeanAbsoluteError", {}, "numbers"),
    ("MeanAbsolutePercentageError", {}, "numbers"),
    ("MeanSquaredLogarithmicError", {}, "several"),
    ("RootMeanSquaredError", {}, "numbers"),
    ("LogCoshError", {}, "numbers"),
    ("CosineSimilarity", {}, "numbers"),
    *(
        ("R2Score", {"class_aggregation": how, "num_regressors": number}, "numbers")
        for how in (None, "uniform_average", "variance_weighted_average")
        for number in (0, 2)
    ),
    ("Hinge", {}, "several"),
    ("SquaredHinge", {}, "several"),
    ("CategoricalHinge", {}, "one-hot"),
    ("KLDivergence", {}, "soft"),
    ("Poisson", {}, "several"),
    ("BinaryCrossentropy", {}, "several"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "several"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "soft"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels"),
]  # fmt: skip


def problem(targets, samples, random, ties=True):
    """Targets of a kind, and predictions in 0..1, some of which may be equal, or at thresholds."""
    y_pred = random.uniform(0.01, 0.99, (samples, 4)).astype(np.float32)
    if ties:
        y_pred = np.where(random.uniform(size=y_pred.shape) < 0.3, np.round(y_pred * 8) / 8, y_pred)
    y_pred = np.clip(y_pred, 0.01, 0.99).astype(np.float32)
    labels = random.integers(0, 4, samples)
    match targets:
        case "labels":
            return labels, y_pred
        case "columns":
            return labels[:, None], y_pred
        case "one-hot":
            return np.eye(4, dtype=np.float32)[labels], y_pred
        case "several":
            return random.integers(0, 2, (samples, 4)).astype(np.float32), y_pred
        case "soft":
            return random.dirichlet(np.ones(4), samples).astype(np.float32), y_pred
        case "one":
            return random.integers(0, 2, (samples, 1)).astype(np.float32), y_pred[:, :1]
        case "numbers":
            return random.normal(size=(samples, 4)).astype(np.float32), y_pred
        case "rounded":
            return random.integers(0, 3, (samples, 2)), np.round(y_pred[:, :2] * 2)


def of_keras(metric):
    return keras.ops.convert_to_numpy(metric.result())


@pytest.mark.parametrize(("kind", "arguments", "targets"), CONFIGURATIONS)
@settings(max_examples=5)
@given(
    seed=st.integers(0, 2**32 - 1),
    weighted=st.booleans(),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
)
def test_results_batch_after_batch(kind, arguments, targets, seed, weighted, sizes):
    random = np.random.default_rng(seed)
    ours, theirs = getattr(metrics, kind)(**arguments), getattr(keras.metrics, kind)(**arguments)
    seen = 0
    for size in sizes:
        y_true, y_pred = problem(targets, size, random, ties="top_k" not in arguments)
        weights = random.uniform(0.1, 2, size).astype(np.float32) if weighted else None
        ours.update_state(y_true, y_pred, weights)
        theirs.update_state(y_true, y_pred, weights)
        seen += size
        if kind == "R2Score" and seen < 5:
            continue  # rounding decides where the targets are all but the same
        np.testing.assert_allclose(ours.result(), of_keras(theirs), rtol=3e-4, atol=2e-5)
    ours.reset_state()
    theirs.reset_state()
    if kind != "R2Score":  # 0 / 0
        np.testing.assert_allclose(ours.result(), np.zeros_like(ours.result()))


@pytest.mark.parametrize("kind", [kind for kind in metrics.BY_CLASS if kind not in ("Mean", "Sum")])
def test_arguments_defaults_and_names(kind):
    assert kind in {name for name, _, _ in CONFIGURATIONS}, "every metric is to be compared with Keras"
    here = inspect.signature(getattr(metrics, kind)).parameters
    there = inspect.signature(getattr(keras.metrics, kind)).parameters
    given = {name: one.default for name, one in here.items() if name in there}
    assert set(here) - set(given) <= ({"label_smoothing"} if kind.startswith("Sparse") else set())
    assert given == {name: there[name].default for name in there if name in given}
    missing = set(there) - set(given)
    assert missing <= {"axis", "from_sorted_ids", "ignore_class"}


@pytest.mark.parametrize("values", [(3,), (3, 2), (3, 2, 4), ()])
@pytest.mark.parametrize("weights", [None, (3,), (3, 1), (3, 2)])
def test_means_and_sums(values, weights):
    if weights is not None and len(weights) > max(len(values), 1):
        pytest.skip("more axes than the values")
    random = np.random.default_rng(0)
    array = random.normal(size=values)
    given = None if weights is None or not values else random.uniform(size=weights)
    for kind in ("Mean", "Sum"):
        ours, theirs = getattr(metrics, kind)(), getattr(keras.metrics, kind)()
        for factor in (1.0, 3.0):
            ours.update_state(array * factor, given)
            theirs.update_state(array * factor, given)
        assert ours.result() == pytest.approx(float(of_keras(theirs)), rel=1e-5)
        assert ours.name == theirs.name


@pytest.mark.parametrize("name", ["AUC", "Precision", "F1Score"])
def test_names_of_objects(name, monkeypatch):
    from tinynet.metric_functions import base

    monkeypatch.setattr(base, "_numbers", type(base._numbers)(base._numbers.default_factory))
    keras.backend.clear_session()
    for _ in range(3):
        assert getattr(metrics, name)().name == getattr(keras.metrics, name)().name


def test_every_name_of_keras_is_here():
    there = keras.src.metrics.ALL_OBJECTS_DICT
    for name, kind in there.items():
        if kind.__name__ in metrics.BY_CLASS and name.lower() != "accuracy":  # chosen by shapes
            assert type(metrics.get(name)) is metrics.BY_CLASS[kind.__name__], name
    assert set(metrics.METRICS) <= set(there) | {"mean", "sum"}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("binary_accuracy", {}), ("binary_accuracy", {"threshold": 0.3}), ("categorical_accuracy", {}),
        ("sparse_categorical_accuracy", {}), ("top_k_categorical_accuracy", {"k": 2}),
        ("sparse_top_k_categorical_accuracy", {"k": 2}), ("mean_squared_error", {}),
        ("mean_absolute_error", {}),
    ],
)  # fmt: skip
def test_functions(name, arguments):
    random = np.random.default_rng(0)
    kind = "labels" if name.startswith("sparse") else "one-hot" if "categorical" in name else "several"
    y_true, y_pred = problem(kind, 12, random)
    ours = getattr(metrics, name)(y_true, y_pred, **arguments)
    theirs = keras.ops.convert_to_numpy(getattr(keras.metrics, name)(y_true, y_pred, **arguments))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def compiled(loss, ends, outputs, our_metrics, their_metrics):
    """The same model in both, whose weights do not change."""
    ours = tinynet.Sequential([tinynet.layers.Dense(outputs, activation=ends)], 5, seed=1)
    theirs = keras.Sequential([keras.Input((5,)), keras.layers.Dense(outputs, activation=ends)])
    theirs.set_weights(ours.get_weights())
    ours.compile(tinynet.optim.SGD(0.05), loss, **our_metrics)
    theirs.compile(keras.optimizers.SGD(0.05), loss, **their_metrics)
    return ours, theirs


def test_histories_over_uneven_batches():
    """All that is counted, with the names of both, in training, validation and evaluation."""

    def chosen(library):
        kinds = library.metrics
        return {
            "metrics": [
                "accuracy", "mse", "precision", kinds.AUC(name="area"), kinds.Recall(name="mse"),
                kinds.TopKCategoricalAccuracy(2), kinds.mean_absolute_error,
            ],
            "weighted_metrics": ["accuracy", kinds.RootMeanSquaredError()],
        }  # fmt: skip

    keras.backend.clear_session()
    ours, theirs = compiled("categorical_crossentropy", "softmax", 4, chosen(tinynet), chosen(keras))
    random = np.random.default_rng(0)
    x, y = (
        random.normal(size=(43, 5)).astype(np.float32),
        np.eye(4, dtype=np.float32)[random.integers(0, 4, 43)],
    )
    arguments = {
        "batch_size": 8,
        "epochs": 3,
        "shuffle": False,
        "verbose": 0,
        "validation_data": (x[:11], y[:11]),
    }
    one, other = (model.fit(x, y, **arguments).history for model in (ours, theirs))
    assert set(one) == set(other)
    assert next(iter(one)) == "loss"
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-4, err_msg=name)
    measured = theirs.evaluate(x, y, verbose=0, return_dict=True)
    assert ours.evaluate(x, y, return_dict=True) == pytest.approx(
        {k: float(v) for k, v in measured.items()}, rel=1e-4
    )


@pytest.mark.parametrize("batch_size", [4, 43])
def test_weighted_losses_and_metrics(batch_size):
    random = np.random.default_rng(0)
    chosen = {"metrics": ["accuracy"], "weighted_metrics": ["accuracy", "mse", "auc"]}
    ours, theirs = compiled("categorical_crossentropy", "softmax", 4, chosen, chosen)
    x, y = (
        random.normal(size=(43, 5)).astype(np.float32),
        np.eye(4, dtype=np.float32)[random.integers(0, 4, 43)],
    )
    weights = random.uniform(0, 3, 43).astype(np.float32)
    measured = theirs.evaluate(
        x, y, sample_weight=weights, batch_size=batch_size, verbose=0, return_dict=True
    )
    logs = ours.evaluate(x, y, sample_weight=weights, return_dict=True)
    assert logs == pytest.approx({k: float(v) for k, v in measured.items()}, rel=1e-4)
    history = theirs.fit(
        x, y, sample_weight=weights, batch_size=batch_size, shuffle=False, epochs=1, verbose=0
    ).history
    mine = ours.fit(x, y, sample_weight=weights, batch_size=batch_size, shuffle=False, verbose=0).history
    assert {*mine} == {*history}
    assert [mine[name][0] for name in history] == pytest.approx([v[0] for v in history.values()], rel=1e-4)


@pytest.mark.parametrize(
    ("targets", "ends", "outputs", "loss"),
    [
        ("labels", "softmax", 4, "sparse_categorical_crossentropy"),
        ("columns", "softmax", 4, "sparse_categorical_crossentropy"),
        ("one-hot", "softmax", 4, "categorical_crossentropy"),
        ("several", "sigmoid", 4, "binary_crossentropy"),
        ("one", "sigmoid", 1, "binary_crossentropy"),
        ("numbers", None, 4, "mse"),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_is_chosen_by_shapes(targets, ends, outputs, loss, name):
    ours, theirs = compiled(loss, ends, outputs, {"metrics": [name]}, {"metrics": [name]})
    random = np.random.default_rng(0)
    x, (y, _) = random.normal(size=(40, 5)).astype(np.float32), problem(targets, 40, random)
    measured = theirs.evaluate(x, y, verbose=0, return_dict=True)
    assert ours.evaluate(x, y, return_dict=True) == pytest.approx(
        {k: float(v) for k, v in measured.items()}, rel=1e-4
    )
