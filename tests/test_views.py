"""What a notebook shows: pages without scripts, which hold the numbers that the text holds."""

from __future__ import annotations

import copy
import json
import pickle
import re
import signal
import sys
import types
from html.parser import HTMLParser

import numpy as np
import pytest

from tinynet import (
    History,
    Input,
    Model,
    Sequential,
    callbacks,
    gradcheck,
    layers,
    metrics,
    predict_image,
    predict_images,
    views,
)
from tinynet.gradcheck import GradientErrors
from tinynet.views.numbers import number, ticks

VOID = {"img", "br", "line", "circle", "polyline"}


class Page(HTMLParser):
    """Reads a page, checks that its tags match, and gathers texts, tags and attributes."""

    def __init__(self, html):
        super().__init__()
        self.open, self.texts, self.tags, self.attributes = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def text(self):
        """All words."""
        return " ".join(self.texts)


def numbers_in(text):
    return re.findall(r"\d+(?:[.,]\d+)*(?:e-?\d+)?", text)


def row():
    return Sequential([layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2, "softmax")], (6, 6, 1))


def branching():
    x = Input((3,))
    return Model(x, layers.Add()([x, layers.Dense(3)(x)]))


def trained():
    model = row()
    model.compile("sgd", metrics=["accuracy"])
    return model


def evaluated(**keywords):
    return trained().evaluate(np.zeros((4, 6, 6, 1)), [0, 1, 0, 1], **keywords)


CURVES = {
    "loss": [0.9, 0.5, 0.1234, 0.12], "val_loss": [0.8, 0.7], "accuracy": [0.25, 0.5, 0.625, 0.75],
    "val_accuracy": [0.375, 0.5], "learning_rate": [0.1, 0.05, 0.025, 1.25e-5],
}  # fmt: skip
TABLES = {  # what is shown with exactly the same numbers as text
    "model": row,
    "branching model": branching,
    "model without shapes": lambda: Sequential([layers.Dense(3)]),
    "layer": lambda: row().layers[0],
    "layer without parameters": lambda: row().layers[1],
    "layer that is not built": lambda: layers.Dense(3, activation="relu"),
    "list of scores": evaluated,
    "dict of scores": lambda: evaluated(return_dict=True),
    "confusion matrix": lambda: metrics.confusion_matrix([0, 1, 2, 2], [0, 2, 2, 2]),
    "large confusion matrix": lambda: metrics.confusion_matrix(np.arange(30), np.arange(30)[::-1]),
}
OTHERS = {
    "history": lambda: History(CURVES, [0, 1, 2, 3]),
    "history of one epoch": lambda: History({"loss": [0.5], "val_loss": [0.25]}, [0]),
    "history of none": History,
    "history with NaN": lambda: History({"loss": [0.5, float("nan"), 0.25, float("inf")]}, [0, 1, 2, 3]),
    "history of several numbers": lambda: History({"f1": [[0.1, 0.2], [0.3, 0.4]]}, [0, 1]),
    "gradients": lambda: gradcheck(layers.ReLU(), [[-1.0, 0.0, 2.0]]),
    "wrong gradients": lambda: GradientErrors({"b": 2e-9, "x": 0.5}, {"b": 3, "x": 4}, {"b": 1}, 1e-6),
    "reading": lambda: predict_image(np.zeros((50, 50))),
    "readings": lambda: predict_images([np.zeros((50, 50))] * 3),
}


def shown(thing):
    """The page and the text that a notebook takes."""
    bundle = thing._repr_mimebundle_() if hasattr(thing, "_repr_mimebundle_") else {}
    return bundle.get("text/html") or thing._repr_html_(), bundle.get("text/plain", repr(thing))


