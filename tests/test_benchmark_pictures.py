"""benchmarks/pictures.py: it counts rightly, on a folder that the test makes."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
ROWS = [  # what is drawn, its label, its kind, its writer
    ("one", "1", "photo", "ann"),
    ("one", "1", "photo", "bob"),
    ("one", "7", "scan", "cat"),  # read as a 1: a mistake
    ("blank", "none", "photo", "ann"),
    ("one", "none", "letter", "bob"),  # not flagged
    ("one", "1", "render", "dan"),
]


@pytest.fixture
def pictures(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return runpy.run_path(str(BENCHMARKS / "pictures.py"))


@pytest.fixture
def folder(tmp_path):
    lines = ["file\tlabel\tkind\twriter"]
    for number, (what, label, kind, writer) in enumerate(ROWS):
        picture = np.full((60, 60), 255, np.uint8)
        if what == "one":
            picture[10:50, 28:33] = 30
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png\t{label}\t{kind}\t{writer}")
    (tmp_path / "manifest.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.mark.slow
def test_the_whole_report(pictures, folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pictures.py", str(folder), "--output", str(folder)])
    pictures["main"]()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["photo", "2", "100.0%", "0.0%", "100.0%"] in lines
    assert ["scan", "1", "0.0%", "0.0%", "0.0%"] in lines
    assert ["all", "but", "render", "3", "66.7%", "0.0%", "66.7%"] in lines
    assert ["not", "one", "digit:", "1", "of", "2", "flagged", "(50.0%)"] in lines
    assert ["digits", "but", "render:", "0", "of", "3", "flagged", "(0.0%)"] in lines
    assert lines[-1][:2] == ["2", "mistakes:"]
    assert (folder / "reliability.png").exists()
    assert (folder / "mistakes.png").read_bytes().startswith(b"\x89PNG")


def test_calibration_worked_by_hand(pictures):
    class Sample:
        def __init__(self, confidence, right):
            self.reading, self.right = self, right
            self.confidence = confidence

    samples = [Sample(0.95, True), Sample(0.95, True), Sample(0.95, False), Sample(0.35, False)]
    table, error = pictures["calibration"](samples)
    np.testing.assert_allclose(table, [(0.35, 0, 1), (0.95, 2 / 3, 3)])
    assert error == pytest.approx(0.35 / 4 + (0.95 - 2 / 3) * 3 / 4)
    assert pictures["calibration"]([Sample(1.0, True)])[1] == 0


def test_a_writer_is_in_one_part_only(pictures, folder, capsys):
    import tinynet

    model = tinynet.pretrained()
    parts = {part: pictures["read_all"](folder, part, model) for part in ("all", "tune", "held")}
    assert len(parts["tune"]) + len(parts["held"]) == len(parts["all"]) == len(ROWS)
    names = {part: {sample.path for sample in samples} for part, samples in parts.items()}
    assert not names["tune"] & names["held"]
    share = np.mean([pictures["held"](f"writer {i}") for i in range(2000)])
    assert share == pytest.approx(0.4, abs=0.05)
