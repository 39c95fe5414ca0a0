"""Measure what each ingredient of the augmented CNN's recipe adds: leave out one at a time.

Each training sees the first 54,000 training images and is measured, after every epoch, on the other 6,000. It
is shorter than the recipe's. The results are appended to a file; run it again to go on where it was cut off.

    python benchmarks/ablation.py --seeds 0 1
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from accuracy import VALIDATION, changed, described, train
from common import mnist
from report import RESULTS

from tinynet.recipes import RECIPES

EPOCHS = 20
SETTINGS: dict[str, list[str]] = {
    "the recipe": [],
    "no augmentation": ["augmentation=None"],
    "no elastic distortion": ["augmentation.elastic_alpha=0.0"],
    "no rotation, shift, scaling, shear": [
        f"augmentation.{name}=0.0" for name in ("rotation", "shift", "scale", "shear")
    ],
    "no averaging of the weights": ["ema_momentum=None"],
    "no label smoothing": ["label_smoothing=0.0"],
    "no weight decay": ["weight_decay=0.0"],
    "no dropout": ["network.dropout=0.0"],
}


def read(path: Path) -> list[dict[str, Any]]:
    """Return what is on record."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="default: 0 1")
    parser.add_argument("--output", type=Path, default=RESULTS / "ablation.jsonl")
    options = parser.parse_args()
    (x, y), _ = mnist()
    seen, unseen = (x[:-VALIDATION], y[:-VALIDATION]), (x[-VALIDATION:], y[-VALIDATION:])
    whole = replace(RECIPES["cnn"]["augmented"], epochs=EPOCHS)
    for seed in options.seeds:
        for name, settings in SETTINGS.items():
            recipe = changed(whole, settings)
            run = {"name": name, "recipe": described(recipe), "seed": seed}
            if any(run.items() <= line.items() for line in read(options.output)):
                continue
            outcome = train(recipe, seen, unseen, seed, True, None)
            print(f"{name}, seed {seed}: {outcome['accuracy']:.2%}")
            del outcome["mistakes"]
            with options.output.open("a") as log:
                log.write(json.dumps(run | outcome) + "\n")


if __name__ == "__main__":
    main()
