"""What scripts written for Keras call, by Keras's names and with its arguments, does what it does there."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from safetensors.numpy import load_file

import tinynet
from tinynet import Input, Model, Sequential, layers, models
from tinynet.files.model_file import weights_bytes
from tinynet.layers.config import layer_config

pytestmark = pytest.mark.filterwarnings(  # get_weights asks PyTorch in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

SUFFIXES = ["m.h5", "m.keras", "m", "m.hdf5", "m.tf", "m.weights.h5"]


def of_layers(make, sequential, shape):
    """Return a row with everything that has weights, built by tinynet's or by Keras's layers."""
    return sequential(
        [
            make.Input(shape),
            make.Conv2D(3, 3, activation="relu", name="first"),
            make.BatchNormalization(),
            make.Flatten(),
            make.Dropout(0.25),
            make.Dense(4, activation="relu"),
            make.Dense(2, activation="softmax", name="last"),
        ]
    )


def small(seed=1, **options):
    return of_layers(layers, lambda parts: Sequential(parts, seed=seed, **options), (6, 6, 1))


def branched(seed=1):
    inputs = Input((4,), name="numbers")
    x = layers.Dense(4, name="wide")(inputs)
    return Model(inputs, layers.Dense(2, name="out")(layers.Add()([x, inputs])), seed=seed, name="branched")


def data(count=12, shape=(6, 6, 1), seed=0):
    random = np.random.default_rng(seed)
    return random.random((count, *shape), np.float32), random.integers(0, 2, count)


def trained(**options):
    model = small()
    model.compile(metrics=["accuracy"], **options)
    model.fit(*data(), verbose=0)
    return model


# Predictions.


def test_predict_takes_what_keras_does_and_gives_the_same():
    model, (x, _) = small(), data(50)
    expected = model.predict(x)
    for arguments in ((7,), (7, 0), (None, 2), (None, "auto", None), (64, 1)):
        np.testing.assert_array_equal(model.predict(x, *arguments), expected)
    np.testing.assert_array_equal(model.predict(x, batch_size=np.int64(3), verbose=False), expected)
    np.testing.assert_array_equal(model.predict_on_batch(x), expected)
    np.testing.assert_array_equal(model(x), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "predict: steps must be a positive integer or None; got 0"),
        ({"batch_size": 0}, "batch_size must be a positive integer or None; got 0"),
        ({"batch_size": 2.5}, "batch_size must be"),
        ({"batch_size": True}, "batch_size must be"),
        ({"verbose": 3}, "verbose must be 0, 1, 2 or 'auto'; got 3"),
        ({"verbose": None}, "verbose must be"),
        ({"callbacks": [tinynet.callbacks.TerminateOnNaN()]}, "callbacks are for fit"),
    ],
)
def test_predict_refuses_what_it_cannot_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        small().predict(data()[0], **arguments)


# compile.


def test_compile_takes_the_rest_by_name():
    with pytest.raises(TypeError, match=r"after the loss by name.*differ between versions of Keras"):
        small().compile("sgd", "sparse_categorical_crossentropy", None, ["accuracy"])


def test_compile_takes_and_ignores_what_has_no_meaning_here():
    plain, other = small(), small()
    plain.compile("sgd", metrics=["accuracy"])
    other.compile(
        "sgd", metrics=["accuracy"], run_eagerly=True, jit_compile="auto", steps_per_execution=4,
        auto_scale_loss=True, loss_weights=None, weighted_metrics=None,
    )  # fmt: skip
    for model in (plain, other):
        model.fit(*data(), verbose=0)
    assert plain.history == other.history
    np.testing.assert_array_equal(plain.flat.value, other.flat.value)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"loss_weights": [0.5]}, ValueError, r"loss_weights must be None, because.*got \[0.5\]"),
        ({"weighted_metrics": ["acuracy"]}, ValueError, "Did you mean 'accuracy'"),
        ({"learning_rate": 0.1}, TypeError, "no argument 'learning_rate'.*are optimizer, loss, metrics, "),
        ({"metric": ["accuracy"]}, TypeError, r"no argument 'metric'. Did you mean metrics=\?"),
    ],
)
def test_compile_refuses_what_would_change_the_training(arguments, error, message):
    model = small()
    with pytest.raises(error, match=message):
        model.compile("sgd", **arguments)
    assert model.metrics_names == []


@pytest.mark.parametrize(
    ("given", "name"),
    [("accuracy", "accuracy"), ("acc", "acc"), (["acc"], "acc"), (tinynet.metrics.accuracy, "accuracy")],
)
def test_a_metric_alone_and_acc_keep_their_names(given, name):
    model = small()
    model.compile(metrics=given)
    history = model.fit(*data(), validation_data=data(seed=1), verbose=0).history
    assert [*history] == ["loss", name, "val_loss", f"val_{name}"]
    assert model.metrics_names == ["loss", name]


def test_no_metrics_may_be_none():
    model = small()
    model.compile(metrics=None)
    assert model.metrics_names == ["loss"]


def test_acc_is_in_the_logs_also_after_loading(tmp_path):
    model = small()
    model.compile(metrics=["acc"])
    model.save(tmp_path / "m.h5")
    assert tinynet.load_model(tmp_path / "m.h5").metrics_names == ["loss", "acc"]


# history.


def test_history_is_the_last_fits():
    model = small()
    assert model.history is None
    model.compile()
    first = model.fit(*data(), epochs=2, verbose=0)
    assert model.history is first
    second = model.fit(*data(), verbose=0)
    assert model.history is second
    assert len(second.epoch) == 1


class Interrupt(tinynet.callbacks.Callback):
    def on_epoch_begin(self, epoch):
        if epoch == 2:
            raise KeyboardInterrupt


def test_history_is_there_when_fit_was_interrupted():
    model = small()
    model.compile()
    model.fit(*data(), verbose=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data(), epochs=5, callbacks=[Interrupt()], verbose=0)
    assert model.history.epoch == [0, 1]
    assert len(model.history.history["loss"]) == 2


# Layers and weights.


def test_get_layer_finds_by_name_and_by_index():
    model = small()
    assert model.get_layer("last") is model.layers[-1]
    assert model.get_layer(name="dense") is model.layers[-2]
    assert model.get_layer(index=0) is model.get_layer("first")
    assert model.get_layer(index=-1) is model.layers[-1]
    assert Sequential([layers.Dense(2)]).get_layer("dense").units == 2  # before it is built


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "lost"}, r"No such layer: '?lost'?. Existing layers are: \['first', "),
        ({"index": 7}, "at index 7,? but (the )?model only has 6 layers"),
        ({"name": "last", "index": 0}, "Provide only a layer name or a layer index"),
        ({}, "Provide either a layer name or (a )?layer index"),
    ],
)
def test_get_layer_raises_what_keras_does(keras, arguments, message):
    for model in (small(), of_layers(keras.layers, keras.Sequential, (6, 6, 1))):
        with pytest.raises(ValueError, match=f"(?i){message}"):
            model.get_layer(**arguments)


def test_an_index_before_the_first_layer_is_refused():
    with pytest.raises(ValueError, match="the model only has 6 layers"):
        small().get_layer(index=-7)


@pytest.mark.parametrize("frozen", [None, "first", "last", "batch_normalization", "model"])
def test_weights_are_those_of_keras_in_its_order(keras, frozen):
    ours, theirs = small(), of_layers(keras.layers, keras.Sequential, (6, 6, 1))
    theirs.layers[1].name = "batch_normalization"  # where other models came first it has a number
    for model in (ours, theirs):
        if frozen == "model":
            model.trainable = False
        elif frozen:
            model.get_layer(frozen).trainable = False
    for kind in ("weights", "trainable_weights", "non_trainable_weights"):
        mine, other = getattr(ours, kind), getattr(theirs, kind)
        assert [(one.name, one.value.shape) for one in mine] == [
            (one.name, tuple(one.shape)) for one in other
        ]
        for place in range(6):
            mine, other = (getattr(model.layers[place], kind) for model in (ours, theirs))
            assert [one.name for one in mine] == [one.name for one in other]
    assert ours.count_params() == theirs.count_params()
    assert [one.count_params() for one in ours.layers] == [one.count_params() for one in theirs.layers]


def test_weights_are_in_the_order_of_get_weights():
    model = branched()
    assert all(
        (one.value == array).all() for one, array in zip(model.weights, model.get_weights(), strict=True)
    )
    model.weights[0].value = np.zeros((4, 4))
    assert not model.get_layer("wide").kernel.value.any()


def test_weights_are_read_and_set_in_keras_words(keras):
    for model in (small(), of_layers(keras.layers, keras.Sequential, (6, 6, 1))):
        bias = model.weights[-1]
        assert (bias.name, bias.shape, str(bias.dtype)) == ("bias", (2,), "float32")
        bias.assign([1.0, 2.0])
        kept = bias.numpy()
        bias.assign([0.0, 0.0])
        np.testing.assert_array_equal(kept, [1, 2])
        assert not model.get_weights()[-1].any()
        with pytest.raises(ValueError, match="shape"):
            bias.assign([1.0, 2.0, 3.0])


def test_parameters_of_what_is_not_built_cannot_be_counted(keras):
    for kinds, row in ((layers, Sequential), (keras.layers, keras.Sequential)):
        for one in (kinds.Dense(2), row([kinds.Dense(2)])):
            with pytest.raises(ValueError, match=r"count_params.*(isn't|is not) built"):
                one.count_params()
    assert Sequential([layers.Dense(2)]).weights == []


# Weights in files.


@pytest.mark.parametrize("name", [name for name in SUFFIXES if name != "m.keras"])
@pytest.mark.parametrize("make", [trained, branched])
def test_weights_come_back_from_a_file_of_any_name(tmp_path, name, make):
    first, second = make(), make()
    for parameter in second.weights:
        parameter.value = parameter.value + 1
    first.save_weights(tmp_path / name)
    second.load_weights(str(tmp_path / name))
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    if not name.endswith(("h5", "hdf5")):  # .safetensors, for all to read
        assert [*load_file(tmp_path / name)] == sorted(first.named_parameters())


def test_what_is_not_there_is_said_once_and_without_compile_only_of_layers(tmp_path, keras):
    row = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activity_regularizer="l2")])
    row.compile("adam", "mse", loss_weights=[2.0])
    row.save(tmp_path / "m.keras")
    for compiled, said in (
        (True, ["loss_weights", "activity_regularizer"]),
        (False, ["activity_regularizer"]),
    ):
        with pytest.warns(UserWarning) as caught:  # noqa: PT030  (all are looked at)
            models.load_model(tmp_path / "m.keras", compile=compiled)
        for one, word in zip(caught, said, strict=True):
            assert word in str(one.message)
    with pytest.warns(UserWarning, match="without activity_regularizer"):
        Sequential.from_config(row.get_config())


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
@pytest.mark.parametrize("make", [trained, branched])
def test_weights_are_loaded_from_a_whole_model_of_keras_s(tmp_path, name, make):
    first, second = make(), make()
    for parameter in second.weights:
        parameter.value = parameter.value + 1
    first.save(tmp_path / name)
    second.load_weights(tmp_path / name)
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_layers_of_a_file_of_keras_s_may_have_other_names(tmp_path, name):
    first, second = (
        Sequential([layers.Dense(3, name=one), layers.Dense(2, name=two)], 4) for one, two in ("ab", "xy")
    )
    first.save(tmp_path / name)
    second.load_weights(tmp_path / name)
    np.testing.assert_array_equal(second.flat.value, first.flat.value)


@pytest.mark.parametrize("dtype", [None, "float16"])
def test_weights_are_loaded_from_a_whole_model(tmp_path, dtype):
    first, second = trained(), small(seed=5)
    first.save(tmp_path / "m.safetensors", dtype=dtype)
    before = second.predict(data()[0])
    second.load_weights(tmp_path / "m.safetensors")
    np.testing.assert_allclose(second.predict(data()[0]), first.predict(data()[0]), atol=1e-3 if dtype else 0)
    assert not np.allclose(second.predict(data()[0]), before, atol=1e-3)


def test_training_goes_on_after_weights_are_loaded(tmp_path):
    model = trained()
    model.save_weights(tmp_path / "w")
    model.fit(*data(), verbose=0)
    model.load_weights(tmp_path / "w")
    model.fit(*data(), verbose=0)  # the steps that were recorded see them
    other = small(seed=9)
    other.load_weights(tmp_path / "w")
    assert not np.array_equal(model.get_weights()[0], other.get_weights()[0])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Sequential([layers.Dense(4, name="wide")], 4), r"it lacks out/kernel \(4, 2\), out/bias \(2,\)\."),
        (
            Sequential([layers.Dense(4, name=name) for name in ("wide", "out", "c")], 4),
            r"excess, c/bias \(4,\), c/kernel \(4, 4\); in it, out/kernel is \(4, 4\) and should be \(4, 2\)",
        ),
        (
            Sequential([layers.Dense(1) for _ in range(5)], 4),
            r"dense_2/bias \(1,\) and 5 more\. Load it",
        ),
    ],
)
def test_other_weights_are_refused_and_change_nothing(tmp_path, other, message):
    other.save_weights(tmp_path / "w")
    model = branched()
    before = model.flat.value.copy()
    with pytest.raises(ValueError, match=f"does not hold the weights of Model 'branched'.*{message}"):
        model.load_weights(tmp_path / "w")
    np.testing.assert_array_equal(model.flat.value, before)


def test_weights_that_are_no_floats_are_refused(tmp_path):
    model = branched()
    whole = {name: one.value.astype(np.int32) for name, one in model.named_parameters().items()}
    (tmp_path / "w").write_bytes(weights_bytes(whole))
    with pytest.raises(ValueError, match="in it, out/bias is of int32 and should be floats"):
        model.load_weights(tmp_path / "w")


def test_a_file_of_weights_is_no_model_and_others_are_no_weights(tmp_path):
    model = small()
    for name in ("w", "w.h5"):
        model.save_weights(tmp_path / name)
        with pytest.raises(ValueError, match=r"holds .*weights .*alone.*call model.load_weights"):
            tinynet.load_model(tmp_path / name)
    (tmp_path / "text").write_text("no weights")
    with pytest.raises(ValueError, match=r"not a whole .safetensors file"):
        model.load_weights(tmp_path / "text")
    with pytest.raises(FileNotFoundError, match=r"no file .* with weights"):
        model.load_weights(tmp_path / "nowhere")
    for keyword in ("skip_mismatch", "by_name"):
        with pytest.raises(ValueError, match="are loaded all or none"):
            model.load_weights(tmp_path / "w", **{keyword: True})


def test_what_is_not_built_has_no_weights_to_save_or_load(tmp_path):
    small().save_weights(tmp_path / "w")
    model = Sequential([layers.Dense(2)])
    for call in (model.save_weights, model.load_weights):
        with pytest.raises(ValueError, match="is not built, and has no weights yet"):
            call(tmp_path / "w")


# Whole models in files.


@pytest.mark.parametrize("name", SUFFIXES)
@pytest.mark.parametrize("make", [trained, branched])
def test_a_model_comes_back_from_a_file_of_any_name(tmp_path, name, make):
    model = make()
    model.save(str(tmp_path / name))
    same = tinynet.load_model(tmp_path / name)
    for one, other in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert same.metrics_names == model.metrics_names


@pytest.mark.parametrize("method", ["save", "save_weights"])
def test_a_file_is_replaced_unless_it_must_not_be(tmp_path, method):
    save = getattr(small(), method)
    save(tmp_path / "m", overwrite=False)
    before = (tmp_path / "m").read_bytes()
    with pytest.raises(FileExistsError, match=r"the file exists.*overwrite=True"):
        getattr(small(seed=3), method)(tmp_path / "m", overwrite=False)
    assert (tmp_path / "m").read_bytes() == before
    getattr(small(seed=3), method)(tmp_path / "m", overwrite=True)
    assert (tmp_path / "m").read_bytes() != before


def test_without_its_optimizer_a_model_is_loaded_uncompiled(tmp_path):
    model = trained()
    model.save(tmp_path / "m", include_optimizer=False)
    assert tinynet.load_model(tmp_path / "m").metrics_names == []
    model.save(tmp_path / "m", include_optimizer=True)
    assert tinynet.load_model(tmp_path / "m").metrics_names == ["loss", "accuracy"]


# Models as data.


@pytest.mark.parametrize("make", [trained, branched])
def test_a_model_is_built_again_from_its_text_and_its_config(make):
    model = make()
    model.get_layer(index=0).trainable = True
    text = json.dumps(layer_config(model))  # tinynet's own form
    made = [models.model_from_json(model.to_json()), models.model_from_json(text)]
    for again in (
        *made,
        type(model).from_config(model.get_config()),
        type(model).from_config(model.config()),
    ):
        assert type(again) is type(model)
        assert again.get_config() == model.get_config()
        assert [*again.named_parameters()] == [*model.named_parameters()]
    assert [again.metrics_names for again in made] == [model.metrics_names] * 2
    assert json.loads(json.dumps(model.get_config())) == model.get_config()


@pytest.mark.parametrize(
    "text", ["", "{}", '{"class": "Dense", "units": 2}', '{"class_name": "Sequential"}', 3]
)
def test_other_text_is_no_model(text):
    with pytest.raises(ValueError, match=r"expects the text that model.to_json\(\) returns"):
        models.model_from_json(text)


@pytest.mark.parametrize("make", [trained, branched])
def test_a_clone_has_the_layers_and_shares_nothing(make):
    model = make()
    model.get_layer(index=-1).trainable = False
    model.temperature = 2.0
    before = model.get_weights()
    clone = models.clone_model(model)
    assert type(clone) is type(model)
    assert [one.name for one in clone.layers] == [one.name for one in model.layers]
    assert [one.trainable for one in clone.layers] == [one.trainable for one in model.layers]
    assert not {*map(id, clone.layers)} & {*map(id, model.layers)}
    assert clone.metrics_names == []
    assert (clone.steps_trained, clone.epochs_trained, clone.temperature) == (0, 0, 1.0)
    clone.set_weights([array + 1 for array in before])
    for array, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, now)


def test_a_clones_weights_are_drawn_anew_as_in_keras(keras):
    ours, theirs = small(), of_layers(keras.layers, keras.Sequential, (6, 6, 1))
    for model, clone in ((ours, models.clone_model), (theirs, keras.models.clone_model)):
        kernels = [model.get_weights()[0], clone(model).get_weights()[0], clone(model).get_weights()[0]]
        for first, second in ((0, 1), (1, 2), (0, 2)):
            assert not np.array_equal(kernels[first], kernels[second])


def test_a_clones_weights_follow_from_the_seed_of_the_process():
    model, kernels = small(), []
    for _ in "ab":
        tinynet.set_random_seed(3)
        kernels.append(models.clone_model(model).get_weights()[0])
    np.testing.assert_array_equal(*kernels)


def test_what_is_not_built_is_cloned_too():
    model = Sequential([layers.Dense(3, name="wide"), layers.Dense(2)], name="pair")
    model.layers[0].trainable = False
    clone = models.clone_model(model)
    assert clone.output_shape is None
    assert clone.predict(np.zeros((1, 5))).shape == (1, 2)
    assert model.output_shape is None
    assert [one.name for one in clone.layers] == ["wide", "dense"]
    assert [one.trainable for one in clone.layers] == [False, True]
    assert clone.name == "pair"


def test_a_clone_is_of_a_model_and_as_it_is():
    with pytest.raises(TypeError, match="expects a Model or a Sequential; got Dense"):
        models.clone_model(layers.Dense(2))
    for keyword in ("input_tensors", "clone_function"):
        with pytest.raises(ValueError, match="must be None"):
            models.clone_model(small(), **{keyword: lambda layer: layer})


# summary.


def lines_of(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return lines


def test_summary_hands_its_lines_to_a_function(capsys):
    lines = lines_of(small())
    assert capsys.readouterr().out == ""
    small().summary()
    assert capsys.readouterr().out == "\n".join(lines) + "\n"
    assert lines[0] == 'Model: "sequential"'
    assert all("\n" not in line for line in lines)


def test_summary_has_lines_of_a_length():
    natural = lines_of(small())
    for length in (20, 30, 100):
        lines = lines_of(small(), line_length=length)
        assert max(map(len, lines)) == length
        assert lines[2] == "-" * length
    assert [line for line in lines if set(line) != {"-"}] == [line for line in natural if set(line) != {"-"}]
    assert any(line.endswith("…") for line in lines_of(small(), line_length=30))


def test_summary_lists_what_trains_and_what_is_inside_if_asked():
    inner = Sequential([layers.Dense(3, name="inside")], name="inner")
    model = Sequential([inner, layers.Dense(2)], 4)
    model.layers[0].trainable = False
    text = "\n".join(lines_of(model))
    assert "inside" not in text
    assert "Trainable  " not in text
    lines = lines_of(model, expand_nested=True, show_trainable=True)
    assert lines[1].split() == ["Layer", "(type)", "Output", "Shape", "Param", "#", "Trainable"]
    assert [line.split() for line in lines[3:6]] == [
        ["inner", "(Sequential)", "(None,", "3)", "15", "N"],
        ["inside", "(Dense)", "(None,", "3)", "15", "N"],
        ["dense", "(Dense)", "(None,", "2)", "8", "Y"],
    ]
    assert lines[4].startswith("  inside")


def test_summary_lists_a_range_of_layers():
    rows = lines_of(small(), layer_range=["batch_norm", "dense"])[3:-4]
    assert [row.split()[0] for row in rows] == ["batch_normalization", "flatten", "dropout", "dense"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"line_length": 3}, "line_length is a number of at least 20; got 3"),
        ({"line_length": "80"}, "line_length"),
        ({"positions": [0.3, 1.0]}, "positions must be None"),
        ({"layer_range": ["first"]}, "layer_range is the names of two layers"),
        ({"layer_range": "ab"}, "layer_range is the names of two layers"),
        ({"layer_range": ["first", "lost"]}, "is not of the layers first, batch"),
    ],
)
def test_summary_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        small().summary(**options)


@pytest.mark.parametrize(
    "layer",
    [
        lambda padding: layers.Conv2D(2, 3, padding=padding),
        lambda padding: layers.SeparableConv2D(2, 3, padding=padding),
        lambda padding: layers.DepthwiseConv2D(3, padding=padding),
        lambda padding: layers.MaxPooling2D(2, padding=padding),
        lambda padding: layers.AveragePooling2D(2, padding=padding),
    ],
)
def test_padding_is_taken_in_any_case(layer):
    assert layer("SAME").build((5, 5, 1)) == layer("same").build((5, 5, 1))
    assert layer("Valid").build((5, 5, 1)) == layer("valid").build((5, 5, 1))
    assert layer("SAME").padding == "same"
    with pytest.raises(ValueError, match="padding must be"):
        layer("SAMEE")


def test_layers_tell_and_take_their_configuration():
    layer = layers.Conv2D(4, (3, 3), padding="same", activation="relu", name="first")
    config = layer.get_config()
    assert config["name"] == "first"
    assert config["padding"] == "same"
    same = layers.Conv2D.from_config(config)
    assert same.get_config() == config
    assert repr(same) == repr(layer)
    frozen = layers.Dense(2, trainable=False)
    assert layers.Dense.from_config(frozen.get_config()).trainable is False
    model = Sequential([layers.Dense(3, activation="relu"), layers.Dropout(0.5, seed=3)], 2)
    assert [one.get_config()["name"] for one in model.layers] == ["dense", "dropout"]
    assert model.layers[1].get_config()["seed"] == 3


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_of_one_array_is_that_array(kind):
    x, y = np.random.default_rng(0).random((8, 5, 2)), np.arange(8.0)
    model = Sequential([layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(kind([x]), kind([y]), verbose=0, validation_data=(kind([x]), kind([y])))
    assert model.output_shape == (1,)
    np.testing.assert_array_equal(model.predict(kind([x]), verbose=0), model.predict(x, verbose=0))
    assert model.evaluate(kind([x]), kind([y]), verbose=0) == model.evaluate(x, y, verbose=0)
    assert model(kind([x])).shape == (8, 1)
    assert model.predict([x[0]], verbose=0).shape == (1, 1)  # a sample
    assert model.predict([*x], verbose=0).shape == (8, 1)  # samples


def test_a_model_tells_its_metrics():
    model = Sequential([layers.Dense(3, activation="softmax")], 2)
    assert model.metrics == []
    model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"], weighted_metrics=["accuracy"])
    assert ["loss", *(metric.name for metric in model.metrics)] == ["loss", "accuracy", "accuracy"]
    x, y = np.random.default_rng(0).random((8, 2)), np.arange(8) % 3
    accuracy = model.evaluate(x, y, verbose=0)[1]
    assert model.metrics[0].result() == pytest.approx(accuracy)


@pytest.mark.parametrize("verbose", [0, 1, 2, "auto"])
def test_evaluate_prints_a_line_where_it_is_asked_to(capsys, verbose):
    model = Sequential([layers.Dense(3, activation="softmax")], 2)
    model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])
    loss, accuracy = model.evaluate(np.ones((4, 2)), [0, 1, 2, 0], verbose=verbose)
    printed = capsys.readouterr().out
    if verbose in (1, 2):
        assert re.fullmatch(rf"\d+\.\d s - loss: {loss:.4f} - accuracy: {accuracy:.4f}\n", printed)
    else:
        assert printed == ""


def test_a_layer_as_keras_has_them_is_refused_when_it_is_defined():
    for base in (layers.Layer, layers.Dense, Model, Sequential):
        with pytest.raises(
            TypeError, match=r"Square: `call`, which Keras's layers and models have, .* forward"
        ):

            class Square(base):
                def call(self, x):
                    return x * x

    class Both(layers.Layer):
        def forward(self, x, training=False):
            return self.call(x)

        def call(self, x):
            return x

    assert Both is not None
