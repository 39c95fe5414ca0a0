"""Pictures read by models of any input shape, any form of numbers, any labels and any kind of output."""

from __future__ import annotations

import gc
import json
import weakref

import drawings
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import tinynet
from tinynet import DigitReading, Input, LabelReading, Model, Sequential, images, layers, load_model, reader
from tinynet.answers import ends_in_sigmoid, probabilities_of
from tinynet.picture_format import BYTES, UNIT, format_of, known_range
from tinynet.reader import reader_of

DIGITS = tuple("0123456789")


def drawn(digit, **how):
    return drawings.as_bytes(drawings.draw(digit, **how))


def network(*front, shape):
    """The pretrained MLP, behind layers that bring inputs of another shape into its own."""
    return Sequential([*front, tinynet.pretrained("mnist_mlp")], shape)


class FirstChannel(layers.Layer):
    """y = x[..., :1]."""

    def declare(self, input_shape, random):
        return (*input_shape[:-1], 1)

    def forward(self, x, training=False):
        return np.ascontiguousarray(self.check_input(x)[..., :1])


class Mean(layers.Layer):
    """The mean of the first channel over blocks, and nothing else."""

    def declare(self, input_shape, random):
        return (28, 28, 1)

    def forward(self, x, training=False):
        x = self.check_input(x)
        count = x.shape[1] // 28
        return np.ascontiguousarray(x.reshape(len(x), 28, count, 28, count).mean(axis=(2, 4))[..., None])


SHAPES = {
    "(28, 28, 1)": lambda: network(shape=(28, 28, 1)),
    "(28, 28)": lambda: network(layers.Reshape((28, 28, 1)), shape=(28, 28)),
    "(784,)": lambda: network(layers.Reshape((28, 28, 1)), shape=(784,)),
    "(784, 1)": lambda: network(layers.Reshape((28, 28, 1)), shape=(784, 1)),
    "(1, 28, 28)": lambda: network(layers.Permute((2, 3, 1)), shape=(1, 28, 28)),
    "(28, 28, 3)": lambda: network(FirstChannel(), shape=(28, 28, 3)),
    "(3, 28, 28)": lambda: network(layers.Permute((2, 3, 1)), FirstChannel(), shape=(3, 28, 28)),
    "(2352,)": lambda: network(layers.Reshape((28, 28, 3)), FirstChannel(), shape=(2352,)),
    "(28, 34, 1)": lambda: network(layers.Cropping2D((0, 3)), shape=(28, 34, 1)),
    "(36, 28, 1)": lambda: network(layers.Cropping2D((4, 0)), shape=(36, 28, 1)),
}  # fmt: skip


@pytest.mark.parametrize("make", SHAPES.values(), ids=SHAPES.keys())
def test_the_same_digit_gives_the_same_reading_through_every_shape(make):
    plain, model = tinynet.pretrained("mnist_mlp"), make()
    for digit in (2, 5, 8):
        expected = tinynet.predict_image(drawn(digit), plain)
        with_labels = tinynet.predict_image(drawn(digit), model, labels=DIGITS)
        reading = tinynet.predict_image(drawn(digit), model)
        assert isinstance(reading, DigitReading)
        assert reading.digit == expected.digit == with_labels.digit == digit
        model.temperature = plain.temperature
        again = tinynet.predict_image(drawn(digit), model)
        np.testing.assert_allclose(again.probabilities, expected.probabilities, rtol=1e-5)
        number = tinynet.read_number(drawn(digit), model)
        assert number.text == str(digit)
        model.temperature = 1.0


@pytest.mark.parametrize("size", [56, 112])
def test_a_digit_is_scaled_to_a_larger_size(size):
    model = network(Mean(), shape=(size, size, 1))
    readings = tinynet.predict_images([drawn(digit) for digit in range(10)], model)
    assert [reading.digit for reading in readings] == [*range(10)]
    assert readings[3].pixels.shape == (size, size)


