from __future__ import annotations

import json
import os
import pickle
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from layer_cases import CASES

from tinynet import Sequential, initializers, layers, load_model, losses, models, optim
from tinynet.files import model_file as storage

LAYERS = [(case.make, case.shape) for case in CASES]


def small(compiled=True):
    model = Sequential([layers.Dense(3, "relu"), layers.Dense(2, "softmax")], 4, seed=5, name="small")
    if compiled:
        model.compile(metrics=["accuracy"])
    return model


def rewrite(path, change):
    """Change the description of the model in a file."""
    description = storage.read_safetensors(path)
    changed = change(description.config)
    description.config = description.config if changed is None else changed
    path.write_bytes(storage.safetensors_bytes(description))


@pytest.fixture
def saved(tmp_path):
    """A small model's file."""
    path = tmp_path / "small.safetensors"
    small().save(path)
    return path


# There and back


@pytest.mark.parametrize("number", range(len(LAYERS)))
def test_a_layer_survives(tmp_path, number):
    for dtype in ("float32", "float64"):
        check_that_a_layer_survives(tmp_path, *LAYERS[number], dtype)


def check_that_a_layer_survives(tmp_path, make, shape, dtype):
    model = Sequential([make()], shape, seed=3, dtype=dtype, name="one")
    random = np.random.default_rng(0)
    model.flat.value[:] = random.normal(size=model.flat.value.size)
    path = tmp_path / "model"
    model.save(path)
    same = load_model(path)
    assert same.config() == model.config()
    assert (same.input_shape, same.seed, same.dtype, same.name) == (shape, 3, np.dtype(dtype), "one")
    assert same.flat.value.tobytes() == model.flat.value.tobytes()
    x = random.normal(size=(20, *shape))
    np.testing.assert_array_equal(same.predict(x), model.predict(x))


def test_the_loaded_model_is_whole(saved):
    model = load_model(saved)
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    assert all(np.shares_memory(parameter.value, model.flat.value) for parameter in model.parameters)
    assert model.fit(np.ones((8, 4)), np.zeros(8, int), verbose=0).epoch == [0]


@pytest.mark.parametrize(
    "optimizer",
    [
        optim.SGD(0.5, momentum=0.5, nesterov=True, weight_decay=0.1, clipnorm=2.0),
        optim.SGD(0.5, global_clipnorm=2.0),
        optim.RMSprop(0.5, 0.8, 0.7, centered=True, clipvalue=0.5),
        optim.Adagrad(initial_accumulator_value=0.5),
        optim.Adadelta(rho=0.5),
        optim.Adamax(beta_2=0.5),
        optim.Nadam(name="mine"),
        optim.Adam(optim.PiecewiseConstantDecay([5, 9], [0.5, 0.2, 0.1]), amsgrad=True),
        optim.Adam(optim.CosineDecayRestarts(0.1, 10)),
        optim.Adam(optim.PolynomialDecay(0.1, 10)),
        optim.Adam(optim.InverseTimeDecay(0.1, 10, 0.5)),
        optim.Adam(0.5, beta_1=0.5, beta_2=0.75, epsilon=1e-3),
        optim.AdamW(optim.CosineDecay(0.0, 100, alpha=0.5, warmup_target=0.1, warmup_steps=5)),
        optim.SGD(optim.OneCycle(0.1, 100)),
        optim.SGD(optim.StepDecay(0.1, 10)),
        optim.SGD(optim.ExponentialDecay(0.1, 10, 0.5)),
        optim.SGD(optim.Constant(0.1)),
    ],
    ids=repr,
)
def test_the_optimizer_survives(tmp_path, optimizer):
    model = small(compiled=False)
    model.compile(optimizer)
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m").optimizer
    assert type(again) is type(optimizer)
    assert optim.serialize(again) == optim.serialize(optimizer)
    assert again.learning_rate == optimizer.learning_rate


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: optim.SGD(0.05),
        lambda: optim.SGD(optim.CosineDecay(0.1, 40), momentum=0.9, nesterov=True),
        lambda: optim.Adam(optim.ExponentialDecay(0.01, 5, 0.5), amsgrad=True, clipnorm=1.0),
        lambda: optim.RMSprop(momentum=0.5, centered=True),
        lambda: optim.Adadelta(0.5),
        lambda: optim.Adamax(),
        lambda: optim.Nadam(),
    ],
)
def test_training_goes_on_after_loading_as_if_it_had_not_stopped(tmp_path, blobs, optimizer):
    x, y = blobs
    models = []
    for stops in (False, True):
        row = [layers.Dense(8), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(3, "softmax")]
        model = Sequential(row, 2, seed=5)
        model.compile(optimizer())
        model.fit(x, y, epochs=2, verbose=0)
        if stops:
            model.save(tmp_path / "m")
            model = load_model(tmp_path / "m")
        model.fit(x, y, epochs=2, verbose=0)
        models.append(model)
    assert models[0].optimizer.iterations == models[1].optimizer.iterations > 0
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_that_was_saved_without_its_optimizer_has_a_fresh_one(tmp_path):
    model = small()
    model.train_on_batch(np.ones((2, 4)), np.zeros(2, int))
    model.save(tmp_path / "m", include_optimizer=False)
    assert "optimizer" not in "".join(safetensors.numpy.load_file(tmp_path / "m"))
    with pytest.raises(RuntimeError, match="compile"):
        load_model(tmp_path / "m").train_on_batch(np.ones((2, 4)), np.zeros(2, int))


