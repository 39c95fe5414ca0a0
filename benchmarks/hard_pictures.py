"""Pictures that are hard to read, made of images of digits: bad light, tight crops, lines that are not ink.

Each kind is a function of a digit's image (28, 28), light on black from 0 to 1, and a random generator. It
returns the picture (H, W) of bytes. `KINDS` and `BLANK` name them; `made` makes one of a seed.
"""

from __future__ import annotations

import functools
import io
import zlib
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SIDE = 600  # of a page


def made(kind: str, digit: Array, seed: int) -> Bytes:
    """Return the picture of a kind, a digit's image and a seed."""
    return KINDS[kind](digit, np.random.default_rng((zlib.crc32(kind.encode()), seed)))


def blank(seed: int) -> Bytes:
    """Return a page with nothing on it, in bad light."""
    random = np.random.default_rng((999, seed))
    shape = (int(random.integers(40, 700)), int(random.integers(40, 700)))
    paper = np.full(shape, random.choice([random.uniform(0.7, 1), random.uniform(0.15, 0.7)]), np.float32)
    light = falling, radial, cornered, shadowed, uneven
    for change in random.permutation(len(light))[: random.integers(1, 4)]:
        paper = paper * light[change](shape, random)
    return as_bytes(noisy(paper, random, random.uniform(0, 0.03)), random)


def size_of(page: Array) -> tuple[int, int]:
    """Return how many rows and columns a page has."""
    height, width = page.shape
    return height, width


# Digits and pages


def large(digit: Array, height: int, random: Generator) -> Array:
    """Return a digit's ink, cropped to its box, in another size; half of the time with sharp edges."""
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    own = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = height / own.shape[0]
    size = max(round(own.shape[1] * scale), 1), height
    ink = np.asarray(Image.fromarray(own).resize(size, Image.Resampling.BICUBIC), np.float32)
    if random.random() < 0.5:
        ink = (ink - 0.5) * np.float32(scale / 3) + np.float32(0.5)
    return np.clip(ink, 0, 1)


def placed(ink: Array, shape: tuple[int, int], random: Generator, margin: int = 20) -> Array:
    """Return a page's ink, with a digit's somewhere on it."""
    page = np.zeros(shape, np.float32)
    spaces = [max(s - n - margin, margin + 1) for s, n in zip(shape, ink.shape, strict=True)]
    top, left = (int(random.integers(margin, space)) for space in spaces)
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return page


def written(digit: Array, random: Generator, side: int = SIDE) -> Array:
    """Return a page's ink: a digit 15 to 28% as high as the page."""
    return placed(large(digit, int(side * random.uniform(0.15, 0.283)), random), (side, side), random)


def inked(paper: Array, ink: Array, random: Generator) -> Array:
    """Return paper with ink that takes away a share of the light."""
    return paper * (1 - np.float32(random.uniform(0.6, 0.95)) * ink)


def noisy(page: Array, random: Generator, most: float = 0.02) -> Array:
    """Return a page as a camera sees it; every third one without noise."""
    strength = 0.0 if random.random() < 0.33 else random.uniform(0, most)
    return np.asarray(page + strength * random.normal(size=page.shape), np.float32)


def as_bytes(page: Array, random: Generator) -> Bytes:
    """Return a page from 0 to 1 in bytes; a third of them as JPEG leaves them."""
    pixels = np.rint(np.clip(page, 0, 1) * 255).astype(np.uint8)
    if random.random() < 0.67:
        return pixels
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=int(random.integers(40, 96)))
    return np.asarray(Image.open(file))


# Light: how much of it falls where, at most 1


def along(shape: tuple[int, int], random: Generator) -> Array:
    """Return 0 to 1 across a page in any direction."""
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    angle = random.uniform(0, 2 * np.pi)
    across = np.cos(angle) * x + np.sin(angle) * y
    return np.asarray((across - across.min()) / np.ptp(across), np.float32)


def falling(shape: tuple[int, int], random: Generator) -> Array:
    """Let the light fall to 0.5 to 0.85 from one side to the other."""
    return 1 - np.float32(1 - random.uniform(0.5, 0.85)) * along(shape, random)


def radial(shape: tuple[int, int], random: Generator) -> Array:
    """Let a lamp's light fall to 0.5 to 0.85 away from some point."""
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    away = (x - random.uniform(-1, 1)) ** 2 + (y - random.uniform(-1, 1)) ** 2
    if random.random() < 0.5:
        away = np.sqrt(away)
    return np.asarray(1 - (1 - random.uniform(0.5, 0.85)) * away / away.max(), np.float32)


