"""`tinynet.sklearn`: networks as estimators of scikit-learn."""

from __future__ import annotations

import copy
import inspect
import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, layers, optim
from tinynet.callbacks import EarlyStopping
from tinynet.seeds import seeded

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import estimator_checks_generator  # noqa: E402

from tinynet.sklearn import NetworkClassifier, NetworkRegressor  # noqa: E402

WEIGHTS = (
    "Keras divides a weighted loss by the number of samples, and batches are of samples: a weight of 2 is "
    "like two samples at best to rounding"
)
EXPECTED = {"check_sample_weight_equivalence_on_dense_data": WEIGHTS}


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pair
        for estimator in (NetworkClassifier(), NetworkRegressor())
        for pair in estimator_checks_generator(estimator, expected_failed_checks=EXPECTED, mark="xfail")
    ],
    ids=lambda value: getattr(getattr(value, "func", None), "__name__", None) or type(value).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def build(meta, units=8, rate=0.01):
    """A model that is compiled here."""
    model = Sequential([layers.Dense(units, "relu"), layers.Dense(meta["n_classes_"], "softmax")])
    model.compile(optim.Adam(rate), "sparse_categorical_crossentropy")
    return model


def uncompiled(units=8, outputs=3, last="softmax"):
    return Sequential([layers.Dense(units, "relu"), layers.Dense(outputs, last)])


def same(first, second):
    pairs = zip(first.model_.get_weights(), second.model_.get_weights(), strict=True)
    return all(np.array_equal(*pair) for pair in pairs)


# Parameters


def test_parameters_of_parts():
    network = NetworkClassifier(build, model__units=4, optimizer__learning_rate=0.5, epochs=2)
    assert network.get_params()["model__units"] == 4
    assert network.set_params(model__rate=0.1, epochs=3) is network
    copied = clone(network)
    assert copied.get_params() == network.get_params()
    assert (copied.epochs, copied.get_params()["model__rate"]) == (3, 0.1)
    assert "model__units=4" in repr(network)


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (NetworkClassifier(epoch=3), TypeError, "Unknown parameter 'epoch'. Did you mean 'epochs'"),
        (NetworkClassifier(build, model__unit=3), ValueError, "'unit'. Did you mean 'units'"),
        (NetworkClassifier(model__units=3), ValueError, "model__units is for a function .* model is none"),
        (NetworkClassifier(optimizer__rate=3), ValueError, "Unknown argument of Adam 'rate'"),
        (NetworkClassifier(build, loss="mse"), ValueError, "compiled already, so loss would have no effect"),
        (NetworkClassifier(build, optimizer__momentum=1), ValueError, "so optimizer__momentum would have no"),
        (NetworkClassifier(lambda: 3), TypeError, "must return a model; got 3"),
        (NetworkClassifier(uncompiled, model__outputs=4), ValueError, r"3 classes, and the .* \(4,\)"),
        (NetworkRegressor(uncompiled), ValueError, r"y has 1 numbers a sample, and the model gives \(3,\)"),
    ],
)
def test_what_does_not_fit_is_said(blobs, network, error, message):
    with pytest.raises(error, match=message):
        network.fit(*blobs)


def test_an_unknown_parameter_cannot_be_set():
    with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
        NetworkClassifier().set_params(epoch=3)


# Models


def test_a_function_is_told_of_the_data(blobs):
    told = {}

    def learn(meta, compile_kwargs):
        told.update(meta, **compile_kwargs)
        return uncompiled()

    x, y = blobs
    NetworkClassifier(learn, metrics=["accuracy"], epochs=1).fit(x, np.array(["a", "b", "c"])[y])
    assert told.pop("classes_").tolist() == ["a", "b", "c"]
    assert told == {
        "n_features_in_": 2,
        "X_shape_": (240, 2),
        "n_classes_": 3,
        "target_type_": "multiclass",
        "n_outputs_expected_": 3,
        "optimizer": "adam",
        "loss": None,
        "metrics": ["accuracy"],
    }


def test_the_optimizer_is_the_estimator_s_own_each_time(blobs):
    optimizer = optim.SGD(0.1, momentum=0.9)
    network = NetworkClassifier(uncompiled, optimizer=optimizer, optimizer__learning_rate=0.2, epochs=1)
    trained = network.fit(*blobs).model_.optimizer
    assert repr(trained) == repr(optim.SGD(0.2, momentum=0.9))
    assert network.fit(*blobs).model_.optimizer is not trained
    assert (optimizer.learning_rate, optimizer.iterations) == (0.1, 0)


