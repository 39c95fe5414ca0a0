"""Numbers as people write them, made of MNIST's test digits: what `written_numbers.py` measures on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from common import Array
from handwriting import Writer, below, beside, photographed, stroked, turned
from numpy.random import Generator

LETTERS: dict[str, list[list[tuple[float, float]]]] = {
    "E": [[(36, 0), (0, 0), (0, 70), (36, 70)], [(0, 34), (30, 34)]],
    "H": [[(0, 0), (0, 70)], [(44, 0), (44, 70)], [(0, 34), (44, 34)]],
    "M": [[(0, 70), (8, 0), (30, 50), (52, 0), (60, 70)]],
    "K": [[(0, 0), (0, 70)], [(40, 0), (2, 36), (42, 70)]],
}


def some(random: Generator, least: int = 2, most: int = 6) -> str:
    """Return the text of a random number."""
    return "".join(str(random.integers(10)) for _ in range(random.integers(least, most + 1)))


def plain(random: Generator) -> tuple[Array, str]:
    """Return digits beside each other."""
    text = some(random)
    return Writer(random).write(text), text


def touching(random: Generator) -> tuple[Array, str]:
    """Return digits of which some touch, or overlap a little."""
    text = some(random, 2, 4)
    return Writer(random, gap=(-0.09, 0.2)).write(text), text


def overlapping(random: Generator) -> tuple[Array, str]:
    """Return digits that lean, and whose boxes overlap."""
    text = some(random)
    return Writer(random, gap=(0.04, 0.1), slant=random.uniform(0.3, 0.6)).write(text), text


def slanted(random: Generator) -> tuple[Array, str]:
    """Return a row that goes uphill or downhill."""
    text = some(random, 3, 7)
    return turned(Writer(random).write(text), random.choice([-1, 1]) * random.uniform(4, 14)), text


def sizes(random: Generator) -> tuple[Array, str]:
    """Return digits of different sizes, some of them far apart."""
    text = some(random)
    return Writer(random, sizes=(0.5, 1.2), shift=0.15, gap=(0.1, 0.9)).write(text), text


def lines(random: Generator) -> tuple[Array, str]:
    """Return two or three rows."""
    texts = [some(random, 2, 5) for _ in range(random.integers(2, 4))]
    writer = Writer(random, height=60)
    page = writer.write(texts[0])
    for text in texts[1:]:
        gap, indent = random.uniform(0.1, 0.7) * 60, int(random.uniform(-0.6, 0.6) * 60)
        page = below(page, writer.write(text), gap, indent)
    return page, "\n".join(texts)


def minus(random: Generator) -> tuple[Array, str]:
    """Return a number below zero."""
    text = "-" + some(random, 1, 4)
    return Writer(random).write(text), text


def plus(random: Generator) -> tuple[Array, str]:
    """Return a number with a plus in front."""
    text = "+" + some(random, 1, 4)
    return Writer(random).write(text), text


def point(random: Generator) -> tuple[Array, str]:
    """Return a decimal point."""
    text = some(random, 1, 3) + "." + some(random, 1, 3)
    return Writer(random).write(text), text


def comma(random: Generator) -> tuple[Array, str]:
    """Return a decimal comma."""
    text = some(random, 1, 3) + "," + some(random, 1, 2)
    return Writer(random).write(text), text


def thousands(random: Generator) -> tuple[Array, str]:
    """Return a comma before the thousands."""
    text = some(random, 1, 2) + "," + some(random, 3, 3)
    return Writer(random).write(text), text


def broken(random: Generator) -> tuple[Array, str]:
    """Return digits that a line without ink goes through."""
    text = some(random)
    return Writer(random, gap=(0.2, 0.6), broken=random.uniform(0.03, 0.06)).write(text), text


def thin(random: Generator) -> tuple[Array, str]:
    """Return thin pens, and many 1s."""
    text = "".join(random.choice(list("1110473")) for _ in range(random.integers(2, 6)))
    return Writer(random, pen=0.8).write(text), text


def specks(random: Generator) -> tuple[Array, str]:
    """Return dust, none of it as large as a point."""
    text = some(random)
    writer = Writer(random)
    page = np.pad(writer.write(text), 40)
    for _ in range(random.integers(3, 12)):
        size = max(1, int(random.uniform(0.15, 0.55) * np.mean(writer.stroke)))
        top, left = (int(random.integers(side - size)) for side in page.shape)
        page[top : top + size, left : left + size] = 1
    return page, text


def small(random: Generator) -> tuple[Array, str]:
    """Return digits 16 to 29 pixels high."""
    text = some(random)
    return Writer(random, height=int(random.integers(16, 30))).write(text), text


def other(random: Generator) -> tuple[Array, str]:
    """Return what is no number, whose text is to have a warning: an equals sign, letters, a scribble."""
    writer = Writer(random)
    first, second = writer.write(some(random, 1, 2)), writer.write(some(random, 1, 2))
    pen, which = float(np.mean(writer.stroke)), random.integers(3)
    shape: list[list[tuple[float, float]]]
    if which == 0:
        shape = [[(0, 0), (40, 2)], [(0, 22), (40, 20)]]
    elif which == 1:
        shape = LETTERS[random.choice(sorted(LETTERS))]
    else:
        walk = np.cumsum(random.normal(size=(24, 2)), axis=0)
        walk = 80 * (walk - walk.min(0)) / np.maximum(np.ptp(walk, axis=0), 1)
        shape = [[(float(x), float(y)) for x, y in walk]]
    ink = stroked(shape, pen)
    line = beside(first, ink, max((first.shape[0] - ink.shape[0]) // 2, 0), 18)
    return beside(line, second, 0, 18), "?"


KINDS: dict[str, Callable[[Generator], tuple[Array, str]]] = {
    one.__name__: one
    for one in (
        plain, touching, overlapping, slanted, sizes, lines, minus, plus, point, comma, thousands, broken,
        thin, specks, small, other,
    )
}  # fmt: skip


def made(kind: str, seed: int) -> tuple[Array, str]:
    """Return a picture of a kind, (H, W) uint8, and its text; "?" for what is no number."""
    random = np.random.default_rng([list(KINDS).index(kind), seed])
    ink, text = KINDS[kind](random)
    return photographed(ink, random), text
