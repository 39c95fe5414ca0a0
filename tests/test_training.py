from __future__ import annotations

import copy
import itertools
import math
import re
import signal
import sys
import warnings
from functools import partialmethod

import numpy as np
import pytest
import tqdm

from tinynet import Sequential, data, layers, load_model, losses, optim
from tinynet.callbacks import EarlyStopping, LambdaCallback, TerminateOnNaN


def classifier(seed=0, dtype="float32", rate=0.0, optimizer=None, features=2):
    """A compiled network for three classes."""
    model = Sequential(
        [layers.Dense(16, activation="tanh"), layers.Dropout(rate), layers.Dense(3, activation="softmax")],
        features,
        seed=seed,
        dtype=dtype,
    )
    model.compile(optimizer or optim.Adam(0.02), metrics=["accuracy"])
    return model


def identity(metric=None):
    """A model that predicts its input and never learns: its loss shows which targets it was given."""
    model = Sequential([layers.Dense(1, use_bias=False)], 1)
    model.flat.value[:] = 1.0
    model.compile(optim.SGD(0.0), "mse", [metric] if metric else [])
    return model


class TargetRecorder:
    """A metric that remembers the targets of each call, and returns the largest error."""

    def __init__(self):
        self.__name__, self.seen = "recorder", []

    def __call__(self, y_true, y_pred):
        self.seen.append(y_true.ravel().tolist())
        return np.abs(y_pred - y_true.reshape(y_pred.shape)).max()


def numbers(count, shape=(1,)):
    return np.arange(float(count)).repeat(math.prod(shape)).reshape(count, *shape)


# Learning, and what fit returns


def test_fit_learns(blobs):
    x, y = blobs
    model = classifier()
    history = model.fit(x[:200], y[:200], batch_size=32, epochs=10, verbose=0).history
    assert history["loss"][-1] < 0.1 < history["loss"][0]
    loss, accuracy = model.evaluate(x[200:], y[200:])
    assert accuracy >= 0.95
    assert loss < 0.2


def test_history_has_the_keys_of_keras(blobs):
    x, y = blobs
    model = classifier()
    history = model.fit(x, y, epochs=2, validation_split=0.2, verbose=0)
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history.epoch == [0, 1]
    assert all(type(value) is float for values in history.history.values() for value in values)
    assert list(model.fit(x, y, verbose=0).history) == ["loss", "accuracy"]


@pytest.mark.parametrize("method", ["evaluate", "train_on_batch", "test_on_batch"])
def test_what_measures_returns_a_scalar_a_list_or_a_dict_of_floats(blobs, method):
    model, dense = classifier(), Sequential([layers.Dense(3, "softmax")], 2)
    dense.compile("sgd")
    assert type(getattr(dense, method)(*blobs)) is float
    assert list(getattr(dense, method)(*blobs, return_dict=True)) == ["loss"]
    values = getattr(copy.deepcopy(model), method)(*blobs)
    by_name = getattr(model, method)(*blobs, return_dict=True)
    assert by_name == {"loss": values[0], "accuracy": values[1]}
    assert list(by_name) == ["loss", "accuracy"]
    assert isinstance(values, list)
    assert all(type(value) is float for value in values)


def test_metrics_are_in_the_order_given_to_compile(blobs):
    model = Sequential([layers.Dense(3, "softmax")], 2)
    y = np.eye(3)[blobs[1]]
    model.compile("sgd", "mse", ["mae", "accuracy", "mse"])
    loss, absolute, accuracy, squared = model.evaluate(blobs[0], y)
    assert loss == pytest.approx(squared)
    assert {"loss": loss, "mae": absolute, "accuracy": accuracy, "mse": squared} == model.evaluate(
        blobs[0], y, return_dict=True
    )


def test_evaluate_takes_batch_size_and_verbose(blobs, capsys):
    model = classifier()
    for verbose, lines in ((0, 0), (1, 1), (2, 1), ("auto", 0)):
        assert model.evaluate(*blobs, batch_size=7, verbose=verbose) == model.evaluate(*blobs)
        assert capsys.readouterr().out.count("\n") == lines
    assert model.evaluate(*blobs, 7, 0) == model.evaluate(*blobs)
    for wrong in (0, -1, 2.5, "32"):
        with pytest.raises(ValueError, match="batch_size must be a positive integer or None"):
            model.evaluate(*blobs, batch_size=wrong)


