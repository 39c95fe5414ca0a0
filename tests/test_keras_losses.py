"""Losses are Keras's: their names, arguments, defaults, values and gradients, with and without weights."""

from __future__ import annotations

import inspect
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_cases import CONFIGURATIONS, SPARSE, example

import tinynet
from tinynet import losses

torch = pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("these tests need Keras's backend torch", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings(  # tensors become arrays in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

KINDS = [*dict.fromkeys(losses.LOSSES.values())]
NOT_IN_KERAS = [loss for loss in CONFIGURATIONS if type(loss) is SPARSE and loss.label_smoothing]
IN_KERAS = [loss for loss in CONFIGURATIONS if loss not in NOT_IN_KERAS]


def theirs(loss, **more):
    """The same loss, in Keras, in float64 (but for some means, which are float32 there)."""
    settings = {name: value for name, value in vars(loss).items() if name not in ("name", "_")}
    if type(loss) is SPARSE:
        del settings["label_smoothing"]
    return getattr(keras.losses, type(loss).__name__)(**settings, dtype="float64", **more)


@pytest.mark.parametrize("loss", IN_KERAS, ids=repr)
@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(1, 2), (5, 4), (3, 2, 4), (1, 7, 3)]),
    scale=st.sampled_from([1.0, 30.0]),
    weighted=st.booleans(),
)
def test_values_and_gradients(loss, seed, shape, scale, weighted):
    y_pred, y_true = example(loss, shape, seed)
    if getattr(loss, "from_logits", False):
        y_pred = y_pred * scale
    weights = np.random.default_rng(seed).uniform(0, 3, shape[:-1]) if weighted else None
    given = torch.tensor(y_pred, requires_grad=True)
    rows = theirs(loss).call(torch.tensor(y_true, dtype=torch.float64), given)
    value = (rows if weights is None else rows * torch.tensor(weights)).mean()
    value.backward()
    ours, gradient = loss.value_and_gradient(y_true, y_pred, weights)
    assert ours == pytest.approx(value.item(), rel=2e-6, abs=1e-6)
    np.testing.assert_allclose(gradient, given.grad.numpy(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("loss", IN_KERAS, ids=repr)
def test_weights_of_samples_alone(loss):
    y_pred, y_true = example(loss, (6, 3))
    weights = np.random.default_rng(0).uniform(0, 3, 6)
    value = theirs(loss)(torch.tensor(y_true), torch.tensor(y_pred), torch.tensor(weights)).item()
    assert loss(y_true, y_pred, weights) == pytest.approx(value, rel=1e-6, abs=1e-6)


EXTREMES = np.array([[0.0, 1.0, 0.0], [1e-9, 1 - 1e-9, 0], [0.2, 0.3, 0.1], [3, 4, 5], [1e-3, 0, 0]])


@pytest.mark.parametrize("loss", IN_KERAS, ids=repr)
def test_values_at_the_limits(loss):
    """Probabilities of 0 and 1, rows that do not add up to 1, targets of 0."""
    if isinstance(loss, losses.BinaryCrossentropy) and not loss.from_logits:
        y_pred = np.clip(EXTREMES, 0, 1)  # outside of 0..1 PyTorch raises
    else:
        y_pred = EXTREMES
    y_true = np.array([2, 0, 1, 1, 2]) if type(loss) is SPARSE else np.eye(3)[[2, 0, 1, 1, 2]]
    rows = theirs(loss).call(torch.tensor(y_true, dtype=torch.float64), torch.tensor(y_pred))
    value = rows.mean().item()
    assert loss(y_true, y_pred) == pytest.approx(value, rel=2e-6)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_names_and_functions(name):
    loss = losses.get(name)
    y_pred, y_true = example(loss, (5, 2, 4), dtype=np.float32)
    function = keras.losses.get(name)
    rows = keras.ops.convert_to_numpy(function(torch.tensor(y_true).float(), torch.tensor(y_pred)))
    full = next(key for key, kind in losses.LOSSES.items() if kind is type(loss))
    ours = getattr(losses, full)(y_true, y_pred)
    assert function.__name__ == full
    np.testing.assert_allclose(ours, rows, rtol=2e-5, atol=1e-6)
    assert getattr(keras.losses, type(loss).__name__)().name == loss.name


def test_every_name_of_keras_is_here():
    kinds = {kind.__name__: kind for kind in KINDS}
    for name, other in keras.src.losses.ALL_OBJECTS_DICT.items():
        kind = getattr(other, "__name__", "")
        snake = {keras.src.utils.naming.to_snake_case(ours): ours for ours in kinds}
        ours = kinds.get(kind) or kinds.get(snake.get(kind, ""))
        if ours is not None:
            assert type(losses.get(name)) is ours, name
        if inspect.isfunction(other) and ours is not None:
            assert callable(getattr(losses, kind))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_arguments_and_their_defaults(kind):
    here = inspect.signature(kind).parameters
    there = inspect.signature(getattr(keras.losses, kind.__name__)).parameters
    positional = [name for name, one in here.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert positional == [name for name in there if name in positional] == list(there)[: len(positional)]
    for name in positional:
        assert here[name].default == there[name].default
    assert here["reduction"].default == there["reduction"].default


@pytest.mark.parametrize(
    ("loss", "y_true", "shape"),
    [
        ("sparse_categorical_crossentropy", np.array([1.0, 0.0, 2.0]), (3, 3)),
        ("sparse_categorical_crossentropy", np.array([[1.0], [0.0], [2.0]], np.float32), (3, 3)),
        ("sparse_categorical_crossentropy", np.array([[1], [0], [2]], np.uint8), (3, 3)),
        ("binary_crossentropy", np.array([1, 0, 1]), (3, 1)),
        ("mse", np.array([3, 5, 9]), (3, 1)),
        ("mse", np.array([[3, 5], [1, 9]], np.uint8), (2, 2)),
        ("hinge", np.array([1, 0, 1]), (3, 1)),
        ("mae", np.array([True, False]), (2, 1)),
    ],
)
def test_targets_of_other_types_and_shapes(loss, y_true, shape):
    y_pred = np.random.default_rng(0).uniform(0.1, 0.9, shape).astype(np.float32)
    kind = type(losses.get(loss))
    value = getattr(keras.losses, kind.__name__)()(y_true, y_pred).item()
    assert kind()(y_true, y_pred) == pytest.approx(value, rel=1e-5)


WHOLE = {
    "from logits": (None, SPARSE(from_logits=True), lambda k: k.losses.SparseCategoricalCrossentropy(True)),
    "function": ("softmax", losses.categorical_crossentropy, lambda k: k.losses.categorical_crossentropy),
    "one-hot": ("softmax", "binary_crossentropy", lambda k: "binary_crossentropy"),
    "sigmoid": ("sigmoid", "binary_crossentropy", lambda k: "binary_crossentropy"),
    "huber": (None, losses.Huber(0.1), lambda k: k.losses.Huber(0.1)),
    "poisson": ("softplus", "poisson", lambda k: "poisson"),
    "kld": ("softmax", "kld", lambda k: "kld"),
    "cosine": (None, "cosine_similarity", lambda k: "cosine_similarity"),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", WHOLE)
def test_training(case, weighted):
    """Models train to the same weights, on batches with and without weights of samples."""
    ends, loss, their_loss = WHOLE[case]
    ours = tinynet.Sequential([tinynet.layers.Dense(10, activation=ends)], 4, seed=1)
    others = keras.Sequential([keras.Input((4,)), keras.layers.Dense(10, activation=ends)])
    others.set_weights(ours.get_weights())
    ours.compile(tinynet.optim.SGD(0.1), loss)
    others.compile(keras.optimizers.SGD(0.1), their_loss(keras))
    random = np.random.default_rng(0)
    for size in (16, 16, 7):
        x = random.normal(size=(size, 4)).astype(np.float32)
        labels = random.integers(0, 10, size)
        y = labels if case == "from logits" else np.eye(10, dtype=np.float32)[labels]
        weights = random.uniform(0, 2, size).astype(np.float32) if weighted else None
        logs = ours.train_on_batch(x, y, weights, return_dict=True)
        others.reset_metrics()
        assert logs["loss"] == pytest.approx(float(others.train_on_batch(x, y, weights)), rel=1e-4)
    for one, other in zip(ours.get_weights(), others.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
