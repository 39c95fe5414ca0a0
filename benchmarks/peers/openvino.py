"""OpenVINO, which only predicts, with the network that tinynet exports."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from common import Array, available_cores
from networks import Network

from peers.peer import USUAL, Peer, Training, in_batches
from peers.tinynet import Tinynet

TRIALS = 3  # calls of each way, to see which is faster


class OpenVINO(Peer):
    """OpenVINO in float32, compiled with both of its hints.

    One batch is predicted with the hint for latency. Many are predicted so, too, or in a queue with the hint
    for throughput: in whichever way the first call with many finds faster.
    """

    methods = ("predict",)

    def __init__(self) -> None:
        self.openvino: Any = import_module("openvino")
        import_module("onnx")  # which tinynet writes the file with
        self.version = self.openvino.__version__.split("-")[0]

    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network."""
        peer, core = Tinynet(), self.openvino.Core()
        peer.build(network, weights)
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": available_cores()}
        with tempfile.TemporaryDirectory() as folder:
            peer.export(path := Path(folder, "network.onnx"))
            quick, many = (
                core.compile_model(core.read_model(path), "CPU", settings | {"PERFORMANCE_HINT": hint})
                for hint in ("LATENCY", "THROUGHPUT")
            )
        self.request = quick.create_infer_request()
        self.queue = self.openvino.AsyncInferQueue(many)
        self.queue.set_callback(self.keep)
        self.way: Callable[[Array, int], Array] | None = None

    def predict(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities."""
        if len(x) <= batch_size:
            return self.run(x)
        if self.way is None:
            self.way = min((self.in_turn, self.queued), key=lambda way: least_seconds(way, x, batch_size))
        return self.way(x, batch_size)

    def run(self, x: Array) -> Array:
        """Return the probabilities of a batch."""
        outputs: Array = self.request.infer([x], share_inputs=True, share_outputs=True)[0]
        return outputs.copy()

    def in_turn(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities, every batch by all threads."""
        return in_batches(self.run, x, batch_size)

    def queued(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities, several batches at the same time."""
        self.outputs: dict[int, Array] = {}
        for i in range(0, len(x), batch_size):
            self.queue.start_async([x[i : i + batch_size]], i, share_inputs=True)
        self.queue.wait_all()
        return np.concatenate([self.outputs[i] for i in sorted(self.outputs)])

    def keep(self, request: Any, place: int) -> None:
        """Keep what a request of the queue has computed."""
        self.outputs[place] = request.get_output_tensor().data.copy()


def least_seconds(way: Callable[[Array, int], Array], x: Array, batch_size: int) -> float:
    """Return the shortest time of some calls."""
    taken = []
    for _ in range(TRIALS):
        start = time.perf_counter()
        way(x, batch_size)
        taken.append(time.perf_counter() - start)
    return min(taken)
