"""Keywords as Keras and its former versions have them."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from tinynet import Model, Sequential, callbacks, layers, losses, optim, utils, words


@pytest.mark.parametrize(
    ("make", "expected", "words"),
    [
        (lambda: layers.Dense(output_dim=3, init="he_normal", bias=False), "Dense(units=3, use_bias=False, "
         "kernel_initializer='he_normal')", ("units", "kernel_initializer", "use_bias")),
        (lambda: layers.Conv2D(nb_filter=4, kernel_size=3, border_mode="same", subsample=(2, 2),
                               dim_ordering="tf"),
         "Conv2D(filters=4, kernel_size=3, strides=(2, 2), padding='same', data_format='channels_last')",
         ("filters", "padding", "strides", "data_format")),
        (lambda: layers.Dropout(p=0.5), "Dropout(rate=0.5)", ("rate",)),
        (lambda: layers.MaxPooling2D((2, 2), border_mode="same"), "MaxPool2D(pool_size=(2, 2), "
         "padding='same')", ("padding",)),
        (lambda: layers.LeakyReLU(alpha=0.1), "LeakyReLU(negative_slope=0.1)", ("negative_slope",)),
    ],
)  # fmt: skip
def test_former_words_of_layers_are_translated(make, expected, words):
    with pytest.warns(DeprecationWarning, match="today") as found:
        layer = make()
    assert repr(layer) == expected
    assert [str(one.message).split("= is called ")[1] for one in found] == [
        f"{word}= today." for word in words
    ]
    assert all(one.filename == __file__ for one in found)  # the line that called, not tinynet's


@pytest.mark.parametrize(
    ("make", "window"),
    [
        (lambda: layers.Convolution2D(4, 3, 5, border_mode="same"), (3, 5)),
        (lambda: layers.Convolution2D(4, nb_row=3, nb_col=5), (3, 5)),
        (lambda: layers.Conv2D(4, activation="relu", nb_row=3, nb_col=5), (3, 5)),
        (lambda: layers.Conv2D(nb_filter=4, nb_row=3, nb_col=5, init="he_normal"), (3, 5)),
    ],
)
def test_windows_of_keras_1(make, window):
    with pytest.warns(DeprecationWarning, match="today"):
        layer = make()
    assert (type(layer), layer.filters, layer.window, layer.steps) == (layers.Conv2D, 4, window, (1, 1))


@pytest.mark.filterwarnings("error")
def test_windows_of_today():
    assert layers.Convolution2D(4, (3, 5)).window == (3, 5)
    assert layers.Convolution2D(4, 3).window == (3, 3)
    assert layers.Conv2D(4, 3, 2).steps == (2, 2)  # as in Keras 3


@pytest.mark.filterwarnings("ignore:Convolution2D")
def test_more_than_three_arguments_of_keras_1_are_refused():
    with pytest.raises(TypeError, match="by name"):
        layers.Convolution2D(4, 3, 3, "he_normal")


def test_lr_and_decay_are_what_they_were():
    with pytest.warns(DeprecationWarning, match="lr= is called learning_rate= today"):
        plain = optim.SGD(lr=0.5)
    assert plain.learning_rate == 0.5
    with pytest.warns(DeprecationWarning, match="decay= is called learning_rate=InverseTimeDecay"):
        optimizer = optim.SGD(0.5, decay=0.01, momentum=0.9)
    for iterations in (0, 1, 100):
        optimizer.iterations = iterations
        assert optimizer.current_learning_rate == pytest.approx(0.5 / (1 + 0.01 * iterations))
    with (
        pytest.warns(DeprecationWarning, match="today"),
        pytest.raises(TypeError, match="needs a learning_rate that is a num"),
    ):
        optim.Adam(optim.Constant(0.1), decay=0.1)


@pytest.mark.filterwarnings("error")
def test_what_has_no_effect_is_taken_in_silence():
    layer = layers.Dense(
        3,
        dtype="float32",
        name=None,
        bias_constraint=None,
        kernel_constraint=None,
        lora_rank=None,
        batch_size=3,
    )
    assert repr(layer) == repr(layers.Dense(3))
    assert optim.Adam(epsilon=None, decay=0.0, centered=False).epsilon == 1e-7
    losses.MeanSquaredError(reduction="sum_over_batch_size", name="mse")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.SeparableConv2D(3, 3, data_format="channels_first"), "channels.*moveaxis"),
        (lambda: layers.UpSampling2D(data_format="channels_first"), "moveaxis"),
        (lambda: layers.ReLU(kernel_constraint="non_neg"), "kernel_constraint='non_neg' is not there"),
        (lambda: layers.Dense(3, lora_rank=4), "lora_rank=4 is not there, only None"),
        (lambda: layers.Dense(3, dtype="float16"), "dtype='float16' is not there.*Sequential or Input"),
        (lambda: optim.SGD(centered=True), "centered=True is not there, only False"),
        (lambda: callbacks.TerminateOnNaN(patience=1), "TerminateOnNaN has no argument 'patience'"),
        (lambda: losses.MeanSquaredError(kind="none"), "MeanSquaredError has no argument 'kind'"),
        (lambda: layers.Dense(3, unist=4), r"Dense has no argument 'unist'. Did you mean units=\?"),
        (lambda: callbacks.EarlyStopping(patienc=4), r"Did you mean patience=\?"),
        (lambda: layers.Dense(units=3, output_dim=3), "give units= alone"),
    ],
)
def test_other_words_get_one_clear_error(make, message):
    with pytest.raises((TypeError, ValueError, NotImplementedError), match=message):
        make()


def test_functions_take_keras_s_words_too():
    with pytest.warns(DeprecationWarning, match="to_categorical: .*= is called .*= today"):
        rows = utils.to_categorical(y=[0, 2], nb_classes=3)
    np.testing.assert_array_equal(rows, [[1, 0, 0], [0, 0, 1]])
    assert layers.Input(shape=(3,), sparse=False, tensor=None, name=None).shape == (None, 3)
    with pytest.raises(TypeError, match="Input: sparse=True is not there"):
        layers.Input(shape=(3,), sparse=True)
    with pytest.raises(TypeError, match=r"no argument 'classes'. Did you mean num_classes=\?"):
        utils.to_categorical([0], classes=3)


def test_what_normalizations_begin_with_is_what_it_is():
    layers.BatchNormalization(gamma_initializer="ones", moving_mean_initializer="zeros", renorm=False)
    with pytest.raises((TypeError, ValueError, NotImplementedError), match="gamma_initializer"):
        layers.BatchNormalization(gamma_initializer="nothing")


def test_a_model_with_call_is_said_not_to_be_there():
    class Mine(Model):
        def __init__(self):
            super().__init__()

    with pytest.raises(TypeError, match="method `call` is not there"):
        Mine()


def test_lr_of_an_optimizer_can_be_read():
    with pytest.warns(DeprecationWarning, match="Adam.lr is called learning_rate today"):
        assert optim.Adam(0.5).lr == 0.5


def test_th_is_channels_first():
    with pytest.warns(DeprecationWarning, match="today"):
        assert layers.Conv2D(3, 3, dim_ordering="th").data_format == "channels_first"


def test_all_layers_take_trainable_and_weights():
    kernel, bias = np.ones((3, 2)), np.zeros(2)
    layer = layers.Dense(2, trainable=False, weights=[kernel, bias])
    model = Sequential([layer, layers.Dense(1)], 3, seed=4)
    assert [parameter.name for parameter in model.trainable_weights] == ["kernel", "bias"]
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)
    with pytest.raises(ValueError, match="expects arrays of shapes"):
        Sequential([layers.Dense(2, weights=[kernel])], 3)


def test_signatures_are_those_of_init():
    assert [*inspect.signature(layers.Dense).parameters][:2] == ["units", "activation"]
    assert [*inspect.signature(optim.SGD).parameters][:2] == ["learning_rate", "momentum"]


def test_models_take_the_former_names_of_inputs_and_outputs():
    inputs = layers.Input((3,))
    with pytest.warns(DeprecationWarning, match="puts= today"):
        model = Model(input=inputs, output=layers.Dense(2)(inputs))
    assert model.output_shape == (2,)


def test_a_class_with_keywords_of_its_own_gets_them_as_they_are():
    class Mine(layers.ReLU):
        def __init__(self, **given):
            super().__init__()
            self.given = given

    assert Mine(lr=1, border_mode=2).given == {"lr": 1, "border_mode": 2}


def test_each_former_word_leads_to_one_of_today():
    assert not {*words.FORMER} & {*words.FORMER.values()} - {"epsilon", "x", "y"}


# Methods.


def compiled(outputs=2, **options):
    model = Sequential([layers.Dense(outputs, activation="softmax" if outputs > 1 else "sigmoid")], 3, seed=1)
    model.compile(
        "sgd", "sparse_categorical_crossentropy" if outputs > 1 else "binary_crossentropy", **options
    )
    return model


X, Y = np.random.default_rng(0).random((8, 3), np.float32), np.array([0, 1] * 4)


def test_nb_epoch_is_epochs_and_workers_have_no_effect():
    with pytest.warns(DeprecationWarning, match="fit: nb_epoch= is called epochs= today"):
        history = compiled().fit(X, Y, nb_epoch=3, workers=4, use_multiprocessing=True, verbose=0)
    assert history.epoch == [0, 1, 2]
    with pytest.raises(TypeError, match=r"fit has no argument 'epoch'. Did you mean epochs=\?"):
        compiled().fit(X, Y, epoch=3)
    with pytest.warns(DeprecationWarning, match="show_accuracy= has no effect: give model.compile metrics="):
        compiled().fit(X, Y, show_accuracy=True, verbose=0)


def test_a_class_of_ones_own_gets_the_translated_words():
    class Mine(Sequential):
        def fit(self, x, y, epochs=1, **others):
            return epochs

    model = Mine([layers.Dense(2)], 3)
    assert model.fit(X, Y, epochs=4) == 4


def test_former_methods_call_those_of_today():
    model, single = compiled(), compiled(1)
    with pytest.warns(DeprecationWarning, match=r"predict\(x\)\.argmax"):
        classes = model.predict_classes(X, batch_size=2, verbose=1)
    np.testing.assert_array_equal(classes, model.predict(X).argmax(-1))
    with pytest.warns(DeprecationWarning, match="today"):
        np.testing.assert_array_equal(single.predict_classes(X), single.predict(X) > 0.5)
    with pytest.warns(DeprecationWarning, match="today"):
        np.testing.assert_array_equal(model.predict_proba(X), model.predict(X))


class Seen(Sequential):
    """Notes what its methods of today are called with."""

    def fit(self, x, **keywords):
        return x, keywords

    evaluate = predict = fit


class Batched:
    batch_size = 32


@pytest.mark.filterwarnings("ignore:model:DeprecationWarning")
def test_methods_for_generators_hand_on_what_they_are_given():
    model, data = Seen(), Batched()
    assert model.fit_generator(data, 5, 2, verbose=0, workers=4, max_queue_size=3) == (
        data, {"steps_per_epoch": 5, "epochs": 2, "verbose": 0},
    )  # fmt: skip
    assert model.evaluate_generator(data, 7, verbose=1) == (data, {"steps": 7, "verbose": 1})
    assert model.predict_generator(data, steps=7) == (data, {"steps": 7})
    with pytest.raises(TypeError, match=r"fit_generator has no argument 'epoch'. Did you mean epochs=\?"):
        model.fit_generator(data, epoch=3)


@pytest.mark.filterwarnings("ignore:model:DeprecationWarning")
def test_samples_an_epoch_become_steps():
    model, data = Seen(), Batched()
    with pytest.warns(DeprecationWarning, match="counts samples, is steps_per_epoch= today"):
        _, given = model.fit_generator(data, samples_per_epoch=100, epochs=2, nb_worker=2)
    assert given == {"steps_per_epoch": 4, "epochs": 2}
    with pytest.warns(DeprecationWarning, match="today"):
        assert model.evaluate_generator(data, val_samples=64) == (data, {"steps": 2})
    with pytest.raises(TypeError, match="samples_per_epoch=100 counts samples: give steps_per_epoch="):
        model.fit_generator(iter([]), samples_per_epoch=100)


# The history.


@pytest.mark.filterwarnings("error")
def test_metrics_given_as_acc_are_called_acc():
    history = compiled(metrics=["acc"]).fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert len(history["acc"]) == len(history["val_acc"]) == 1
    with pytest.raises(KeyError, match="accuracy"):
        _ = history["accuracy"]


def test_acc_is_found_where_the_metric_is_called_accuracy():
    history = compiled(metrics=["accuracy"]).fit(X, Y, validation_data=(X, Y), verbose=0).history
    with pytest.warns(DeprecationWarning, match="'acc' is called 'accuracy' today"):
        assert history["acc"] is history["accuracy"]
    with pytest.warns(DeprecationWarning, match="'val_acc' is called 'val_accuracy' today"):
        assert history["val_acc"] is history["val_accuracy"]
    assert "acc" not in history
    assert [*history] == ["loss", "accuracy", "val_loss", "val_accuracy"]
    with pytest.raises(KeyError, match="nothing"):
        _ = history["nothing"]
    assert repr(history).startswith("{'loss': [")


def test_callbacks_watch_val_acc_too():
    stopping = callbacks.EarlyStopping(monitor="val_acc")
    with pytest.warns(DeprecationWarning, match="'val_acc' is called 'val_accuracy' today"):
        compiled(metrics=["accuracy"]).fit(
            X, Y, validation_data=(X, Y), epochs=2, callbacks=[stopping], verbose=0
        )
    assert stopping.monitor == "val_accuracy"