@pytest.mark.parametrize(
    "change",
    [
        lambda slots: slots["m"].pop(),
        lambda slots: slots.pop("v"),
        lambda slots: slots["m"].reverse(),
        lambda slots: slots.update(m=[np.ones(3, "f4")] * 4),
    ],
)
def test_an_optimizer_s_state_that_does_not_fit_is_refused(tmp_path, change):
    model, path = small(), tmp_path / "m"
    model.train_on_batch(np.ones((2, 4)), np.zeros(2, int))
    model.save(path)
    description = storage.read_safetensors(path)
    change(description.slots)
    path.write_bytes(storage.safetensors_bytes(description))
    refuse(path, "optimizer's state")


@pytest.mark.parametrize(
    "loss",
    [
        losses.SparseCategoricalCrossentropy(label_smoothing=0.25),
        losses.CategoricalCrossentropy(),
        losses.BinaryCrossentropy(False, 0.125),
        losses.MeanSquaredError(),
    ],
)
def test_the_loss_survives(tmp_path, loss):
    model = small(compiled=False)
    model.compile("sgd", loss)
    model.save(tmp_path / "m")
    assert load_model(tmp_path / "m").loss == loss


def test_metrics_survive_except_own_functions(tmp_path):
    def own(y_true, y_pred):
        return 0.0

    model = small(compiled=False)
    model.compile(metrics=["accuracy", own, "mae"])
    model.save(tmp_path / "m")
    assert list(load_model(tmp_path / "m").trainer.metrics) == ["accuracy", "mae"]


def test_a_model_that_was_not_compiled_stays_so(tmp_path):
    small(compiled=False).save(tmp_path / "m")
    with pytest.raises(RuntimeError, match="compile"):
        load_model(tmp_path / "m").evaluate([[0.0] * 4], [0])


def test_numpy_numbers_as_hyperparameters_survive(tmp_path):
    model = Sequential(
        [
            layers.Conv2D(np.int64(2), (np.int32(2), np.int64(3)), strides=np.int64(2)),
            layers.Dropout(np.float32(0.5)),
            layers.LeakyReLU(np.float32(0.25)),
            layers.Flatten(),
            layers.Dense(np.int8(1), "sigmoid", use_bias=np.True_),
        ],
        np.array([8, 8, 1]),
        seed=np.int64(4),
    )
    model.compile(optim.SGD(np.float32(0.5)), losses.BinaryCrossentropy(label_smoothing=np.float32(0.25)))
    model.save(tmp_path / "m")
    same = load_model(tmp_path / "m")
    assert same.config() == model.config()
    assert same.loss == losses.BinaryCrossentropy(label_smoothing=0.25)


