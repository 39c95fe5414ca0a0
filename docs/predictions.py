"""Make docs/predictions.png: python -m pip install ".[plot]" && python docs/predictions.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tinynet
from tinynet import data
from tinynet.plotting import plot_predictions

SHOWN = 9  # the first test images that are right, and the first three mistakes


def main() -> None:
    """Draw some test images with the answers of the network that comes with tinynet."""
    _, (images, labels) = data.load_mnist()
    probabilities = tinynet.pretrained("mnist_cnn").predict(data.scale_pixels(images))
    wrong = probabilities.argmax(axis=1) != labels
    chosen = np.concatenate([np.flatnonzero(~wrong)[: SHOWN - 3], np.flatnonzero(wrong)[:3]])
    figure = plot_predictions(images[chosen], probabilities[chosen], labels[chosen])
    figure.savefig(Path(__file__).parent / "predictions.png", dpi=110)


if __name__ == "__main__":
    main()
