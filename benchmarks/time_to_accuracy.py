"""Measure how long the documented CNN takes to learn MNIST to 99% test accuracy, in tinynet and its peers.

All follow one recipe, "fast" in tinynet/recipes.py, which was fixed beforehand on a validation split: Adam
with a learning rate that rises and falls once, no augmentation; all start from the same weights. Each
training is a new process. Its clock runs from pixels in memory (uint8) to the end of the recipe: scaling,
building and compiling count, imports do not, and tinynet's kernels are in its cache. Only then are the test
images looked at, once. Seeds and contestants take turns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import KEEP_FREED, Array, available_cores, environment, in_new_process, in_turn, use_threads
from machine import describe, text
from networks import Conv, Flat, Full, Network, Pool
from peers import PEERS, Training, able, start_workers
from report import OURS, RESULTS, markdown, settings, table, write

from tinynet.recipes import RECIPES

GOAL = 0.99
RECIPE = RECIPES["cnn"]["fast"]
BLOCK = (Conv(32), Pool())
NETWORK = Network("CNN", (28, 28, 1), (*BLOCK, *BLOCK, *BLOCK, Flat(), Full(128), Full(10, "softmax")))


@dataclass(frozen=True)
class Outcome:
    """What a training gave: its seconds, and the accuracy on images that it has not seen."""

    seconds: float
    accuracy: float


def scale(pixels: Array) -> Array:
    """Return pixels (N, 28, 28) as a network takes them."""
    return np.divide(pixels[..., np.newaxis], 255, dtype=np.float32)


def train(name: str, rates: Array, folder: str, seed: int) -> Outcome:
    """Train once, from arrays in memory to the recipe's end, and then look at the test images."""
    peer: Any = PEERS[name]()
    x, y, x_test, y_test = (np.load(Path(folder, f"{part}.npy")) for part in ("x", "y", "x_test", "y_test"))
    weights = NETWORK.weights(seed)
    start = time.perf_counter()
    images, labels = scale(x), y.astype(np.int64)
    peer.build(NETWORK, weights, Training(rates, seed, RECIPE.label_smoothing))
    peer.train(images, labels, RECIPE.batch_size, RECIPE.epochs, shuffle=True)
    seconds = time.perf_counter() - start
    answers = peer.predict(scale(x_test), 128).argmax(axis=1)
    return Outcome(seconds, float(np.mean(answers == y_test)))


def save_data(folder: str, validation: bool, images: int) -> int:
    """Put MNIST into a folder, for validation with training images as the test; return how many train."""
    from tinynet.data import load_mnist

    (x, y), (x_test, y_test) = load_mnist()
    if validation:
        x, x_test, y, y_test = x[:54_000], x[54_000:], y[:54_000], y[54_000:]
    for part, array in {"x": x[:images], "y": y[:images], "x_test": x_test, "y_test": y_test}.items():
        np.save(Path(folder, f"{part}.npy"), array)
    return len(x[:images])


def measure(names: list[str], options: argparse.Namespace) -> dict[str, list[Outcome]]:
    """Train every contestant with every seed, in turn."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder, environment(KEEP_FREED):
        images = save_data(folder, options.validation, options.images)
        schedule = RECIPE.schedule(images)
        rates = np.array([schedule(step) for step in range(RECIPE.epochs * -(-images // RECIPE.batch_size))])
        in_new_process(train, OURS, rates, folder, 0)  # compiles the kernels
        for seed, name in in_turn(names, options.seeds):
            outcome = in_new_process(train, name, rates, folder, seed)
            outcomes[name].append(outcome)
            print(f"{name}, seed {seed}: {outcome.seconds:.1f} s, {outcome.accuracy:.2%}", flush=True)
    return outcomes


def mean_and_deviation(values: list[float], digits: int) -> str:
    """Return a mean and, if there are several values, their standard deviation."""
    deviation = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{deviation}"


def summary(outcomes: dict[str, list[Outcome]]) -> list[list[str]]:
    """Return a line for each contestant: seconds, accuracy in percent, and whether its mean is the goal."""
    lines = []
    for name, results in outcomes.items():
        accuracies = [100 * result.accuracy for result in results]
        reached = "yes" if statistics.mean(accuracies) >= 100 * GOAL else "no"
        seconds = mean_and_deviation([result.seconds for result in results], 1)
        lines.append([name, seconds, mean_and_deviation(accuracies, 2), reached])
    return lines


def parse() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=available_cores(), help="default: the cores there are")
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0; default: 5")
    peers = able(list(PEERS)[1:], NETWORK, "train")
    parser.add_argument("--peers", nargs="*", default=peers, choices=peers, metavar="PEER")
    parser.add_argument("--images", type=int, default=60_000, help="fewer, to see whether it runs")
    parser.add_argument("--validation", action="store_true", help="test on the last 6,000 training images")
    parser.add_argument(
        "--output", type=Path, default=RESULTS / "time_to_accuracy", help="without .json, .md"
    )
    return parser.parse_args()


def main() -> None:
    """Measure, print and write everything."""
    options = parse()
    use_threads(options.threads)
    machine = describe()
    workers, missing = start_workers([OURS, *options.peers], options.threads)
    contestants = {name: worker.version for name, worker in workers.items()}
    for worker in workers.values():
        worker.stop()
    print(text(machine), f"missing: {', '.join(missing) or 'none'}", RECIPE, sep="\n", end="\n\n")
    outcomes = measure(list(contestants), options)
    header = ["", "seconds", "test accuracy, %", f"mean at least {GOAL:.1%}"]
    print(table(header, summary(outcomes)))
    write(options.output.with_suffix(".md"), markdown(header, summary(outcomes)))
    record = {
        "machine": machine,
        "options": settings(options),
        "recipe": asdict(RECIPE),
        "contestants": contestants,
        "missing": missing,
        "outcomes": {name: [asdict(result) for result in results] for name, results in outcomes.items()},
    }
    write(options.output.with_suffix(".json"), record)


if __name__ == "__main__":
    main()
