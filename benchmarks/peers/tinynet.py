"""tinynet, through `fit`, `predict` and `export`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from common import Array
from networks import Network

from peers.peer import USUAL, Peer, Training, in_batches, layers_of


class Tinynet(Peer):
    """tinynet."""

    def __init__(self) -> None:
        self.tinynet: Any = import_module("tinynet")
        self.version = self.tinynet.__version__

    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network, to be trained so."""
        made = layers_of(network, self.tinynet.layers)
        self.model = self.tinynet.Sequential(made, network.input_shape, training.seed)
        for parameter, value in zip(self.model.parameters, weights, strict=True):
            parameter.value = value
        adam = self.tinynet.optim.Adam(0.001 if training.rates is None else training.rates.__getitem__)
        loss = self.tinynet.losses.SparseCategoricalCrossentropy(label_smoothing=training.smoothing)
        self.model.compile(adam, loss)

    def predict(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities."""
        return in_batches(self.model.predict, x, batch_size)

    def train(self, x: Array, y: Array, batch_size: int, epochs: int = 1, shuffle: bool = False) -> float:
        """Train on every image once an epoch, and return the last epoch's mean loss."""
        history = self.model.fit(x, y, batch_size, epochs, shuffle=shuffle, verbose=0)
        return float(history.history["loss"][-1])

    def export(self, path: Path) -> None:
        """Write the network as an ONNX file for the peers that only predict.

        The one that PyTorch writes of the same network is no faster in either of them.
        """
        self.model.export(path)