def test_a_digit_is_scaled_to_a_smaller_size():
    model = network(layers.UpSampling2D(2, interpolation="bilinear"), shape=(14, 14, 1))
    readings = tinynet.predict_images([drawn(digit) for digit in range(10)], model)
    assert sum(reading.digit == digit for digit, reading in enumerate(readings)) >= 9
    assert readings[3].pixels.shape == (14, 14)
    assert readings[3].pixels.max() > 0.8


def test_a_model_of_any_size_sees_a_digit_as_mnist_s_makers_did():
    inputs = Input((None, None, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    outputs = layers.Dense(10, activation="softmax")(layers.GlobalAveragePool2D()(x))
    reading = tinynet.predict_image(drawn(4), Model(inputs, outputs))
    np.testing.assert_array_equal(reading.pixels, tinynet.predict_image(drawn(4)).pixels)


@pytest.mark.parametrize(
    ("shape", "size", "channels", "first"),
    [
        ((28, 28, 1), (28, 28), 1, False), ((1, 28, 28), (28, 28), 1, False), ((64,), (8, 8), 1, False),
        ((3072,), (32, 32), 3, False), ((32, 24, 3), (32, 24), 3, False), ((3, 32, 24), (32, 24), 3, True),
        ((None, None, 3), (None, None), 3, False), ((None, 28), (None, 28), 1, False),
        ((1, 784), (28, 28), 1, False), ((8, 8), (8, 8), 1, False), ((1, 3, 16, 16), (16, 16), 3, True),
    ],
)  # fmt: skip
def test_what_a_shape_says(shape, size, channels, first):
    form = format_of(Sequential([layers.ReLU()], shape))
    assert (form.size, form.channels, form.channels_first) == (size, channels, first)
    concrete = [(side or 20) for side in size]
    random = np.random.default_rng(0)
    ink, photo = random.random((2, *concrete)), random.random((2, *concrete, 3))
    encoded = form.encoded(ink.astype(np.float32))
    assert encoded.shape == (2, *[side or 20 for side in shape])
    if channels == 3:
        encoded = form.encoded(photo.astype(np.float32)).reshape(2, -1)
        expected = photo.transpose(0, 3, 1, 2) if first else photo
        np.testing.assert_allclose(encoded, expected.reshape(2, -1), rtol=1e-6)


@pytest.mark.parametrize(
    "shape",
    [(4,), (30,), (63,), (28,), (7, 7), (28, 28, 2), (28, 28, 4), (3, 3, 3), (2, 28, 28), (4, 8, 8, 3)],
)
def test_what_is_no_picture_is_refused(shape):
    model = Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")], shape)
    with pytest.raises(ValueError, match="which is no picture: that is"):
        tinynet.predict_image(drawn(1), model)


def test_several_inputs_and_outputs_are_refused():
    one, other = Input((28, 28, 1)), Input((28, 28, 1))
    x = layers.Flatten()(layers.Add()([one, other]))
    model = Model([one, other], layers.Dense(10)(x), name="pair")
    with pytest.raises(ValueError, match="Model 'pair' has 2 inputs"):
        tinynet.predict_image(drawn(1), model)
    x = layers.Flatten()(one)
    model = Model(one, [layers.Dense(10)(x), layers.Dense(2)(x)])
    with pytest.raises(
        ValueError, match=r"has 2 outputs, \(\(10,\), \(2,\)\): a model that .* Make a model of one of them"
    ):
        tinynet.predict_image(drawn(1), model)
    assert tinynet.predict_image(drawn(1), Model(model.input, model.outputs[0])).probabilities.shape == (10,)


# The form of the numbers

FORMS = {
    "0 to 255": (layers.Rescaling(1 / 255), (0, 255), False),
    "-1 to 1": (layers.Rescaling(0.5, 0.5), (-1, 1), False),
    "negative": (layers.Rescaling(-1.0, 1.0), (0, 1), True),
    "negative, 0 to 255": (layers.Rescaling(-1 / 255, 1.0), (0, 255), True),
}


def hidden(layer):
    """A layer, behind one that hides what its numbers say."""
    return [layers.Conv2D(1, 1, kernel_initializer="ones"), layer]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_the_form_of_the_numbers_is_found_by_trial_or_said(form):
    layer, value_range, inverted = form
    model = network(*hidden(layer), shape=(28, 28, 1))
    found = reader_of(model).form
    plain = tinynet.pretrained("mnist_mlp")
    model.temperature = plain.temperature
    for digit in (3, 6):
        expected = tinynet.predict_image(drawn(digit), plain)
        tried = tinynet.predict_image(drawn(digit), model)
        said = tinynet.predict_image(drawn(digit), model, value_range=value_range, inverted=inverted)
        assert tried.digit == said.digit == digit
        assert tried.warnings == said.warnings == ()
        np.testing.assert_allclose(said.probabilities, expected.probabilities, atol=1e-5)
        np.testing.assert_array_equal(said.pixels, expected.pixels)
        np.testing.assert_array_equal(tried.probabilities, said.probabilities)
    assert (found.value_range, found.inverted) == (value_range, inverted)


def test_where_no_form_is_clearly_better_it_stays_0_to_1():
    assert reader_of(network(shape=(28, 28, 1))).form.value_range == UNIT
    untrained = Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")], (28, 28, 1), seed=1)
    reader = reader_of(untrained)
    assert (reader.form.value_range, reader.form.inverted) == (UNIT, False)
    assert "of 30 clearly drawn digits right" in reader.doubts[0]
    assert tinynet.predict_image(drawn(1), untrained).warnings[-1] == reader.doubts[0]


def test_what_is_said_is_not_tried():
    untrained = Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")], (28, 28, 1), seed=1)
    reader = reader_of(untrained, value_range=[-0.4242, 2.8215], inverted=False)
    assert reader.form.value_range == (-0.4242, 2.8215)
    assert reader.doubts == ()
    pixels = np.linspace(0, 1, 784, dtype=np.float32).reshape(1, 28, 28)
    np.testing.assert_allclose(reader.form.encoded(pixels)[0].ravel()[[0, -1]], [-0.4242, 2.8215], rtol=1e-6)


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ([layers.Rescaling(1 / 255)], BYTES),
        ([layers.Reshape((28, 28, 1)), layers.Rescaling(1 / 127.5, -1)], BYTES),
        ([layers.Rescaling(2.0, -1.0)], UNIT),
        ([layers.ZeroPadding2D(2), layers.Normalization(mean=33.3, variance=78.6**2)], BYTES),
        ([layers.Normalization(mean=0.13, variance=0.31**2)], UNIT),
        ([layers.Normalization(mean=33.3, variance=78.6**2, invert=True)], UNIT),
        ([layers.BatchNormalization()], UNIT),
        ([layers.Conv2D(1, 1), layers.Rescaling(1 / 255)], UNIT),
    ],
)
def test_what_the_first_layers_show(front, expected):
    model = Sequential([*front, layers.Flatten(), layers.Dense(10)], (28, 28, 1))
    assert known_range(model) == expected
    assert known_range(Sequential([model], (28, 28, 1))) == expected  # within another model, too