def test_the_last_fraction_validates():
    recorder = TargetRecorder()
    model = identity(recorder)
    model.fit(numbers(10), numbers(10), batch_size=100, validation_split=0.3, verbose=0)
    training, validation = recorder.seen
    assert sorted(training) == [0, 1, 2, 3, 4, 5, 6]
    assert validation == [7, 8, 9]


def test_validation_data_validates_and_does_not_train(blobs):
    x, y = blobs
    model, alone = classifier(), classifier()
    history = model.fit(
        x[:200], y[:200], epochs=2, validation_data=(x[200:], y[200:]), validation_split=0.5, verbose=0
    ).history
    alone.fit(x[:200], y[:200], epochs=2, verbose=0)
    np.testing.assert_array_equal(model.flat.value, alone.flat.value)
    measured = model.evaluate(x[200:], y[200:])
    assert (history["val_loss"][-1], history["val_accuracy"][-1]) == tuple(measured)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 10, 1000])
def test_every_sample_counts_once_whatever_the_batch_size(batch_size):
    model = identity()
    x = numbers(10)
    history = model.fit(x, np.zeros(10), batch_size=batch_size, verbose=0).history
    assert model.steps_trained == math.ceil(10 / batch_size)
    assert history["loss"] == [pytest.approx(28.5)]  # the mean of the first ten squares


def test_shuffling_permutes_samples_anew_each_epoch_and_keeps_labels_with_them():
    recorder = TargetRecorder()
    model = identity(recorder)
    history = model.fit(numbers(50), numbers(50), batch_size=16, epochs=2, verbose=0).history
    first, second = (list(itertools.chain(*recorder.seen[part])) for part in (slice(4), slice(4, None)))
    assert [len(batch) for batch in recorder.seen[:4]] == [16, 16, 16, 2]
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert list(range(50)) not in (first, second)
    assert abs(np.diff(sorted(first[:16]))).max() > 1  # samples are permuted, not batches
    assert history == {"loss": [0.0, 0.0], "recorder": [0.0, 0.0]}


