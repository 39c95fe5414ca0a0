"""Measure how the throughput of tinynet and its peers scales, in training and inference.

A small network, Conv - Pool - Conv - Pool - Flat - Full(64) - Full(10), is varied one thing at a time:
batch size, images, filters, kernel size, strides, input channels, threads. Each case takes about 0.2 s of
tinynet's time, and as many images for every peer. They take turns in interleaved rounds, each in a process of
its own, and those that are less than half as fast as another peer in two rounds only. The table tells the
ratio to the best peer, the microseconds an image and a million floating-point operations cost, and where
tinynet is slower than 0.8 of the best peer.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from common import available_cores, interleave
from machine import describe, text
from networks import Conv, Flat, Full, Network, Pool
from peers import PEERS, Worker, able, build_alike, start_workers
from report import COLORS, OURS, RESULTS, Row, in_rounds, number, settings, table, times, write

CORES = available_cores()
SECONDS = 0.2  # of tinynet's time, that a measurement takes
MOST_BYTES = 2**28  # of images in a case
SLOW = 0.8  # a ratio to the best peer that needs work
METHODS = {"training": "train", "inference": "predict"}


@dataclass(frozen=True)
class Case:
    """A network, how it is called, and on how many threads."""

    batch_size: int = 128
    image: tuple[int, int, int] = (28, 28, 1)
    filters: int = 32
    size: int = 3
    strides: int = 1
    threads: int = CORES

    def network(self) -> Network:
        """Return the network."""
        block = (Conv(self.filters, self.size, self.strides), Pool())
        layers = (*block, Conv(self.filters, self.size), Pool(), Flat(), Full(64), Full(10, "softmax"))
        return Network("small CNN", self.image, layers)


AXES: dict[str, dict[str, dict[str, Any]]] = {
    "batch size": {str(n): {"batch_size": n} for n in (1, 2, 8, 32, 128, 512, 1024)},
    "image": {
        "28x28x1": {},
        "32x32x3": {"image": (32, 32, 3)},
        "64x64x3": {"image": (64, 64, 3)},
    },
    "filters": {str(n): {"filters": n} for n in (8, 16, 32, 48, 64, 128)},
    "kernel size": {str(n): {"size": n} for n in (1, 3, 5)},
    "strides": {str(n): {"strides": n} for n in (1, 2)},
    "input channels": {str(n): {"image": (28, 28, n)} for n in (1, 3, 64)},
    "threads": {str(n): {"threads": n} for n in range(1, CORES + 1)},
}


@dataclass(frozen=True)
class Place:
    """Where a case stands in the tables and plots."""

    axis: str
    label: str
    method: str

    @property
    def name(self) -> str:
        """Return the case's name."""
        return f"{self.method}, {self.axis} {self.label}"

    @property
    def case(self) -> Case:
        """Return the case."""
        return replace(Case(), **AXES[self.axis][self.label])


def places(wanted: str) -> list[Place]:
    """Return all places whose name contains a text."""
    every = [Place(axis, label, method) for method in METHODS for axis in AXES for label in AXES[axis]]
    return [place for place in every if wanted in place.name]