def test_what_statistics_show():
    model = Sequential([layers.BatchNormalization(), layers.Flatten(), layers.Dense(3)], (28, 28, 1))
    model.layers[0].moving_mean.value, model.layers[0].moving_variance.value = [33.3], [78.6**2]
    assert known_range(model) == BYTES
    adapted = layers.Normalization()
    adapted.adapt(np.random.default_rng(0).integers(0, 255, (20, 28, 28, 1)).astype(np.float32))
    assert known_range(Sequential([adapted, layers.Flatten(), layers.Dense(3)], (28, 28, 1))) == BYTES


@pytest.mark.parametrize(
    "value_range", [(0, 0), (1, 0), (0,), (0, 1, 2), 255, "01a", (0, np.inf), (np.nan, 1), None]
)
def test_a_range_is_two_numbers(value_range):
    if value_range is None:
        assert tinynet.predict_image(drawn(1), value_range=None).digit == 1
        return
    for model in (None, tinynet.pretrained()):
        with pytest.raises(ValueError, match="value_range is what black and white are"):
            tinynet.predict_image(drawn(1), model, value_range=value_range)


def test_other_arguments_are_checked():
    with pytest.raises(ValueError, match=r"'phot'\. Did you mean 'photo'"):
        tinynet.predict_image(drawn(1), tinynet.pretrained(), kind="phot")
    with pytest.raises(TypeError, match="inverted is True, False or None; got 'yes'"):
        tinynet.predict_image(drawn(1), tinynet.pretrained(), inverted="yes")
    with pytest.raises(ValueError, match="labels: the model has 10 outputs and needs 10 names; got 2: a, b"):
        tinynet.predict_image(drawn(1), tinynet.pretrained(), labels=["a", "b"])
    with pytest.raises(TypeError, match="labels: expected a list of texts"):
        tinynet.predict_image(drawn(1), labels="0123456789")