def cornered(shape: tuple[int, int], random: Generator) -> Array:
    """Leave a corner dark."""
    near = along(shape, random) ** np.float32(random.uniform(2, 5))
    return 1 - np.float32(random.uniform(0.15, 0.6)) * near


def shadowed(shape: tuple[int, int], random: Generator) -> Array:
    """Throw a hand's shadow, with a hard or soft edge."""
    place, softness = random.uniform(0.2, 0.8), random.uniform(0.005, 0.15)
    edge = (1 + np.tanh((along(shape, random) - place) / (2 * softness))) / 2
    return np.asarray(1 - random.uniform(0.1, 0.45) * edge, np.float32)


def uneven(shape: tuple[int, int], random: Generator) -> Array:
    """Put light and shade in a few large patches."""
    cells = int(random.integers(2, 5))
    coarse = random.uniform(random.uniform(0.6, 0.9), 1, (cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC), np.float32)


def lit(light: Callable[..., Array], digit: Array, random: Generator) -> Bytes:
    """Return a digit on paper in bad light."""
    ink = written(digit, random)
    paper = np.float32(random.uniform(0.8, 1)) * light(size_of(ink), random)
    return as_bytes(noisy(inked(paper, ink, random), random), random)


# Crops


def cropped(times: int, digit: Array, random: Generator) -> Bytes:
    """Return a digit with 0 to 3 pixels around, of MNIST's size or larger, dark on light or light on dark."""
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    own = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    size = own.shape[1] * times, own.shape[0] * times
    ink = np.asarray(Image.fromarray(own).resize(size, Image.Resampling.BICUBIC), np.float32)
    ink = np.pad(np.clip(ink, 0, 1), int(random.integers(0, 4)))
    return np.rint(255 * (ink if random.random() < 0.5 else 1 - ink)).astype(np.uint8)


# Lines that are not ink


def drawn_over(page: Array, place: tuple[slice, ...], grey: float) -> None:
    """Draw a line, as dark as it is where it is darker than what is there."""
    page[place] = np.minimum(page[place], np.float32(grey))


def lined(page: Array, random: Generator, axes: tuple[int, ...]) -> None:
    """Draw the lines of ruled or squared paper."""
    width, grey = int(random.integers(1, 4)), int(random.integers(150, 216)) / 255
    distance = int(random.integers(26, 61))
    for axis in axes:
        for start in range(int(random.integers(0, distance)), page.shape[axis], distance):
            place = [slice(None), slice(None)]
            place[axis] = slice(start, start + width)
            drawn_over(page, tuple(place), grey)


def on_lines(axes: tuple[int, ...], digit: Array, random: Generator) -> Bytes:
    """Return a digit on ruled or squared paper; every third one in uneven light."""
    ink = written(digit, random)
    page = np.full(ink.shape, random.uniform(0.9, 1), np.float32)
    lined(page, random, axes)
    page = inked(page, ink, random)
    if random.random() < 0.33:
        page = page * falling(size_of(page), random)
    return as_bytes(noisy(page, random), random)


def boxed(digit: Array, random: Generator) -> Bytes:
    """Return a digit in a box of dark lines that it does not touch."""
    ink = large(digit, int(random.integers(90, 171)), random)
    space = [int(random.integers(8, 60)) for _ in range(4)]
    ink = np.pad(ink, (tuple(space[:2]), tuple(space[2:])))
    width, strength = int(random.integers(1, 7)), random.uniform(0.6, 1)
    inside = ink.shape
    ink = np.pad(ink, width, constant_values=strength)
    outside = [int(random.integers(0, 90)) for _ in range(4)]
    if random.random() < 0.33:  # the box is the middle one of a form's row
        cell = np.pad(np.zeros(inside, np.float32), width, constant_values=strength)
        ink = np.concatenate([cell[:, :-width], ink, cell[:, width:]], axis=1)
    ink = np.pad(ink, (tuple(outside[:2]), tuple(outside[2:])))
    return as_bytes(noisy(inked(np.full(ink.shape, 0.95, np.float32), ink, random), random), random)


def box_crossed(digit: Array, random: Generator) -> Bytes:
    """Return a digit in a box of dark lines, the upper of which it may touch or cross."""
    ink = np.pad(large(digit, int(random.integers(90, 171)), random), ((60, 60), (70, 70)))
    top, bottom, left, right = 60 + int(random.integers(0, 25)), ink.shape[0] - 40, 40, ink.shape[1] - 40
    width = int(random.integers(1, 4))
    ink[[*range(top, top + width), *range(bottom, bottom + width)], left : right + width] = 1
    ink[top:bottom, [*range(left, left + width), *range(right, right + width)]] = 1
    return as_bytes(noisy(inked(np.full(ink.shape, 0.95, np.float32), ink, random), random), random)


