"""examples/pretrained: the pictures that the shipped networks were trained on."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinynet

pytest.importorskip("matplotlib")
FOLDER = Path(__file__).parents[1] / "examples" / "pretrained"


@pytest.fixture(scope="module")
def synthetic():
    return runpy.run_path(str(FOLDER / "synthetic.py"))


@pytest.fixture(scope="module")
def digit():
    """A 4, as MNIST has it."""
    pixels = np.zeros((28, 28), np.float32)
    pixels[4:14, 8:11] = pixels[12:15, 8:20] = pixels[4:24, 16:19] = 1
    return pixels


def random(seed):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_of_ink_is_ink(synthetic, digit, seed):
    inks = {
        "redrawn": synthetic["redrawn"](digit, random(seed)),
        "drawn": synthetic["drawn"](random(seed))[0],
        "letter": synthetic["letter"](random(seed)),
        "scribble": synthetic["scribble"](random(seed)),
        "blob": synthetic["blob"](random(seed)),
        "joined": synthetic["joined"](digit, digit, random(seed)),
        "no digit": synthetic["no_digit"](digit, digit, random(seed)),
    }
    for name, ink in inks.items():
        assert ink.dtype == np.float32, name
        assert ink.min() >= 0, name
        assert ink.max() <= 1, name
        assert (ink > 0.5).mean() > 0.01, name


@pytest.mark.parametrize("seed", range(20))
def test_a_photograph_depends_on_its_seed_alone(synthetic, digit, seed):
    ink = synthetic["redrawn"](digit, random(seed))
    picture = synthetic["photographed"](ink, random(seed + 100))
    assert picture.dtype == np.uint8
    assert min(picture.shape) >= min(ink.shape)
    np.testing.assert_array_equal(picture, synthetic["photographed"](ink, random(seed + 100)))


def test_most_photographs_are_seen_and_read(synthetic, digit):
    seen = [synthetic["seen"](synthetic["redrawn"](digit, random(s)), random(s + 100)) for s in range(60)]
    found = [pixels for pixels in seen if pixels is not None]
    assert len(found) >= 54
    answers = tinynet.pretrained().predict(np.stack(found)[..., np.newaxis]).argmax(axis=1)
    assert np.mean(answers == 4) >= 0.9


def test_drawn_digits_are_read(synthetic):
    ones = [synthetic["drawn"](random(seed)) for seed in range(80)]
    assert {digit for _, digit in ones} == {0, 1, 7}
    readings = tinynet.predict_images(1 - np.pad(ink, 8) for ink, _ in ones)
    right = [reading.digit == digit for reading, (_, digit) in zip(readings, ones, strict=True)]
    assert np.mean(right) >= 0.9


@pytest.mark.slow
def test_the_script_runs_to_its_end(tmp_path):
    command = [sys.executable, FOLDER / "train.py", "--images", "200", "--networks", "mlp"]
    command += ["--pictures", tmp_path / "pictures.npz", "--output", tmp_path]
    for _ in range(2):  # the second time from the pictures that were kept
        finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert "mnist_mlp.safetensors: validation accuracy" in finished.stdout
    model = tinynet.load_model(tmp_path / "mnist_mlp.safetensors")
    assert model.temperature != 1
    pictures = np.load(tmp_path / "pictures.npz")
    even = (pictures["y"] == np.float32(0.1)).all(axis=1)
    assert 0.1 < even.mean() < 0.5
    assert (pictures["y"][~even].max(axis=1) == 1).all()