# Labels


def letters(units=26):
    """A model that finds out nothing, with as many outputs."""
    return Sequential([layers.Flatten(), layers.Dense(units, activation="softmax")], (28, 28, 1), seed=2)


def test_labels_stand_beside_the_numbers():
    names = [chr(ord("A") + i) for i in range(26)]
    model = letters()
    reading = tinynet.predict_image(drawn(4), model, labels=names)
    assert isinstance(reading, LabelReading)
    assert (reading.kind, reading.label) == ("ink", names[reading.number])
    assert reading.number == reading.probabilities.argmax()
    assert reading.confidence == reading.probabilities.max()
    np.testing.assert_array_equal(reading.pixels, tinynet.predict_image(drawn(4)).pixels)
    expected = model.predict(reading.pixels[None, ..., None])[0]
    np.testing.assert_allclose(reading.probabilities, expected, rtol=1e-5)
    best = np.argsort(-reading.probabilities)[:3]
    assert reading.top() == [(names[i], float(reading.probabilities[i])) for i in best]
    content = json.loads(json.dumps(reading.as_dict(), allow_nan=False))
    assert content["label"] == reading.label
    assert [*content["probabilities"]] == names
    assert f"label={reading.label!r}, number={reading.number}" in repr(reading)
    assert "is only" in reading.warnings[0]
    assert reading.label in reading._repr_html_()


def test_a_model_s_class_names_are_its_labels(tmp_path):
    model = letters(3)
    model.class_names = ["<b>", "zwei", "drei"]
    model.save(tmp_path / "model.safetensors")
    reading = tinynet.predict_image(drawn(4), tmp_path / "model.safetensors", kind="ink")
    assert reading.labels == ("<b>", "zwei", "drei")
    assert "<b></" not in reading._repr_html_()
    assert "&lt;b&gt;" in reading._repr_html_()
    other = tinynet.predict_image(drawn(4), model, labels=["x", "y", "z"])
    assert other.labels == ("x", "y", "z")
    ten = tinynet.pretrained("mnist_mlp")
    ten.class_names = range(10)
    assert tinynet.predict_image(drawn(7), ten).digit == 7
    with pytest.raises(ValueError, match="classes must be the ten digits, and are <b>, zwei, drei"):
        tinynet.read_number(drawn(4), model)


