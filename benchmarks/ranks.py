"""Measure what a training step costs with `distribute=True`, on 1, 2, ... processes of this machine.

    python benchmarks/ranks.py --ranks 1 2

Each process has one thread. Beside them trains one process without `distribute`. Of a step it tells the
time, the part that the first rank spends in messages (waiting for the others included), and the bytes that it
sends. From the step on one rank and the bytes follows what more machines could reach at best.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import in_turn
from machine import describe
from networks import CNN, MLP
from report import RESULTS, markdown, number, settings, write

NETWORKS = {network.name: network for network in (CNN, MLP)}
STEPS = 40
NETWORK_SPEEDS = {
    "1 Gbit/s": (1e9 / 8, 50e-6),
    "10 Gbit/s": (1e10 / 8, 20e-6),
    "100 Gbit/s": (1e11 / 8, 5e-6),
}
MESSAGES = 3  # of a step: the losses, the sums of pairs, the parts of the gradient


def trained(name: str, batch_size: int, distribute: bool) -> dict[str, float] | None:
    """Train in this process, as one rank of those that `mpiexec` started; return what a step took at best."""
    from peers.tinynet import Tinynet

    from tinynet import distributed

    network = NETWORKS[name]
    random = np.random.default_rng(0)
    x = random.random((STEPS * batch_size, *network.input_shape), np.float32)
    y = random.integers(0, 10, len(x))
    tinynet = Tinynet()
    tinynet.build(network, network.weights())
    spent = watch(distributed.Ranks)
    least, messages = float("inf"), 0.0
    for _ in range(5):
        spent.update(seconds=0.0, sent=0)
        start = time.perf_counter()
        tinynet.model.fit(x, y, batch_size=batch_size, verbose=0, distribute=distribute)
        seconds = time.perf_counter() - start
        if seconds < least:
            least, messages = seconds, spent["seconds"]
    if distributed.rank():
        return None
    return {
        "ms": 1e3 * least / STEPS,
        "in messages": 1e3 * messages / STEPS,
        "KB sent": spent["sent"] / STEPS / 1e3,
    }


def watch(ranks: Any) -> dict[str, float]:
    """Let the messages of ranks be timed, and the arrays that go to other ranks be counted, from now on."""
    spent: dict[str, float] = {"seconds": 0.0, "sent": 0}

    def watched(name: str) -> None:
        method = getattr(ranks, name)

        @functools.wraps(method)
        def call(self: Any, first: Any, *others: Any) -> Any:
            start = time.perf_counter()
            result = method(self, first, *others)
            spent["seconds"] += time.perf_counter() - start
            if name == "exchange":  # all but its own part
                spent["sent"] += first.nbytes * (self.size - 1) / self.size
            elif name == "join":  # its part, to each other rank
                spent["sent"] += first.nbytes * (self.size - 1)
            return result

        setattr(ranks, name, call)

    for name in ("tell", "exchange", "join", "follow_first"):
        watched(name)
    return spent


def start(name: str, batch_size: int, ranks: int) -> dict[str, float]:
    """Train in so many new processes; 0: in one without `distribute`."""
    inside = [sys.executable, __file__, "--inside", name, "--batch-size", str(batch_size)]
    launcher = shutil.which(
        "mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    command = [str(launcher), "-n", str(ranks), *inside, "--distribute"] if ranks else inside
    environment = os.environ | {"TINYNET_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def reachable(step: float, gradient: float, ranks: int, speed: float, delay: float) -> float:
    """Return how many times as fast as one so many ranks are at best.

    Args:
        step: ms of a step on one rank.
        gradient: its bytes.
        ranks: up to 8; a batch has 8 shards, and the rank with most of them ends last.
        speed: bytes a second that each rank sends, and receives at the same time.
        delay: seconds of a message.
    """
    computing = 1e-3 * step * -(-8 // ranks) / 8
    sending = 2 * gradient * (ranks - 1) / ranks / speed + MESSAGES * delay * np.log2(ranks)
    return float(1e-3 * step / (computing + sending))


def parse() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--batch-size", type=int, default=128, help="default: 128")
    parser.add_argument("--output", type=Path, default=RESULTS / "ranks", help="without .json, .md")
    parser.add_argument("--inside", choices=list(NETWORKS), help=argparse.SUPPRESS)
    parser.add_argument("--distribute", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Do what the command line says."""
    options = parse()
    if options.inside:
        found = trained(options.inside, options.batch_size, options.distribute)
        if found:
            print(json.dumps(found))
        return
    machine = describe()
    rounds: dict[str, dict[int, list[dict[str, float]]]] = {
        name: {ranks: [] for ranks in sorted({0, 1, *options.ranks})} for name in NETWORKS
    }
    for name, results in rounds.items():
        for _, text in in_turn([*map(str, results)], options.rounds):
            results[int(text)].append(start(name, options.batch_size, int(text)))
    lines, scaled = [], []
    for name, results in rounds.items():
        best = {ranks: min(found, key=lambda one: one["ms"]) for ranks, found in results.items()}
        for ranks, found in best.items():
            cells = [f"{name}, {ranks} rank{'s' * (ranks > 1)}" if ranks else f"{name}, without `distribute`"]
            lines.append([*cells, *(number(found[key]) for key in ("ms", "in messages", "KB sent"))])
        gradient = 4 * sum(array.size for array in NETWORKS[name].weights())
        for speed, (rate, delay) in NETWORK_SPEEDS.items():
            cells = [f"{reachable(best[1]['ms'], gradient, ranks, rate, delay):.1f}" for ranks in (2, 4, 8)]
            scaled.append([f"{name}, {gradient / 1e6:.1f} MB, {speed}", *cells])
    text = (
        markdown(
            ["a step of " + str(options.batch_size), "ms", "of it in messages, ms", "sent by a rank, KB"],
            lines,
        )
        + "\n"
        + markdown(["times as fast as one rank, at best", "2", "4", "8"], scaled)
    )
    print(text)
    write(options.output.with_suffix(".md"), text)
    record = {"machine": machine, "options": settings(options), "rounds": rounds}
    write(options.output.with_suffix(".json"), record)


if __name__ == "__main__":
    main()