def test_a_model_is_copied_and_trained_from_its_weights_on(blobs):
    model = uncompiled()
    model.build((None, 2))
    before = model.get_weights()
    network = clone(NetworkClassifier(model, epochs=1, optimizer__learning_rate=1e-9)).fit(*blobs)
    assert network.model_ is not model
    for now, given, kept in zip(network.model_.get_weights(), before, model.get_weights(), strict=True):
        np.testing.assert_allclose(now, given, atol=1e-6)
        np.testing.assert_array_equal(kept, given)


def test_the_same_random_state_gives_the_same_model(blobs):
    x, y = blobs
    first, second, other = (
        NetworkClassifier(uncompiled, epochs=2, random_state=state).fit(x, y) for state in (7, 7, 8)
    )
    assert same(first, second)
    assert not same(first, other)
    assert same(first.fit(x, y), second)
    generator = np.random.RandomState(0)
    network = NetworkClassifier(uncompiled, epochs=2, random_state=generator)
    assert not same(copy.deepcopy(network.fit(x, y)), network.fit(x, y))


def test_a_random_state_counts_in_its_own_thread_alone():
    with seeded(5):
        with ThreadPoolExecutor(1) as pool:
            others = pool.submit(lambda: Sequential([layers.Dense(2)], 2).seed).result()
        with seeded(6):
            inner = Sequential([layers.Dense(2)], 2).seed
        assert Sequential([layers.Dense(2)], 2).seed == 5
    assert (others, inner) == (0, 6)


def test_random_state_leaves_the_seeds_of_the_process_as_they_are(blobs):
    tinynet.set_random_seed(3)
    expected = Sequential([layers.Dense(2)], 2).seed
    tinynet.set_random_seed(3)
    NetworkClassifier(epochs=1, random_state=9).fit(*blobs)
    assert Sequential([layers.Dense(2)], 2).seed == expected


