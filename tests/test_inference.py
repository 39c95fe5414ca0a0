"""From a picture to the digit: readings, numbers, confidence, model files, and how much is read right."""

from __future__ import annotations

import base64
import dataclasses
import io
import itertools
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import drawings
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import tinynet
from tinynet import (
    DigitReading,
    ImageError,
    Sequential,
    images,
    inference,
    layers,
    load_model,
    predict_image,
    predict_images,
    pretrained,
    read_number,
)
from tinynet.inference import WEIGHTS, calibrate
from tinynet.reader import Reader, reader_of
from tinynet.recognition import pieces_of

BLANK = np.ones((40, 30))


def drawn(digit, **how):
    return drawings.as_bytes(drawings.draw(digit, **how))


@pytest.fixture(scope="module")
def reading():
    return predict_image(drawn(3))


def small_model(seed=1, units=10, activation="softmax", shape=(28, 28, 1)):
    return Sequential([layers.Flatten(), layers.Dense(units, activation=activation)], shape, seed)


# A reading


def test_a_reading_says_what_was_read_and_seen(reading):
    assert isinstance(reading, DigitReading)
    assert reading.digit == 3
    assert type(reading.digit) is int
    assert type(reading.confidence) is float
    assert reading.probabilities.shape == (10,)
    assert reading.probabilities.dtype == np.float32
    assert reading.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert reading.probabilities.min() >= 0
    assert reading.confidence == reading.probabilities[3] == reading.probabilities.max()
    assert reading.is_digit is True
    assert reading.warnings == ()
    assert reading.pixels.shape == (28, 28)
    np.testing.assert_array_equal(reading.pixels, images.see(images.open_picture(drawn(3))).pixels)
    assert reading.thumbnail.dtype == np.uint8
    assert max(reading.thumbnail.shape) == 160
    with pytest.raises(dataclasses.FrozenInstanceError):
        reading.digit = 4


def test_top_gives_the_likeliest_first(reading):
    odd = dataclasses.replace(reading, probabilities=np.float32([0, 0.3, 0.1, 0.3, 0, 0, 0, 0.2, 0, 0.1]))
    assert [digit for digit, _ in odd.top()] == [1, 3, 7]
    assert [digit for digit, _ in odd.top(10)] == [1, 3, 7, 2, 9, 0, 4, 5, 6, 8]
    assert odd.top(1) == [(1, pytest.approx(0.3))]
    assert odd.top(0) == []
    assert reading.top(1) == [(reading.digit, reading.confidence)]
    assert {type(value) for pair in reading.top() for value in pair} == {int, float}


@pytest.mark.parametrize("picture", [drawn(3), drawn("12"), BLANK], ids=["digit", "two", "blank"])
def test_a_reading_goes_into_json(picture):
    reading = predict_image(picture)
    content = json.loads(json.dumps(reading.as_dict(), allow_nan=False))
    assert content == reading.as_dict()
    assert content["digit"] == reading.digit
    assert content["confidence"] == pytest.approx(reading.confidence, abs=1e-6)
    assert content["is_digit"] is reading.is_digit
    assert content["warnings"] == list(reading.warnings)
    np.testing.assert_allclose(content["probabilities"], reading.probabilities, atol=1e-6)


def test_the_repr_is_one_short_line(reading):
    assert (
        repr(reading)
        == f"DigitReading(digit=3, confidence={reading.confidence:.3f}, is_digit=True, warnings=[])"
    )
    assert "There is no ink" in repr(predict_image(BLANK))


class Page(HTMLParser):
    """Parses HTML, and checks that each element is closed where it must be."""

    def __init__(self, content):
        super().__init__()
        self.open, self.images, self.text, self.tags = [], [], [], []
        self.feed(content)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attributes))
        else:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("picture", [drawn(3), drawn("12"), BLANK], ids=["digit", "two", "blank"])
