"""Pictures of models: what they show, and where it lies."""

from __future__ import annotations

import sys
from itertools import combinations, pairwise

import numpy as np
import pytest

from tinynet import Input, Model, Sequential, activations, layers
from tinynet.models.diagram import diagram_of
from tinynet.models.layout import lay_out
from tinynet.utils import plot_model


@pytest.fixture
def branching():
    pytest.importorskip("matplotlib")
    first, second = Input((8, 8, 1)), Input((5,))
    x = layers.Conv2D(2, 3, padding="same", activation="relu")(first)
    x = layers.Flatten()(layers.Add()([x, layers.ReLU()(x)]))
    dense = layers.Dense(5, activation="tanh")
    inner = Sequential([layers.Dense(8), layers.Dense(4)], 5, name="inner")
    y = layers.Concatenate()([x, dense(dense(second)), inner(second)])
    return Model([first, second], layers.Dense(10)(y))


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def edges_of(diagram):
    return {(diagram.boxes[start].name, diagram.boxes[end].name) for start, end in diagram.edges}


# What it shows


def test_a_box_for_each_call_and_an_arrow_for_each_input(branching):
    diagram = diagram_of(branching, lambda _: False)
    assert sorted(box.name for box in diagram.boxes) == sorted([
        "input_layer", "input_layer_1", "conv2d", "re_lu", "add", "flatten", "dense", "dense", "inner",
        "concatenate", "dense_1",
    ])  # fmt: skip
    assert edges_of(diagram) == {
        ("input_layer", "conv2d"), ("conv2d", "re_lu"), ("conv2d", "add"), ("re_lu", "add"),
        ("add", "flatten"), ("flatten", "concatenate"), ("input_layer_1", "dense"), ("dense", "dense"),
        ("dense", "concatenate"), ("input_layer_1", "inner"), ("inner", "concatenate"),
        ("concatenate", "dense_1"),
    }  # fmt: skip
    assert all(start < end for start, end in diagram.edges)
    assert all(box.inner is None for box in diagram.boxes)


def test_a_row_is_a_row():
    model = Sequential([layers.Flatten(), layers.Dense(10), layers.Softmax()], (28, 28, 1))
    diagram = diagram_of(model, lambda _: False)
    assert [box.name for box in diagram.boxes] == ["flatten", "dense", "softmax"]
    assert diagram.edges == [(0, 1), (1, 2)]
    assert diagram.boxes[0].takes == [(28, 28, 1)]
    assert diagram.boxes[0].gives == diagram.boxes[1].takes == [(784,)]


def test_nested_models_are_opened_if_asked(branching):
    (box,) = (box for box in diagram_of(branching, lambda _: True).boxes if box.inner)
    assert box.name == "inner"
    assert [one.name for one in box.inner.boxes] == ["dense", "dense_1"]
    assert box.inner.edges == [(0, 1)]
    assert texts(plot_model(branching, None)).count("Dense") == 3
    assert texts(plot_model(branching, None, expand_nested=True)).count("Dense") == 5


def test_sizes_that_are_open():
    x = Input((None, None, 1))
    model = Model(x, layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(x)))
    boxes = diagram_of(model, lambda _: False).boxes
    assert [box.gives for box in boxes] == [[(None, None, 1)], [(None, None, 2)], [(2,)]]


def test_a_box_says_the_name_of_a_function_too():
    pytest.importorskip("matplotlib")
    model = Sequential([layers.Dense(3, activation=activations.tanh), layers.Activation("gelu")], 4)
    drawn = texts(plot_model(model, None, show_layer_activations=True))
    assert drawn == ["Dense (tanh)", "Activation (gelu)"]


def test_what_a_box_says():
    pytest.importorskip("matplotlib")
    model = Sequential([layers.Dense(3, activation="relu", name="a$b"), layers.Dense(2)], 4)
    assert texts(plot_model(model, None)) == ["Dense", "Dense"]
    assert not any(text.get_parse_math() for text in plot_model(model, None).axes[0].texts)
    assert texts(plot_model(model, None, show_layer_names=True)) == ["a$b (Dense)", "dense (Dense)"]
    assert texts(plot_model(model, None, show_layer_activations=True)) == ["Dense (relu)", "Dense"]
    assert texts(plot_model(model, None, show_dtype=True))[1] == "dtype: float32"
    assert texts(plot_model(model, None, show_shapes=True))[:3] == [
        "Dense",
        "in: (None, 4)",
        "out: (None, 3)",
    ]
    model.layers[0].trainable = False
    assert texts(plot_model(model, None, show_trainable=True)) == [
        "Dense", "not trainable", "Dense", "trainable"
    ]  # fmt: skip
    assert plot_model(model, None, False, False, True, "LR", layer_range=None, show_edges=True)


# Where it lies


def overlap(first, second):
    return all(
        abs(a - b) < (m + n) / 2 - 1e-6
        for a, b, m, n in zip(first[0], second[0], first[1], second[1], strict=True)
    )


