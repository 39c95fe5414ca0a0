"""Measure how well people's own pictures are read: accuracy, calibration, and what is no digit.

    python benchmarks/pictures.py FOLDER

The folder has a manifest.tsv with a header and the columns `file`, `label` (0 to 9, or `none` for what is not
one digit), `kind` (such as photo, scan, drawing) and `writer`. Pictures of the kind `render` (type, not
handwriting) count by themselves. Whoever changes tinynet because of such pictures looks at those of `--part
tune` only, three fifths of the writers, and measures on `--part held`, the others.

It prints a table of accuracies by kind, beside those of the same network where pictures are just made 28×28;
a table of confidences and how many were right; and writes a plot of that, and a sheet of the mistakes with
what the network saw. `--speed` needs no folder: it prints how long reading takes. Nor does `--hard 200`: of
each kind in hard_pictures.py it makes so many pictures of MNIST's test images, in bad light, cropped, on
lines and so on, and blank pages, and prints how they are read, with the misses' seeds; `--seed` is the first.
"""

from __future__ import annotations

import argparse
import csv
import io
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hard_pictures
import numpy as np
from common import Array
from PIL import Image, ImageDraw

import tinynet
from tinynet import images
from tinynet.commands.named import named_model
from tinynet.inference import DigitReading, predict_image

BINS = 10  # of the calibration table
NO_DIGIT = "none"
TYPE = "render"
SIDE = 112  # of a picture on the sheet, pixels


@dataclass(frozen=True)
class Sample:
    """A picture, what it shows, and what was read."""

    path: Path
    label: str
    kind: str
    reading: DigitReading
    plain: int  # what is read when the picture is just made 28×28

    @property
    def right(self) -> bool:
        """Whether the digit was read."""
        return str(self.reading.digit) == self.label


def held(writer: str) -> bool:
    """Return whether a writer's pictures are kept aside."""
    return zlib.crc32(writer.encode()) % 5 < 2


def read_plainly(path: Path, model: tinynet.Model) -> int:
    """Return the digit in a picture that is made 28×28, and light on dark by its border, and nothing else."""
    brightness = images.open_picture(path)
    border = np.concatenate([brightness[0], brightness[-1], brightness[:, 0], brightness[:, -1]])
    ink = 1 - brightness if border.mean() > 0.5 else brightness
    small = np.asarray(Image.fromarray(ink).resize((28, 28), Image.Resampling.BILINEAR))
    return int(model.predict(small[np.newaxis, :, :, np.newaxis]).argmax())