def test_a_notebook_shows_the_pictures_and_the_probabilities(picture):
    reading = predict_image(picture)
    page = Page(reading._repr_html_())
    text = " ".join(page.text)
    for digit, probability in enumerate(reading.probabilities):
        assert f"{digit} " in text
        assert f"{probability:.1%}" in text
    assert ("no ink" if reading.digit is None else str(reading.digit)) in page.text
    assert all(warning in page.text for warning in reading.warnings)
    shown = []
    for element in page.images:
        assert element["alt"]
        kind, content = element["src"].split(",")
        assert kind == "data:image/png;base64"
        shown.append(np.asarray(Image.open(io.BytesIO(base64.b64decode(content, validate=True)))))
    np.testing.assert_array_equal(shown[0], reading.thumbnail)
    assert shown[1].shape == (168, 168)  # what the network saw, six times as large, dark on light
    np.testing.assert_allclose(shown[1][::6, ::6], 255 - 255 * reading.pixels, atol=1)


def test_a_notebook_is_shown_no_markup_from_a_warning(reading):
    odd = dataclasses.replace(reading, warnings=("<b>1 & 2</b>",))
    page = Page(odd._repr_html_())
    assert "<b>1 & 2</b>" in "".join(page.text)


def test_the_thumbnail_has_the_picture_s_colours_where_it_has_any():
    grey = drawn(3)[..., 0]
    blue = np.stack([grey, grey, np.full_like(grey, 255)], axis=2)  # on white, as the paper was
    small = predict_image(blue).thumbnail
    assert small.shape == (*predict_image(grey).thumbnail.shape, 3)
    assert (small[..., 2] == 255).all()
    assert small[..., 0].min() < 100
    clear = np.zeros((*grey.shape, 4), np.uint8)  # white ink on transparent paper, not white on white
    clear[..., :3], clear[..., 3] = 255, 255 - grey
    assert np.ptp(predict_image(clear).thumbnail) > 200


def test_a_notebook_shows_several_readings_side_by_side(reading):
    readings = predict_images([drawn(3), BLANK])
    assert isinstance(readings, list)
    assert repr(readings) == repr([*readings])
    page = Page(readings._repr_html_())
    assert "2 readings" in page.text
    assert [element["alt"] for element in page.images] == [
        f"3 {reading.confidence:.1%}", "no ink 0.0% (!) There is no ink in the picture."
    ]  # fmt: skip
    assert f"3 {reading.confidence:.1%}" in page.text
    many = Page(type(readings)(readings * 50)._repr_html_())
    assert len(many.images) == 60
    assert "and 40 more" in many.text


def test_several_digits_are_warned_of():
    reading = predict_image(drawn("35"))
    assert not reading.is_digit
    assert "2 digits" in reading.warnings[0]
    assert reading.digit in (3, 5)


@pytest.mark.parametrize(
    "picture", [BLANK, np.zeros((28, 28)), np.full((300, 200, 3), 128, np.uint8), np.zeros((9, 9, 4))]
)
def test_a_blank_picture_is_no_digit(picture):
    reading = predict_image(picture)
    assert reading.digit is None
    assert reading.confidence == 0
    assert not reading.is_digit
    assert reading.warnings == ("There is no ink in the picture.",)
    assert not reading.pixels.any()
    np.testing.assert_allclose(reading.probabilities, 0.1)


def test_a_network_that_is_unsure_is_warned_of():
    model = small_model()
    model.flat.value[...] = 0
    reading = predict_image(drawn(3), model)
    assert not reading.is_digit
    assert "only 10% sure of 0" in reading.warnings[0]
    np.testing.assert_allclose(reading.probabilities, 0.1)


def test_an_image_like_mnist_s_is_read_as_it_is():
    pixels = predict_image(drawn(7)).pixels
    again = predict_image(pixels)
    np.testing.assert_array_equal(again.pixels, pixels)
    assert again.digit == 7


@pytest.mark.parametrize("digit", range(10))
def test_a_number_of_one_image_like_mnist_s_sees_it_as_it_is(digit):
    stored = np.rint(predict_image(drawn(digit)).pixels * 255).astype(np.uint8)
    alone, (read,) = predict_image(stored), read_number(stored).digits
    np.testing.assert_array_equal(read.pixels, stored / np.float32(255))
    assert read.pixels.tobytes() == alone.pixels.tobytes()
    assert read.probabilities.tobytes() == alone.probabilities.tobytes()
    assert (read.digit, read.is_digit, read.warnings) == (alone.digit, alone.is_digit, alone.warnings)


# Several pictures