class OwnPath:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


@pytest.mark.parametrize("kind", [str, Path, OwnPath])
def test_paths_of_any_kind(tmp_path, kind):
    path = kind(tmp_path / "a model.safetensors")
    small().save(path)
    assert load_model(path).name == "small"


def test_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small().save("m")
    assert load_model("m").name == "small"


def test_other_programs_can_read_the_weights(saved):
    tensors = safetensors.numpy.load_file(saved)
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        "dense/kernel": (4, 3), "dense/bias": (3,), "dense_1/kernel": (3, 2), "dense_1/bias": (2,),
    }  # fmt: skip
    np.testing.assert_array_equal(tensors["dense/kernel"], small().parameters[0].value)


# Saving that fails


class OwnLayer(layers.ReLU):
    def __init__(self, secret):
        super().__init__()


@dataclass(frozen=True)
class OwnLoss(losses.MeanSquaredError):
    pass


@dataclass(eq=False)
class OwnOptimizer(optim.SGD):
    pass


@dataclass(frozen=True)
class OwnInitializer(initializers.Zeros):
    pass


def own_parts(part):
    """A model with a part that no file could rebuild."""
    tail = [OwnLayer(3)] if part == "layer" else []
    kernel_initializer = OwnInitializer() if part == "initializer" else "zeros"
    model = Sequential([layers.Dense(2, kernel_initializer=kernel_initializer), *tail], 4)
    rate = (lambda step: 0.1) if part == "schedule" else 0.1
    optimizer = OwnOptimizer(rate) if part == "optimizer" else optim.SGD(rate)
    model.compile(optimizer, OwnLoss() if part == "loss" else "mse")
    return model


@pytest.mark.parametrize("part", ["schedule", "optimizer", "loss"])
def test_a_model_with_own_parts_of_training_is_saved_without_them(saved, part):
    model = own_parts(part)
    model.save(saved)
    again = load_model(saved)
    np.testing.assert_array_equal(again.flat.value, model.flat.value)
    with pytest.raises(RuntimeError, match="compile"):
        again.loss  # noqa: B018


@dataclass(eq=False, repr=False)
class StoredScale(layers.Layer):
    """A layer of one's own, with more parameters than most layers have."""

    factor: float = 2.0

    def declare(self, input_shape, random):
        self.kernel = self.add_parameter("kernel", input_shape, initializers.Ones(), random)
        self.offset = self.add_parameter("offset", input_shape, initializers.Ones(), random)
        self.shift = self.add_parameter("shift", input_shape, initializers.Ones(), random)
        return input_shape

    def forward(self, x, training=False):
        self.remember(x=x if training else None)
        return x * self.kernel.value * self.factor + self.offset.value + self.shift.value

    def backward(self, dy):
        self.kernel.grad = (dy * self.x * self.factor).sum(0)
        self.offset.grad = self.shift.grad = dy.sum(0)
        return dy * self.kernel.value * self.factor


def test_a_keras_file_of_weights_alone_is_refused(tmp_path):
    model = Sequential([layers.Dense(2)], 3)
    with pytest.raises(ValueError, match=r"save_weights: .*m\.keras' promises a whole model"):
        model.save_weights(tmp_path / "m.keras")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["m", "m.keras", "m.h5"])
def test_weights_of_another_model_are_refused_and_say_of_which(tmp_path, name):
    Sequential([layers.Dense(4), layers.Dense(2)], 3).save(tmp_path / name)
    model = Sequential([layers.Dense(2)], 3, name="small")
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"does not hold the weights of Sequential 'small'.*[^.]\.$"):
        model.load_weights(tmp_path / name)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("text", ["{}", "[]", "null"])