def test_no_shuffling_keeps_the_order():
    recorder = TargetRecorder()
    identity(recorder).fit(numbers(10), numbers(10), batch_size=4, shuffle=False, verbose=0)
    assert recorder.seen == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_two_fits_of_one_epoch_are_one_fit_of_two(blobs):
    x, y = blobs
    once, twice = classifier(rate=0.3), classifier(rate=0.3)
    once.fit(x, y, epochs=2, verbose=0)
    for _ in range(2):
        twice.fit(x, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(once.flat.value, twice.flat.value)


def test_fit_leaves_the_data_alone(blobs):
    x, y = (array.copy() for array in blobs)
    x.flags.writeable = y.flags.writeable = False
    classifier().fit(x, y, validation_split=0.1, verbose=0)
    np.testing.assert_array_equal(x, blobs[0])


# One step


LOSSES = {
    "softmax as activation": ([layers.Dense, 3, "softmax"], losses.SparseCategoricalCrossentropy()),
    "softmax as layer": ([layers.Dense, 3, layers.Softmax], losses.SparseCategoricalCrossentropy()),
    "label smoothing": (
        [layers.Dense, 3, "softmax"], losses.SparseCategoricalCrossentropy(label_smoothing=0.1),
    ),
    "one-hot": ([layers.Dense, 3, layers.Softmax], losses.CategoricalCrossentropy()),
    "logits": ([layers.Dense, 3, None], losses.SparseCategoricalCrossentropy(from_logits=True)),
    "sigmoid as activation": ([layers.Dense, 3, "sigmoid"], losses.BinaryCrossentropy()),
    "sigmoid as layer": ([layers.Dense, 3, layers.Sigmoid], losses.BinaryCrossentropy()),
    "sigmoid, squared error": ([layers.Dense, 3, "sigmoid"], losses.MeanSquaredError()),
    "softmax, squared error": ([layers.Dense, 3, "softmax"], losses.MeanSquaredError()),
}  # fmt: skip
OPTIMIZERS = [
    {"class_name": "SGD", "config": {"learning_rate": 0.5, "momentum": 0.9, "nesterov": True}},
    {"class_name": "Adam", "config": {"learning_rate": 0.01, "global_clipnorm": 0.1}},
    {"class_name": "AdamW", "config": {"learning_rate": 0.01}},
    {"class_name": "RMSprop", "config": {"learning_rate": 0.01, "centered": True, "momentum": 0.5}},
    {"class_name": "Adagrad", "config": {"learning_rate": 0.01}},
    {"class_name": "Adadelta", "config": {"clipvalue": 0.01}},
    {"class_name": "Adamax", "config": {}},
    {"class_name": "Nadam", "config": {}},
]


def with_loss(kind, **arguments):
    """A small network that ends as `kind` says, its loss, and targets for its 13 samples."""
    (dense, units, last), loss = LOSSES[kind]
    tail = [dense(units), last()] if isinstance(last, type) else [dense(units, activation=last)]
    model = Sequential([layers.Dense(5, activation="tanh"), *tail], 4, **{"seed": 0} | arguments)
    labels = np.arange(13) % 3
    sparse = isinstance(loss, losses.SparseCategoricalCrossentropy)
    return model, loss, labels if sparse else np.eye(3)[labels]


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda config: config["class_name"])
def test_a_step_is_forward_loss_gradient_backward_and_optimizer(kind, optimizer):
    # The hand-made step goes through the true Jacobian of softmax, the model through the fused gradient.
    x = np.random.default_rng(0).normal(size=(13, 4))
    model, loss, y = with_loss(kind, dtype="float64")
    by_hand, _, _ = with_loss(kind, dtype="float64")
    model.compile(optim.get(optimizer), loss)
    own = optim.get(optimizer)
    for _ in range(3):
        measured = model.train_on_batch(x, y)
        predictions = by_hand.forward(x, training=True)
        assert measured == pytest.approx(loss(y, predictions), rel=1e-12)
        by_hand.backward(loss.gradient(y, predictions))
        np.testing.assert_allclose(model.flat.grad, by_hand.flat.grad, rtol=1e-11, atol=1e-14)
        own.step([by_hand.flat])
        np.testing.assert_allclose(model.flat.value, by_hand.flat.value, rtol=1e-12, atol=1e-12)


def test_a_step_reports_the_metrics_before_it(blobs):
    x, y = blobs
    model = classifier()
    expected = model.evaluate(x, y)
    assert model.train_on_batch(x, y) == pytest.approx(expected, rel=1e-6)
    assert model.steps_trained == 1


@pytest.mark.parametrize("own_layer", [False, True])
def test_confident_wrong_softmax_has_its_true_loss_and_gradient(own_layer):
    tail = [layers.Dense(2), layers.Softmax()] if own_layer else [layers.Dense(2, activation="softmax")]
    model = Sequential(tail, 1)
    model.parameters[0].value[:] = [[1e4, -1e4]]  # float32 probabilities of exactly 1 and 0
    model.compile(optim.SGD(1.0), metrics=["accuracy"])
    assert model.evaluate([[1.0]], [1]) == [20000.0, 0.0]
    assert model.train_on_batch([[1.0]], [1]) == [20000.0, 0.0]
    np.testing.assert_array_equal(model.flat.value, [9999, -9999, -1, 1])