def test_the_readings_are_in_the_order_of_the_pictures():
    wanted = [3, 1, 4, 1, 5, 9, 2, 6]
    sources = [drawn(digit) for digit in wanted]
    readings = predict_images(sources)
    assert [reading.digit for reading in readings] == wanted
    for source, reading in zip(sources, readings, strict=True):
        alone = predict_image(source)
        np.testing.assert_array_equal(alone.probabilities, reading.probabilities)
        np.testing.assert_array_equal(alone.thumbnail, reading.thumbnail)


def test_pictures_may_come_from_a_generator_and_be_of_any_kind(tmp_path):
    page = drawings.draw(2)
    path = tmp_path / "2.png"
    path.write_bytes(drawings.encoded(page))
    sources = [
        path,
        path.read_bytes(),
        drawings.image(page),
        drawings.as_bytes(page),
        io.BytesIO(path.read_bytes()),
    ]
    readings = predict_images(source for source in sources)
    assert [reading.digit for reading in readings] == [2] * 5
    assert {reading.probabilities.tobytes() for reading in readings} == {readings[0].probabilities.tobytes()}
    assert predict_images([]) == []
    assert [reading.digit for reading in predict_images(np.stack([drawn(1), drawn(1)]))] == [1, 1]


def test_a_bad_picture_among_good_ones_is_an_error():
    with pytest.raises(ImageError, match="None"):
        predict_images([drawn(1), None])
    with pytest.raises(FileNotFoundError, match=r"no\.png"):
        predict_image("no.png")
    assert tinynet.ImageError is ImageError


def test_many_threads_read_the_same_as_one():
    sources = [
        drawn(digit, pen=pen, ink=ink)
        for digit in range(8)
        for pen, ink in [(6, drawings.BLUE), (14, drawings.BLACK)]
    ]
    sources += [drawings.encoded(drawings.draw(digit), "JPEG") for digit in range(8)]
    alone = [predict_image(source) for source in sources]
    inference._default_model.cache_clear()  # eight threads load the weights at once
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(predict_image, sources))
        numbers = list(pool.map(read_number, sources[:8]))
    for one, other in zip(alone, together, strict=True):
        assert one.digit == other.digit
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
        np.testing.assert_array_equal(one.pixels, other.pixels)
    assert [number.text for number in numbers] == [str(reading.digit) for reading in alone[:8]]


# Models


def test_a_model_may_be_given_or_named_by_its_file(tmp_path):
    model = small_model()
    path = tmp_path / "model.safetensors"
    model.save(path)
    given_model = predict_image(drawn(4), model)
    expected = model.predict(given_model.pixels[None])[0]
    np.testing.assert_allclose(given_model.probabilities, expected, rtol=1e-5)
    for source in (path, str(path)):
        np.testing.assert_array_equal(
            predict_image(drawn(4), source).probabilities, given_model.probabilities
        )
    assert (
        read_number(drawn(4), path).digits[0].probabilities.tobytes() == given_model.probabilities.tobytes()
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (small_model(units=3), r"gives 3 numbers, and so no ten digits: say what its 3 classes are"),
        (small_model(units=1), r"gives one number, and so no ten digits: say what its 2 classes are"),
        (small_model(shape=(28, 28, 4)), r"takes \(28, 28, 4\), which is no picture"),
        (small_model(shape=(7, 7, 1)), r"takes \(7, 7, 1\), which is no picture: .* at least 8 pixels"),
        (small_model(shape=(785,)), r"takes \(785,\), which is no picture"),
        (Sequential([layers.ReLU()], (28, 28, 1)), r"gives \(28, 28, 1\): .* one number for each class"),
        (Sequential([layers.Dense(10)]), "is not built"),
    ],
)
def test_a_model_for_something_else_is_refused(model, message):
    for read in (predict_image, read_number, lambda picture, model: predict_images([picture], model)):
        with pytest.raises(ValueError, match=message):
            read(drawn(1), model)


@pytest.mark.parametrize("model", [5, np.ones(3), [small_model()], layers.Dense(10), b"model.safetensors"])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(TypeError, match=r"a tinynet\.Model or Sequential, or a model file's path"):
        predict_image(drawn(1), model)


def test_model_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.safetensors"):
        predict_image(drawn(1), tmp_path / "nowhere.safetensors")
    path = tmp_path / "bad.safetensors"
    path.write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"bad\.safetensors"):
        predict_image(drawn(1), path)


