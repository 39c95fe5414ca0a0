"""tinynet and its peers behind one interface, each in a process of its own: a file for each peer."""

from peers.peer import USUAL, Peer, Training, layers_of
from peers.registry import PEERS, able
from peers.worker import TOLERANCE, Worker, build_alike, start_workers

__all__ = [
    "PEERS",
    "TOLERANCE",
    "USUAL",
    "Peer",
    "Training",
    "Worker",
    "able",
    "build_alike",
    "layers_of",
    "start_workers",
]
