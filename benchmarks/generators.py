"""Measure how many images a second ImageDataGenerator makes, beside Keras's own (which needs scipy).

KERAS_BACKEND=torch python benchmarks/generators.py --rounds 9
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from common import interleave

from tinynet.generators import ImageDataGenerator

SETTINGS = {
    "rotation_range": 15, "width_shift_range": 0.1, "height_shift_range": 0.1, "shear_range": 10,
    "zoom_range": 0.1,
}  # fmt: skip
SHAPES = [(28, 28, 1), (32, 32, 3)]
IMAGES = 2048


def timed(generator: Any, shape: tuple[int, ...], batch_size: int) -> Callable[[], float]:
    """Return a function that goes through the images once, and returns how many a second it made."""
    x = (255 * np.random.default_rng(0).random((IMAGES, *shape))).astype(np.float32)
    batches = generator(**SETTINGS).flow(x, np.zeros(IMAGES), batch_size=batch_size, seed=1)

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(len(batches)):
            next(batches)
        return IMAGES / (time.perf_counter() - start)

    return measure


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch-size", type=int, default=128)
    arguments = parser.parse_args()
    keras = importlib.import_module("keras.src.legacy.preprocessing.image")

    for shape in SHAPES:
        rates = interleave(
            {
                "tinynet": timed(ImageDataGenerator, shape, arguments.batch_size),
                "Keras": timed(keras.ImageDataGenerator, shape, arguments.batch_size),
            },
            arguments.rounds,
        )
        times = median(ours / theirs for ours, theirs in zip(*rates.values(), strict=True))
        medians = ", ".join(f"{name} {median(found):,.0f} images/s" for name, found in rates.items())
        print(f"{shape}: {medians}; {times:.1f} times as many")


if __name__ == "__main__":
    main()