@pytest.mark.parametrize(
    ("loss", "outputs", "last"),
    [
        (None, 1, "sigmoid"),
        (None, 2, "softmax"),
        ("categorical_crossentropy", 2, "softmax"),
        ("mse", 2, "softmax"),
        (tinynet.losses.BinaryCrossentropy(from_logits=True), 1, "linear"),
        (tinynet.losses.SparseCategoricalCrossentropy(from_logits=True), 2, "linear"),
    ],
)
def test_two_classes_with_every_kind_of_output(blobs, loss, outputs, last):
    x, y = blobs
    labels = np.where(y > 0, "yes", "no")
    network = NetworkClassifier(
        uncompiled, loss=loss, model__outputs=outputs, model__last=last, epochs=20, random_state=0,
        optimizer__learning_rate=0.01,
    )  # fmt: skip
    assert network.fit(x, labels).score(x, labels) > 0.95
    probabilities = network.predict_proba(x)
    assert probabilities.shape == (240, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert probabilities.min() >= 0
    assert network.predict(x[:1]).tolist() == [labels[0]]


def test_several_labels_a_sample():
    x = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    y = (x > 0).astype(int)
    network = NetworkClassifier(random_state=0, optimizer__learning_rate=0.01).fit(x, y)
    assert network.score(x, y) > 0.9
    assert set(np.unique(network.predict(x))) == {0, 1}
    with pytest.raises(ValueError, match="Unknown label type: multiclass-multioutput"):
        network.fit(x, y + np.arange(2))


def test_images(blobs):
    images = np.zeros((60, 6, 5, 1), np.float32)
    y = np.arange(60) % 2
    images[y == 1, 1:3] = 1
    network = NetworkClassifier(hidden_layer_sizes=4, epochs=30, random_state=0)
    assert network.fit(images, y).score(images, y) == 1
    with pytest.raises(ValueError, match=r"\(6, 5, 1\)"):
        network.predict(images[:, :, :3])

    def convolutional():
        return Sequential(
            [layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(2, "softmax")]
        )

    network = NetworkClassifier(convolutional, optimizer__learning_rate=0.05, epochs=30, random_state=0)
    assert network.fit(images, y).score(images, y) == 1


def test_pixels_on_the_disk_are_not_copied(tmp_path):
    pixels = np.memmap(tmp_path / "pixels", np.uint8, "w+", shape=(12000, 64, 64))
    pixels[1::2, :32] = 255
    y = np.arange(12000) % 2

    def mean_rows():
        return Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(2, "softmax")])

    NetworkClassifier(mean_rows, epochs=1).fit(pixels[:64], y[:64])  # what is imported and compiled first
    tracemalloc.start()
    network = NetworkClassifier(mean_rows, epochs=1, random_state=0).fit(pixels, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < pixels.nbytes / 2
    assert network.score(pixels[:100], y[:100]) == 1


def test_several_targets():
    x = np.linspace(-1, 1, 60).reshape(-1, 1)
    y = np.hstack([x, -2 * x])
    network = NetworkRegressor(hidden_layer_sizes=(), optimizer="sgd", random_state=0, epochs=300)
    np.testing.assert_allclose(
        network.set_params(optimizer__learning_rate=0.1).fit(x, y).predict(x), y, atol=0.01
    )
    with pytest.raises(ValueError, match=r"y was \('N', 2\) before, and is \(60,\) now"):
        network.partial_fit(x, y[:, 0])


# Training


def test_class_weight_is_by_label_and_multiplies_sample_weight(blobs):
    x, y = blobs
    labels = np.array(["a", "b", "c"])[y]
    weights = np.array([2.0, 1.0, 0.5])[y]
    twice = np.where(x[:, 0] > 0, 2.0, 1.0)
    settings = {"epochs": 2, "random_state": 0, "hidden_layer_sizes": 4}
    by_class = NetworkClassifier(class_weight={"a": 2.0, "c": 0.5}, **settings)
    by_sample = NetworkClassifier(**settings)
    assert same(by_class.fit(x, labels), by_sample.fit(x, labels, sample_weight=weights))
    assert same(by_class.fit(x, labels, twice), by_sample.fit(x, labels, twice * weights))
    assert not same(by_class, NetworkClassifier(**settings).fit(x, labels))
    few = np.flatnonzero((y > 0) | (np.arange(240) % 7 == 0))
    balanced = 1 / (3 * np.bincount(y[few]) / len(few))
    weighted = by_sample.fit(x[few], labels[few], sample_weight=balanced[y[few]])
    assert same(NetworkClassifier(class_weight="balanced", **settings).fit(x[few], labels[few]), weighted)


def test_arguments_of_fit(blobs):
    x, y = blobs
    labels = np.array(["a", "b", "c"])[y]
    network = NetworkClassifier(epochs=5, metrics=["accuracy"], random_state=0, verbose=0)
    history = network.fit(x, labels, epochs=2, validation_data=(x[:50], labels[:50])).history_
    assert {name: len(values) for name, values in history.items()} == dict.fromkeys(
        ["loss", "accuracy", "val_loss", "val_accuracy"], 2
    )
    stopping = EarlyStopping(monitor="loss", patience=0, min_delta=1e9)
    assert len(network.set_params(callbacks=[stopping]).fit(x, labels).history_["loss"]) == 2


def test_warm_start_and_partial_fit_go_on(blobs):
    x, y = blobs
    once = NetworkClassifier(epochs=2, random_state=0).fit(x, y)
    warm = NetworkClassifier(epochs=1, random_state=0, warm_start=True).fit(x, y).fit(x, y)
    part = NetworkClassifier(random_state=0).partial_fit(x, y, classes=[0, 1, 2]).partial_fit(x, y)
    assert same(once, warm)
    assert same(once, part)
    with pytest.raises(ValueError, match=r"y holds .*3.*, which is none of the classes, \[0, 1, 2\]"):
        part.partial_fit(x, y + 1)


def test_what_is_no_data_is_refused(blobs):
    sparse = pytest.importorskip("scipy.sparse")
    x, y = blobs
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        NetworkClassifier().fit(sparse.csr_array(x), y)
    with pytest.raises(ValueError, match=r"2 classes at least; got one class, \[1\]"):
        NetworkClassifier().fit(x, np.ones(240, int))
    with pytest.raises(NotFittedError):
        NetworkClassifier().predict(x)
    with pytest.raises(ValueError, match="X has 1 features, but NetworkClassifier is expecting 2"):
        NetworkClassifier(epochs=1).fit(x, y).predict(x[:, :1])


def test_pandas(blobs):
    pandas = pytest.importorskip("pandas")
    x, y = blobs
    frame = pandas.DataFrame(x, columns=["length", "width"])
    network = NetworkClassifier(epochs=1).fit(frame, pandas.Series(y).map({0: "a", 1: "b", 2: "c"}))
    assert network.feature_names_in_.tolist() == ["length", "width"]
    with pytest.raises(ValueError, match="feature names"):
        network.predict(frame.rename(columns={"width": "height"}))


# Copies, pipelines, searches


def test_trained_networks_are_copied_and_pickled(blobs, tmp_path):
    joblib = pytest.importorskip("joblib")
    x, y = blobs
    network = NetworkClassifier(uncompiled, epochs=2, random_state=0).fit(x, y)
    joblib.dump(network, tmp_path / "network.joblib")
    for other in (
        pickle.loads(pickle.dumps(network)),
        copy.deepcopy(network),
        joblib.load(tmp_path / "network.joblib"),
    ):
        np.testing.assert_array_equal(other.predict_proba(x), network.predict_proba(x))
        assert same(other.partial_fit(x, y), copy.deepcopy(network).partial_fit(x, y))


def threads_of_a_worker(_):
    return tinynet.get_num_threads()


def test_workers_share_the_cores(monkeypatch):
    joblib = pytest.importorskip("joblib")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # whoever sets it, joblib leaves it as it is
    monkeypatch.delenv("TINYNET_NUM_THREADS", raising=False)
    threads = joblib.Parallel(n_jobs=2)(joblib.delayed(threads_of_a_worker)(i) for i in range(4))
    assert threads == [max(joblib.cpu_count() // 2, 1)] * 4


def search(**settings):
    """A search over a pipeline, for parameters of the function and of the optimizer."""
    network = NetworkClassifier(uncompiled, epochs=5, random_state=0)
    grid = {
        "networkclassifier__model__units": [1, 8],
        "networkclassifier__optimizer__learning_rate": [1e-4, 0.03],
    }
    return GridSearchCV(make_pipeline(StandardScaler(), network), grid, cv=2, error_score="raise", **settings)


@pytest.fixture(scope="module", autouse=True)
def no_workers_left():
    """Ends joblib's processes, which else wait for more work."""
    yield
    pytest.importorskip("joblib").externals.loky.get_reusable_executor().shutdown(wait=True)


@pytest.fixture(scope="module")
def found(blobs):
    return search().fit(*blobs)


def test_a_grid_search_finds_the_better_network(found):
    best = {name.rpartition("__")[2]: value for name, value in found.best_params_.items()}
    assert best == {"units": 8, "learning_rate": 0.03}
    assert found.best_score_ > 0.9


def test_a_grid_search_on_processes_finds_the_same(found, blobs):
    parallel = search(n_jobs=2).fit(*blobs)
    np.testing.assert_array_equal(
        parallel.cv_results_["mean_test_score"], found.cv_results_["mean_test_score"]
    )


def test_a_grid_search_on_threads_finds_the_same(found, blobs):
    joblib = pytest.importorskip("joblib")
    with joblib.parallel_config("threading", n_jobs=3):
        parallel = search().fit(*blobs)
    np.testing.assert_array_equal(
        parallel.cv_results_["mean_test_score"], found.cv_results_["mean_test_score"]
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_grid_search_on_a_cluster_finds_the_same(found, blobs):
    distributed = pytest.importorskip("distributed")
    joblib = pytest.importorskip("joblib")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config("dask"),
    ):
        assert set(client.run(tinynet.get_num_threads).values()) == {1}  # Dask sets OMP_NUM_THREADS
        parallel = search().fit(*blobs)
        assert len(client.run(lambda: None)) == 2
    np.testing.assert_array_equal(
        parallel.cv_results_["mean_test_score"], found.cv_results_["mean_test_score"]
    )


def test_the_page_s_program_runs(capsys):
    page = (Path(__file__).parent.parent / "docs" / "sklearn.md").read_text("utf-8")
    exec(page.split("```python\n")[1].split("```")[0], {})
    score = float(capsys.readouterr().out.split()[-1])
    assert score > 0.95


# Keras's own wrappers


def old(units=8, outputs=3, loss="sparse_categorical_crossentropy"):
    model = uncompiled(units, outputs)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def line(units=1):
    model = Sequential([layers.Dense(units)])
    model.compile(optim.SGD(0.1), "mse")
    return model


def test_the_classifier_of_keras_2(blobs):
    from tinynet.keras.wrappers.scikit_learn import KerasClassifier

    x, y = blobs
    network = KerasClassifier(build_fn=old, units=16, epochs=30, batch_size=5, verbose=0)
    assert network.get_params() == {
        "build_fn": old, "units": 16, "epochs": 30, "batch_size": 5, "verbose": 0,
    }  # fmt: skip
    history = network.fit(x, y)
    assert len(history.history["accuracy"]) == 30
    assert network.model.layers[0].units == 16
    assert network.score(x, y) > 0.95
    assert network.predict_proba(x, verbose=0).shape == (240, 3)
    one_hot = np.eye(3)[y]
    rows = KerasClassifier(old, loss="categorical_crossentropy", epochs=30, batch_size=5, verbose=0)
    assert cross_val_score(rows, x, one_hot, cv=2).mean() > 0.9
    rows.fit(x, one_hot)
    assert rows.predict(x).shape == (240,)
    searched = GridSearchCV(network, {"units": [1, 16], "epochs": [1, 30]}, cv=2).fit(x, y)
    assert searched.best_params_ == {"units": 16, "epochs": 30}
    with pytest.raises(ValueError, match="unit is no argument"):
        KerasClassifier(old, unit=3).fit(x, y)
    with pytest.raises(RuntimeError, match="must be compiled"):
        KerasClassifier(uncompiled).fit(x, y)


def test_the_regressor_of_keras_2():
    from tinynet.keras.wrappers.scikit_learn import KerasRegressor

    x = np.linspace(-1, 1, 64).reshape(-1, 1)
    network = KerasRegressor(build_fn=line, epochs=80, verbose=0)
    network.fit(x, 3 * x[:, 0])
    assert network.predict(x).shape == (64,)
    assert network.score(x, 3 * x[:, 0] + 1) == pytest.approx(-1, abs=0.05)  # the loss, negative


def of_keras_3(X, y, units=4):  # noqa: N803
    model = uncompiled(units, y.shape[1])
    model.compile("adam", "categorical_crossentropy")
    return model


def test_the_wrappers_of_keras_3(blobs):
    from tinynet.keras.wrappers import SKLearnClassifier, SKLearnRegressor

    x, y = blobs
    labels = np.array(["a", "b", "c"])[y]
    network = SKLearnClassifier(
        of_keras_3, model_kwargs={"units": 16}, fit_kwargs={"epochs": 40, "verbose": 0}
    )
    assert clone(network).fit(x, labels).score(x, labels) > 0.95
    assert network.fit(x, labels, epochs=1).decision_function(x).shape == (240, 3)
    assert len(network.history_["loss"]) == 1
    model = line()
    model.build((None, 1))
    given = model.get_weights()[0].copy()
    inputs = np.linspace(-1, 1, 64).reshape(-1, 1)
    regressor = SKLearnRegressor(model, fit_kwargs={"epochs": 80, "verbose": 0}).fit(inputs, 3 * inputs)
    np.testing.assert_allclose(regressor.predict([[1.0]]), [[3.0]], atol=0.01)
    np.testing.assert_array_equal(model.get_weights()[0], given)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_keras_s_wrappers_take_and_give_the_same(blobs, keras):
    x, y = blobs
    labels = np.array(["a", "b", "c"])[y]
    told = []

    def classifying(library):
        def make(X, y, units):  # noqa: N803
            told.append((X.shape, y.shape))
            row = [library.layers.Dense(units, "relu"), library.layers.Dense(y.shape[1], "softmax")]
            model = library.Sequential(row)
            model.compile("adam", "categorical_crossentropy")
            return model

        return make

    def regressing(library):
        def make(X, y):  # noqa: N803
            told.append((X.shape, y.shape))
            model = library.Sequential([library.layers.Dense(y.shape[1])])
            model.compile("adam", "mse")
            return model

        return make

    given = []
    for library in (keras, tinynet.keras):
        wrappers = library.wrappers
        classifier = wrappers.SKLearnClassifier(
            classifying(library), model_kwargs={"units": 8}, fit_kwargs={"epochs": 30, "verbose": 0}
        )
        regressor = wrappers.SKLearnRegressor(regressing(library), fit_kwargs={"verbose": 0})
        classifier.fit(x, labels)
        assert classifier.score(x, labels) > 0.9
        found = classifier.predict(x[:9]), classifier.decision_function(x), classifier.classes_
        numbers = regressor.fit(x, x[:, 0]).predict(x)
        given.append([array.shape for array in (*found, numbers)])
    assert given[0] == given[1]
    assert told[:2] == told[2:]
    for name in ("SKLearnClassifier", "SKLearnRegressor"):
        ours, theirs = (inspect.signature(getattr(one.wrappers, name)) for one in (tinynet.keras, keras))
        assert [*ours.parameters] == [*theirs.parameters]
        defaults = [[one.default for one in each.parameters.values()] for each in (ours, theirs)]
        assert defaults[0] == defaults[1]


def test_without_scikit_learn_the_error_says_what_to_install(run_python):
    printed = run_python("""
import sys
sys.modules["sklearn"] = None
import tinynet, tinynet.keras.wrappers.scikit_learn
for use in (lambda: tinynet.sklearn, lambda: tinynet.keras.wrappers.KerasClassifier):
    try:
        use()
    except ImportError as error:
        print(error)
""")
    assert printed == 2 * ("tinynet.sklearn needs scikit-learn: python -m pip install scikit-learn\n")
