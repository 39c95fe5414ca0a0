"""benchmarks/compare.py shows what it measured, tells when not to believe it, and joins its pieces."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import common
import compare
import quiet
import tables
from chart import MOST, WIDTH, chart, place
from networks import CNN, CNN_OF_PIXELS, MLP
from peers import PEERS, Peer, able
from quiet import Moment
from record import SHARE, Run, chosen, share_of_sgemm, with_shares
from report import TIMES as X
from report import Row

CALM = [Moment(100.0, 0.01, 0.2), Moment(98.0, 0.0, 0.5)]
BUSY = [Moment(98.0, 0.02, 0.5), Moment(60.0, 0.4, 2.0)]
MACHINE = {"versions": {"python": "3"}, "processor": "P", "threads": 2, "system": "S", "register tile": "T"}


def row(name="CNN training, MNIST", moments=CALM, **options):
    rounds = {"tinynet": [10.0, 20.0, 30.0], "A": [10.0, 10.0, 12.0], "B": [4.0]}
    return Row(name, "images/s", rounds, True, 1.5, moments=list(moments), group="Training", **options)


def test_the_ratio_of_best_rounds_looks_at_all_peers():
    assert row().ratio_of_bests() == 2.5
    rounds = {"tinynet": [2.0, 3.0], "A": [5.0, 5.0], "B": [4.0, 9.0]}
    assert Row("time", "s", rounds).ratio_of_bests() == 2
    assert Row("time", "s", {"tinynet": [2.0]}).ratio_of_bests() is None


def test_a_peer_of_one_round_has_a_ratio():
    assert row().ratio("B") == pytest.approx(0.4)
    assert row().best_peer() == "A"


def test_what_a_quiet_machine_is():
    assert quiet.reasons(CALM, 100) == []
    assert quiet.reasons([], 100) == []
    assert quiet.reasons(BUSY, 100) == [
        "matrix products at 60% of their best rate",
        "others took 40% of the processor",
    ]
    assert quiet.reasons([Moment(100.0, 0.3, 0.0)], 100) == ["others took 30% of the processor"]
    assert quiet.reasons([Moment(80.0, 0.0, 9.0)], 100) == ["matrix products at 80% of their best rate"]


def test_rows_that_nobody_should_believe_are_named():
    rows = [row(), row("CNN training, random", BUSY)]
    assert list(tables.doubts(rows)) == ["CNN training, random"]
    told = tables.quietness(rows)
    assert told.startswith("THE MACHINE WAS NOT QUIET: do not believe CNN training, random (matrix")
    assert "60.0 to 100 GFLOP/s" in told
    assert tables.quietness(rows[:1]).startswith("The machine was quiet.")
    assert tables.quietness([row(moments=())]) == "Nobody looked whether the machine was quiet."


def test_a_pause_tells_what_others_take(monkeypatch):
    seen = iter([(1000, 2000), (1150, 2200)])
    monkeypatch.setattr(quiet, "core_time", lambda: next(seen))
    assert quiet.share_of_others(0) == 0.25
    monkeypatch.setattr(quiet, "core_time", lambda: (0, 0))
    assert quiet.share_of_others(0) == 0


def test_share_of_sgemm():
    sgemm = 1e-8 * CNN.flops(training=True)
    moments = [Moment(sgemm / 2, 0, 0), Moment(sgemm, 0, 0)]
    share = share_of_sgemm(row(moments=moments))
    assert share.rounds["A"] == pytest.approx([100, 100, 120])
    assert share.ratio() == pytest.approx(2)
    assert share.reached()
    names = [made.name for made in with_shares([row(), row("MLP training, MNIST")])]
    assert names == ["CNN training, MNIST", "CNN training, MNIST" + SHARE, "MLP training, MNIST"]


def test_the_printed_table():
    lines = tables.long_table([row()]).splitlines()
    assert [line.split()[:2] for line in lines[2:]] == [["A", "10.0"], ["B", "4.00"]]
    assert re.search(rf"10\.0 to 30\.0 +2\.00{X} +2\.50{X} +≥ 1\.5{X} +reached$", lines[1])


def test_the_long_tables_have_a_column_for_each_row_and_the_ranges():
    rows = [row(), row("MLP training, MNIST")]
    text = tables.long_tables(rows, ["tinynet", "A", "absent", "B"], MACHINE)
    lines = text.splitlines()
    assert lines[0] == "**Training** (`benchmarks/compare.py`)"
    assert lines[2] == "|  | CNN training, MNIST, images/s | MLP training, MNIST, images/s |"
    assert lines[4] == "| tinynet | 20.0<br><sub>10.0 to 30.0</sub> | 20.0<br><sub>10.0 to 30.0</sub> |"
    assert lines[6] == "| B | 4.00<br><sub>4.00 to 4.00</sub> | 4.00<br><sub>4.00 to 4.00</sub> |"
    assert lines[7] == f"| **tinynet / best peer** | **2.00{X}** | **2.00{X}** |"
    assert lines[8].endswith(f"| 2.50{X} | 2.50{X} |")
    assert "absent" not in text
    assert "The machine was quiet." in text


def test_nothing_in_the_chart_overprints():
    rows = [row(name) for name in compare.ORDER]
    rows[1].rounds["tinynet"] = [200.0]
    root = ElementTree.fromstring(chart(rows, "not a quiet machine"))
    space = "{http://www.w3.org/2000/svg}"
    texts = {text.text: text for text in root.iter(f"{space}text")}
    assert {f"2.00{X}", f"20.00{X}", "A", "First step, empty cache"} <= set(texts)
    for text in texts.values():  # a wide font's letter of 13 pixels is 7.4 wide on average
        x, width, anchor = float(text.get("x")), 7.4 * len(text.text), text.get("text-anchor")
        begin = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
        assert begin >= 0, text.text
        assert begin + width <= WIDTH, text.text
    assert float(texts[f"20.00{X}"].get("x")) - 7.4 * 6 > place(MOST)  # behind every bar and goal
    bars = [bar for bar in root.iter(f"{space}rect") if bar.get("class") != "page"]
    assert [float(bar.get("width")) for bar in bars] == [
        pytest.approx(place(ratio) - place(0), abs=0.1) for ratio in (2, MOST, *[2] * (len(rows) - 2))
    ]


def test_what_only_predicts_does_not_train():
    assert able(PEERS, CNN, "predict") == [name for name in PEERS if name != "scikit-learn"]
    trainers = able(PEERS, MLP, "train")
    assert "scikit-learn" in trainers
    assert not {"ONNX Runtime", "OpenVINO", "PyTorch channels_last"} & set(trainers)
    assert "PyTorch channels_last" in able(PEERS, CNN, "train")


def test_the_network_of_pixels_scales_them():
    x, outputs = np.random.default_rng(0).integers(0, 256, (12, 28, 28, 1), np.uint8), []
    for network, images in ((CNN_OF_PIXELS, x), (CNN, x.astype(np.float32) / 255)):
        peer = PEERS["tinynet"]()
        peer.build(network, CNN.weights())
        outputs.append(peer.predict(images, 12))
    np.testing.assert_allclose(*outputs, atol=1e-5)


class Clock(Peer):
    """A peer whose calls take as long as it is told."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.calls = 0

    def build(self, network, weights, training=None):
        pass

    def predict(self, x, batch_size):
        pass

    def give(self, **arrays):
        self.arrays = arrays

    def call(self, method, *arguments, repeat=1):
        self.calls += method == "train"
        return None, self.seconds