def test_the_pretrained_networks_are_there_by_name():
    assert {path.stem for path in WEIGHTS.glob("*.safetensors")} >= {"mnist_cnn", "mnist_mlp"}
    for name in ("mnist_cnn", "mnist_mlp"):
        model = pretrained(name)
        assert isinstance(model, Sequential)
        assert (model.input_shape, model.output_shape) == ((28, 28, 1), (10,))
        assert model.dtype == np.float32
        assert 0.05 <= model.temperature <= 20
        assert predict_image(drawn(1), model).digit == 1
    np.testing.assert_array_equal(pretrained().flat.value, pretrained("mnist_cnn").flat.value)


def test_a_pretrained_network_is_the_caller_s_own():
    before = predict_image(drawn(5)).probabilities
    model = pretrained()
    assert model is not pretrained()
    model.flat.value[...] = 0
    model.temperature = 7.0
    np.testing.assert_array_equal(predict_image(drawn(5)).probabilities, before)


@pytest.mark.parametrize("name", ["mnist_cn", "", "../pretrained/mnist_cnn", "MNIST_CNN"])
def test_an_unknown_network_is_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match="mnist_cnn") as info:
        pretrained(name)
    assert repr(name) in str(info.value)


# What is read right

CONDITIONS = {
    "hairline": {"pen": 1.5},
    "pen": {"pen": 6},
    "marker": {"pen": 16},
    "leaning": {"slant": 0.3},
    "white on black": {"ink": drawings.WHITE, "paper": drawings.BLACK},
    "blue on cream": {"ink": drawings.BLUE, "paper": drawings.CREAM},
    "pencil": {"ink": (0.8, 0.8, 0.8)},
    "small on a page": {"height": 40, "pen": 3, "page": (300, 280), "centre": (0.7, 0.3)},
    "small picture": {"height": 18, "pen": 2, "page": (28, 28)},
}
SPOILERS = {
    "gradient": drawings.gradient,
    "shadow": drawings.shadow,
    "noise": lambda page: drawings.noisy(page, 0.06),
    "blur": lambda page: drawings.blurred(page, 2),
    "lines": lambda page: drawings.ruled(page, 30),
    "squares": lambda page: drawings.ruled(page, 20, across=True),
    "frame": drawings.framed,
    "specks": drawings.specked,
    "photo": lambda page: drawings.noisy(drawings.shadow(drawings.gradient(page), 0.3), 0.02),
}


def share_right(page_of):
    readings = predict_images(drawings.as_bytes(page_of(digit)) for digit in range(10))
    return sum(reading.digit == digit for digit, reading in enumerate(readings)) / 10


@pytest.mark.parametrize("how", CONDITIONS.values(), ids=CONDITIONS.keys())
def test_most_clean_drawings_are_read_right(how):
    assert share_right(lambda digit: drawings.draw(digit, **{"height": 80, **how})) >= 0.8


@pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS.keys())
def test_most_photographed_drawings_are_read_right(spoil):
    assert share_right(lambda digit: spoil(drawings.draw(digit, height=80, pen=7))) >= 0.7


def test_what_is_read_does_not_depend_on_the_kind_of_file():
    page = drawings.draw(6)
    expected = predict_image(drawings.encoded(page))
    for kind in ("BMP", "GIF", "TIFF", "PPM"):
        reading = predict_image(drawings.encoded(page, kind))
        assert reading.digit == 6
        np.testing.assert_allclose(reading.probabilities, expected.probabilities, atol=0.02)
    assert predict_image(drawings.encoded(page, "JPEG")).digit == 6


# Numbers


@pytest.mark.parametrize("number", ["12", "307", "4096", "58123", "987654", "00", "1111"])
def test_a_number_s_digits_are_read_from_left_to_right(number):
    reading = read_number(drawn(number, height=80, pen=8))
    assert len(reading.digits) == len(number)
    assert sum(a == b for a, b in zip(reading.text, number, strict=True)) >= len(number) - 1
    assert len(reading.text) == len(number)
    assert reading.confidence == pytest.approx(np.prod([digit.confidence for digit in reading.digits]))


