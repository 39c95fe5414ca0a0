"""A peer in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from common import KEEP_FREED, Array, environment, use_threads
from networks import Network

from peers.registry import PEERS, able

TOLERANCE = 1e-4  # of probabilities


def serve(connection: Connection, name: str, threads: int) -> None:
    """Answer calls of a peer's methods with (result, seconds), until None comes; see `Worker`."""
    use_threads(threads)
    try:
        peer = PEERS[name]()
        connection.send(peer.version)
    except Exception as error:
        connection.send(error)
        return
    arrays: dict[str, Array] = {}
    while (call := connection.recv()) is not None:
        method, arguments, repeat = call
        try:
            if method == "give":
                arrays |= arguments[0]
                connection.send((None, 0.0))
                continue
            values = [arrays[value] if isinstance(value, str) else value for value in arguments]
            start = time.perf_counter()
            for _ in range(repeat):
                result = getattr(peer, method)(*values)
            connection.send((result, (time.perf_counter() - start) / repeat))
        except Exception as error:
            connection.send(RuntimeError(f"{name}, {method}: {error!r}"))


class Worker:
    """A peer in a process of its own.

    Args:
        name: of `PEERS`.
        threads: how many cores and threads it may use.

    Raises:
        ImportError: the peer is not installed.
    """

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, name, threads), daemon=True)
        with environment(KEEP_FREED):
            self.process.start()
        theirs.close()  # so that the process's end ends a wait for its answer
        self.version = self.receive()

    def receive(self) -> Any:
        """Return what the process sends, or raise if it is an error."""
        answer = self.connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def give(self, **arrays: Array) -> None:
        """Send arrays that the arguments of calls can then name."""
        self.call("give", arrays)

    def call(self, method: str, *arguments: Any, repeat: int = 1) -> tuple[Any, float]:
        """Call a method of the peer; return its (last) result, and the mean seconds that it took there."""
        self.connection.send((method, arguments, repeat))
        result, seconds = self.receive()
        return result, seconds

    def stop(self) -> None:
        """End the process."""
        self.connection.send(None)
        self.process.join()
        self.connection.close()


def start_workers(names: list[str], threads: int) -> tuple[dict[str, Worker], list[str]]:
    """Start the peers that are installed; return them by name, and the names of those missing."""
    workers, missing = {}, []
    for name in names:
        try:
            workers[name] = Worker(name, threads)
        except ImportError:
            missing.append(name)
    return workers, missing


def build_alike(workers: dict[str, Worker], network: Network, images: Array) -> dict[str, float]:
    """Build a network in every process; return by how much its probabilities differ from the first one's.

    Raises:
        RuntimeError: by more than rounding.
    """
    expected, differences = None, {}
    for name in able(workers, network, "predict"):
        worker = workers[name]
        worker.give(images=images)
        worker.call("build", network, network.weights())
        outputs, _ = worker.call("predict", "images", len(images))
        expected = outputs if expected is None else expected
        differences[name] = float(np.abs(outputs - expected).max())
        if not differences[name] <= TOLERANCE:
            raise RuntimeError(
                f"{name} computes another {network.name}: its probabilities differ by {differences[name]:g}."
            )
    return differences
