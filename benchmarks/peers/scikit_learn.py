"""scikit-learn's MLPClassifier, for dense networks."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from common import Array
from networks import Conv, Full, Network

from peers.peer import USUAL, Peer, Training, in_batches


class ScikitLearn(Peer):
    """MLPClassifier, through `partial_fit`, an epoch a call, and `predict_proba`.

    It has no dropout, and trains without: a little less work than the others do. In float32, as its input.
    """

    def __init__(self) -> None:
        self.networks: Any = import_module("sklearn.neural_network")
        self.version = import_module("sklearn").__version__

    @classmethod
    def does(cls, network: Network, method: str) -> bool:
        """Return whether the network has no convolutions."""
        return not any(isinstance(layer, Conv) for layer in network.layers)

    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network. Other rates than the usual, or smoothed labels, are not to be had."""
        units = [layer.units for layer in network.layers if isinstance(layer, Full)]
        self.model = self.networks.MLPClassifier(
            units[:-1], alpha=0.0, batch_size=128, shuffle=False, random_state=training.seed
        )
        # Only a first call makes the arrays; with a label of each class, and as many images as a batch has.
        labels = np.arange(128) % units[-1]
        self.model.partial_fit(
            np.zeros((128, weights[0].shape[0]), np.float32), labels, classes=np.unique(labels)
        )
        for array, value in zip(self.model.coefs_, weights[::2], strict=True):
            array[...] = value
        for array, value in zip(self.model.intercepts_, weights[1::2], strict=True):
            array[...] = value

    def predict(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities."""
        return in_batches(self.model.predict_proba, x.reshape(len(x), -1), batch_size)

    def train(self, x: Array, y: Array, batch_size: int, epochs: int = 1, shuffle: bool = False) -> float:
        """Train on every image once an epoch, and return the last epoch's mean loss."""
        self.model.set_params(batch_size=batch_size, shuffle=shuffle)
        for _ in range(epochs):
            self.model.partial_fit(x.reshape(len(x), -1), y)
        return float(self.model.loss_)
