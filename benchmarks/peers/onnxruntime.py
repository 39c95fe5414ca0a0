"""ONNX Runtime, which only predicts, with the network that tinynet exports."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from common import Array, available_cores
from networks import Network

from peers.peer import USUAL, Peer, Training, in_batches
from peers.tinynet import Tinynet


class ONNXRuntime(Peer):
    """ONNX Runtime, whose defaults are its fastest: all optimizations, and threads that spin."""

    methods = ("predict",)

    def __init__(self) -> None:
        self.onnxruntime: Any = import_module("onnxruntime")
        import_module("onnx")  # which tinynet writes the file with
        self.version = self.onnxruntime.__version__

    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network."""
        settings = self.onnxruntime.SessionOptions()
        settings.intra_op_num_threads = available_cores()
        peer = Tinynet()
        peer.build(network, weights)
        with tempfile.TemporaryDirectory() as folder:
            peer.export(path := Path(folder, "network.onnx"))
            self.session = self.onnxruntime.InferenceSession(path, settings, ["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name

    def predict(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities."""
        return in_batches(self.run, x, batch_size)

    def run(self, x: Array) -> Array:
        """Return the probabilities of a batch."""
        outputs: list[Array] = self.session.run(None, {self.name: x})
        return outputs[0]