def test_json_of_no_model_says_so(text):
    with pytest.raises(ValueError, match=r"model_from_json expects .*: it says no class"):
        models.model_from_json(text)


@pytest.mark.parametrize("name", ["m", "m.keras", "m.h5"])
def test_a_model_with_an_own_layer_goes_on_training_from_a_file(tmp_path, name):
    model = Sequential([layers.Dense(4, "relu"), StoredScale(3.0), layers.Dense(2)], 3)
    model.compile("adam", "mse")
    x, y = np.random.default_rng(0).random((20, 3)), np.ones((20, 2))
    model.fit(x, y, verbose=0)
    model.save(tmp_path / name)
    same = load_model(tmp_path / name)
    assert same.layers[1].factor == 3.0
    for one in (model, same):
        one.fit(x, y, shuffle=False, verbose=0)
    np.testing.assert_array_equal(same.flat.value, model.flat.value)


def test_own_initial_values_are_saved_like_others(saved):
    model = own_parts("initializer")
    model.flat.value = np.arange(model.flat.value.size)
    model.save(saved)
    np.testing.assert_array_equal(load_model(saved).flat.value, model.flat.value)


def test_what_cannot_be_loaded_is_not_saved(saved):
    before = saved.read_bytes()
    with pytest.raises(TypeError, match=r"(?i)own"):
        own_parts("layer").save(saved)
    assert saved.read_bytes() == before


def test_an_own_layer_is_named(tmp_path):
    with pytest.raises(
        TypeError, match="OwnLayer 'own_layer': a model file can describe a layer that is a dataclass"
    ):
        own_parts("layer").save(tmp_path / "m")


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_existing_file_survives_a_failing_save(saved, monkeypatch, step):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    before = saved.read_bytes()
    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[step], fail)
    other = small()
    other.flat.value[:] = 7.0
    with pytest.raises(OSError, match="No space left on device") as caught:
        other.save(saved)
    assert str(saved) in str(caught.value)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.parametrize("path", ["folder/", "folder", "some/where/"])
def test_a_model_is_saved_into_a_folder_and_loaded_from_it(tmp_path, path):
    (tmp_path / "folder").mkdir()
    model, place = small(), f"{tmp_path}/{path}"
    model.save(place)
    np.testing.assert_array_equal(load_model(place).predict(np.ones((5, 4))), model.predict(np.ones((5, 4))))
    assert [one.name for one in Path(place).iterdir()] == ["model.safetensors"]
    model.save_weights(place)
    model.load_weights(place)


def test_saving_makes_folders_that_are_not_there(tmp_path):
    small().export(tmp_path / "and" / "there" / "m.tflite")
    assert (tmp_path / "and" / "there" / "m.tflite").is_file()
    small().save(tmp_path / "some" / "where" / "m")
    assert load_model(tmp_path / "some" / "where" / "m").predict(np.ones((5, 4))).shape == (5, 2)


# Files that hold no model


def refuse(path, *parts):
    """Check that loading raises one clear error, which names the file."""
    with pytest.raises(ValueError, match=r".") as caught:
        load_model(path)
    said = str(caught.value).replace(str(Path(path).parent), "")  # which is called like the test
    for part in (Path(path).name, *parts):
        assert part in said


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no model file.*missing"):
        load_model(tmp_path / "missing")


def test_a_directory(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no model\.safetensors in the folder"):
        load_model(tmp_path)


@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.slow)])
def test_a_file_truncated_anywhere(saved, step):
    whole = saved.read_bytes()
    for length in (*range(1, len(whole), step), len(whole) - 1):
        saved.write_bytes(whole[:length])
        refuse(saved, "truncated")


def test_a_file_with_something_behind_it(saved):
    saved.write_bytes(saved.read_bytes() + b"\0")
    refuse(saved, "damaged")