def test_most_numbers_are_read_right():
    numbers = ["12", "85", "307", "941", "4096", "2718", "58123", "60754", "987654"]
    spoil = [drawings.gradient, drawings.noisy, lambda page: page]
    right = [
        read_number(drawings.as_bytes(change(drawings.draw(number, height=70, pen=7)))).text == number
        for number, change in zip(numbers, itertools.cycle(spoil), strict=False)
    ]
    assert np.mean(right) >= 0.7


def test_each_digit_of_a_number_is_a_reading_of_its_own():
    number = read_number(drawn("472"))
    for reading, digit in zip(number.digits, (4, 7, 2), strict=True):
        alone = predict_image(drawn(digit))
        assert reading.digit == alone.digit
        assert np.abs(reading.pixels - alone.pixels).mean() < 0.03
        assert reading.is_digit
        assert reading.thumbnail.dtype == np.uint8
        assert reading.thumbnail.max() > 200  # light paper
        assert reading.thumbnail.min() < 100


def test_a_number_of_one_digit_or_none():
    one, none = read_number(drawn(8)), read_number(BLANK)
    assert (one.text, len(one.digits)) == ("8", 1)
    assert one.confidence == pytest.approx(one.digits[0].confidence)
    assert (none.text, none.digits, none.confidence) == ("", (), 0.0)


def test_a_number_is_read_in_any_colours():
    for colours in ({}, {"ink": drawings.WHITE, "paper": drawings.BLACK}, {"ink": drawings.RED}):
        assert read_number(drawn("4096", height=80, **colours)).text == "4096"


@pytest.mark.parametrize("strokes", [2, 3, 4])
def test_joined_digits_are_cut_at_some_of_the_places_between(strokes):
    page = 1 - np.pad(drawings.joined_strokes(70, strokes, 90), ((15, 15), (30, 30)))
    (whole,) = images.find_digits(images.find_ink(images.open_picture(page)))
    places = images.cuts(whole.ink)
    assert len(places) == strokes + 1
    pieces = pieces_of(reader_of(pretrained()), whole, places)
    assert 1 <= len(pieces) <= strokes
    np.testing.assert_allclose(sum(float(piece.ink.sum()) for piece in pieces), whole.ink.sum(), rtol=1e-5)
    reading = read_number(page)
    assert len(reading.digits) == len(pieces)


def test_of_all_cuts_the_best_are_taken(monkeypatch):
    """With a network that is sure of what is narrow only: every place is cut. And the other way around."""
    page = 1 - np.pad(drawings.joined_strokes(70, 4, 90), ((15, 15), (30, 30)))

    def sure_of_narrow(reader, pixels):
        width = (pixels.sum(axis=1) > 0.3).sum(axis=1)
        sure = np.where((width < 19) == narrow, 0.99, 0.2)
        return np.stack([sure, *[(1 - sure) / 9] * 9], axis=1).astype(np.float32)

    monkeypatch.setattr(Reader, "probabilities", sure_of_narrow)
    narrow = True
    assert len(read_number(page).digits) == 4
    narrow = False
    assert len(read_number(page).digits) == 2  # one would be nearly three times as wide as high


def test_touching_digits_are_mostly_counted():
    for number in ("307", "45", "88"):
        reading = read_number(drawn(number, height=80, pen=8, gap=0.02))
        assert 1 <= len(reading.digits) <= len(number) + 1
        assert reading.text


def test_a_jagged_underline_does_not_take_all_memory():
    page = np.ones((120, 250), np.float32)
    page[30:90, 10:16] = page[30:90, -16:-10] = page[60:62, 10:-10] = page[59, 10:-10:4] = 0
    read_number(page)
    tracemalloc.start()
    try:
        read_number(page)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 30e6


def test_a_comb_takes_no_long_time_and_little_memory(monkeypatch):
    pixels = np.full((40, 800), 255, np.uint8)
    pixels[20, 10:-10] = pixels[13:21, 10:-10:3] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    assert len(file.getvalue()) < 300
    pieces = []
    probabilities = Reader.probabilities

    def counted(reader, pixels):
        pieces.append(len(pixels))
        return probabilities(reader, pixels)

    monkeypatch.setattr(Reader, "probabilities", counted)
    tracemalloc.start()
    try:
        read_number(file.getvalue())
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(pieces) <= 50 * 49 / 2 + len(pieces)  # each two of 48 cuts and two ends
    assert most < 60e6