def test_labels_in_another_order_are_followed_and_still_tried():
    order = [7, 3, 0, 9, 1, 2, 8, 4, 6, 5]
    inputs = Input((28, 28, 1))
    turn = layers.Dense(10, use_bias=False)
    outputs = turn(tinynet.pretrained("mnist_mlp")(layers.Rescaling(-1.0, 1.0)(inputs)))
    model = Model(inputs, outputs)
    turn.set_weights([np.eye(10)[order].T])
    reading = tinynet.predict_image(drawn(8), model, labels=order)
    assert (reading.label, reading.number, reading.warnings) == ("8", 6, ())


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (["a", "b", "c"], "ink"), (["7", "8", "9"], "ink"), (["10", "100", "1"], "ink"),
        (["€", "$", "£"], "ink"), (["cat", "dog", "cow"], "photo"), (["a", "b", "other"], "photo"),
    ],
)  # fmt: skip
def test_whether_a_model_reads_ink_or_photos_follows_from_its_labels(labels, kind):
    model = letters(3)
    assert reader_of(model, labels).kind == kind
    assert reader_of(model, labels, "ink").kind == "ink"
    assert reader_of(model, labels, "photo").kind == "photo"


def test_no_ink_is_no_label():
    reading = tinynet.predict_image(np.ones((40, 30)), letters(3), labels=["a", "b", "c"])
    assert (reading.label, reading.number, reading.confidence) == (None, None, 0.0)
    assert reading.warnings == ("There is no ink in the picture.",)
    np.testing.assert_allclose(reading.probabilities, 1 / 3, rtol=1e-6)
    assert "no ink" in reading._repr_html_()
    two = tinynet.predict_image(drawn("12"), letters(3), labels=["a", "b", "c"])
    assert "2 shapes; the largest" in two.warnings[0]


# Photos

RED, GREEN, BLUE = np.eye(3)


def colour_model(shape=(32, 32, 3)):
    """A model that tells which colour there is most of."""
    model = Sequential([layers.GlobalAveragePool2D(), layers.Dense(3, use_bias=False)], shape)
    model.set_weights([9 * np.eye(3)])
    model.class_names = ["red", "green", "blue"]
    return model


@pytest.mark.parametrize("shape", [(32, 32, 3), (20, 40, 3), (None, None, 3)])
def test_a_photo_is_seen_as_a_whole_and_in_colours(shape, tmp_path):
    model = colour_model(shape)
    page = np.zeros((90, 120, 3)) + 0.5 * RED
    page[:, 40:] = 0.8 * BLUE
    Image.fromarray((255 * page).astype(np.uint8)).save(tmp_path / "page.png")
    reading = tinynet.predict_image(tmp_path / "page.png", model)
    assert (reading.label, reading.number, reading.kind) == ("blue", 2, "photo")
    assert reading.warnings == ()
    size = (90, 120) if shape[0] is None else shape[:2]
    assert reading.pixels.shape == (*size, 3)
    np.testing.assert_allclose(reading.pixels.mean(axis=(0, 1)), [0.5 / 3, 0, 1.6 / 3], atol=0.01)
    assert reading.thumbnail.shape == (90, 120, 3)
    assert "data:image/png" in reading._repr_html_()
    negative = tinynet.predict_image(tmp_path / "page.png", model, inverted=True)
    np.testing.assert_array_equal(negative.pixels, reading.pixels)
    assert negative.label == "green"
    first = Sequential([layers.Permute((2, 3, 1)), colour_model()], (3, 32, 32))
    first.class_names = model.class_names
    assert tinynet.predict_image(tmp_path / "page.png", first).label == "blue"


def test_a_grey_photo_of_the_model_s_own_size_stays_as_it_is():
    stored = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    names = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"]
    model = letters(10)
    reading = tinynet.predict_image(stored, model, labels=names)
    assert reading.kind == "photo"
    np.testing.assert_array_equal(reading.pixels, stored / np.float32(255))
    expected = model.predict(stored[None, ..., None] / np.float32(255))[0]
    np.testing.assert_allclose(reading.probabilities, expected, rtol=1e-5)
    given_bytes = tinynet.predict_image(stored, model, labels=names, value_range=(0, 255))
    expected = model.predict(stored[None, ..., None].astype(np.float32))[0]
    np.testing.assert_allclose(given_bytes.probabilities, expected, rtol=1e-3, atol=1e-6)


