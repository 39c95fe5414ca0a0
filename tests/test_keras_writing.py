"""What is written as Keras writes it, Keras 3 opens, predicts the same, and goes on training from."""

from __future__ import annotations

import io
import json
import warnings
import zipfile

import numpy as np
import pytest
from keras_writing_cases import FORMATS, OPTIMIZERS, check_close, opened, scrambled, trained, weights_of
from layer_cases import CASES, case_name

import tinynet
from tinynet import Model, Sequential, layers, optim
from tinynet.files.keras import writing
from tinynet.files.keras.config import config_from_keras
from tinynet.layers.config import layer_config
from tinynet.models.storage.optimizer_state import optimizer_state
from tinynet.models.storage.saving import describe

pytestmark = pytest.mark.filterwarnings(  # Keras asks PyTorch in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
# Of odd padding, Keras counts repeated edges on PyTorch, and nothing on its other backends, as here.
ODD = "AveragePool2D(pool_size=3, strides=2, padding='same')-(6, 5, 17)"
ABSENT = ("gelu_approximate", "LogSoftmax(axis=2)")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_keras_predicts_the_same_with_every_layer(keras, case, suffix, tmp_path):
    model = scrambled(Sequential([case.make()], case.shape))
    description = describe(model)
    if any(name in case_name(case) for name in ABSENT):
        with pytest.raises(ValueError, match="Keras"):
            FORMATS[suffix](description)
        return
    theirs = opened(keras, description, tmp_path, suffix)
    for one, other in zip(weights_of(theirs), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x, _ = case.data(model)
    wanted = model.predict(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a softmax of one element is 1
        found = theirs.predict(x, verbose=0)
    if case_name(case) != ODD:
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * abs(wanted).max())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_keras_goes_on_training_where_we_were(keras, optimizer, tmp_path):
    model, batch = trained(optimizer)
    description = describe(model)
    theirs = opened(keras, description, tmp_path, "keras")
    assert int(theirs.optimizer.iterations.numpy()) == 3
    before = weights_of(theirs)
    np.testing.assert_allclose(theirs.predict(batch[0], verbose=0), model.predict(batch[0]), atol=1e-5)
    theirs.train_on_batch(*batch)
    model.train_on_batch(*batch)
    check_close(theirs, model)
    moved = [(one != other).any() for one, other in zip(weights_of(theirs), before, strict=True)]
    assert sum(moved) >= 20


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_weight_arrives_with_all_its_bits(keras, suffix, tmp_path):
    model, batch = trained(optim.Adam)
    theirs = opened(keras, describe(model), tmp_path, suffix)
    check_close(theirs, model, 0)
    np.testing.assert_allclose(theirs.predict(batch[0], verbose=0), model.predict(batch[0]), atol=1e-5)
    theirs.train_on_batch(*batch)  # from .h5, with a fresh optimizer


def test_weights_alone_and_the_optimizer_are_read_into_a_model(keras, tmp_path):
    model, batch = trained(optim.Adam)
    description = describe(model)
    theirs = opened(keras, description, tmp_path, "keras")
    theirs.set_weights([0 * weight for weight in weights_of(theirs)])
    theirs.optimizer.set_weights([0 * variable.numpy() for variable in theirs.optimizer.variables])
    path = tmp_path / "model.weights.h5"
    path.write_bytes(writing.keras_weights_bytes(description))
    theirs.load_weights(path)
    theirs.train_on_batch(*batch)
    model.train_on_batch(*batch)
    check_close(theirs, model)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_network_that_is_called_twice_gives_the_output(keras, suffix, tmp_path):
    start, given = tinynet.Input((3,)), tinynet.Input((3,))
    inner = Model(start, layers.Dense(3)(start), name="inner")
    first = inner(given)
    model = scrambled(Model(given, [first, inner(layers.Dense(3, "tanh")(first))]))
    theirs = opened(keras, describe(model), tmp_path, suffix)
    check_close(theirs, model, 0)
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    for one, other in zip(theirs.predict(x, verbose=0), model.predict(x), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    again = config_from_keras(keras.saving.serialize_keras_object(theirs), None, "3.15.1")
    for key in ("joins", "outputs"):
        assert again[key] == layer_config(model)[key]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_model_that_is_not_compiled_and_one_without_state(keras, suffix, tmp_path):
    model = Sequential([layers.Dense(2), layers.Dropout(0.5)], 3)
    assert not opened(keras, describe(model), tmp_path, suffix).compiled
    model.compile("adam", "mse")
    for state in ((0, {}), optimizer_state(model)):
        description = describe(model)
        description.iterations, description.slots = state
        theirs = opened(keras, description, tmp_path, suffix, not state[1])
        assert int(theirs.optimizer.iterations.numpy()) == 0
        theirs.train_on_batch(np.ones((2, 3)), np.ones((2, 2)))


@pytest.mark.parametrize("write", [*FORMATS.values(), writing.keras_weights_bytes])
def test_the_same_model_gives_the_same_bytes(write, monkeypatch):
    model, _ = trained(optim.Adam)
    first = write(describe(model))
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: None)
    assert write(describe(model)) == first


def test_what_is_in_the_files():
    model = Sequential([layers.Dense(2, name="b"), layers.Dense(1, name="a")], 3, name="row")
    model.compile("sgd", "mse")
    with zipfile.ZipFile(io.BytesIO(writing.keras_zip_bytes(describe(model)))) as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert json.loads(archive.read("metadata.json")) == {
            "keras_version": "3.15.1",
            "date_saved": "1980-01-01@00:00:00",
            "tinynet": {
                "seed": model.seed, "steps_trained": 0, "epochs_trained": 0, "temperature": 1.0, "seeds": {},
            },
        }  # fmt: skip
        data = archive.read("model.weights.h5")
    h5py = pytest.importorskip("h5py")
    with h5py.File(io.BytesIO(data)) as file:
        assert [*file["layers/dense_1/vars"]] == ["0", "1"]
        assert file["layers/dense_1/vars"].attrs["name"] == "a"
        assert [*file["optimizer/vars"]] == ["0", "1"]
    with h5py.File(io.BytesIO(writing.keras_hdf5_bytes(describe(model)))) as file:
        assert [*file["model_weights"].attrs["layer_names"]] == [b"b", b"a"]
        assert [*file["model_weights/a"].attrs["weight_names"]] == [b"a/kernel", b"a/bias"]
        assert "optimizer_weights" not in file


def test_earlier_versions_of_keras_3_know_all_arguments():
    text = writing.keras_zip_bytes(describe(trained(optim.Adam)[0])) + writing.keras_hdf5_bytes(
        describe(trained(optim.Adam)[0])
    )
    for name in writing.LATER:
        assert name.encode() not in text


def test_the_first_keras_3_knows_all_arguments_of_resizing(keras, tmp_path):
    model = Sequential([layers.Resizing(3, 4), layers.RandomRotation(0.1, "constant")], (5, 6, 1))
    theirs = opened(keras, describe(model), tmp_path, "keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        resizing, rotation = json.loads(archive.read("config.json"))["config"]["layers"][1:]
    assert {*resizing["config"]} == {
        "name", "trainable", "dtype", "height", "width", "interpolation", "crop_to_aspect_ratio",
        "data_format",
    }  # fmt: skip
    assert rotation["config"]["fill_mode"] == theirs.layers[1].fill_mode == "constant"


def test_names_that_are_too_long_for_one_attribute(keras, tmp_path):
    width, count = 900, 90
    row = [layers.Dense(1, name=f"{number:0{width}}", use_bias=False) for number in range(count)]
    model = scrambled(Sequential(row, 1))
    theirs = opened(keras, describe(model), tmp_path, "h5")
    for one, other in zip(weights_of(theirs), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "model.h5") as file:
        attributes = file["model_weights"].attrs
        assert {"layer_names0", "layer_names1"} <= {*attributes}
        assert "layer_names" not in attributes


def test_what_does_not_belong_to_the_network_is_refused():
    model = Sequential([layers.Dense(2, name="a")], 3)
    model.compile("adam", "mse")
    for change, error in [
        ({"weights": {"a": [np.ones((3, 2))] * 3}}, "'a': Keras's Dense has"),
        ({"weights": {"b": [np.ones((3, 2))]}}, r"no layers \['b'\]"),
        ({"slots": {"m": [np.ones(3)], "v": [np.ones(3)]}}, "'m' has arrays of"),
    ]:
        description = describe(model)
        vars(description).update(change)
        for write in (*FORMATS.values(), writing.keras_weights_bytes):
            with pytest.raises(ValueError, match=error):
                write(description)