def test_many_combs_share_the_cuts_of_one(monkeypatch):
    pixels = np.full((60, 800), 255, np.uint8)
    for left in range(20, 700, 100):
        pixels[28, left : left + 80] = pixels[21:29, left : left + 80 : 3] = 0
    cuts = []
    monkeypatch.setattr(
        images, "cuts", lambda ink, most, old=images.cuts: cuts.append(old(ink, most)) or cuts[-1]
    )
    read_number(pixels)
    assert len(cuts) > 5
    assert sum(len(places) - 2 for places in cuts) == images.MOST_CUTS


# Confidence


def probabilities_model(classes):
    """A model whose logits are its inputs."""
    model = Sequential([layers.Dense(classes, activation="softmax")], classes)
    model.layers[0].parameters[0].value = np.eye(classes)
    return model


def counted(probabilities, total=720):
    """(logits, classes) of samples that are of each class as often as the probabilities say."""
    counts = np.rint(np.asarray(probabilities) * total).astype(int)
    logits = np.log(counts / counts.sum())
    return np.repeat(logits[None], counts.sum(), axis=0), np.repeat(np.arange(len(counts)), counts)


@settings(max_examples=10)
@given(st.floats(0.1, 8), st.integers(0, 2**32))
def test_calibrate_recovers_a_temperature(temperature, seed):
    """Logits that are `temperature` times what the frequencies of the classes say."""
    random = np.random.default_rng(seed)
    groups = [counted(random.dirichlet(np.ones(4)) * 0.9 + 0.025) for _ in range(3)]
    x = np.concatenate([logits for logits, _ in groups]) * temperature
    y = np.concatenate([classes for _, classes in groups])
    model = probabilities_model(4)
    order = random.permutation(len(y))
    found = calibrate(model, x[order].astype(np.float32), y[order])
    assert found == pytest.approx(temperature, rel=0.02)
    assert model.temperature == found
    assert type(found) is float


def test_calibrate_does_not_depend_on_the_temperature_before():
    x, y = counted([0.7, 0.2, 0.1])
    model = probabilities_model(3)
    model.temperature = 5.0
    assert calibrate(model, x * 2, y) == pytest.approx(2, rel=0.01)
    assert calibrate(model, x * 2, y) == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize(("y", "expected"), [([0, 0, 0], 0.05), ([1, 1, 1], 20)])
def test_calibrate_stays_within_its_bounds(y, expected):
    """Where the model is always right, the surer the better; where it is always wrong, the less sure."""
    x = np.array([[2.0, 0.0]] * 3)
    assert calibrate(probabilities_model(2), x, y) == pytest.approx(expected, rel=0.2)


def test_calibrate_changes_no_weights_and_no_predictions():
    x, y = counted([0.5, 0.3, 0.2])
    model = probabilities_model(3)
    before, predicted = model.flat.value.copy(), model.predict(x)
    calibrate(model, x * 3, y)
    np.testing.assert_array_equal(model.flat.value, before)
    np.testing.assert_array_equal(model.predict(x), predicted)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 3.0, 20.0])
def test_the_temperature_changes_the_confidence_but_not_the_digit(temperature):
    cold, warm = pretrained(), pretrained()
    cold.temperature, warm.temperature = 1.0, temperature
    for digit in (1, 4, 8):
        one, other = predict_image(drawn(digit), cold), predict_image(drawn(digit), warm)
        assert one.digit == other.digit
        logits = np.log(np.maximum(one.probabilities.astype(np.float64), 1e-30)) / temperature
        powers = np.exp(logits - logits.max())
        np.testing.assert_allclose(other.probabilities, powers / powers.sum(), atol=1e-5)
        assert np.isfinite(other.probabilities).all()
        assert (other.confidence <= one.confidence + 1e-6) == (temperature >= 1) or one.confidence > 1 - 1e-5


def test_the_temperature_is_in_the_model_s_file(tmp_path):
    model = small_model()
    assert model.temperature == 1
    model.temperature = 2.5
    model.save(tmp_path / "model.safetensors")
    assert load_model(tmp_path / "model.safetensors").temperature == 2.5
    assert Sequential.from_config(model.config()).temperature == 2.5