@pytest.mark.parametrize("own_layer", [False, True])
def test_confident_wrong_sigmoid_has_its_true_loss_and_gradient(own_layer):
    tail = [layers.Dense(1), layers.Sigmoid()] if own_layer else [layers.Dense(1, activation="sigmoid")]
    model = Sequential(tail, 1)
    model.parameters[0].value[:] = 1e4
    model.compile(optim.SGD(1.0), "binary_crossentropy", ["accuracy"])
    assert model.evaluate([[1.0]], [0]) == [10000.0, 0.0]
    assert model.train_on_batch([[1.0]], [0]) == [10000.0, 0.0]
    np.testing.assert_array_equal(model.flat.value, [9999, -1])


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("size", [1e3, 1e10, 1e30])
def test_huge_weights_train_without_nan(kind, size):
    x = np.random.default_rng(0).normal(size=(13, 4))
    model, loss, y = with_loss(kind)
    model.flat.value[:] *= size
    model.parameters[0].value[:] /= size  # else the first layer has no gradient
    model.compile(optim.SGD(0.1, global_clipnorm=1.0), loss)
    logs = model.fit(x, y, epochs=2, verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    assert np.isfinite(model.flat.value).all()
    assert math.isfinite(model.evaluate(x, y))


@pytest.mark.parametrize("kind", LOSSES)
def test_evaluate_is_the_loss_and_the_metrics_of_the_predictions(kind):
    x = np.random.default_rng(0).normal(size=(13, 4))
    model, loss, y = with_loss(kind)
    seen = []

    def remember(y_true, y_pred):
        seen.append(y_pred)
        return 0.0

    model.compile("sgd", loss, ["accuracy", remember])
    value, accuracy, zero = model.evaluate(x, y)
    predictions = model.predict(x)
    np.testing.assert_allclose(seen.pop(), predictions, rtol=1e-6)
    assert value == pytest.approx(loss(y, predictions), rel=1e-6)
    labels = y if y.ndim == 1 else y.argmax(axis=1)
    assert accuracy == pytest.approx((predictions.argmax(axis=1) == labels).mean())
    assert zero == 0


# The same seed


def train_cnn(seed=0, threads=None, set_threads=None):
    """The weights and the history after training on batches of 16, 16 and 11, with all that is random."""
    if threads:
        set_threads(threads)
    model = Sequential(
        [
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(4, activation="softmax"),
        ],
        (12, 12, 1),
        seed=seed,
    )
    random = np.random.default_rng(9)
    x, y = random.random((50, 12, 12, 1), np.float32), random.integers(0, 4, 50)
    model.compile("adam", metrics=["accuracy"])
    history = model.fit(
        x, y, batch_size=16, epochs=2, validation_split=0.14, augment=data.Augmentation(elastic_alpha=1.0),
        ema_momentum=0.9, verbose=0,
    )  # fmt: skip
    return model.flat.value.tobytes(), history.history


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(set_threads, threads):
    assert train_cnn(threads=threads, set_threads=set_threads) == train_cnn(
        threads=3, set_threads=set_threads
    )


def test_a_second_run_gives_the_same_bits():
    assert train_cnn() == train_cnn()


def test_another_seed_gives_other_weights():
    assert train_cnn(seed=0) != train_cnn(seed=1)


def test_dropout_and_shuffling_follow_from_the_seed(blobs):
    x, y = blobs
    models = [classifier(seed=seed, rate=0.5) for seed in (0, 1)]
    models[1].flat.value[:] = models[0].flat.value
    for model in models:
        model.train_on_batch(x, y)  # no shuffling here
    assert not np.array_equal(models[0].flat.value, models[1].flat.value)


def test_dropout_drops_others_at_each_step(blobs):
    model = classifier(rate=0.5, optimizer=optim.SGD(0.0))
    assert model.train_on_batch(*blobs)[0] != model.train_on_batch(*blobs)[0]


# The moving average of the weights


def test_ema_is_the_average_of_the_weights_after_each_step(blobs):
    x, y = blobs
    model = classifier(optimizer=optim.SGD(0.5))
    average, steps = model.flat.value.astype(np.float64), []

    def follow(batch, logs):
        steps.append(batch)
        momentum = min(0.7, len(steps) / (len(steps) + 9))  # young averages forget faster
        average[:] = momentum * average + (1 - momentum) * model.flat.value

    seen = []
    model.fit(
        x, y, batch_size=30, epochs=4, verbose=0, ema_momentum=0.7,
        callbacks=[
            LambdaCallback(
                on_train_batch_end=follow,
                on_epoch_end=lambda epoch, logs: seen.append((model.flat.value.copy(), average.copy())),
            )
        ],
    )  # fmt: skip
    assert len(steps) == 32
    for given, expected in seen:
        np.testing.assert_allclose(given, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(model.flat.value, seen[-1][0])


def test_ema_does_not_change_how_the_weights_train(blobs):
    x, y = blobs

    def trajectory(momentum):
        model, weights = classifier(), []
        record = LambdaCallback(
            on_train_batch_end=lambda batch, logs: weights.append(model.flat.value.tobytes())
        )
        model.fit(x, y, epochs=2, validation_split=0.2, verbose=0, ema_momentum=momentum, callbacks=[record])
        return weights, model.flat.value.tobytes()

    plain, averaged = trajectory(None), trajectory(0.9)
    assert plain[0] == averaged[0]
    assert plain[1] != averaged[1]
    assert plain[1] == plain[0][-1]


def test_ema_is_what_is_validated(blobs):
    x, y = blobs
    model = classifier()
    history = model.fit(x, y, validation_data=(x, y), ema_momentum=0.99, verbose=0).history
    assert history["val_loss"][-1] == model.evaluate(x, y)[0]


@pytest.mark.parametrize("momentum", [-0.1, 1.0, 2.0, math.nan])
def test_an_impossible_ema_momentum(blobs, momentum):
    with pytest.raises(ValueError, match="ema_momentum must be at least 0 and below 1"):
        classifier().fit(*blobs, ema_momentum=momentum)


# Augmentation


class AugmentRecorder:
    """Shifts the images by a constant and remembers what it was called with."""

    def __init__(self):
        self.calls = []

    def __call__(self, images, *, seed, epoch, indices):
        self.calls.append((images.copy(), seed, epoch, indices.copy()))
        return images + 100


def test_augment_gets_images_with_seed_epoch_and_indices():
    augment, x = AugmentRecorder(), numbers(20, (2, 2, 1)).astype(np.float32)
    model = Sequential([layers.GlobalAveragePool2D()], (2, 2, 1), seed=7)
    model.compile(optim.SGD(0.0), "mse")
    for _ in range(2):
        model.fit(x, numbers(20), batch_size=6, epochs=2, validation_split=0.5, augment=augment, verbose=0)
    assert {seed for _, seed, _, _ in augment.calls} == {7}
    for epoch in range(4):  # a second fit goes on counting
        indices = np.concatenate([indices for _, _, number, indices in augment.calls if number == epoch])
        assert sorted(indices.tolist()) == list(range(10))  # all that train, and nothing that validates
    for images, _, _, indices in augment.calls:
        np.testing.assert_array_equal(images, x[indices])


def test_the_model_trains_on_augmented_images_and_validates_on_plain_ones():
    x = numbers(20)
    model = identity()
    history = model.fit(
        x, x, batch_size=6, validation_data=(x, x), augment=AugmentRecorder(), verbose=0
    ).history
    assert history == {"loss": [pytest.approx(1e4)], "val_loss": [0.0]}
    np.testing.assert_array_equal(x, numbers(20))


# What fit prints


def fit_quietly_or_not(blobs, verbose):
    classifier().fit(*blobs, epochs=2, validation_split=0.2, verbose=verbose)


def test_verbose_0_prints_nothing(blobs, capsys):
    fit_quietly_or_not(blobs, 0)
    assert capsys.readouterr() == ("", "")


def test_verbose_2_prints_a_line_an_epoch(blobs, capsys):
    fit_quietly_or_not(blobs, 2)
    out, err = capsys.readouterr()
    assert err == ""
    names = ["loss", "accuracy", "val_loss", "val_accuracy"]
    values = " - ".join(rf"{name}: \d\.\d{{4}}" for name in names)
    lines = out.splitlines()
    assert len(lines) == 2
    for number, line in enumerate(lines, start=1):
        assert re.fullmatch(rf"Epoch {number}/2 - \d+\.\d s - {values}", line)


def test_verbose_1_shows_a_bar_on_stderr_that_gives_way_to_a_line(blobs, capsys, monkeypatch):
    monkeypatch.setattr(tqdm.tqdm, "monitor_interval", 0)
    monkeypatch.setattr(tqdm.tqdm, "__init__", partialmethod(tqdm.tqdm.__init__, mininterval=0))
    fit_quietly_or_not(blobs, 1)
    out, err = capsys.readouterr()
    assert [line.split(" - ")[0] for line in out.splitlines()] == ["Epoch 1/2", "Epoch 2/2"]
    shown = [text for text in err.split("\r") if text.strip()]
    assert shown[0].strip() == "Epoch 1/2: compiling kernels"
    assert [text for text in shown if "compiling" in text] == shown[:1]
    last = shown[-1]
    for part in ("Epoch 2/2: 100%", "samples/s", "00:00 left", "loss=", "accuracy="):
        assert part in last
    assert not err.split("\r")[-1].strip()  # the bar is gone


def test_a_callback_of_the_epoch_s_end_prints_after_the_epoch_s_line(blobs, capsys):
    tell = LambdaCallback(on_epoch_end=lambda epoch, logs: print("callback", epoch))
    classifier().fit(*blobs, epochs=2, verbose=2, callbacks=[tell])
    lines = [line.split(" - ")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["Epoch 1/2", "callback 0", "Epoch 2/2", "callback 1"]


def test_verbose_auto_is_lines_without_a_terminal_and_a_bar_in_one(blobs, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    fit_quietly_or_not(blobs, "auto")
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), err) == (2, "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit_quietly_or_not(blobs, "auto")
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert "Epoch 2/2" in err


# Bad input


BAD_LABELS = [
    (np.array([0, 1, 2, 3]), ValueError, r"Label 3 at index 3 is out of range.*labels are 0\.\.2"),
    (np.array([0, -1, 2, 1]), ValueError, "Label -1 at index 1"),
    (np.array([0.0, 1.0, 1.5, 1.0]), ValueError, r"Label 1\.5 at index 2 is no whole number"),
    (np.eye(3)[[0, 1, 2, 1]], ValueError, "one-hot.*categorical_crossentropy"),
    (np.array(["0", "1", "2", "1"]), TypeError, "y must be an array of numbers"),
    (np.zeros((4, 2), int), ValueError, r"\(4, 2\)"),
    (np.zeros(3, int), ValueError, "x has 4 samples and y has 3"),
    (np.array(1), ValueError, "x has 4 samples and y has none"),
]


@pytest.mark.parametrize(("y", "error", "message"), BAD_LABELS)
@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch"])
def test_labels_that_do_not_fit_change_nothing(y, error, message, method):
    model = classifier()
    before = model.flat.value.copy()
    with pytest.raises(error, match=message):
        getattr(model, method)(np.zeros((4, 2)), y)
    np.testing.assert_array_equal(model.flat.value, before)
    assert model.steps_trained == 0


@pytest.mark.parametrize(("y", "error", "message"), BAD_LABELS)
def test_bad_validation_labels_are_found_before_training(blobs, y, error, message):
    model = classifier()
    with pytest.raises(error, match=message):
        model.fit(*blobs, validation_data=(np.zeros((4, 2)), y))
    assert model.steps_trained == 0


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.zeros((4, 3)), ValueError, r"'dense'.*\(N, 2\); got \(4, 3\).*Likely fix"),
        (np.full((4, 2), np.nan), ValueError, r"NaN or infinite values, the first at \(0, 0\)"),
        (np.zeros((0, 2)), ValueError, "empty"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch"])
def test_inputs_that_do_not_fit(x, error, message, method):
    model = classifier()
    with pytest.raises(error, match=message):
        getattr(model, method)(x, np.zeros(len(x), int))
    assert model.steps_trained == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a positive integer or None; got 0"),
        ({"batch_size": 2.5}, "batch_size must be a positive integer or None; got 2.5"),
        ({"epochs": -1}, "epochs must be a positive integer; got -1"),
        ({"epochs": 0}, "epochs must be a positive integer; got 0"),
        ({"verbose": 3}, "verbose must be 0, 1, 2 or 'auto'; got 3"),
        ({"validation_split": 1.0}, "validation_split between 0 and 1"),
        ({"validation_split": -0.1}, "validation_split between 0 and 1"),
        ({"validation_data": (np.zeros((4, 2)),)}, r"validation_data must be a pair \(x, y\)"),
    ],
)
def test_impossible_arguments_of_fit(blobs, arguments, message):
    model = classifier()
    with pytest.raises(ValueError, match=message):
        model.fit(*blobs, **arguments)
    assert model.steps_trained == 0


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("categorical_crossentropy", np.zeros(4, int), "sparse_categorical_crossentropy"),
        ("binary_crossentropy", np.full((4, 3), 2.0), "outside 0..1"),
        ("mse", np.full((4, 3), np.nan), "not a finite number"),
        ("mse", np.zeros(4), r"\(4, 3\)"),
    ],
)
def test_targets_that_do_not_fit_another_loss(loss, y, message):
    ending = {"categorical_crossentropy": "softmax", "binary_crossentropy": "sigmoid"}.get(loss)
    model = Sequential([layers.Dense(3, activation=ending)], 2)
    model.compile("sgd", loss)
    with pytest.raises(ValueError, match=message):
        model.fit(np.zeros((4, 2)), y)