def test_slow_peers_are_measured_twice(monkeypatch):
    monkeypatch.setattr(common, "PAUSE", 0)
    clocks = {
        "tinynet": Clock(9.0),
        "PyTorch": Clock(1.0),
        "Keras/JAX": Clock(1.9),
        "scikit-learn": Clock(2.1),
    }
    data = (np.zeros((20, 28, 28, 1), np.float32), np.arange(20)), (None, None)
    timed = compare.Timed("MLP training", compare.RANDOM, MLP, "train", 20, 1.85)
    made = compare.measure(timed, clocks, data, 8, 3)
    assert {name: len(values) for name, values in made.rounds.items()} == {
        "tinynet": 3,
        "PyTorch": 3,
        "Keras/JAX": 3,
        "scikit-learn": 2,
    }
    assert made.rounds["PyTorch"] == [16, 16, 16]  # whole batches
    images = clocks["tinynet"].arrays["images"]
    assert images.shape == (16, 28, 28, 1)
    assert 0.4 < images.mean() < 0.6
    assert (made.group, made.name, made.goal) == ("Training", "MLP training, random", 1.85)


def test_every_row_has_its_place_and_its_group():
    assert len(set(compare.ORDER)) == len(compare.ORDER) == 18
    assert {timed.group for timed in compare.TIMED} == {"Training", "Inference", "One picture"}


@pytest.fixture
def run(tmp_path):
    def make(*rows, **changes):
        options = argparse.Namespace(rows=rows, batch_size=128, quick=False, rounds=3, output=tmp_path / "c")
        return Run(MACHINE | changes, options, {"tinynet": "1", "A": "2"}, [], compare.ORDER)

    return make


def test_pieces_of_a_run_join(run, tmp_path):
    first, second = row("MLP training, MNIST"), row()
    run().save([first])
    piece = run("CNN", "Import")
    rows = piece.before()
    assert rows == [first]
    names = [made.name for made in piece.save([*rows, second])]
    assert names == ["CNN training, MNIST", "CNN training, MNIST" + SHARE, "MLP training, MNIST"]
    assert run("CNN", "Import").before() == [first]  # CNN's would be measured again
    assert [made.name for made in run("Import").before()] == ["CNN training, MNIST", "MLP training, MNIST"]
    assert run().before() == []  # a whole run begins anew
    record = json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert [line["name"] for line in record["rows"]] == names
    assert record["doubts"] == {}
    assert {path.name for path in tmp_path.iterdir()} == {"c.json", "c.md", "c.svg"}
    with pytest.raises(SystemExit, match="another processor"):
        run("CNN", processor="Q").before()


def test_rows_are_chosen_by_any_of_some_texts():
    assert chosen("CNN training, MNIST", [])
    assert chosen("CNN training, MNIST", ["Import", "training"])
    assert not chosen("CNN training, MNIST", ["Import"])