def test_the_confidence_is_right_on_average():
    """A calibrated model on noisy samples: of what it is 70% to 80% sure of, as much is right."""
    random = np.random.default_rng(0)
    x = random.normal(0, 2, (4000, 5)).astype(np.float32)
    model = probabilities_model(5)
    true = model.predict(x)
    y = (random.random((4000, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(0, 4)
    found = calibrate(model, 3 * x, y)
    assert found == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize(
    "y",
    [
        [0, 1, 3],
        [0, 1, -1],
        [0, 1],
        [0],
        [[1, 0, 0]] * 3,
        [0.0, 1.5, 2.0],
        ["0", "1", "2"],
        [True, False, True],
        1,
    ],
    ids=["too large", "negative", "too few", "one", "one-hot", "floats", "strings", "bools", "a number"],
)
def test_calibrate_refuses_wrong_classes(y):
    with pytest.raises((ValueError, TypeError), match=r"targets|labels"):
        calibrate(probabilities_model(3), np.eye(3), y)


def test_calibrate_takes_labels_as_training_does():
    x, y = np.eye(3)[[0, 1, 2, 0, 1]], np.array([0, 1, 2, 1, 1])
    expected = calibrate(probabilities_model(3), x, y)
    assert calibrate(probabilities_model(3), x, y[:, None].astype(np.float32)) == expected


# Half-size model files


def test_a_model_can_be_stored_in_half_the_size(tmp_path):
    model = Sequential(
        [layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(10, activation="softmax")],
        (28, 28, 1),
        seed=3,
    )
    model.temperature = 1.5
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    before = model.flat.value.copy()
    model.save(whole)
    model.save(half, dtype="float16")
    np.testing.assert_array_equal(model.flat.value, before)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    loaded = load_model(half)
    assert loaded.dtype == loaded.flat.value.dtype == np.float32
    rounded = before.astype(np.float16).astype(np.float32)
    assert (rounded != before).any()
    np.testing.assert_array_equal(loaded.flat.value, rounded)
    assert loaded.temperature == 1.5
    assert predict_image(drawn(1), half).probabilities.dtype == np.float32
    loaded.save(tmp_path / "again.safetensors", dtype="float16")
    np.testing.assert_array_equal(load_model(tmp_path / "again.safetensors").flat.value, rounded)


def test_a_half_size_file_of_a_double_precision_model(tmp_path):
    model = Sequential([layers.Dense(3)], 4, dtype="float64")
    model.save(tmp_path / "half.safetensors", dtype=np.float16)
    loaded = load_model(tmp_path / "half.safetensors")
    assert loaded.flat.value.dtype == np.float64
    np.testing.assert_array_equal(loaded.flat.value, model.flat.value.astype(np.float16))


def test_a_model_that_was_loaded_from_half_size_trains_on(tmp_path):
    model = small_model()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.save(tmp_path / "half.safetensors", dtype="float16")
    loaded = load_model(tmp_path / "half.safetensors")
    before = loaded.flat.value.copy()
    loaded.fit(np.random.default_rng(0).random((8, 28, 28, 1)), np.arange(8), epochs=1, verbose=0)
    assert (loaded.flat.value != before).any()


@pytest.mark.parametrize("dtype", ["float64", "int8", np.int32, "bfloat", "complex64", object])
def test_other_dtypes_are_refused(dtype, tmp_path):
    with pytest.raises((ValueError, TypeError)):
        small_model().save(tmp_path / "model.safetensors", dtype=dtype)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["float32", np.float32, None])
def test_the_model_s_own_dtype_keeps_all_bits(dtype, tmp_path):
    model = small_model()
    model.save(tmp_path / "model.safetensors", dtype=dtype)
    np.testing.assert_array_equal(load_model(tmp_path / "model.safetensors").flat.value, model.flat.value)


@pytest.mark.parametrize("weight", [65520.0, -1e5, 3e38])
def test_weights_beyond_half_precision_are_refused(weight, tmp_path):
    model = small_model()
    model.flat.value[5] = weight
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"what was there before")
    with pytest.raises(ValueError, match=r"dense/kernel has weights beyond float16's 65504"):
        model.save(path, dtype="float16")
    assert path.read_bytes() == b"what was there before"
    model.flat.value[5] = 65504
    model.save(path, dtype="float16")
    assert load_model(path).flat.value[5] == 65504