def test_a_photo_in_grey_has_the_brightness_of_its_colours():
    page = np.uint8([[[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255], [0, 0, 0, 0]]])
    np.testing.assert_allclose(images.open_photo(page, 1), [[0.299, 0.587, 0.114, 1]], rtol=1e-6)
    np.testing.assert_array_equal(images.open_photo(page, 3)[0], [*np.eye(3), [1, 1, 1]])
    grey = np.float32([[0.25, 0.5]])
    np.testing.assert_array_equal(images.open_photo(grey, 1), grey)
    np.testing.assert_array_equal(images.open_photo(grey[..., None], 3), np.stack([grey] * 3, axis=2))
    theirs = Image.fromarray(page[..., :3]).convert("L")
    np.testing.assert_allclose(images.open_photo(page[..., :3], 1) * 255, np.asarray(theirs), atol=1)


@settings(max_examples=20)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(8, 40),
    st.integers(8, 40),
    st.sampled_from([(), (3,)]),
)
def test_resizing_keeps_the_range_and_what_is_even(height, width, new_height, new_width, channels):
    random = np.random.default_rng(height)
    picture = random.random((height, width, *channels)).astype(np.float32)
    new = images.resized(picture, new_height, new_width)
    assert new.shape == (new_height, new_width, *channels)
    assert new.dtype == np.float32
    assert picture.min() - 1e-6 <= new.min() <= new.max() <= picture.max() + 1e-6
    even = np.full_like(picture, 0.3)
    np.testing.assert_allclose(images.resized(even, new_height, new_width), 0.3, rtol=1e-5)


def test_bad_photos_are_refused_as_all_pictures_are():
    for picture, error in [
        ("no.png", FileNotFoundError),
        (b"", tinynet.ImageError),
        (None, tinynet.ImageError),
    ]:
        with pytest.raises(error):
            tinynet.predict_image(picture, colour_model())


def test_ten_classes_without_labels_are_digits_until_the_trial_shows_that_they_are_none():
    reading = tinynet.predict_image(drawn(5), network(FirstChannel(), shape=(28, 28, 3)))
    assert (reading.digit, reading.is_digit, reading.warnings) == (5, True, ())
    things = Sequential([layers.Flatten(), layers.Dense(10)], (32, 32, 3), seed=1)
    reading = tinynet.predict_image(drawn(5), things)
    assert isinstance(reading, DigitReading)
    assert not reading.is_digit
    assert "it may be for something else (labels=)" in reading.warnings[-1]
    things.set_weights([np.zeros((3072, 10)), 99 * np.eye(10)[3]])  # always sure of 3
    reading = tinynet.predict_image(drawn(5), things)
    assert (reading.digit, reading.confidence, reading.is_digit, len(reading.warnings)) == (3, 1.0, False, 1)


# Outputs


def ending(*last, units=10):
    return Sequential(
        [layers.Flatten(), layers.Dense(units), *last],
        (8, 8),
        seed=4,
    )


def softmax(x):
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


X = np.random.default_rng(1).random((5, 8, 8)).astype(np.float32)


def test_each_kind_of_output_becomes_probabilities():
    logits = ending().predict(X).astype(np.float64)
    for last in (
        [],
        [layers.Softmax()],
        [layers.LogSoftmax()],
        [layers.Reshape((1, 10))],
        [layers.Dropout(0.5)],
    ):
        np.testing.assert_allclose(probabilities_of(ending(*last), X), softmax(logits), rtol=1e-4)
    sigmoids = 1 / (1 + np.exp(-logits))
    expected = sigmoids / sigmoids.sum(axis=1, keepdims=True)
    for last in ([layers.Sigmoid()], [layers.Activation("sigmoid"), layers.Flatten()]):
        assert ends_in_sigmoid(ending(*last))
        np.testing.assert_allclose(probabilities_of(ending(*last), X), expected, rtol=1e-4)
    dense = Sequential([layers.Flatten(), layers.Dense(10, activation="sigmoid")], (8, 8), seed=4)
    np.testing.assert_allclose(probabilities_of(dense, X), expected, rtol=1e-4)
    tanh = ending(layers.Tanh())
    np.testing.assert_allclose(probabilities_of(tanh, X), softmax(np.tanh(logits)), rtol=1e-4)
    hard = ending(layers.Activation("hard_sigmoid"))
    assert probabilities_of(hard, X).sum() == pytest.approx(5, rel=1e-5)


