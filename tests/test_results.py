"""docs/results.py: the page and README say what was measured."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from tinynet.recipes import RECIPES

pytest.importorskip("matplotlib")
ROOT = Path(__file__).parents[1]


@pytest.fixture
def results():
    return runpy.run_path(str(ROOT / "docs" / "results.py"))


def outcome(seed, accuracy, mistakes=()):
    return {
        "seed": seed, "CPU seconds": 150,
        "accuracy": accuracy, "accuracy, mean of 9 shifts": accuracy + 0.001,
        "mistakes": list(mistakes), "history": {"loss": [0.5, 0.1], "accuracy": [0.9, 0.99]},
    }  # fmt: skip


def test_readme_and_the_page_have_the_results_on_record(results):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    start, end = results["MARKS"]
    assert text.split(start)[1].split(end)[0] == results["one_row"]()
    assert (ROOT / "docs" / "results.md").read_text(encoding="utf-8") == results["page"]()


def test_what_is_on_record_is_what_the_recipes_are(results):
    for row in results["ROWS"]:
        path = ROOT / "benchmarks" / "results" / f"accuracy_{row.network}_{row.recipe}.json"
        if path.exists():
            recipe = RECIPES[row.network][row.recipe]
            assert json.loads(path.read_text())["recipe"] == results["described"](recipe)


def test_a_mean_that_rounds_to_its_goal_shows_a_third_digit(results, tmp_path, monkeypatch):
    record = {"outcomes": [outcome(seed, 0.99497) for seed in range(5)]}
    (tmp_path / "accuracy_cnn_plain.json").write_text(json.dumps(record))
    monkeypatch.setitem(results["table"].__globals__, "RESULTS", tmp_path)
    assert "| **99.497 ± 0.000** | 99.50: missed by 0.003 |" in results["table"]()


def test_the_table_worked_by_hand(results, tmp_path, monkeypatch):
    record = {"recipe": {}, "outcomes": [outcome(seed, 0.994 + 0.001 * seed) for seed in range(5)]}
    (tmp_path / "accuracy_cnn_plain.json").write_text(json.dumps(record))
    monkeypatch.setitem(results["table"].__globals__, "RESULTS", tmp_path)
    lines = results["table"]().splitlines()
    assert len(lines) == 4
    assert "| **99.60 ± 0.16** | 99.50: reached |" in lines[2]
    assert "| 150 | `python benchmarks/accuracy.py --network cnn --recipe plain` |" in lines[2]
    assert lines[3] == "| the same, mean of 9 shifts | 99.70 ± 0.16 | | | | |"
    assert results["interval"](record["outcomes"]) == "99.40 to 99.80"  # 2.776 * 0.158 / sqrt(5) = 0.196
    record["outcomes"].pop()
    (tmp_path / "accuracy_cnn_plain.json").write_text(json.dumps(record))
    assert len(results["table"]().splitlines()) == 2  # a row waits for its five seeds


def test_the_pictures_are_drawn(results, tmp_path, monkeypatch):
    import numpy as np

    outcomes = [outcome(seed, 0.995, [[947, 9], [3, 1]]) for seed in range(5)]
    record = {"recipe": {}, "outcomes": outcomes}
    (tmp_path / "accuracy_cnn_plain.json").write_text(json.dumps(record))
    monkeypatch.setitem(results["table"].__globals__, "RESULTS", tmp_path)
    assert results["best"]()[0].recipe == "plain"
    recipe = results["described"](RECIPES["cnn"]["plain"])
    curves = {"recipe": recipe, "history": {"val_accuracy": [0.98, 0.99]}}
    (tmp_path / "selection.jsonl").write_text(json.dumps(curves) + "\n")
    x, y = np.zeros((1000, 28, 28), np.uint8), np.zeros(1000, np.int64)
    results["draw_curves"](tmp_path / "curves.png")
    results["draw_mistakes"](record["outcomes"][0]["mistakes"], x, y, tmp_path / "mistakes.png")
    results["draw_confusion"](np.eye(10, dtype=np.int64), tmp_path / "confusion.png")
    for name in ("curves", "mistakes", "confusion"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_log_is_grouped_by_recipe(results, tmp_path):
    recipe = {
        "network": {"dropout": 0.1, "filters": [4, 5], "units": 6}, "learning_rate": 0.002,
        "batch_size": 128, "weight_decay": 0.02,
        "epochs": 3, "label_smoothing": 0.0, "warmup": 0.0, "ema_momentum": None, "augmentation": None,
    }  # fmt: skip
    lines = [{"name": "cnn_plain", "recipe": recipe, "accuracy": value} for value in (0.99, 0.992)]
    lines.append({"name": "cnn_plain", "recipe": recipe | {"epochs": 2}, "accuracy": 0.98})
    (tmp_path / "log").write_text("".join(json.dumps(line) + "\n" for line in lines))
    what = "4-5-6, dropout 0.1, rate 0.002, decay 0.02"
    expected = [f"| cnn_plain | 3 | {what} | 2 | 99.10 |", f"| cnn_plain | 2 | {what} | 1 | 98.00 |"]
    assert results["tried"](tmp_path / "log").splitlines()[-2:] == expected


def test_what_each_ingredient_adds(results, tmp_path):
    assert results["ablation"](tmp_path / "log") == "Not measured yet.\n"
    runs = [
        ("the recipe", 4, 0.995), ("the recipe", 3, 0.5), ("the recipe", 0, 0.996),
        ("no dropout", 0, 0.994), ("no dropout", 4, 0.9946), ("no dropout", 1, 0.5),
    ]  # fmt: skip
    lines = [
        {"name": name, "recipe": {"epochs": 2}, "seed": seed, "accuracy": accuracy}
        | {"accuracy, mean of 9 shifts": accuracy + 0.001, "history": {"val_accuracy": [0.99, accuracy]}}
        for name, seed, accuracy in runs
    ]
    (tmp_path / "log").write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = results["ablation"](tmp_path / "log")
    assert "2 epochs" in text
    assert "ablation.py --seeds 0 4`" in text  # which both have
    assert "| the recipe | 99.55 | +0.00 | 99.65 |" in text
    assert "| no dropout | 99.43 | -0.12 | 99.53 |" in text
    results["draw_ablation"](results["ablations"](tmp_path / "log"), tmp_path / "ablation.png")
    assert (tmp_path / "ablation.png").read_bytes().startswith(b"\x89PNG")
