"""Recipes: each builds its network, its settings are what it says, and the examples are the quick ones."""

from __future__ import annotations

import dataclasses
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from tinynet import data, layers, load_model, optim
from tinynet.recipes import CNN, MLP, RECIPES, Recipe

ALL = [(network, name) for network, recipes in RECIPES.items() for name in recipes]


@pytest.mark.parametrize(("network", "name"), ALL)
def test_a_recipe_builds_the_documented_layers(network, name):
    recipe = RECIPES[network][name]
    model = recipe.build(seed=5)
    kinds = [type(layer) for layer in model.layers]
    if network == "mlp":
        hidden = [layers.Dense, layers.Dropout] * 2
        assert kinds == [layers.Flatten, *hidden, layers.Dense]
    else:
        block = [layers.Conv2D, layers.MaxPool2D, layers.Dropout]
        assert kinds == [*block * 3, layers.Flatten, layers.Dense, layers.Dense]
    assert (model.input_shape, model.output_shape, model.seed) == ((28, 28, 1), (10,), 5)
    assert hash(recipe) == hash(dataclasses.replace(recipe))  # immutable
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.epochs = 3


def test_the_documented_sizes():
    assert sum(p.value.size for p in Recipe(MLP(), 1, 0.1).build().parameters) == 669_706
    assert sum(p.value.size for p in Recipe(CNN(), 1, 0.1).build().parameters) == 57_098


def test_learning_rates_worked_by_hand():
    plain = Recipe(MLP(), epochs=2, learning_rate=0.4, batch_size=10)
    rates = [plain.schedule(15)(step) for step in range(5)]  # two steps an epoch
    np.testing.assert_allclose(
        rates, [0.4, 0.4 * (1 + 0.5**0.5) / 2, 0.2, 0.4 * (1 - 0.5**0.5) / 2, 0], atol=1e-9
    )
    warm = dataclasses.replace(plain, warmup=0.5)
    np.testing.assert_allclose(
        [warm.schedule(15)(step) for step in range(5)], [0, 0.2, 0.4, 0.2, 0], atol=1e-9
    )


def test_training_uses_every_setting():
    random = np.random.default_rng(0)
    x, y = random.random((20, 28, 28, 1), np.float32), random.integers(0, 10, 20)
    plain = Recipe(MLP((8,)), epochs=2, learning_rate=0.01, batch_size=6)
    model, history = plain.train(x, y, seed=1, validation_data=(x, y), verbose=0)
    assert type(model.optimizer) is optim.Adam
    assert len(history.history["val_accuracy"]) == 2
    again, _ = plain.train(x, y, seed=1, verbose=0)
    np.testing.assert_array_equal(again.flat.value, model.flat.value)
    changes = {
        "weight_decay": 0.5, "label_smoothing": 0.3, "ema_momentum": 0.5, "warmup": 0.5, "batch_size": 7,
        "augmentation": RECIPES["cnn"]["augmented"].augmentation,
    }  # fmt: skip
    for name, value in changes.items():
        other, _ = dataclasses.replace(plain, **{name: value}).train(x, y, seed=1, verbose=0)
        assert not np.array_equal(other.flat.value, model.flat.value), name


@pytest.mark.parametrize("network", ["mlp", "cnn"])
def test_an_example_spells_out_the_quick_recipe(network, tmp_path, monkeypatch, capsys):
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (300, 28, 28), np.uint8), np.arange(300).astype(np.uint8) % 10
    monkeypatch.setattr(data, "load_mnist", lambda folder: ((x, y), (x[:50], y[:50])))
    saved = str(tmp_path / "model.safetensors")
    monkeypatch.setattr(sys, "argv", ["example", "--seed", "3", "--save", saved])
    runpy.run_path(str(Path(__file__).parents[1] / "examples" / f"mnist_{network}.py"), run_name="__main__")
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"Test loss: \d+\.\d{4} - test accuracy: \d+\.\d\d% of 50 images", last)

    train, validation = data.train_validation_split(data.scale_pixels(x), y, 0.1)
    model, _ = RECIPES[network]["quick"].train(*train, 3, validation, verbose=0)
    example = load_model(saved)
    assert example.config() == model.config()  # layers, optimizer, loss, steps
    np.testing.assert_array_equal(example.flat.value, model.flat.value)
