"""The examples reach the accuracy that the README promises, on real MNIST: `python -m pytest -m slow`."""

import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SEEDS = (0, 1, 2)


def train(example, seed, folder):
    command = [
        sys.executable,
        EXAMPLES / example,
        "--seed",
        str(seed),
        "--save",
        folder / "model.safetensors",
    ]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    last = finished.stdout.splitlines()[-1]
    print(example, "seed", seed, last)
    return float(re.search(r"test accuracy: ([\d.]+)% of 10,000 images", last).group(1))


@pytest.mark.slow
@pytest.mark.parametrize(("example", "promised"), [("mnist_mlp.py", 98.4), ("mnist_cnn.py", 99.2)])
def test_an_example_reaches_the_promised_mean_accuracy_over_three_seeds(example, promised, tmp_path):
    accuracies = [train(example, seed, tmp_path) for seed in SEEDS]
    mean, deviation = statistics.mean(accuracies), statistics.stdev(accuracies)
    print(f"{example}: {mean:.2f} ± {deviation:.2f} % {accuracies}")
    assert mean >= promised


def test_the_examples_explain_their_flags(tmp_path):
    for example in ("mnist_mlp.py", "mnist_cnn.py"):
        finished = subprocess.run(
            [sys.executable, EXAMPLES / example, "--help"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        for flag in ("--epochs", "--seed", "--data", "--save"):
            assert flag in finished.stdout