@pytest.mark.parametrize("name", {**TABLES, **OTHERS})
def test_a_page_is_whole_and_has_no_script_and_no_colour_of_text(name):
    html, _ = shown({**TABLES, **OTHERS}[name]())
    page = Page(html)
    assert not {"script", "style", "link", "iframe", "object"} & {*page.tags}
    assert not [key for key, _ in page.attributes if key.startswith("on")]
    assert not re.search(r"javascript:|https?://", html)
    for key, value in page.attributes:  # text has the notebook's colour, on its own ground
        if key == "style":
            assert not re.search(r"(^|;) *color:", value)
            assert not re.search(r"background(-color)?: *(#fff|white|#000|black)", value)


@pytest.mark.parametrize("name", TABLES)
def test_the_text_holds_the_numbers_of_the_page_in_their_order(name):
    html, text = shown(TABLES[name]())
    assert numbers_in(Page(html).text()) == numbers_in(text)
    assert len(numbers_in(text)) >= 2 * ("without" not in name and "not built" not in name)


def test_a_reading_has_its_probabilities_as_text_too():
    html, text = shown(OTHERS["reading"]())
    assert text.splitlines()[0] == repr(OTHERS["reading"]())
    assert [line.split() for line in text.splitlines()[2:]] == [[str(digit), "10.0%"] for digit in range(10)]
    assert Page(html).text().count("10.0%") == 10


@pytest.mark.parametrize("name", ["gradients", "wrong gradients", "readings"])
def test_what_has_a_text_of_its_own_says_the_same(name):
    thing = OTHERS[name]()
    words = Page(shown(thing)[0]).text()
    for error in thing.values() if isinstance(thing, dict) else ():
        assert f"{error:.2g}" in words
        assert f"{error:.2g}" in repr(thing)
    for part in [thing.conclusion()] if isinstance(thing, dict) else ["no ink 0.0%"]:
        assert part in words


def test_a_model_has_a_bar_for_each_share():
    model = row()
    page = Page(model._repr_html_())
    widths = [float(width) for width in re.findall(r"width:([\d.]+)px;background", model._repr_html_())]
    sizes = [40, 0, 130]  # 3 * 3 * 4 + 4, and 64 * 2 + 2
    np.testing.assert_allclose(widths, [120 * size / 170 for size in sizes], atol=0.05)
    for text in ("conv2d (Conv2D)", "(None, 4, 4, 4)", "40", "23.5%", "76.5%", "Total params: 170 (680 B)"):
        assert text in page.texts
    words = Page(branching()._repr_html_()).texts
    assert "Connected to" in words
    assert "input_layer, dense" in words
    assert "?" in Page(Sequential([layers.Dense(3)])._repr_html_()).texts


def test_a_layer_says_its_shapes_and_what_trains():
    layer = row().layers[0]
    assert layer._view().text().splitlines() == [
        "conv2d: Conv2D(filters=4, kernel_size=3)",
        "(None, 6, 6, 1) → (None, 4, 4, 4)",
        "Parameter  Shape         Size  Trains",
        "kernel     (3, 3, 1, 4)    36  yes",
        "bias       (4,)             4  yes",
        "40 parameters, float32",
    ]
    frozen = layers.Dense(2, trainable=False)
    frozen.build(3)
    assert frozen._view().text().count("no") == 2
    assert repr([layer]) == "[Conv2D(filters=4, kernel_size=3)]"


def test_what_is_not_ours_is_escaped():
    model = Sequential([layers.Dense(1, name="a<b>&")], 2, name="<script>")
    html = model._repr_html_()
    assert "script" not in Page(html).tags
    assert "a<b>& (Dense)" in Page(html).texts
    record = History({"<b>": [1.0], "val_<b>": [2.0]}, [0])
    assert Page(record._repr_html_()).tags.count("b") == 1  # the title


# The history


def test_a_history_shows_its_curves_with_whole_numbers_below():
    html = History(CURVES, [0, 1, 2, 3])._repr_html_()
    page = Page(html)
    assert page.tags.count("svg") == 3
    assert page.tags.count("polyline") == 5
    assert page.tags.count("circle") == 4 + 2 + 4 + 2 + 4
    for text in ("training 0.1200", "validation 0.7000", "training 0.7500", "training 1.25e-05"):
        assert any(text in part for part in page.texts)
    labels = re.findall(r'text-anchor="middle" [^>]*>([^<]*)<', html)
    assert labels[:5] == ["1", "2", "3", "4", "epoch"]
    assert "dasharray" in html  # not by colour alone