@pytest.mark.parametrize("last", [[], [layers.Sigmoid()]])
def test_one_output_tells_two_classes_apart(last):
    model = ending(*last, units=1)
    logits = ending(units=1).predict(X)[:, 0]
    yes = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(probabilities_of(model, X), np.stack([1 - yes, yes], axis=1), rtol=1e-4)
    reading = tinynet.predict_image(X[0], model, labels=["cat", "dog"])
    assert reading.label == ("dog" if yes[0] > 0.5 else "cat")
    assert reading.confidence == pytest.approx(max(yes[0], 1 - yes[0]), rel=1e-4)


def test_the_temperature_counts_for_every_kind_of_output():
    for last in ([], [layers.Softmax()], [layers.LogSoftmax()]):
        model = ending(*last)
        model.temperature = 2.0
        expected = softmax(np.log(softmax(ending().predict(X).astype(np.float64))) / 2)
        np.testing.assert_allclose(probabilities_of(model, X), expected, rtol=1e-4)


def test_outputs_that_are_not_finite_are_refused():
    model = ending()
    model.flat.value[...] = np.nan
    with pytest.raises(ValueError, match="gives NaN or infinite numbers"):
        tinynet.predict_image(drawn(1), model)


def test_logits_of_large_numbers_do_not_overflow():
    model = ending(units=1)
    model.flat.value[...] = -1e4
    np.testing.assert_allclose(probabilities_of(model, X), [[1, 0]] * 5, atol=1e-6)


def test_the_trial_is_done_once_for_the_same_weights(monkeypatch):
    tries = []
    real = reader.uncalibrated
    monkeypatch.setattr(reader, "uncalibrated", lambda model, x: tries.append(model) or real(model, x))
    model = network(*hidden(layers.Rescaling(1 / 255)), shape=(28, 28, 1))
    before = reader_of(model)
    assert len(tries) == 6
    again = reader_of(model)
    assert len(tries) == 6
    assert (again.form, again.doubts) == (before.form, before.doubts)
    assert reader_of(model, inverted=False).form == before.form
    assert len(tries) == 9
    reader_of(model, labels=range(9, -1, -1), inverted=False)
    assert len(tries) == 12
    model.layers[0].parameters[0].value[...] *= 255
    assert reader_of(model, inverted=False).form.value_range == UNIT
    assert len(tries) > 12
    gone = weakref.ref(model)
    tries.clear()
    del model, before, again
    gc.collect()
    assert gone() is None


# The drawn digits


def test_the_drawn_digits_are_read_by_both_networks():
    pixels = images.drawn_digits()
    assert pixels.shape == (3, 10, 28, 28)
    assert not pixels.flags.writeable
    for name in ("mnist_cnn", "mnist_mlp"):
        read = tinynet.pretrained(name).predict(pixels.reshape(30, 28, 28, 1)).argmax(axis=1)
        np.testing.assert_array_equal(read, [*range(10)] * 3)


def test_a_model_file_is_read_once_for_all_pictures(tmp_path, monkeypatch):
    network(shape=(28, 28, 1)).save(tmp_path / "model.safetensors")
    loaded = []
    monkeypatch.setattr(
        "tinynet.inference.load_model", lambda path, **told: loaded.append(path) or load_model(path, **told)
    )
    tinynet.predict_images([drawn(1), drawn(2)], tmp_path / "model.safetensors")
    assert len(loaded) == 1
