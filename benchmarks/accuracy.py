"""Measure the accuracy of a recipe over several seeds: this makes the README's table of accuracies.

A recipe (see tinynet/recipes.py) trains on all 60,000 training images, once for each seed, and is then asked
once for the 10,000 test images: the network as it is after the last epoch. The results go to a file seed by
seed; run it again to go on where it was cut off.

    python benchmarks/accuracy.py --network cnn --recipe augmented --seeds 0 1 2 3 4

Recipes are chosen without the test images: `--validation` trains on the first 54,000 training images, asks
for the other 6,000, and appends what it did to the log of the selection. `--set` tries another value.

    python benchmarks/accuracy.py --network cnn --recipe plain --validation --seeds 0 --set epochs=20
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import statistics
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from common import Array, mnist
from report import RESULTS

from tinynet import Sequential
from tinynet.recipes import RECIPES, Recipe

Data = tuple[Array, Array]

VALIDATION = 6_000  # of the training images, the last ones
# Student's t for 95% of both sides, by degrees of freedom; there are hardly more than ten seeds.
STUDENT = (math.inf, 12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


def changed(recipe: Any, settings: list[str]) -> Any:
    """Return the recipe with other values, given as "network.dropout=0.2"."""
    for setting in settings:
        path, value = setting.split("=", 1)
        name, _, rest = path.partition(".")
        if name not in asdict(recipe):
            raise SystemExit(f"--set {setting}: {type(recipe).__name__} has {', '.join(asdict(recipe))}")
        inner = changed(getattr(recipe, name), [f"{rest}={value}"]) if rest else ast.literal_eval(value)
        recipe = replace(recipe, **{name: inner})
    return recipe


def described(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as JSON gives it back."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(recipe)))
    return plain


def shifted(x: Array, down: int, right: int) -> Array:
    """Return images moved by some pixels; what comes in is 0."""
    moved = np.zeros_like(x)
    height, width = x.shape[1:3]
    target = np.s_[:, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)]
    source = np.s_[:, max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)]
    moved[target] = x[source]
    return moved


def measure(model: Sequential, x: Array, y: Array) -> dict[str, Any]:
    """Return how right a model is: plainly, and on average over shifts by a pixel; and its mistakes."""
    probabilities = model.predict(x)
    answers = probabilities.argmax(axis=1)
    moves = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    average = sum(model.predict(shifted(x, *move)).astype(np.float64) for move in moves)
    wrong = np.flatnonzero(answers != y)
    return {
        "accuracy": float(np.mean(answers == y)),
        "accuracy, mean of 9 shifts": float(np.mean(np.argmax(average, axis=1) == y)),
        "loss": float(-np.log(np.maximum(probabilities[np.arange(len(y)), y], 1e-30)).mean()),
        "mistakes": [[int(i), int(answers[i])] for i in wrong],  # image, answer
    }


def train(
    recipe: Recipe, data: Data, unseen: Data, seed: int, curves: bool, save: Path | None
) -> dict[str, Any]:
    """Train with a seed, and return what came of it."""
    start, work = time.perf_counter(), time.process_time()
    model, history = recipe.train(*data, seed=seed, validation_data=unseen if curves else None)
    cost = {
        "seconds": round(time.perf_counter() - start, 1),
        "CPU seconds": round(time.process_time() - work, 1),  # of all cores together
    }
    if save:
        model.save(save)
    outcome = {"seed": seed, **cost, **measure(model, *unseen)}
    rounded = {name: [round(value, 5) for value in values] for name, values in history.history.items()}
    return outcome | {"history": rounded}


def spread(outcomes: list[dict[str, Any]], key: str = "accuracy") -> tuple[float, float, float]:
    """Return the mean of several seeds, their standard deviation, and half the mean's 95% interval, in %."""
    values = [100 * outcome[key] for outcome in outcomes]
    deviation, freedom = statistics.stdev(values), len(values) - 1
    half = STUDENT[min(freedom, len(STUDENT) - 1)] * deviation / math.sqrt(len(values))
    return statistics.mean(values), deviation, half