@pytest.mark.parametrize(
    "content",
    [b"hello, this is a text file\n" * 9, bytes(100), b"\xff" * 100, b"PK\x03\x04" + bytes(99), b"{}"],
)
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    refuse(path, "model")


# What people have in the place of a model's file, and what they are told to do.
KINDS = {
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4665\nsize 9573894\n",
        "run git lfs pull",
    ),
    "empty": (b"", "it is empty: get the file again"),
    "page": (b"\n<!DOCTYPE html>\n<html></html>", "fetch the file itself"),
    "gzip": (b"\x1f\x8b\x08" + bytes(40), "unpack it first"),
    "pickle": (pickle.dumps({"weight": 1.0}), "could run any code"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(40), "load what it was made of"),
    "notebook": (b'{\n "cells": []}', "it is a notebook"),
    "json": (b'{"class_name": "Sequential"}', "model_from_json"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_a_known_kind_says_what_to_do(tmp_path, name):
    content, message = KINDS[name]
    path = tmp_path / "file.h5"
    path.write_bytes(content)
    model = small()
    for load in (load_model, model.load_weights):
        with pytest.raises(ValueError, match=message):
            load(path)


def test_weights_are_not_loaded_from_onnx_files_and_saved_models_not_read(tmp_path):
    path = tmp_path / "saved_model.pb"
    path.write_bytes(b"\x08\x08" + bytes(40))
    with pytest.raises(ValueError, match=r"whole models are loaded, by tinynet\.load_model"):
        small().load_weights(path)
    for one in (path, tmp_path):
        with pytest.raises(ValueError, match="only TensorFlow runs"):
            load_model(one)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"model": "{}"}])
def test_a_safetensors_file_of_another_program(tmp_path, metadata):
    path = tmp_path / "other.safetensors"
    safetensors.numpy.save_file({"weight": np.ones(3)}, path, metadata)
    refuse(path, "not one that tinynet wrote")


@pytest.mark.parametrize("version", ["3", "0", "", "one", None])
def test_another_version_of_the_format(tmp_path, version):
    path = tmp_path / "future.safetensors"
    metadata = {"format": "tinynet", "model": "{}"} | ({} if version is None else {"format_version": version})
    safetensors.numpy.save_file({"weight": np.ones(3)}, path, metadata)
    refuse(path, f"format version {version}", "this tinynet reads 1")


@pytest.mark.parametrize("metadata", [{}, {"model": ""}, {"model": "{"}, {"model": "[" * 10**5}])
def test_a_description_that_is_no_json(tmp_path, metadata):
    path = tmp_path / "damaged.safetensors"
    safetensors.numpy.save_file({}, path, {"format": "tinynet", "format_version": "1"} | metadata)
    refuse(path, "damaged description")


