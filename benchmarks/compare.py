"""Compare tinynet with its peers, side by side: this makes docs/speed.md's tables and README's chart.

Every contestant works in a process of its own with the same number of cores, from the same weights, on real
MNIST images and on random pixels, none of which is black. Before anything is timed, all must compute the
same probabilities and learn. Then, row by row, all are called in turn, in another order from round to round;
what a first call costs is left out and told apart, and processes keep the memory that they free, which helps
the peers. A peer that is less than half as fast as another is measured in two rounds only. Imports, first
training steps and memory are measured in a new process for each number. A row's ratio is the median, over
the rounds, of tinynet against the peer with the best median, turned so that more than 1 is better for
tinynet; beside it stands the ratio of tinynet's best round to the best of any peer.

Before, between and after the rows it is measured what matrix products reach, and how much of the processor
others take: rows in whose time the machine was not quiet are named.

`--rows TEXT` measures only the rows whose name contains the text, and joins them to those on record, so that
a run can be made in pieces: training, inference, picture, Import, First, memory.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from common import Array, available_cores, mnist, use_threads
from machine import describe, look, text
from networks import CNN, MLP, NORMALIZED_CNN, Network
from peers import PEERS, Worker, able, build_alike, start_workers
from record import Run, chosen
from report import OURS, RESULTS, Row, in_rounds
from starts import measure_first_step, measure_import, measure_memory
from tables import long_table, quietness

Data = tuple[tuple[Array, Array], tuple[Array, Array]]

CHECKED, LEARNED = 128, 1280  # images whose probabilities are compared, and that a short training sees
MOST_STARTS = 3  # rounds of what needs a new process for each number
MNIST, RANDOM = "MNIST", "random"


@dataclasses.dataclass(frozen=True)
class Timed:
    """A row about calls of a peer's method.

    Args:
        work: what is done.
        pixels: of which images, MNIST or RANDOM.
        network: what is built.
        method: "train" or "predict".
        images: how many there are in a call; one is a matter of latency.
        goal: the ratio to reach.
        repeat: how many calls make a measurement.
    """

    work: str
    pixels: str
    network: Network
    method: str
    images: int
    goal: float | None
    repeat: int = 1

    @property
    def name(self) -> str:
        """Return the row's name."""
        return f"{self.work}, {self.pixels}"

    @property
    def group(self) -> str:
        """Return what the row belongs to."""
        return self.work.removeprefix(self.network.name).lstrip(", ").capitalize()

    def quick(self) -> Timed:
        """Return a row that takes a tenth of the time."""
        images = self.images if self.images == 1 else self.images // 10
        return dataclasses.replace(self, images=images, repeat=-(-self.repeat // 10))


TIMED = (
    Timed("CNN training", MNIST, CNN, "train", 7_680, 2.5),
    Timed("CNN training", RANDOM, CNN, "train", 7_680, 2.5),
    Timed("Normalized CNN training", RANDOM, NORMALIZED_CNN, "train", 7_680, None),
    Timed("MLP training", MNIST, MLP, "train", 30_720, None),
    Timed("MLP training", RANDOM, MLP, "train", 30_720, 1.85),
    Timed("CNN inference", MNIST, CNN, "predict", 10_000, 1.5),
    Timed("CNN inference", RANDOM, CNN, "predict", 10_000, 1.5),
    Timed("Normalized CNN inference", RANDOM, NORMALIZED_CNN, "predict", 10_000, None),
    Timed("MLP inference", MNIST, MLP, "predict", 10_000, 1.5, repeat=3),
    Timed("MLP inference", RANDOM, MLP, "predict", 10_000, 1.5, repeat=3),
    Timed("CNN, one picture", MNIST, CNN, "predict", 1, 1.25, repeat=3_000),
    Timed("CNN, one picture", RANDOM, CNN, "predict", 1, 1.25, repeat=3_000),
    Timed("MLP, one picture", MNIST, MLP, "predict", 1, 1, repeat=3_000),
    Timed("MLP, one picture", RANDOM, MLP, "predict", 1, 1, repeat=3_000),
)
STARTS = ("Import", "First step, empty cache", "First step, warm cache", "Peak memory of an epoch")
ORDER = (*(timed.name for timed in TIMED), *STARTS)


def validate(workers: dict[str, Worker], network: Network, data: Data) -> None:
    """Check that all compute the same function, and that those that train learn."""
    (x, y), _ = data
    build_alike(workers, network, x[:CHECKED])
    for name in able(workers, network, "train"):
        worker = workers[name]
        worker.give(images=x[:LEARNED], labels=y[:LEARNED])
        losses = [worker.call("train", "images", "labels", CHECKED)[0] for _ in range(3)]
        if not losses[-1] < losses[0]:
            raise RuntimeError(f"{name} does not learn with the {network.name}: its losses are {losses}.")


def images_of(timed: Timed, data: Data, count: int) -> tuple[Array, Array]:
    """Return a row's images and their labels; those of random pixels are from 0 to 1."""
    x, y = data[0 if timed.method == "train" else 1]
    if timed.pixels == RANDOM:
        return np.random.default_rng(0).random((count, *x.shape[1:]), np.float32), y[:count]
    return x[:count], y[:count]


def measure(timed: Timed, workers: dict[str, Worker], data: Data, batch_size: int, rounds: int) -> Row:
    """Measure a row of calls in processes that stay."""
    training, one = timed.method == "train", timed.images == 1
    count = timed.images - timed.images % batch_size if training else timed.images  # whole batches
    arguments = ("images", "labels", batch_size) if training else ("images", batch_size)

    def value(worker: Worker) -> float:
        _, seconds = worker.call(timed.method, *arguments, repeat=timed.repeat)
        return 1e6 * seconds if one else count / seconds

    first, (x, y) = {}, images_of(timed, data, count)
    names = able(workers, timed.network, timed.method)
    for name in names:
        worker = workers[name]
        worker.give(images=x, labels=y)
        first[name] = worker.call("build", timed.network, timed.network.weights())[1]
        first[name] += worker.call(timed.method, *arguments)[1]
    functions = {name: partial(value, workers[name]) for name in names}
    unit = "µs" if one else "images/s"
    values = in_rounds(functions, rounds, not one)
    return Row(timed.name, unit, values, not one, timed.goal, first=first, group=timed.group)


def makers(
    options: argparse.Namespace, data: Data, workers: dict[str, Worker]
) -> list[Callable[[], list[Row]]]:
    """Return functions that make the chosen rows, in their order."""

    def make(timed: Timed) -> list[Row]:
        timed = timed.quick() if options.quick else timed
        return [measure(timed, workers, data, options.batch_size, options.rounds)]

    return [partial(make, timed) for timed in TIMED if chosen(timed.name, options.rows)]


def starters(options: argparse.Namespace, data: Data, names: list[str]) -> list[Callable[[], list[Row]]]:
    """Return functions that make the chosen rows which need a new process for each number."""
    from tinynet.data import load_mnist

    (x, y), _ = data
    few = slice(options.batch_size)
    rounds = min(options.rounds, MOST_STARTS)
    (pixels, labels), _ = load_mnist()
    every = len(x) // 10 if options.quick else len(x)
    pixels, labels = pixels[:every, ..., np.newaxis], labels[:every].astype(np.int64)
    imports, *steps, memory = (chosen(name, options.rows) for name in STARTS)
    possible = {
        partial(measure_import, names, options.rounds): imports,
        partial(measure_first_step, names, x[few], y[few], rounds): any(steps),
        partial(measure_memory, names, pixels, labels, options.batch_size, rounds): memory,
    }
    return [maker for maker, wanted in possible.items() if wanted]


def parse() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=available_cores(), help="default: the cores there are")
    parser.add_argument("--rounds", type=int, default=7, help="default: 7")
    parser.add_argument("--batch-size", type=int, default=128, help="default: 128")
    parser.add_argument(
        "--peers", nargs="*", default=list(PEERS)[1:], choices=list(PEERS)[1:], metavar="PEER"
    )
    parser.add_argument(
        "--rows", nargs="*", default=[], metavar="TEXT", help="only those with this in their name"
    )
    parser.add_argument("--quick", action="store_true", help="two rounds of a tenth of the work")
    parser.add_argument("--output", type=Path, default=RESULTS / "compare", help="without .json, .md, .svg")
    options = parser.parse_args()
    options.rounds = min(options.rounds, 2) if options.quick else options.rounds
    return options


def main() -> None:
    """Measure, print and write everything."""
    options = parse()
    use_threads(options.threads)
    machine, data = describe(), mnist()
    workers, missing = start_workers([OURS, *options.peers], options.threads)
    contestants = {name: worker.version for name, worker in workers.items()}
    run = Run(machine, options, contestants, missing, ORDER)
    print(text(machine), f"missing: {', '.join(missing) or 'none'}", sep="\n", end="\n\n")
    rows = run.before()
    networks = dict.fromkeys(timed.network for timed in TIMED if chosen(timed.name, options.rows))
    for network in networks:
        validate(workers, network, data)
    stop(workers)
    workers, _ = start_workers(list(contestants) if networks else [], options.threads)
    before = look()
    for maker in [*makers(options, data, workers), *starters(options, data, list(contestants))]:
        made, after = maker(), look()
        for row in made:
            row.moments = [before, after]
        before = after
        rows += made
        print(long_table(made), end="\n\n", flush=True)
        run.save(rows)
    stop(workers)
    rows = run.save(rows)
    print(long_table(rows), text(machine), quietness(rows), sep="\n\n")


def stop(workers: dict[str, Worker]) -> None:
    """End the workers' processes."""
    for worker in workers.values():
        worker.stop()


if __name__ == "__main__":
    main()