def test_one_epoch_is_a_point_and_many_are_a_line():
    one = History({"loss": [0.5], "val_loss": [0.25]}, [0])._repr_html_()
    assert Page(one).tags.count("circle") == 2
    assert re.findall(r'text-anchor="middle" [^>]*>([^<]*)<', one) == ["1", "epoch"]
    many = History({"loss": [1 / n for n in range(1, 51)]}, [*range(50)])._repr_html_()
    assert Page(many).tags.count("circle") == 0
    labels = re.findall(r'text-anchor="middle" [^>]*>([^<]*)<', many)[:-1]
    assert labels == ["10", "20", "30", "40", "50"]


def test_where_a_value_is_not_finite_the_curve_has_a_gap():
    html = OTHERS["history with NaN"]()._repr_html_()
    assert Page(html).tags.count("polyline") == 2
    assert "nan" not in re.sub(r"<details>.*</details>", "", html)
    never = History({"loss": [float("nan")] * 2}, [0, 1])._repr_html_()
    assert "no finite value" in Page(never).text()


def test_a_history_prints_a_table():
    assert repr(History(CURVES, [0, 1, 2, 3])).splitlines() == [
        "History of 4 epochs",
        "epoch    loss  val_loss  accuracy  val_accuracy  learning_rate",
        "    1  0.9000              0.2500                       0.1000",
        "    2  0.5000    0.8000    0.5000        0.3750         0.0500",
        "    3  0.1234              0.6250                       0.0250",
        "    4  0.1200    0.7000    0.7500        0.5000       1.25e-05",
    ]
    many = repr(History({"loss": [*range(1, 101)]}, [*range(100)])).splitlines()
    assert len(many) == 13
    assert many[7].split() == ["...", "..."]
    assert many[-1].split() == ["100", "100.0000"]
    assert repr(History()) == "History of no epochs"


def test_the_page_of_a_history_holds_all_numbers_of_its_text():
    record = History(CURVES, [0, 1, 2, 3])
    assert {*numbers_in(repr(record))} <= {*numbers_in(Page(record._repr_html_()).text())}