def underlined(digit: Array, random: Generator) -> Bytes:
    """Return a digit that stands on a rule of any darkness, which crosses the page, or lies just above it."""
    return crossed(digit, random, random.uniform(0.97, 1.15))


def struck(digit: Array, random: Generator) -> Bytes:
    """Return a digit that a rule crosses somewhere."""
    return crossed(digit, random, random.uniform(0.15, 0.9))


def crossed(digit: Array, random: Generator, place: float) -> Bytes:
    """Return a digit and a horizontal line at some part of its height, as dark as the digit or less."""
    own = large(digit, int(random.integers(90, 171)), random)
    ink = np.pad(own, ((110, 110), (int(random.integers(60, 200)), int(random.integers(60, 200)))))
    row = 110 + int(own.shape[0] * place)
    line = np.zeros_like(ink)
    line[row : row + int(random.integers(1, 4))] = random.uniform(0.3, 1)
    page = inked(np.full(ink.shape, 0.95, np.float32), np.maximum(ink, line), random)
    return as_bytes(noisy(page, random), random)


def circled(digit: Array, random: Generator) -> Bytes:
    """Return a digit with a circle drawn around it."""
    ink = large(digit, int(random.integers(90, 171)), random)
    half = np.hypot(*ink.shape) / 2 + random.uniform(6, 40)
    side = int(2 * half + random.integers(20, 120))
    page = placed(ink, (side, side), random, (side - max(ink.shape)) // 2 - 1)
    y, x = np.mgrid[:side, :side]
    rows, columns = np.flatnonzero(page.any(axis=1)), np.flatnonzero(page.any(axis=0))
    middle = (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2
    around = np.hypot((y - middle[0]) * random.uniform(0.95, 1.05), x - middle[1]) - half
    ring = np.clip(random.uniform(1, 5) - np.abs(around), 0, 1).astype(np.float32)
    page = inked(np.full(page.shape, 0.95, np.float32), np.maximum(page, ring), random)
    return as_bytes(noisy(page, random), random)


def sheet(digit: Array, random: Generator) -> Bytes:
    """Return a sheet on a dark desk that shows on one to four sides; if on all of them, it lies askew."""
    ink = written(digit, random, int(random.integers(300, 501)))
    page = inked(np.full(ink.shape, random.uniform(0.8, 1), np.float32), ink, random)
    sides = random.random(4) < random.uniform(0.3, 1)
    sides[random.integers(4)] = True
    desk = [int(random.integers(20, 130)) if side else 0 for side in sides]
    grey = random.uniform(0.05, 0.4)
    page = np.pad(page, (tuple(desk[:2]), tuple(desk[2:])), constant_values=grey)
    if sides.all():
        askew = Image.fromarray(page).rotate(random.uniform(-8, 8), Image.Resampling.BICUBIC, fillcolor=grey)
        page = np.asarray(askew)
    if random.random() < 0.33:
        page = page * falling(size_of(page), random)
    return as_bytes(noisy(page, random), random)


def canvas(digit: Array, random: Generator) -> Bytes:
    """Return a screenshot: a white or black canvas with a digit, in a page of the other colour."""
    tall, wide = (np.ptp(np.flatnonzero(digit.any(axis=axis))) + 1 for axis in (1, 0))
    height = min(int(random.integers(45, 220)), int(240 * tall / wide))
    ink = placed(large(digit, height, random), (300, 300), random)
    around = [int(random.integers(30, 200)) for _ in range(4)]
    dark = random.random() < 0.5
    page = np.pad(ink, (tuple(around[:2]), tuple(around[2:])), constant_values=1)
    return np.rint(255 * (page if dark else 1 - page)).astype(np.uint8)


KINDS: dict[str, Callable[[Array, Generator], Bytes]] = {
    "light from a side": functools.partial(lit, falling),
    "light of a lamp": functools.partial(lit, radial),
    "dark corner": functools.partial(lit, cornered),
    "shadow": functools.partial(lit, shadowed),
    "crop, size 1": functools.partial(cropped, 1),
    "crop, size 3": functools.partial(cropped, 3),
    "crop, size 9": functools.partial(cropped, 9),
    "squared paper": functools.partial(on_lines, (0, 1)),
    "ruled paper": functools.partial(on_lines, (0,)),
    "box": boxed,
    "box crossed": box_crossed,
    "rule under": underlined,
    "rule through": struck,
    "circle": circled,
    "sheet on a desk": sheet,
    "canvas in a page": canvas,
}
