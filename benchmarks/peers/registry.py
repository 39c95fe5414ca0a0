"""All peers by name; tinynet comes first."""

from __future__ import annotations

from collections.abc import Iterable

from networks import Network

from peers.keras import KerasJax, KerasTensorFlow
from peers.onnxruntime import ONNXRuntime
from peers.openvino import OpenVINO
from peers.peer import Peer
from peers.pytorch import PyTorch, PyTorchChannelsLast, PyTorchCompiled
from peers.scikit_learn import ScikitLearn
from peers.tinynet import Tinynet

PEERS: dict[str, type[Peer]] = {
    "tinynet": Tinynet,
    "PyTorch": PyTorch,
    "PyTorch channels_last": PyTorchChannelsLast,
    "PyTorch compiled": PyTorchCompiled,
    "Keras/TensorFlow": KerasTensorFlow,
    "Keras/JAX": KerasJax,
    "ONNX Runtime": ONNXRuntime,
    "OpenVINO": OpenVINO,
    "scikit-learn": ScikitLearn,
}


def able(names: Iterable[str], network: Network, method: str) -> list[str]:
    """Return the names of those that can "train" a network, or "predict" with it."""
    return [name for name in names if PEERS[name].does(network, method)]