@pytest.mark.parametrize(
    ("last", "loss", "message"),
    [
        (layers.Dense(3), "sparse_categorical_crossentropy", "activation='softmax'"),
        (layers.Dense(3, activation="relu"), "categorical_crossentropy", "activation='softmax'"),
        (layers.Tanh(), "sparse_categorical_crossentropy", "activation='softmax'"),
        (layers.Dense(3), "binary_crossentropy", "activation='sigmoid'"),
        (layers.Softmax(), losses.SparseCategoricalCrossentropy(from_logits=True), "Leave one of them out"),
        (
            layers.Dense(3, activation="softmax"),
            losses.CategoricalCrossentropy(from_logits=True),
            "Leave one",
        ),
        (layers.Sigmoid(), losses.BinaryCrossentropy(from_logits=True), "Leave one of them out"),
    ],
)
def test_a_cross_entropy_that_does_not_fit_the_model_s_end_is_a_warning(last, loss, message):
    model = Sequential([layers.Dense(3, activation="relu"), last], 2)
    with pytest.warns(UserWarning, match=message) as caught:
        model.compile("sgd", loss)
    assert [warning.filename for warning in caught] == [__file__]
    targets = [0, 1, 2, 1] if "parse" in str(loss) else np.eye(3)[[0, 1, 2, 1]]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "train_on_batch: the training has diverged")  # a logarithm of -1
        model.train_on_batch(np.ones((4, 2)), targets)


