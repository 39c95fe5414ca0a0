"""The benchmarks count, compare and show rightly; how fast anything is they say themselves."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import ablation
import accuracy
import common
import cores
import kernels
import normalization
import report
import scaling
from networks import CNN, MLP, Conv, Drop, Flat, Full, Network, Pool
from peers import PEERS, Training, Worker, build_alike, start_workers
from report import Row
from time_to_accuracy import NETWORK, RECIPE

from tinynet.recipes import RECIPES, Recipe

LAYERS = (Conv(3), Pool(), Drop(0.5), Conv(4, 2, 2), Flat(), Full(5), Full(3, "softmax"))
TINY = Network("tiny", (6, 6, 2), LAYERS)


def rates():
    rounds = {"tinynet": [10.0, 20.0, 30.0], "A": [10.0, 10.0, 10.0], "B": [1.0, 2.0, 90.0]}
    return Row("speed", "images/s", rounds, more_is_better=True, goal=1.5, first={"A": 2.0})


def test_flops_of_a_network_worked_by_hand():
    assert TINY.kernel_shapes() == [(3, 3, 2, 3), (2, 2, 3, 4), (16, 5), (5, 3)]
    first, second = 2 * (3 * 3 * 2 * 3) * (6 * 6), 2 * (2 * 2 * 3 * 4) * (2 * 2)
    forward = first + second + 2 * 16 * 5 + 2 * 5 * 3
    assert TINY.flops(training=False) == forward == 4462
    assert TINY.flops(training=True) == 3 * forward - first == 9498


@pytest.mark.parametrize("network", [CNN, MLP, TINY], ids=lambda network: network.name)
def test_weights_fit_tinynets_parameters(network):
    peer = PEERS["tinynet"]()
    peer.build(network, network.weights())
    assert [parameter.value.shape for parameter in peer.model.parameters] == [
        value.shape for value in network.weights()
    ]
    for parameter, value in zip(peer.model.parameters, network.weights(), strict=True):
        np.testing.assert_array_equal(parameter.value, value)


def test_a_ratio_is_the_median_over_the_rounds_against_the_best_peer():
    row = rates()
    assert row.best_peer() == "A"
    assert row.ratio() == 2
    assert row.ratio("B") == pytest.approx(0.2)
    assert row.reached()
    assert json.loads(json.dumps(row.record()))["medians"] == {"tinynet": 20, "A": 10, "B": 2}


def test_less_is_better_in_seconds():
    rounds = {"tinynet": [2.0, 4.0], "A": [8.0, 8.0], "B": [4.0, 4.0]}
    assert Row("time", "s", rounds).best_peer() == "B"
    assert Row("time", "s", rounds).ratio() == 1.5
    assert Row("time", "s", rounds).reached() is None
    assert not Row("time", "s", rounds, goal=2).reached()
    assert Row("time", "s", rounds, goal=1.5, limit=3).reached()
    assert not Row("time", "s", rounds, goal=1.5, limit=2.9).reached()


def test_without_a_peer_only_a_limit_is_judged():
    row = Row("share", "%", {"tinynet": [70.0]}, more_is_better=True, goal=2, limit=70)
    assert row.ratio() is None
    assert row.reached()


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.01234, "0.0123"), (1.5, "1.50"), (99.94, "99.9"), (12345.6, "12,346")]
)
def test_numbers_have_three_digits_or_more(value, text):
    assert report.number(value) == text


def test_tables():
    assert report.table(["", "s"], [["a", "1"], ["bcd", "23"]]) == "      s\na     1\nbcd  23"
    assert report.markdown(["", "s"], [["a", "1"]]) == "|  | s |\n| --- | ---: |\n| a | 1 |\n"


def test_rounds_take_turns_in_another_order(monkeypatch):
    monkeypatch.setattr(common, "PAUSE", 0)
    calls = []
    functions = {name: lambda name=name: calls.append(name) or len(calls) for name in "abc"}
    assert common.interleave(functions, 2) == {"a": [1, 6], "b": [2, 4], "c": [3, 5]}
    assert "".join(calls) == "abcbca"


def test_a_worker_builds_predicts_and_trains():
    random = np.random.default_rng(0)
    x, y = random.random((40, *TINY.input_shape), np.float32), random.integers(0, 3, 40)
    workers, missing = start_workers(["tinynet"], threads=1)
    worker = workers["tinynet"]
    assert missing == []
    assert build_alike(workers, TINY, x) == {"tinynet": 0}
    worker.give(images=x, labels=y)
    outputs, seconds = worker.call("predict", "images", 16, repeat=2)
    np.testing.assert_allclose(outputs.sum(axis=1), np.ones(40), rtol=1e-5)
    assert seconds > 0
    losses = [worker.call("train", "images", "labels", 8)[0] for _ in range(5)]
    assert losses[-1] < losses[0]
    worker.call("build", TINY, TINY.weights(), Training(np.zeros(10), 1))  # learning rates of 0, step by step
    worker.call("train", "images", "labels", 8, 2, True)
    np.testing.assert_array_equal(worker.call("predict", "images", 16)[0], outputs)
    with pytest.raises(RuntimeError, match="tinynet, predict: "):
        worker.call("predict", x[0, 0], 1)
    worker.stop()


def test_a_missing_peer_is_told(monkeypatch):
    def missing(self, name, threads):
        raise ImportError

    monkeypatch.setattr(Worker, "__init__", missing)
    assert start_workers(["tinynet"], 1) == ({}, ["tinynet"])


def test_the_network_of_the_fast_recipe_is_the_recipe_s():
    shapes = [parameter.value.shape for parameter in RECIPE.build().parameters]
    assert [shape for shape in shapes if len(shape) > 1] == NETWORK.kernel_shapes()
    assert RECIPE.network.dropout == 0


def test_accuracy_of_other_values_of_a_recipe():
    recipe = accuracy.changed(
        RECIPES["cnn"]["augmented"], ["epochs=3", "network.filters=(4, 5)", "augmentation.shift=0.5"]
    )
    assert (recipe.epochs, recipe.network.filters, recipe.augmentation.shift) == (3, (4, 5), 0.5)
    with pytest.raises(SystemExit, match="epochs"):
        accuracy.changed(recipe, ["epoch=3"])


def test_accuracy_over_shifted_images():
    x = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1)
    assert accuracy.shifted(x, 0, 0).tolist() == x.tolist()
    assert accuracy.shifted(x, 1, -1)[0, :, :, 0].tolist() == [[0, 0, 0, 0], [1, 2, 3, 0], [5, 6, 7, 0]]
    assert accuracy.shifted(x, -1, 1)[0, :, :, 0].tolist() == [[0, 4, 5, 6], [0, 8, 9, 10], [0, 0, 0, 0]]


def test_summary_of_accuracies_by_hand():
    outcomes = [{"accuracy": value} for value in (0.98, 0.99, 1.0)]
    assert accuracy.summary(outcomes) == "99.00 ± 1.00% (95% interval of the mean: 96.52 to 101.48%)"
    assert accuracy.summary(outcomes[:1]) == "98.00% (one seed)"


def test_accuracy_goes_on_where_it_was_cut_off(monkeypatch, tmp_path, capsys):
    random = np.random.default_rng(0)
    images, labels = random.random((40, 28, 28, 1), np.float32), random.integers(0, 10, 40)
    monkeypatch.setattr(accuracy, "mnist", lambda: ((images, labels), (images[:7], labels[:7])))
    trained = []
    train = accuracy.train
    monkeypatch.setattr(accuracy, "train", lambda *a: (trained.append(a[3]), train(*a))[1])
    recipe = Recipe(RECIPES["mlp"]["quick"].network, epochs=1, learning_rate=0.01)
    options = argparse.Namespace(seeds=[0], output=tmp_path / "a.json", images=32, save=None)
    accuracy.run_test(recipe, options, "mlp_quick")
    options.seeds = [0, 1]
    accuracy.run_test(recipe, options, "mlp_quick")
    assert trained == [0, 1]
    assert "seed 1" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="another recipe"):
        accuracy.run_test(dataclasses.replace(recipe, epochs=2), options, "mlp_quick")


def test_validation_never_sees_the_test_images(monkeypatch, tmp_path, capsys):
    images, labels = np.zeros((10, 28, 28, 1), np.float32), np.arange(10)
    monkeypatch.setattr(accuracy, "mnist", lambda: ((images, labels), None))
    monkeypatch.setattr(accuracy, "VALIDATION", 4)
    asked = []

    def train(recipe, seen, unseen, seed, curves, save):
        asked.append((recipe.epochs, seen[1].tolist(), unseen[1].tolist(), seed))
        return {"seed": seed, "accuracy": 0.5, "accuracy, mean of 9 shifts": 0.6, "mistakes": []}

    monkeypatch.setattr(accuracy, "train", train)
    command = "accuracy.py --network mlp --recipe plain --validation --seeds 0 3 --set epochs=2 --output"
    monkeypatch.setattr(sys, "argv", [*command.split(), str(tmp_path / "log")])
    accuracy.main()
    assert asked == [(2, [0, 1, 2, 3, 4, 5], [6, 7, 8, 9], seed) for seed in (0, 3)]
    assert "validation: 50.00 ± 0.00%" in capsys.readouterr().out
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(line["seed"], line["recipe"]["epochs"]) for line in lines] == [(0, 2), (3, 2)]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--set epochs=2 --output x", "--set is for --validation"),
        ("--images 500", "name a file for its --output"),
        ("--validation --images 500", "name a file for its --output"),
        ("--recipe best", "--recipe must be one of quick, plain"),
    ],
)
def test_accuracy_refuses_what_would_spoil_the_record(flags, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["a", *f"--network mlp --recipe plain {flags}".split()])
    with pytest.raises(SystemExit):
        accuracy.main()
    assert message in capsys.readouterr().err


def test_ablation_leaves_out_one_ingredient_at_a_time(monkeypatch, tmp_path):
    images, labels = np.zeros((10, 28, 28, 1), np.float32), np.arange(10)
    monkeypatch.setattr(ablation, "mnist", lambda: ((images, labels), None))
    monkeypatch.setattr(ablation, "VALIDATION", 4)
    trained = []

    def train(recipe, seen, unseen, seed, curves, save):
        trained.append((recipe, seed))
        assert (len(seen[0]), len(unseen[0])) == (6, 4)
        assert curves
        return {"seed": seed, "accuracy": 0.5, "mistakes": []}

    monkeypatch.setattr(ablation, "train", train)

    def ablate(*seeds):
        command = ["ablation.py", "--output", str(tmp_path / "log"), "--seeds", *seeds]
        monkeypatch.setattr(sys, "argv", command)
        ablation.main()
        return [seed for _, seed in trained]

    count = len(ablation.SETTINGS)
    assert ablate("0") == [0] * count
    assert ablate("0", "1") == [0] * count + [1] * count  # those on record are not trained again
    whole, *others = [dataclasses.asdict(recipe) for recipe, _ in trained[:count]]
    assert whole == dataclasses.asdict(RECIPES["cnn"]["augmented"]) | {"epochs": ablation.EPOCHS}
    changed = [[name for name in whole if other[name] != whole[name]] for other in others]
    assert changed == [
        ["augmentation"], ["augmentation"], ["augmentation"], ["ema_momentum"], ["label_smoothing"],
        ["weight_decay"], ["network"],
    ]  # fmt: skip
    monkeypatch.setattr(ablation, "EPOCHS", 3)
    assert ablate("1")[2 * count :] == [1] * count  # but another recipe is


def test_cases_of_scaling():
    assert [place.name for place in scaling.places("training, strides")] == [
        "training, strides 1",
        "training, strides 2",
    ]
    (place,) = scaling.places("inference, filters 8")
    assert place.case.filters == 8
    row = Row(place.name, "images/s", {"tinynet": [1e4], "A": [2e4]}, more_is_better=True)
    image, flops = scaling.costs(place, row)
    assert image == pytest.approx(100)
    assert flops == pytest.approx(1e8 / place.case.network().flops(training=False))
    assert scaling.slow_cases({place: row}) == {place.name: 0.5}
    assert f"{place.name}: 0.50" in scaling.show({place: row})


def test_every_kernel_can_be_called(monkeypatch):
    monkeypatch.setattr(kernels, "CONVOLUTIONS", ((2, 6, 3, 5, 3),))
    monkeypatch.setattr(kernels, "DENSES", ((3, 7, 5),))
    monkeypatch.setattr(kernels, "IMAGES", ((2, 6, 4, 3),))
    monkeypatch.setattr(kernels, "PARAMETERS", (10,))
    monkeypatch.setattr(kernels, "copying", lambda size: 10.0)
    cases = [*kernels.convolutions(), *kernels.denses(), *kernels.movers()]
    for case in cases:
        case.run()
    assert cases[0].flops == 2 * (2 * 6 * 6 * 5) * (3 * 3 * 3)
    assert cases[3].touched == 4 * (3 * 7 + 7 * 5 + 3 * 5)
    assert kernels.roof(cases[0], sgemm=1.0) == 1
    assert kernels.roof(cases[3], sgemm=1e9) == pytest.approx(10 * cases[3].flops / cases[3].touched)
    assert kernels.roof(cases[-1], sgemm=1e9) == 10


@pytest.mark.slow
def test_normalization_prints_a_line_for_each_network(monkeypatch, capsys):
    random = np.random.default_rng(0)
    data = random.random((16, 28, 28, 1)).astype(np.float32), np.arange(16) % 10
    monkeypatch.setattr(normalization, "mnist", lambda: (data, data))
    monkeypatch.setattr(normalization, "BATCH", 8)
    monkeypatch.setattr(normalization, "STEPS", 2)
    monkeypatch.setattr(sys, "argv", ["normalization.py", "--rounds", "1"])
    normalization.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line[:45].strip() for line in lines] == list(normalization.NETWORKS)
    assert lines[0].endswith("ratio 1.00")


def test_parts_are_shared_out_among_cores():
    assert cores.shared_out([3.0, 1.0, 1.0, 1.0], 2) == 3
    assert cores.shared_out([1.0, 1.0, 1.0], 2) == 2
    assert cores.speed_up(10.0, [[2.0] * 4], 1) == 1
    assert cores.speed_up(10.0, [[2.0] * 4], 4) == 10 / (2 + 2)
    assert cores.speed_up(10.0, [[2.0] * 3, [1.0]], 64) == 10 / (3 + 2 + 1)
    assert cores.line("A", 10e-6, [[2e-6] * 3, [1e-6]])[:4] == ["A", f"3 {report.TIMES} 2", "1", "3"]


def test_a_step_is_taken_apart(set_threads):
    set_threads(1)
    data = np.zeros((16, 28, 28, 1), np.float32), np.zeros(16, np.int64)
    step, stages = cores.measure(MLP, *data, 8, 2)
    assert step > 0
    assert len(stages) > 1
    assert all(seconds > 0 for stage in stages for seconds in stage)
