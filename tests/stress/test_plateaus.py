"""Memory reaches a plateau: what is predicted, trained and dropped is given back."""

from __future__ import annotations

import gc
import random
from pathlib import Path

import numpy as np
import pytest
from processes import SEED, in_fresh_processes, resident
from small_models import cnn, problem, with_python_layer

from tinynet import Input, Model, layers

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")


def check_plateau(act, times, most):
    """Act so many times, and check by how many megabytes memory grows in the second half of them."""
    memory = []
    for number in range(times):
        act(number)
        if number % (times // 10) == times // 10 - 1:
            gc.collect()
            memory.append(round(resident() / 2**20))
    assert memory[-1] - memory[4] < most, f"{memory} MB"


@in_fresh_processes(runs=1, seconds=300)
def test_two_thousand_predictions_of_varied_sizes():
    model, draw = cnn(), random.Random(SEED)
    x, _ = problem(400)
    check_plateau(lambda _: model.predict(x[: draw.randint(1, 400)]), 2000, most=30)


@in_fresh_processes(runs=1, seconds=300)
def test_predictions_of_images_of_many_sizes():
    image = Input((None, None, 1))
    found = layers.GlobalAveragePool2D()(layers.Conv2D(4, 3, padding="same", activation="relu")(image))
    model, draw = Model(image, layers.Dense(3)(found)), random.Random(SEED)

    def predict(_):
        model.predict(np.zeros((draw.randint(1, 5), draw.randint(1, 40), draw.randint(1, 40), 1), np.float32))

    check_plateau(predict, 1000, most=30)


@in_fresh_processes(runs=1, seconds=300)
def test_two_hundred_models_made_and_trained_and_dropped():
    x, y = problem(64)

    def act(number):
        model = (cnn, with_python_layer)[number % 2](number)
        model.fit(x, y, batch_size=16 + number % 7, verbose=0)
        model.predict(x[: 1 + number % 64])

    check_plateau(act, 200, most=20)