@pytest.mark.parametrize(("end", "loss"), [
    ("softmax", losses.SparseCategoricalCrossentropy), ("softmax", losses.CategoricalCrossentropy),
    ("sigmoid", losses.BinaryCrossentropy),
])  # fmt: skip
def test_logits_are_taken_from_before_an_activation_that_is_not_applied_twice(end, loss):
    x, y = np.random.default_rng(0).normal(size=(9, 2)), np.arange(9) % 3
    targets = y if loss is losses.SparseCategoricalCrossentropy else np.eye(3)[y]
    models = []
    for from_logits in (True, False):
        model = Sequential([layers.Dense(3, activation=end)], 2, seed=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.compile("sgd", loss(from_logits=from_logits), metrics=["accuracy"])
        model.fit(x, targets, epochs=2, verbose=0)
        models.append((model.evaluate(x, targets), model.predict(x).tolist()))
    assert models[0] == models[1]


def test_a_sigmoid_with_a_cross_entropy_of_classes_is_allowed():
    Sequential([layers.Dense(3, activation="sigmoid")], 2).compile("sgd", "categorical_crossentropy")


def test_softmax_with_binary_cross_entropy_is_allowed():
    Sequential([layers.Dense(2, activation="softmax")], 2).compile("sgd", "binary_crossentropy")


# Interruptions


def interruption(method, action):
    """A callback that interrupts training in one of its methods."""
    return LambdaCallback(**{method: lambda *arguments: action()})


def fail():
    raise RuntimeError("from a callback")


@pytest.fixture
def bars(monkeypatch):
    """All progress bars that were made."""
    made = []

    class RecordedBar(tqdm.tqdm):
        closed = False

        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, **keywords)
            made.append(self)

        def close(self):
            super().close()
            self.closed = True

    monkeypatch.setattr(tqdm, "tqdm", RecordedBar)
    return made