@pytest.mark.parametrize(
    ("low", "high", "whole", "expected"),
    [
        (0.13, 0.94, False, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (1, 4, True, [1, 2, 3, 4]),
        (1, 30, True, [10, 20, 30]),
        (3, 3, True, [3]),
        (0.5, 0.5, False, [0.44, 0.46, 0.48, 0.5, 0.52, 0.54, 0.56]),
        (0, 2e-7, False, [0, 5e-8, 1e-7, 1.5e-7, 2e-7]),
        (-3, 3e8, False, [-1e8, 0, 1e8, 2e8, 3e8]),
    ],
)
def test_ticks_are_round_and_enclose_the_curve(low, high, whole, expected):
    found = ticks(low, high, whole)
    if (low, high) != (0.5, 0.5):
        np.testing.assert_allclose(found, expected, atol=1e-15)
    assert whole or found[0] <= low <= high <= found[-1]
    assert 1 <= len(found) <= 8


def test_numbers_have_four_digits_where_they_would_vanish_else():
    given = [0.12345, 1.5e-5, 0.0, float("nan"), 123456.7, -2e-4, np.float32(0.5)]
    assert [*map(number, given)] == [
        "0.1235", "1.50e-05", "0.0000", "nan", "1.23e+05", "-2.00e-04", "0.5000"
    ]  # fmt: skip


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


@pytest.mark.parametrize("colour", [views.BLUE, views.ORANGE, views.GREY])
@pytest.mark.parametrize("ground", ["#ffffff", "#111111", "#1e1e1e"])
def test_colours_stand_out_from_light_and_from_dark(colour, ground):
    dark, light = sorted([luminance(colour), luminance(ground)])
    assert (light + 0.05) / (dark + 0.05) >= 3


# Scores and matrices are lists, dicts and arrays


def test_scores_are_lists_and_dicts_in_all_else():
    scores, named = evaluated(), evaluated(return_dict=True)
    assert isinstance(scores, list)
    assert isinstance(named, dict)
    assert scores == [*named.values()]
    assert repr(scores) == repr([*scores])
    assert repr(named) == repr({**named})
    loss, accuracy = scores
    assert (loss, accuracy) == (named["loss"], named["accuracy"])
    assert json.loads(json.dumps(scores)) == scores
    for one, kind in ((scores, list), (named, dict)):
        for copied in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert copied == one
            assert type(copied) is kind
    assert "accuracy" in shown(scores)[1]


def test_a_confusion_matrix_is_an_array_in_all_else():
    confusion = metrics.confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    assert repr(confusion) == repr(np.asarray(confusion))
    assert str(confusion) == str(np.asarray(confusion))
    assert type(confusion / confusion.sum()) is np.ndarray
    assert type(confusion.sum(axis=1)) is np.ndarray
    assert type(confusion.sum()) is np.int64
    assert confusion[0]._repr_html_() is None
    assert confusion[:2]._repr_mimebundle_() == {}
    assert "3 of 4 right (75.00%)" in shown(confusion)[1]


def test_a_confusion_matrix_counts_its_classes_itself():
    np.testing.assert_array_equal(metrics.confusion_matrix([0, 2], [1, 2]), [[0, 1, 0], [0, 0, 0], [0, 0, 1]])
    assert metrics.confusion_matrix([0, 1], np.eye(5)[[0, 3]]).shape == (5, 5)
    assert metrics.confusion_matrix(np.zeros(0, int), np.zeros((0, 4))).shape[1] == 4
    with pytest.raises(TypeError, match="must be integers"):
        metrics.confusion_matrix([0.5, 1.0], [0, 1])


# Callbacks


def test_callbacks_say_what_they_were_given():
    stop = callbacks.EarlyStopping(monitor="val_accuracy", patience=3)
    assert repr(stop) == "EarlyStopping(monitor='val_accuracy', patience=3)"
    assert repr(callbacks.TerminateOnNaN()) == "TerminateOnNaN()"
    assert repr(callbacks.ReduceLROnPlateau(factor=0.5)) == "ReduceLROnPlateau(factor=0.5)"
    assert repr(callbacks.LearningRateScheduler(tell)) == "LearningRateScheduler(schedule=tell)"

    class Mine(callbacks.Callback):
        def __init__(self, weights, other=3):
            self.weights = weights

    assert repr(Mine(np.ones(2))) == "Mine(weights=array([1., 1.]))"


def tell(epoch):
    return 0.1


# The progress of `fit` in a notebook


class Display:
    """Stands for IPython, and keeps what it is shown."""

    def __init__(self):
        self.outputs = []

    def display(self, data, raw, display_id):
        assert raw
        assert display_id
        self.outputs.append([data])
        return self

    def update(self, data, raw):
        assert raw
        self.outputs[-1].append(data)


@pytest.fixture
def notebook(monkeypatch):
    shell, display = types.SimpleNamespace(kernel=object()), Display()
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr("tinynet.training.notebook.OFTEN", 0)
    return display


def test_a_notebook_has_one_output_in_which_lines_take_the_bars_places(notebook, blobs, capsys):
    model = Sequential([layers.Dense(3, "softmax")], 2)
    model.compile("sgd", metrics=["accuracy"])
    model.fit(*blobs, epochs=2, validation_split=0.25)
    assert capsys.readouterr() == ("", "")
    (output,) = notebook.outputs
    texts = [data["text/plain"] for data in output]
    assert texts[0] == "Epoch 1/2: compiling kernels"
    assert not [text for text in texts[1:] if "compiling" in text]
    assert any(
        re.search(r"Epoch 1/2: \d+%, [\d,]+ samples/s, 00:00 left, loss: \d\.", text) for text in texts
    )
    assert texts[1].startswith("Epoch 1/2: 18%, loss")  # of its pace nothing is known yet
    last = texts[-1].splitlines()
    assert [line.split(" - ")[0] for line in last] == ["Epoch 1/2", "Epoch 2/2"]
    assert all("val_accuracy: " in line for line in last)
    for data in output:
        page = Page(data["text/html"])
        assert "script" not in page.tags
        assert numbers_in(page.text()) == numbers_in(data["text/plain"])
    assert "white-space:nowrap" in output[0]["text/html"]


def test_where_nobody_knows_how_many_batches_come_they_are_counted(notebook, blobs):
    model = Sequential([layers.Dense(3, "softmax")], 2)
    model.compile("sgd")
    x, y = blobs
    model.fit((x[i : i + 80], y[i : i + 80]) for i in range(0, 240, 80))
    texts = [data["text/plain"] for data in notebook.outputs[0]]
    assert any(text.startswith("Epoch 1/1: 3 batches, ") for text in texts)
    assert not [text for text in texts if "%" in text or "left" in text]


def test_of_many_epochs_a_notebook_keeps_the_latest_lines(notebook, blobs):
    model = Sequential([layers.Dense(3, "softmax")], 2)
    model.compile("sgd")
    model.fit(*blobs, epochs=25, batch_size=240)
    lines = notebook.outputs[0][-1]["text/plain"].splitlines()
    assert lines[0] == "(5 epochs before)"
    assert [line.split(" - ")[0] for line in lines[1:]] == [f"Epoch {epoch}/25" for epoch in range(6, 26)]


def test_verbose_2_prints_lines_in_a_notebook_too(notebook, blobs, capsys):
    model = Sequential([layers.Dense(3, "softmax")], 2)
    model.compile("sgd")
    model.fit(*blobs, verbose=2)
    assert notebook.outputs == []
    assert capsys.readouterr().out.startswith("Epoch 1/1 - ")


def test_ctrl_c_is_a_line_in_a_notebook_and_the_same_exception_for_all_others(notebook, blobs):
    told = []
    stop = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: signal.raise_signal(signal.SIGINT) if epoch == 2 else None,
        on_train_end=lambda logs: told.append(logs),
    )
    model = Sequential([layers.Dense(3, "softmax")], 2)
    model.compile("sgd")
    with pytest.raises(KeyboardInterrupt) as caught:
        model.fit(*blobs, epochs=5, callbacks=[stop])
    assert type(caught.value) is KeyboardInterrupt  # whose process ends by SIGINT, as shells expect
    assert caught.value._render_traceback_() == [
        "KeyboardInterrupt: fit stopped after 2 of 5 epochs; the model keeps its weights, and model.history "
        "what was measured."
    ]
    assert len(told) == 1
    assert model.history.epoch == [0, 1]
    assert [line.split(" - ")[0] for line in notebook.outputs[0][-1]["text/plain"].splitlines()] == [
        "Epoch 1/5", "Epoch 2/5", "Epoch 3/5"
    ]  # fmt: skip


def test_a_script_ends_by_ctrl_c(run_python):
    printed = run_python("""
import signal, subprocess, sys
script = '''
import signal
from tinynet import Sequential, callbacks, layers
model = Sequential([layers.Dense(1)], 1)
model.compile("sgd", "mse")
stop = callbacks.LambdaCallback(on_train_batch_end=lambda *_: signal.raise_signal(signal.SIGINT))
signal.signal(signal.SIGINT, signal.default_int_handler)
model.fit([[1.0]], [[1.0]], verbose=0, callbacks=[stop])
print("went on")
'''
done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
print(done.returncode == -signal.SIGINT or done.returncode, done.stdout, done.stderr.splitlines()[-1])
""")
    assert printed.split() == ["True", "KeyboardInterrupt"]
