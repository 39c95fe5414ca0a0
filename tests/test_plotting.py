"""Plots: what they show of what they are given, in their own figure or in axes that are given."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tinynet
from tinynet import History, Sequential, layers, metrics, plotting
from tinynet.views import BLUE, ORANGE

pytest.importorskip("matplotlib")

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((6, 8, 8, 1))
LABELS = np.array([0, 1, 2, 0, 1, 2])
PROBABILITIES = np.array([
    [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.9, 0.1, 0.0], [0.98, 0.01, 0.01], [0.3, 0.3, 0.4]
])  # fmt: skip
RECORD = History({"loss": [0.9, 0.5, 0.4], "accuracy": [0.5, 0.6, 0.7], "val_loss": [0.7]}, [0, 1, 2])


@pytest.fixture
def model():
    model = Sequential(
        [layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(3, "softmax")], (8, 8, 1)
    )
    model.compile("sgd")
    return model


def axes():
    from matplotlib.figure import Figure

    return Figure().subplots()


def titles(figure):
    return [panel.get_title() for panel in figure.axes]


SINGLE = {
    "history": lambda model, ax: plotting.plot_history(RECORD, metric="loss", ax=ax),
    "confusion": lambda model, ax: plotting.plot_confusion_matrix(np.eye(3, dtype=int), ax=ax),
    "calibration": lambda model, ax: plotting.plot_calibration(LABELS, PROBABILITIES, ax=ax),
    "rates": lambda model, ax: plotting.plot_learning_rates(model, IMAGES, LABELS, steps=5, ax=ax),
}
SEVERAL = {
    "history": lambda model: plotting.plot_history(RECORD),
    "images": lambda model: plotting.plot_images(IMAGES, LABELS, PROBABILITIES),
    "mistakes": lambda model: plotting.plot_mistakes(IMAGES, LABELS, PROBABILITIES),
    "predictions": lambda model: plotting.plot_predictions(IMAGES, PROBABILITIES, LABELS),
    "filters": lambda model: plotting.plot_filters(model.layers[0]),
    "activations": lambda model: plotting.plot_activations(model, IMAGES[0]),
    "occlusion": lambda model: plotting.plot_occlusion(model, IMAGES[0]),
}


@pytest.mark.parametrize("name", SINGLE)
def test_a_plot_of_one_panel_draws_into_the_axes_that_it_is_given(name, model):
    ax = axes()
    figure = SINGLE[name](model, ax)
    assert figure is ax.figure
    assert figure.axes == [ax]
    assert ax.get_title()
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    alone = SINGLE[name](model, None)
    assert alone is not figure
    assert titles(alone) == titles(figure)
    assert alone._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_every_plot_is_a_figure_that_can_be_drawn_on_light_and_on_dark(name, style, model):
    from matplotlib import style as styles
    from matplotlib.colors import to_rgb

    with styles.context(style):
        figure = SEVERAL[name](model)
        assert figure._repr_png_().startswith(b"\x89PNG")
        assert sum(to_rgb(figure.get_facecolor())) == (3 if style == "default" else 0)
    assert any(panel.has_data() for panel in figure.axes)


def test_all_plots_are_tested():
    drawn = {*SINGLE, *SEVERAL}
    assert len(drawn) == len(plotting.__all__) - 1  # plot_model has a file of its own


def test_the_history_has_a_panel_for_each_metric_and_whole_numbers_below():
    figure = plotting.plot_history(RECORD)
    assert titles(figure) == ["loss", "accuracy"]
    training, validation = figure.axes[0].lines
    assert (training.get_xdata().tolist(), training.get_ydata().tolist()) == ([1, 2, 3], [0.9, 0.5, 0.4])
    assert (validation.get_xdata().tolist(), validation.get_ydata().tolist()) == ([3], [0.7])
    assert (training.get_color(), validation.get_color()) == (BLUE, ORANGE)
    assert training.get_linestyle() != validation.get_linestyle()
    assert training.get_marker() == "o"
    for record in (RECORD, History({"loss": [0.5], "val_loss": [0.4]}, [0])):
        figure = plotting.plot_history(record)
        figure.draw_without_rendering()
        shown = [tick for tick in figure.axes[0].get_xticks() if tick > 0]
        assert all(tick == round(tick) for tick in shown)
    long = History({"loss": [0.5] * 40, "val_loss": [0.4] * 40}, [*range(40)])
    assert {line.get_marker() for line in plotting.plot_history(long).axes[0].lines} == {
        ""
    }  # of many epochs, none
    same = plotting.plot_history({"loss": [0.5] * 40, "val_loss": [0.4] * 40}).axes[0].lines
    assert [line.get_xdata().tolist() for line in same] == [[*range(1, 41)]] * 2
    with pytest.raises(ValueError, match="no epochs"):
        plotting.plot_history({})
    with pytest.raises(ValueError, match="the history has loss, accuracy, val_loss; got 'acc'"):
        plotting.plot_history(RECORD, "acc")
    with pytest.raises(ValueError, match="no epochs"):
        plotting.plot_history(History())


def test_a_long_history_is_drawn_without_points():
    figure = plotting.plot_history(History({"loss": [0.5] * 20, "val_loss": [0.5] * 20}, [*range(20)]))
    training, validation = figure.axes[0].lines
    assert [line.get_marker() for line in (training, validation)] == ["", ""]
    assert [line.get_linestyle() for line in (training, validation)] == ["-", "--"]


def test_images_say_what_is_true_and_what_was_predicted():
    names = ["cat", "dog", "owl"]
    figure = plotting.plot_images(IMAGES, LABELS, PROBABILITIES, names, count=5, columns=2)
    assert titles(figure)[:5] == ["cat", "dog", "owl → cat", "cat", "dog → cat"]
    assert len([panel for panel in figure.axes if panel.axison]) == 5
    wrong = figure.axes[2].title
    assert (wrong.get_color(), wrong.get_fontweight()) == (ORANGE, "bold")
    np.testing.assert_array_equal(figure.axes[2].images[0].get_array(), IMAGES[2, ..., 0])
    assert titles(plotting.plot_images(IMAGES[..., 0], LABELS[:, None]))[0] == "0"
    assert titles(plotting.plot_images(IMAGES))[0] == ""
    colours = np.full((1, 4, 4, 3), 51, np.uint8)
    drawn = plotting.plot_images(colours).axes[0].images[0].get_array()
    np.testing.assert_allclose(np.asarray(drawn) / (255 if drawn.dtype == np.uint8 else 1), 0.2)
    with pytest.raises(ValueError, match="equally many of each; got 6 images, 2 y_true"):
        plotting.plot_images(IMAGES, [1, 2])


def test_mistakes_come_by_their_loss_the_largest_first():
    figure = plotting.plot_mistakes(IMAGES, LABELS, PROBABILITIES)
    assert titles(figure) == ["1 → 0\nloss 4.61", "2 → 0\nloss 2.30"]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), IMAGES[4, ..., 0])
    none = plotting.plot_mistakes(IMAGES[:2], LABELS[:2], PROBABILITIES[:2])
    assert none.get_suptitle() == "no mistakes"
    with pytest.raises(ValueError, match=r"y_pred of shape \(N, classes\)"):
        plotting.plot_mistakes(IMAGES, LABELS, LABELS)


def test_a_confusion_matrix_has_its_counts_in_its_cells():
    confusion = metrics.confusion_matrix([0, 0, 0, 0, 1], [0, 0, 0, 1, 1])
    figure = plotting.plot_confusion_matrix(confusion, ["cat", "a long name"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["3", "1", "0", "1"]
    assert [text.get_position() for text in figure.axes[0].texts] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert titles(figure) == ["80.00% right"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["cat", "a long name"]
    alpha = figure.axes[0].images[0].get_array()[..., 3]
    np.testing.assert_allclose(alpha, [[0.15 + 0.375, 0.15 + 0.125], [0, 0.65]])
    with pytest.raises(ValueError, match="a square matrix"):
        plotting.plot_confusion_matrix(np.ones((2, 3)))


def test_calibration_is_counted_by_hand():
    probabilities = [[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.7, 0.3]]
    figure = plotting.plot_calibration([0, 1, 1, 0], probabilities, bins=5)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [0, 0, 0, 1, 0.5]
    assert titles(figure) == ["expected calibration error 35.0%"]  # (2 * 0.3 + 2 * 0.4) / 4
    one = plotting.plot_calibration([0, 1, 1, 0], [[0.1], [0.1], [0.7], [0.3]], bins=5)
    assert titles(one) == titles(figure)
    with pytest.raises(ValueError, match="at least one"):
        plotting.plot_calibration([], np.zeros((0, 2)))


def test_filters_are_the_weights(model):
    figure = plotting.plot_filters(model.layers[0], count=3)
    kernel = model.layers[0].kernel.value
    pictures = [panel.images[0] for panel in figure.axes[:3]]
    for number, picture in enumerate(pictures):
        np.testing.assert_array_equal(picture.get_array(), kernel[:, :, 0, number])
        assert picture.get_clim() == (-picture.get_clim()[1], picture.get_clim()[1])
    dense = layers.Dense(2)
    dense.build(6)
    unit = plotting.plot_filters(dense, (2, 3)).axes[1].images[0].get_array()
    np.testing.assert_array_equal(unit, dense.kernel.value[:, 1].reshape(2, 3))
    row = layers.Conv1D(2, 3)
    row.build((9, 4))
    np.testing.assert_array_equal(
        plotting.plot_filters(row).axes[0].images[0].get_array(), row.kernel.value[..., 0]
    )
    with pytest.raises(ValueError, match=r"6 weights.*say shape="):
        plotting.plot_filters(dense)
    for bad in (layers.Flatten(), layers.Dense(3)):
        with pytest.raises(ValueError, match="a kernel that is built"):
            plotting.plot_filters(bad)


def test_activations_are_what_the_layers_give(model):
    figure = plotting.plot_activations(model, IMAGES[0], count=4)
    rows = {panel.get_ylabel(): place for place, panel in enumerate(figure.axes) if panel.get_ylabel()}
    assert [*rows] == ["image", "conv2d", "flatten", "dense"]
    given = model.layers[0].forward(IMAGES[:1])[0]
    for channel in range(4):
        drawn = figure.axes[rows["conv2d"] + channel].images[0].get_array()
        np.testing.assert_allclose(drawn, given[..., channel], rtol=1e-6)
    bars = [bar.get_height() for bar in figure.axes[rows["dense"]].patches]
    np.testing.assert_allclose(bars, model.predict(IMAGES[:1])[0], rtol=1e-6)
    x = tinynet.Input((8, 8, 1))
    branching = tinynet.Model(x, layers.Add()([layers.Conv2D(2, 3, padding="same")(x), x]))
    labels = [panel.get_ylabel() for panel in plotting.plot_activations(branching, IMAGES[0]).axes]
    assert [label for label in labels if label] == ["image", "conv2d", "add"]
    with pytest.raises(ValueError, match="a built model of one input"):
        plotting.plot_activations(Sequential([layers.Dense(2)]), IMAGES[0])
    with pytest.raises(ValueError, match="Expected one image"):
        plotting.plot_activations(model, IMAGES)


def test_occlusion_finds_the_pixel_that_decides():
    model = Sequential([layers.Flatten(), layers.Dense(2, activation="softmax")], (8, 8, 1))
    kernel = np.zeros((8, 8, 2))
    kernel[6, 1, 1] = 5.0  # class 1 is seen in this pixel alone
    model.set_weights([kernel.reshape(64, 2), np.zeros(2)])
    image = np.zeros((8, 8))
    image[6, 1] = 1.0
    figure = plotting.plot_occlusion(model, image, class_names=["no", "yes"], size=1)
    drop = figure.axes[1].images[0].get_array()
    assert np.unravel_index(drop.argmax(), drop.shape) == (6, 1)
    assert np.count_nonzero(drop) == 1
    assert titles(figure)[0] == "yes: 99%"
    wide = plotting.plot_occlusion(model, image, size=3).axes[1].images[0].get_array()
    assert [*map(tuple, np.argwhere(wide))] == [(row, column) for row in (5, 6, 7) for column in (0, 1, 2)]


def test_a_learning_rate_sweep_leaves_the_model_as_it_was(model):
    before = [*map(np.copy, model.get_weights())]
    rate = model.optimizer.learning_rate
    figure = plotting.plot_learning_rates(model, IMAGES, LABELS, 1e-3, 1e-1, steps=5, batch_size=4)
    for array, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, now)
    assert (model.steps_trained, model.optimizer.learning_rate) == (0, rate)
    losses, smooth = figure.axes[0].lines[:2]
    np.testing.assert_allclose(losses.get_xdata(), np.geomspace(1e-3, 1e-1, 5))
    assert smooth.get_ydata()[0] == pytest.approx(losses.get_ydata()[0])
    for bad in ({"lowest": 0}, {"lowest": 2.0}, {"steps": 1}):
        with pytest.raises(ValueError, match="0 < lowest < highest"):
            plotting.plot_learning_rates(model, IMAGES, LABELS, **bad)


def test_a_sweep_ends_where_the_loss_explodes_and_marks_a_rate_before():
    x = np.linspace(-3, 3, 64)[:, None]
    model = Sequential([layers.Dense(1)], 1)
    model.compile("sgd", "mse")
    figure = plotting.plot_learning_rates(model, x, 3 * x, 1e-4, 100.0, steps=80)
    losses, _, mark = figure.axes[0].lines
    assert losses.get_xdata()[-1] < 10
    assert 1e-4 < mark.get_xdata()[0] < 0.5


def test_without_matplotlib_a_plot_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match="pip install matplotlib"):
        plotting.plot_images(IMAGES)