@pytest.mark.parametrize(
    ("action", "error"),
    [(fail, RuntimeError), (lambda: signal.raise_signal(signal.SIGINT), KeyboardInterrupt)],
    ids=["exception", "Ctrl-C"],
)
@pytest.mark.parametrize("method", ["on_epoch_begin", "on_train_batch_end", "on_epoch_end"])
def test_an_interruption_leaves_a_model_that_works_and_no_open_bar(
    blobs, bars, capsys, action, error, method
):
    x, y = blobs
    model = classifier()
    with pytest.raises(error):
        model.fit(x, y, verbose=1, ema_momentum=0.9, callbacks=[interruption(method, action)])
    capsys.readouterr()
    assert len(bars) == (method != "on_epoch_begin")
    assert all(bar.closed for bar in bars)
    assert np.isfinite(model.predict(x)).all()
    assert model.fit(x, y, epochs=5, verbose=0).history["loss"][-1] < 0.2


def test_an_interruption_leaves_the_average_of_the_weights_in_the_model(blobs):
    model, whole = classifier(), classifier()
    with pytest.raises(RuntimeError):
        model.fit(*blobs, verbose=0, ema_momentum=0.9, callbacks=[interruption("on_epoch_end", fail)])
    whole.fit(*blobs, verbose=0, ema_momentum=0.9)
    np.testing.assert_array_equal(model.flat.value, whole.flat.value)