def read_all(folder: Path, part: str, model: tinynet.Model) -> list[Sample]:
    """Read the pictures of a folder's manifest."""
    with (folder / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    wanted = [row for row in rows if part == "all" or held(row["writer"]) == (part == "held")]
    samples = []
    for row in wanted:
        path = folder / row["file"]
        reading = predict_image(path, model)
        assert isinstance(reading, DigitReading)
        samples.append(Sample(path, row["label"], row["kind"], reading, read_plainly(path, model)))
    return samples


def print_accuracy(digits: list[Sample]) -> None:
    """Print the accuracy by kind."""
    kinds = sorted({sample.kind for sample in digits})
    groups: list[tuple[str, Callable[[Sample], bool]]] = [
        *((kind, lambda sample, kind=kind: sample.kind == kind) for kind in kinds),
        (f"all but {TYPE}", lambda sample: sample.kind != TYPE),
    ]
    print(f"{'kind':16} pictures   right  flagged  only resized")
    for name, belongs in groups:
        group = [sample for sample in digits if belongs(sample)]
        if group:
            right = np.mean([sample.right for sample in group])
            flagged = np.mean([not sample.reading.is_digit for sample in group])
            plain = np.mean([str(sample.plain) == sample.label for sample in group])
            print(f"{name:16} {len(group):8} {right:7.1%} {flagged:8.1%} {plain:13.1%}")


def calibration(digits: list[Sample]) -> tuple[list[tuple[float, float, int]], float]:
    """Return each bin's mean confidence, its share of right answers and its size; and the expected error."""
    confidence = np.array([sample.reading.confidence for sample in digits])
    right = np.array([sample.right for sample in digits])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    table = [
        (float(confidence[bins == b].mean()), float(right[bins == b].mean()), int((bins == b).sum()))
        for b in np.unique(bins)
    ]
    error = sum(abs(sure - share) * count for sure, share, count in table) / len(digits)
    return table, error


def print_calibration(digits: list[Sample], plot: Path) -> None:
    """Print how many are right of those with some confidence, and plot it."""
    table, error = calibration(digits)
    print("\nconfidence   right  pictures")
    for sure, share, count in table:
        print(f"{sure:10.1%} {share:7.1%} {count:9}")
    print(f"Expected calibration error: {error:.3f}")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7")
    axes.scatter(*zip(*[(sure, share) for sure, share, _ in table], strict=True), color="tab:blue")
    for sure, share, count in table:
        axes.annotate(str(count), (sure, share), textcoords="offset points", xytext=(6, -10), fontsize=8)
    axes.set(xlabel="confidence", ylabel="right", title=f"expected calibration error {error:.3f}")
    figure.savefig(plot)


def print_detection(samples: list[Sample]) -> None:
    """Print how much of what is no digit was noticed, and how many digits were doubted."""
    for name, group in (
        ("not one digit", [sample for sample in samples if sample.label == NO_DIGIT]),
        (f"digits but {TYPE}", [s for s in samples if s.label != NO_DIGIT and s.kind != TYPE]),
    ):
        if group:
            flagged = sum(not sample.reading.is_digit for sample in group)
            print(f"{name}: {flagged} of {len(group)} flagged ({flagged / len(group):.1%})")


def draw_mistakes(samples: list[Sample], path: Path) -> int:
    """Draw what was read wrong, or not flagged: the picture, what the network saw, and what it said."""
    mistakes = [s for s in samples if (s.reading.is_digit if s.label == NO_DIGIT else not s.right)]
    columns = 5
    sheet = Image.new("L", (columns * 2 * SIDE, (-(-len(mistakes) // columns) or 1) * (SIDE + 14)), 128)
    draw = ImageDraw.Draw(sheet)
    for i, sample in enumerate(mistakes):
        x, y = i % columns * 2 * SIDE, i // columns * (SIDE + 14)
        picture = Image.fromarray(sample.reading.thumbnail)
        picture.thumbnail((SIDE - 4, SIDE - 4))
        sheet.paste(picture, (x, y + 14))
        seen: Array = (sample.reading.pixels * 255).astype(np.uint8)
        sheet.paste(Image.fromarray(seen).resize((SIDE - 4, SIDE - 4), 0), (x + SIDE, y + 14))
        said = (
            f"{sample.label}: {sample.reading.digit} {sample.reading.confidence:.0%} {sample.path.name[-18:]}"
        )
        draw.text((x, y), said, fill=255)
    sheet.save(path)
    return len(mistakes)


def print_hard(model: tinynet.Model, count: int, seed: int) -> None:
    """Print how hard pictures of MNIST's test images are read, and blank pages."""
    _, (test_images, labels) = tinynet.data.load_mnist()
    pixels = tinynet.data.scale_pixels(test_images)[..., 0]
    print("kind              pictures   right  flagged  calibration  seeds of the misses")
    for kind in hard_pictures.KINDS:
        samples = []
        for number in range(seed, seed + count):
            place = number % len(pixels)
            reading = predict_image(hard_pictures.made(kind, pixels[place], number), model)
            assert isinstance(reading, DigitReading)
            samples.append(Sample(Path(str(number)), str(labels[place]), kind, reading, -1))
        right = np.mean([sample.right for sample in samples])
        flagged = np.mean([not sample.reading.is_digit for sample in samples])
        missed = " ".join(sample.path.name for sample in samples if not sample.right)
        print(f"{kind:17} {count:8} {right:7.1%} {flagged:8.1%} {calibration(samples)[1]:12.3f}  {missed}")
    blank = [predict_image(hard_pictures.blank(number), model) for number in range(seed, seed + count)]
    taken = [number for number, reading in enumerate(blank, seed) if reading.warnings == ()]
    surest = max(reading.confidence for reading in blank)
    print(f"blank pages: {len(taken)} of {count} taken for a digit, the surest {surest:.0%}: {taken}")


def print_speed(model: tinynet.Model) -> None:
    """Print how long it takes to read a large photo and a tiny picture, and a process that reads one."""
    photo, tiny = drawing(4000, 3000, "JPEG"), drawing(28, 28, "PNG")
    print(f"4000 x 3000 JPEG: {1000 * seconds(lambda: predict_image(photo, model)):.1f} ms")
    print(f"28 x 28 PNG: {1000 * seconds(lambda: predict_image(tiny, model)):.1f} ms")
    command = [sys.executable, "-m", "tinynet", "predict", "-"]
    taken = seconds(
        lambda: subprocess.run(command, check=True, input=tiny, stdout=subprocess.DEVNULL), calls=7
    )
    print(f"tinynet predict, the whole process: {taken:.2f} s")


def drawing(width: int, height: int, kind: str) -> bytes:
    """Return the file of a 7 on paper as grainy as a camera's pictures are."""
    page = Image.new("RGB", (width, height), (235, 230, 220))
    line = [(width * x, height * y) for x, y in ((0.3, 0.15), (0.7, 0.15), (0.4, 0.8))]
    ImageDraw.Draw(page).line(line, fill=(40, 40, 70), width=max(width // 40, 2))
    grain = np.random.default_rng(0).normal(0, 4, (height, width, 1))
    file = io.BytesIO()
    Image.fromarray((np.asarray(page) + grain).clip(0, 255).astype(np.uint8)).save(file, kind)
    return file.getvalue()


def seconds(function: Callable[[], object], calls: int = 21) -> float:
    """Return the median time of a call, after a first one."""
    taken = []
    for _ in range(calls + 1):
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="has manifest.tsv and the pictures")
    parser.add_argument("--speed", action="store_true", help="only time it, with pictures made for that")
    parser.add_argument("--hard", type=int, metavar="COUNT", help="make so many of each kind, and read them")
    parser.add_argument("--seed", type=int, default=0, help="of the first of those; default 0")
    parser.add_argument("--model", default="mnist_cnn", help="mnist_cnn (default), mnist_mlp or a model file")
    parser.add_argument("--part", choices=("all", "tune", "held"), default="all", help="of the writers")
    parser.add_argument("--output", type=Path, default=Path(), help="a folder for the plot and the sheet")
    options = parser.parse_args()
    model = named_model(options.model)
    if options.speed:
        print_speed(model)
        return
    if options.hard:
        print_hard(model, options.hard, options.seed)
        return
    if options.folder is None:
        parser.error("name a folder, --speed or --hard")
    samples = read_all(options.folder, options.part, model)
    digits = [sample for sample in samples if sample.label != NO_DIGIT]
    print_accuracy(digits)
    print_calibration([s for s in digits if s.kind != TYPE], options.output / "reliability.png")
    print_detection(samples)
    count = draw_mistakes(samples, options.output / "mistakes.png")
    print(f"{count} mistakes: {options.output / 'mistakes.png'}")


if __name__ == "__main__":
    main()
