"""Make the README's picture: python docs/readme_picture.py mnist_cnn.safetensors (pip install ".[plot]" first)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import tinynet
from tinynet import data
from tinynet.plotting import plot_predictions

SHOWN = 9  # the first test images that are right, and the first three mistakes


def main(path: str) -> None:
    """Draw some test images with the model's answers."""
    model = tinynet.load_model(path)
    _, (images, labels) = data.load_mnist()
    probabilities = model.predict(data.scale_pixels(images))
    wrong = probabilities.argmax(axis=1) != labels
    chosen = np.concatenate([np.flatnonzero(~wrong)[: SHOWN - 3], np.flatnonzero(wrong)[:3]])
    figure = plot_predictions(images[chosen], probabilities[chosen], labels[chosen])
    figure.savefig(Path(__file__).parent / "predictions.png", dpi=110)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/readme_picture.py MODEL.safetensors")
    main(sys.argv[1])