def test_an_interruption_restores_the_best_weights(blobs):
    model, best = classifier(), classifier()
    stop = LambdaCallback(on_epoch_end=lambda epoch, logs: fail() if epoch == 2 else None)
    keep = EarlyStopping(monitor="loss", mode="max", patience=9, restore_best_weights=True)  # the first epoch
    with pytest.raises(RuntimeError):
        model.fit(*blobs, verbose=0, epochs=5, callbacks=[keep, stop])
    best.fit(*blobs, verbose=0)
    np.testing.assert_array_equal(model.flat.value, best.flat.value)


def test_an_error_in_augment_reaches_the_caller(blobs):
    def augment(images, *, seed, epoch, indices):
        raise RuntimeError("from augment")

    model = classifier()
    with pytest.raises(RuntimeError, match="from augment"):
        model.fit(*blobs, verbose=0, augment=augment)
    model.fit(*blobs, verbose=0)


def test_stop_training_ends_the_epoch_at_once_and_does_not_outlive_fit(blobs):
    x, y = blobs
    model = classifier()

    def stop(batch, logs):
        model.stop_training = batch == 2

    model.fit(x, y, epochs=3, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=stop)])
    assert model.steps_trained == 3
    model.fit(x, y, epochs=3, verbose=0)
    assert model.steps_trained == 3 + 3 * 8


def test_training_that_diverges_warns_once_and_stops(blobs):
    x, y = blobs
    model = Sequential([layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")], 2)
    model.compile(optim.SGD(1e38), metrics=["accuracy"])
    with pytest.warns(UserWarning, match="the training has diverged") as caught:
        history = model.fit(
            x, y, epochs=5, validation_split=0.2, verbose=0, callbacks=[TerminateOnNaN()]
        ).history
    assert len(caught) == 1
    assert not math.isfinite(history["loss"][-1])
    assert model.steps_trained < 10


def test_a_loss_that_returns_its_targets_as_gradient_does_not_lose_them():
    class Linear(losses.MeanSquaredError):
        def _gradient(self, y_true, y_pred):
            return y_true

    model = Sequential([layers.Dense(2)], 3)
    model.compile("sgd", Linear())
    y = np.ones((8, 2), np.float32)
    model.train_on_batch(np.ones((8, 3)), y)
    np.testing.assert_array_equal(y, 1)


def test_training_goes_on_after_loading_as_if_it_had_not_stopped(blobs, tmp_path):
    def build():
        model = Sequential(
            [layers.Dense(16, activation="relu"), layers.Dropout(0.5), layers.Dense(3, "softmax")],
            2,
            seed=0,
        )
        model.compile(optim.SGD(0.1))
        return model

    whole, first = build(), build()
    whole.fit(*blobs, epochs=2, verbose=0)
    first.fit(*blobs, epochs=1, verbose=0)
    first.save(tmp_path / "m")
    second = load_model(tmp_path / "m")
    second.fit(*blobs, epochs=1, verbose=0)
    np.testing.assert_array_equal(second.flat.value, whole.flat.value)