def measure(case: Case, method: str, workers: dict[str, Worker], rounds: int) -> Row:
    """Measure a case, in images a second."""
    network, random = case.network(), np.random.default_rng(0)
    training = method == "training"
    arguments = ("images", "labels", case.batch_size) if training else ("images", case.batch_size)

    def prepare(worker: Worker, batches: int) -> None:
        count = batches * case.batch_size
        images = random.random((count, *case.image), np.float32)
        worker.give(images=images, labels=random.integers(0, 10, count))

    def seconds(worker: Worker) -> float:
        return worker.call(METHODS[method], *arguments)[1]

    build_alike(workers, network, random.random((8, *case.image), np.float32))
    prepare(workers[OURS], trial := -(-64 // case.batch_size))
    each = min(seconds(workers[OURS]) for _ in range(3)) / trial
    most = MOST_BYTES // (4 * int(np.prod(case.image)) * case.batch_size)
    batches = max(1, min(round(SECONDS / each), most))
    functions = {}
    for name in able(workers, network, METHODS[method]):
        prepare(workers[name], batches)
        functions[name] = partial(seconds, workers[name])
    interleave(functions, 1)  # warms up
    taken = in_rounds(functions, rounds, more_is_better=False)
    rates = {name: [batches * case.batch_size / value for value in values] for name, values in taken.items()}
    return Row(method, "images/s", rates, more_is_better=True)


def measure_all(chosen: list[Place], names: list[str], rounds: int) -> dict[Place, Row]:
    """Measure all cases, those with the same number of threads by the same processes."""
    measured: dict[tuple[Case, str], Row] = {}
    needed = {(place.case, place.method): place for place in chosen}
    ordered = sorted(needed, key=lambda pair: pair[0].threads)
    for threads, pairs in groupby(ordered, key=lambda pair: pair[0].threads):
        workers, missing = start_workers(names, threads)
        print(f"{threads} threads; missing: {', '.join(missing) or 'none'}", flush=True)
        for case, method in pairs:
            row = measured[case, method] = measure(case, method, workers, rounds)
            print(f"{needed[case, method].name}: {times(row.ratio())} {row.best_peer()}", flush=True)
        for worker in workers.values():
            worker.stop()
    return {place: replace(measured[place.case, place.method], name=place.name) for place in chosen}


def costs(place: Place, row: Row) -> tuple[float, float]:
    """Return the microseconds that an image and a million floating-point operations take tinynet."""
    image = 1e6 / row.median(OURS)
    return image, image / (1e-6 * place.case.network().flops(place.method == "training"))


def show(rows: dict[Place, Row]) -> str:
    """Return a table of all cases, and a list of the slow ones."""
    lines = []
    for place, row in rows.items():
        image, flops = costs(place, row)
        cells = [number(value) for value in (row.median(OURS), image, flops)]
        lines.append([place.name, *cells, times(row.ratio()), row.best_peer() or ""])
    header = ["", "images/s", "µs/image", "µs/MFLOP", "tinynet / best peer", "best peer"]
    slow = [f"  {name}: {times(ratio)}" for name, ratio in slow_cases(rows).items()]
    return "\n".join([table(header, lines), "", f"Below {SLOW}:", *(slow or ["  none"])])


def slow_cases(rows: dict[Place, Row]) -> dict[str, float]:
    """Return the ratios of the cases in which tinynet is much slower than a peer."""
    ratios = {place.name: row.ratio() for place, row in rows.items()}
    return {name: ratio for name, ratio in ratios.items() if ratio is not None and ratio < SLOW}


def draw(rows: dict[Place, Row], path: Path) -> None:
    """Draw every axis's throughput, training above inference."""
    from matplotlib import pyplot

    axes_used = [axis for axis in AXES if any(place.axis == axis for place in rows)]
    methods = [method for method in METHODS if any(place.method == method for place in rows)]
    size = 3.2 * len(axes_used), 2.8 * len(methods) + 0.4
    figure, grid = pyplot.subplots(len(methods), len(axes_used), figsize=size, squeeze=False)
    for method, line in zip(methods, grid, strict=True):
        for axis, axes in zip(axes_used, line, strict=True):
            shown = [place for place in rows if (place.axis, place.method) == (axis, method)]
            labels = [place.label for place in shown]
            for name in rows[shown[0]].rounds if shown else ():
                medians = [rows[place].median(name) for place in shown]
                style = {"color": COLORS.get(name), "linewidth": 1 + (name == OURS), "label": name}
                axes.plot(labels, medians, ".-", **style)
            axes.set(xlabel=axis, yscale="log")
            axes.spines[["top", "right"]].set_visible(False)
        line[0].set_ylabel(f"{method}, images/s")
    grid[0][0].legend(frameon=False, fontsize=7)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    print(f"Wrote {path}")


def parse() -> argparse.Namespace:
    """Return what the command line says."""
    fitting = dict.fromkeys(
        name for method in METHODS.values() for name in able(PEERS, Case().network(), method)
    )
    fast = [name for name in fitting if name not in (OURS, "PyTorch compiled")]  # compiling takes minutes
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cases", default="", help='only those whose name contains this: "training, filters"'
    )
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--peers", nargs="*", default=fast, choices=list(PEERS)[1:], metavar="PEER")
    parser.add_argument("--output", type=Path, default=RESULTS / "scaling", help="without .json, .png")
    return parser.parse_args()


def main() -> None:
    """Measure, print and write everything."""
    options = parse()
    machine = describe()
    print(text(machine), end="\n\n")
    rows = measure_all(places(options.cases), [OURS, *options.peers], options.rounds)
    print("", show(rows), sep="\n")
    cases = [
        row.record() | {"case": asdict(place.case), "µs/image and µs/MFLOP": costs(place, row)}
        for place, row in rows.items()
    ]
    record = {
        "machine": machine,
        "options": settings(options),
        "cases": cases,
        f"below {SLOW}": slow_cases(rows),
    }
    write(options.output.with_suffix(".json"), record)
    draw(rows, options.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
