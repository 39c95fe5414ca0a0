"""Measure how well numbers are read, kind by kind, in pictures that are made of MNIST's test digits.

    python benchmarks/written_numbers.py [--seeds FIRST LAST] [--kinds touching point ...] [FOLDER ...]

Each kind is one way in which people write numbers, or one thing that is in the way. A picture depends on
its kind and seed alone. Whoever changes tinynet looks at the misses of some seeds, and measures on others.
Beside the numbers that are read exactly stand those with a warning; what is no number ("other") is to have
one. A FOLDER has a manifest.tsv with the columns `file` and `label`, and counts as a kind.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from number_pictures import KINDS, made
from PIL import Image, ImageDraw

import tinynet
from tinynet.inference import NumberReading

BINS = 10  # of the calibration table
SIDE = 240  # of a picture on the sheet, pixels


@dataclass(frozen=True)
class Sample:
    """A picture, its text, and what was read."""

    name: str
    picture: Any
    text: str
    reading: NumberReading
    seconds: float

    @property
    def right(self) -> bool:
        """Whether all of the text was read; of what is no number, whether that was noticed."""
        return self.warned if self.text == "?" else self.reading.text == self.text

    @property
    def warned(self) -> bool:
        """Whether the reading says that something is not sure."""
        return bool(self.reading.warnings)


def read(name: str, picture: Any, text: str) -> Sample:
    """Read a picture, and take the time."""
    start = time.perf_counter()
    reading = tinynet.read_number(picture)
    return Sample(name, picture, text, reading, time.perf_counter() - start)


def in_folder(folder: Path) -> list[Sample]:
    """Read the pictures of a manifest."""
    with (folder / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [read(row["file"], folder / row["file"], row["label"]) for row in rows]


def calibration_error(samples: list[Sample]) -> float:
    """Return the expected calibration error of the numbers' confidence."""
    confidence = np.array([sample.reading.confidence for sample in samples])
    right = np.array([sample.right for sample in samples])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(
        sum(
            abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).sum()
            for b in np.unique(bins)
        )
    ) / len(samples)


def report(kind: str, samples: list[Sample]) -> None:
    """Print how many are right, how many have a warning, how honest the confidence is, and the misses."""
    right = sum(sample.right for sample in samples)
    warned = sum(sample.warned for sample in samples if sample.right)
    sure = np.mean([sample.reading.confidence for sample in samples])
    slow = 1000 * max(sample.seconds for sample in samples)
    print(
        f"{kind:12} {right:4} of {len(samples):4} {right / len(samples):7.1%}  confidence {sure:6.1%}  "
        f"warned, of them {warned / max(right, 1):6.1%}  slowest {slow:4.0f} ms",
        flush=True,
    )


def draw_misses(misses: list[Sample], path: Path) -> None:
    """Draw the misses, with what was read."""
    columns = 5
    sheet = Image.new("L", (columns * SIDE, max(-(-len(misses) // columns), 1) * (SIDE // 2 + 14)), 128)
    draw = ImageDraw.Draw(sheet)
    for i, sample in enumerate(misses):
        x, y = i % columns * SIDE, i // columns * (SIDE // 2 + 14)
        array = isinstance(sample.picture, np.ndarray)
        picture = Image.fromarray(sample.picture) if array else Image.open(sample.picture).convert("L")
        picture.thumbnail((SIDE - 4, SIDE // 2 - 4))
        sheet.paste(picture, (x, y + 14))
        said = f"{sample.name} {sample.text!r}: {sample.reading.text!r} {sample.reading.confidence:.0%}"
        draw.text((x, y), said, fill=255)
    sheet.save(path)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="*", help="have manifest.tsv and the pictures")
    parser.add_argument(
        "--seeds", type=int, nargs=2, default=(0, 50), help="default: 0 50, 50 pictures a kind"
    )
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="default: all")
    parser.add_argument("--misses", action="store_true", help="name each miss")
    parser.add_argument("--sheet", type=Path, help="draw the misses into this file")
    options = parser.parse_args()
    groups = [(folder.name, in_folder(folder)) for folder in options.folders]
    for kind, samples in groups:
        report(kind, samples)
    for kind in options.kinds:
        samples = [read(f"{kind} {seed}", *made(kind, seed)) for seed in range(*options.seeds)]
        groups.append((kind, samples))
        report(kind, samples)
    numbers = [s for _, samples in groups for s in samples if s.text != "?"]
    if numbers:
        right = sum(sample.right for sample in numbers) / len(numbers)
        print(f"all numbers: {right:.1%} exact, expected calibration error {calibration_error(numbers):.3f}")
    misses = [sample for _, samples in groups for sample in samples if not sample.right]
    if options.misses:
        for sample in misses:
            print(
                f"{sample.name}: {sample.text!r} read as {sample.reading.text!r}", sample.reading.confidence
            )
    if options.sheet:
        draw_misses(misses, options.sheet)


if __name__ == "__main__":
    main()