TAMPERINGS = {
    "no description": lambda d: {},
    "a list": lambda d: [d],
    "a number": lambda d: 3,
    "a text": lambda d: "model",
    "nothing": lambda d: [None],
    "no layers": lambda d: d.update(layers=[]),
    "layers missing": lambda d: d.pop("layers") and None,
    "layers a number": lambda d: d.update(layers=3),
    "a layer a text": lambda d: d.update(layers=["Dense"]),
    "unknown layer": lambda d: d["layers"][0].update({"class": "Attention"}),
    "another class": lambda d: d["layers"][0].update({"class": "Parameter"}),
    "class missing": lambda d: d["layers"][0].pop("class") and None,
    "unknown argument": lambda d: d["layers"][0].update(rate=0.5),
    "argument missing": lambda d: d["layers"][0].pop("units") and None,
    "negative units": lambda d: d["layers"][0].update(units=-3),
    "units a text": lambda d: d["layers"][0].update(units="3"),
    "other units": lambda d: d["layers"][0].update(units=5),
    "very many units": lambda d: d["layers"][0].update(units=10**15),
    "more units than fit": lambda d: d["layers"][0].update(units=10**30),
    "unknown activation": lambda d: d["layers"][0].update(activation="relo"),
    "unknown initializer": lambda d: d["layers"][0].update(kernel_initializer="twos"),
    "another layer": lambda d: d["layers"].append({"class": "Dense", "units": 2}),
    "other input shape": lambda d: d.update(input_shape=[5]),
    "no input shape": lambda d: d.update(input_shape=None),
    "a seed of text": lambda d: d.update(seed="zero"),
    "half precision": lambda d: d.update(dtype="float16"),
    "no such dtype": lambda d: d.update(dtype="number"),
    "compile a number": lambda d: d.update(compile=3),
    "unknown optimizer": lambda d: d["compile"]["optimizer"].update(class_name="Lion"),
    "unknown argument of the optimizer": lambda d: d["compile"]["optimizer"]["config"].update(rate=0.1),
    "unknown schedule": lambda d: d["compile"]["optimizer"]["config"].update(
        learning_rate={"class_name": "Linear", "config": {}}
    ),
    "unknown loss": lambda d: d["compile"]["loss"].update(name="Hinge"),
    "unknown argument of the loss": lambda d: d["compile"]["loss"].update(margin=1),
    "loss missing": lambda d: d["compile"].pop("loss") and None,
    "unknown metric": lambda d: d["compile"].update(metrics=["beauty"]),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_tampered_description(saved, tampering):
    rewrite(saved, TAMPERINGS[tampering])
    refuse(saved)


def test_an_unknown_layer_is_named(saved):
    rewrite(saved, TAMPERINGS["unknown layer"])
    refuse(saved, "'Attention'", "tinynet.layers.Layer, has to be defined")


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.update({"dense/kernel": [np.ones((4, 4), np.float32)]}),
        lambda tensors: tensors.update({"dense/kernel": [np.ones(12, np.float32)]}),
        lambda tensors: tensors.update({"dense/gamma": [np.ones(3, np.float32)]}),
        lambda tensors: tensors.pop("dense_1/bias"),
        lambda tensors: tensors.clear(),
    ],
    ids=["another shape", "a flat kernel", "one too many", "one missing", "none"],
)
def test_weights_that_do_not_fit_the_description(saved, change):
    description = storage.read_safetensors(saved)
    change(description.weights)
    saved.write_bytes(storage.safetensors_bytes(description))
    refuse(saved, "its model needs")


# No code comes with a file


class Trap:
    """Would write a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_is_refused_and_not_run(tmp_path):
    path, sprung = tmp_path / "model.pkl", tmp_path / "sprung"
    path.write_bytes(pickle.dumps(Trap(sprung)))
    refuse(path)
    assert not sprung.exists()


def test_the_file_is_a_json_header_and_the_weights(saved):
    content = saved.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    assert header.pop("__metadata__").keys() == {"format", "format_version", "model"}
    assert len(content) == 8 + length + 23 * 4
    assert {entry["dtype"] for entry in header.values()} == {"F32"}


def test_a_layer_s_class_that_is_defined_again_is_still_saved(tmp_path):
    def define():
        @dataclass(eq=False, repr=False)
        class Cell(layers.Layer):
            factor: float = 2.0

            def forward(self, x, training=False):
                return self.check_input(x) * self.dtype.type(self.factor)

        return Cell

    kind = define()
    model = Sequential([kind(3.0)], 2)
    define()  # as a cell of a notebook that runs again
    model.save(tmp_path / "model")
    assert load_model(tmp_path / "model").predict([[1.0, 2.0]]).tolist() == [[3.0, 6.0]]


def test_missing_folders_are_made(tmp_path):
    model = Sequential([layers.Dense(2)], 3)
    model.save(tmp_path / "some" / "folder" / "model.h5")
    model.save_weights(tmp_path / "other" / "model.weights.h5")
    assert load_model(tmp_path / "some" / "folder" / "model.h5").output_shape == (2,)
    model.load_weights(tmp_path / "other" / "model.weights.h5")