@pytest.mark.parametrize("seed", range(20))
def test_boxes_and_arrows_keep_apart(seed):
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 14))
    sizes = [tuple(map(float, random.integers(10, 90, 2))) for _ in range(count)]
    edges = sorted({(int(random.integers(0, end)), end) for end in range(1, count) for _ in range(2)})
    layout = lay_out(sizes, edges)
    boxes = [*zip(layout.centres, sizes, strict=True)]
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    for centre, size in boxes:
        for place, length, whole in zip(centre, size, layout.size, strict=True):
            assert length / 2 - 1e-6 <= place <= whole - length / 2 + 1e-6
    for (start, end), route in zip(edges, layout.routes, strict=True):
        (x, y), (_, height) = boxes[start]
        assert route[0] == (x, y + height / 2)
        (x, y), (_, height) = boxes[end]
        assert route[-1] == (x, y - height / 2)
        assert all(b[1] >= a[1] - 1e-6 for a, b in pairwise(route))
        for place in range(0, len(route) - 1, 2):  # the straight pieces; curves lie between the rows
            a, b = route[place : place + 2]
            assert a[0] == b[0]
            line = ((a[0], (a[1] + b[1]) / 2), (0.0, b[1] - a[1]))
            assert not [
                box for number, box in enumerate(boxes) if number not in (start, end) and overlap(line, box)
            ]
        for place in range(1, len(route) - 1, 2):
            top, bottom = route[place][1], route[place + 1][1]
            assert not [
                box for box in boxes if overlap(box, ((0.0, (top + bottom) / 2), (1e9, bottom - top)))
            ]


def test_a_chain_is_straight_and_nothing_is_nothing():
    layout = lay_out([(30, 10), (50, 10), (20, 10)], [(0, 1), (1, 2)])
    assert {x for x, _ in layout.centres} == {25.0}
    layout = lay_out([(10, 10), (10, 10), (90, 10), (70, 10)], [(0, 2), (1, 3)])
    assert [layout.centres[0][0], layout.centres[1][0]] == [layout.centres[2][0], layout.centres[3][0]]
    assert lay_out([], []).size == (0.0, 0.0)


@pytest.mark.parametrize("direction", ["TB", "BT", "LR", "RL"])
def test_directions(direction):
    pytest.importorskip("matplotlib")
    model = Sequential([layers.ReLU(), layers.Softmax()], 4)
    first, second = (text.get_position() for text in plot_model(model, None, rankdir=direction).axes[0].texts)
    down, right = second[1] - first[1], second[0] - first[0]
    assert {"TB": down > 20, "BT": down < -20, "LR": right > 20, "RL": right < -20}[direction]
    assert abs(right if direction in ("TB", "BT") else down) < 1e-6


# Files and errors


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), ("", b"\x89PNG")]
)
def test_files(branching, tmp_path, suffix, start):
    path = tmp_path / f"model{suffix}"
    figure = plot_model(branching, str(path), True, True, True, expand_nested=True, dpi=50)
    assert path.read_bytes().startswith(start)
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_the_file_is_model_png(branching, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    figure = plot_model(branching, dpi=50)
    small = (tmp_path / "model.png").read_bytes()
    assert int.from_bytes(small[16:20], "big") == pytest.approx(figure.get_figwidth() * 50, abs=2)


def test_deep_models_fit(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("tinynet.plotting.model.LARGEST", 500)
    plot_model(Sequential([layers.ReLU() for _ in range(30)], 4), tmp_path / "deep.png")
    assert int.from_bytes((tmp_path / "deep.png").read_bytes()[20:24], "big") <= 500


def test_errors(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    model = Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match=r"not built; call model\.build"):
        plot_model(model)
    model.build((None, 3))
    with pytest.raises(ValueError, match="rankdir must be one of TB, BT, LR, RL; got 'XY'"):
        plot_model(model, rankdir="XY")
    with pytest.raises(TypeError, match="expected a model, got str"):
        plot_model("model.png")
    with pytest.raises(ValueError, match="supported formats"):
        plot_model(model, tmp_path / "model.doc")
    with pytest.raises(FileNotFoundError):
        plot_model(model, tmp_path / "nowhere" / "model.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match="pip install matplotlib"):
        plot_model(model)


def test_import_waits_for_the_first_picture(run_python):
    printed = run_python("""
import sys, tinynet
print("tinynet.plotting" in sys.modules, "plot_model" in dir(tinynet.utils))
print(tinynet.utils.plot_model.__name__, "tinynet.plotting" in sys.modules, "matplotlib" in sys.modules)
try:
    tinynet.utils.get_file
except AttributeError as error:
    print(error)
""")
    *first, last = printed.splitlines()
    assert first == [
        "False True",
        "plot_model True False",
    ]
    assert last.startswith("tinynet.utils has no 'get_file'; it has ")
