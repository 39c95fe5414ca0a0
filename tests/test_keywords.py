"""Keywords as Keras and its former versions have them."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from tinynet import Model, Sequential, callbacks, keywords, layers, losses, optim


@pytest.mark.parametrize(
    ("make", "expected", "words"),
    [
        (lambda: layers.Dense(output_dim=3, init="he_normal", bias=False), "Dense(units=3, use_bias=False, "
         "kernel_initializer='he_normal')", ("units", "kernel_initializer", "use_bias")),
        (lambda: layers.Conv2D(nb_filter=4, kernel_size=3, border_mode="same", subsample=(2, 2),
                               dim_ordering="tf"),
         "Conv2D(filters=4, kernel_size=3, strides=(2, 2), padding='same')",
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
    plain = layers.Conv2D(3, 3)
    layer = layers.Conv2D(
        3, 3, data_format="channels_last", dilation_rate=(1, 1), kernel_regularizer=None, dtype="float32",
        name=None, bias_constraint=None, groups=1,
    )  # fmt: skip
    assert repr(layer) == repr(plain)
    assert optim.Adam(epsilon=None, decay=0.0, amsgrad=False).epsilon == 1e-7
    assert losses.get("mse") == losses.MeanSquaredError(reduction="sum_over_batch_size", name="mse")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(3, 3, data_format="channels_first"), "channels.*moveaxis"),
        (lambda: layers.MaxPool2D(data_format="channels_first"), "moveaxis"),
        (lambda: layers.Dense(3, kernel_constraint="non_neg"), "kernel_constraint='non_neg' is not there"),
        (lambda: layers.Conv2D(3, 3, dilation_rate=2), "dilation_rate=2 is not there"),
        (lambda: layers.Dense(3, dtype="float16"), "dtype='float16' is not there.*Sequential or Input"),
        (lambda: optim.Adam(amsgrad=True), "amsgrad=True"),
        (lambda: losses.MeanSquaredError(reduction="none"), "reduction='none' is not there"),
        (lambda: layers.Dense(3, unist=4), r"Dense has no argument 'unist'. Did you mean units=\?"),
        (lambda: callbacks.EarlyStopping(patienc=4), r"Did you mean patience=\?"),
        (lambda: layers.Dense(units=3, output_dim=3), "give units= alone"),
    ],
)
def test_other_words_get_one_clear_error(make, message):
    with pytest.raises((TypeError, ValueError, NotImplementedError), match=message):
        make()


def test_th_is_refused():
    with (
        pytest.warns(DeprecationWarning, match="today"),
        pytest.raises((TypeError, ValueError), match="channels_first"),
    ):
        layers.Conv2D(3, 3, dim_ordering="th")


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
    assert not {*keywords.FORMER} & {*keywords.FORMER.values()} - {"epsilon", "x", "y"}