def summary(outcomes: list[dict[str, Any]], key: str = "accuracy") -> str:
    """Return mean ± standard deviation in percent, and the mean's 95% interval."""
    if len(outcomes) == 1:
        return f"{outcomes[0][key]:.2%} (one seed)"
    mean, deviation, half = spread(outcomes, key)
    return (
        f"{mean:.2f} ± {deviation:.2f}% (95% interval of the mean: {mean - half:.2f} to {mean + half:.2f}%)"
    )


def read(path: Path, recipe: Recipe) -> dict[str, Any]:
    """Return the results so far, of this very recipe."""
    if not path.exists():
        return {"recipe": described(recipe), "outcomes": []}
    record: dict[str, Any] = json.loads(path.read_text())
    if record["recipe"] != described(recipe):
        raise SystemExit(f"{path} holds results of another recipe: move it away, or choose another --output.")
    return record


def run_test(recipe: Recipe, options: argparse.Namespace, name: str) -> None:
    """Train on all training images for each seed that the file lacks, and ask for the test images."""
    (x, y), test = mnist()
    path = options.output or RESULTS / f"accuracy_{name}.json"
    record = read(path, recipe)
    for seed in options.seeds:
        if seed in [outcome["seed"] for outcome in record["outcomes"]]:
            continue
        images = x[: options.images], y[: options.images]
        outcome = train(recipe, images, test, seed, False, options.save)
        record = read(path, recipe)  # another process may have added seeds
        record["outcomes"].append(outcome)
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.with_suffix(".tmp")
        whole.write_text(json.dumps(record) + "\n")
        whole.replace(path)
    outcomes = [outcome for outcome in record["outcomes"] if outcome["seed"] in options.seeds]
    for outcome in outcomes:
        shifts = f"{outcome['accuracy, mean of 9 shifts']:.2%} over shifts"
        print(f"seed {outcome['seed']}: {outcome['accuracy']:.2%}, {shifts}, {outcome['seconds']:.0f} s")
    print(f"{name}: {summary(outcomes)}")
    print(f"{name}, mean of 9 shifts: {summary(outcomes, 'accuracy, mean of 9 shifts')}")


def run_validation(recipe: Recipe, options: argparse.Namespace, name: str) -> None:
    """Train without the last training images, ask for those, and append it to the log."""
    (x, y), _ = mnist()
    path = options.output or RESULTS / "selection.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for seed in options.seeds:
        images = slice(min(options.images, len(x) - VALIDATION))
        unseen = x[-VALIDATION:], y[-VALIDATION:]
        outcome = train(recipe, (x[images], y[images]), unseen, seed, options.curves, options.save)
        del outcome["mistakes"]
        outcomes.append(outcome)
        line = {"name": name, "changed": options.set, "recipe": described(recipe), **outcome}
        with path.open("a") as log:
            log.write(json.dumps(line) + "\n")
    print(f"{name} {' '.join(options.set)}, validation: {summary(outcomes)}")
    print(f"  mean of 9 shifts: {summary(outcomes, 'accuracy, mean of 9 shifts')}")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", required=True, choices=RECIPES)
    parser.add_argument("--recipe", required=True, help="one of the network's in tinynet/recipes.py")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="default: 0 1 2 3 4")
    parser.add_argument("--validation", action="store_true", help="leave the test images alone")
    parser.add_argument("--curves", action="store_true", help="with --validation: measure after every epoch")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="try another value")
    parser.add_argument("--images", type=int, default=60_000, help="fewer, to see whether it runs")
    parser.add_argument("--save", type=Path, help="a file for the last seed's model")
    parser.add_argument("--output", type=Path, help="default: in benchmarks/results")
    options = parser.parse_args()
    if options.recipe not in RECIPES[options.network]:
        parser.error(f"--recipe must be one of {', '.join(RECIPES[options.network])}")
    if options.set and not options.validation:
        parser.error("--set is for --validation: what is tested is the recipe as it is written")
    if options.images < 60_000 and options.output is None:
        parser.error("--images is a trial: name a file for its --output")
    recipe = changed(RECIPES[options.network][options.recipe], options.set)
    name = f"{options.network}_{options.recipe}"
    (run_validation if options.validation else run_test)(recipe, options, name)


if __name__ == "__main__":
    main()
