"""Make pictures such as people take, of MNIST's digits and of what is no digit.

A digit is redrawn large with a pen of some width, put on paper with a shadow, ruled lines or none, and
photographed: blurred, noisy, compressed. The chain of `tinynet.images` then makes 28×28 of it again, so that
a network is trained on what it will see.
"""

from __future__ import annotations

import io

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from tinynet import images, kernels

Picture = NDArray[np.float32]  # (H, W) from 0 to 1

FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral", "cmr10", "cmmi10")
WITH_GREEK = 4  # of them, the first ones
# None of these is like a digit.
LATIN = "ACEFHJKMNPRTUVWXYabdefhkmnprtuvwxy#&@?!%+=*{}<>"
GREEK = "αβγδεθλμπσφψωΓΔΘΛΞΠΣΦΨΩ"


def redrawn(digit: Picture, random: Generator) -> Picture:
    """Return an MNIST image of 28×28 as the ink of 30 to 120 pixels, drawn with another pen."""
    digit = np.pad(digit, 2)
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    box = columns[0] - 1, rows[0] - 1, columns[-1] + 2, rows[-1] + 2
    side = int(30 * 4 ** random.random())
    scale = side / max(box[2] - box[0], box[3] - box[1])
    size = max(round((box[2] - box[0]) * scale), 8), max(round((box[3] - box[1]) * scale), 8)
    image = Image.fromarray(digit).resize(size, Image.Resampling.BICUBIC, box)
    level = random.uniform(0.3, 0.7)  # of MNIST's grey: the higher, the thinner the pen
    ink = np.asarray(np.clip((np.asarray(image) - level) * scale * 0.7 + 0.5, 0, 1), np.float32)
    if random.random() < 0.5:
        ink = wider(ink, random.uniform(0, 0.02) * side)
    return ink


def wider(ink: Picture, radius: float) -> Picture:
    """Return strokes that are wider by a radius."""
    framed = np.pad(ink, int(radius) + 2)
    result = np.empty_like(framed)
    kernels.picture.widen(framed, result, radius)
    return result


def smooth_noise(shape: tuple[int, int], cells: float, random: Generator) -> Picture:
    """Return random values about 0 that vary over so many cells a side."""
    coarse = random.normal(size=(max(int(cells), 2), max(int(cells), 2))).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC), np.float32)


def photographed(ink: Picture, random: Generator) -> NDArray[np.uint8]:
    """Return a picture of ink on paper: its margins, its shadows, its lines, and the camera's faults."""
    height, width = ink.shape
    margin = [int(max(height, width) * random.choice([0.03, 0.15, 0.6]) * random.random()) for _ in range(4)]
    ink = np.pad(ink, (margin[:2], margin[2:]))
    shape = ink.shape
    paper = np.full(shape, random.uniform(0.6, 1.0), np.float32)
    clean = random.random() < 0.35  # a drawing on a screen
    if not clean:
        y, x = np.meshgrid(np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1]), indexing="ij")
        angle = random.uniform(0, 2 * np.pi)
        across = (np.cos(angle) * x + np.sin(angle) * y).astype(np.float32)
        paper *= 1 - random.uniform(0, 0.35) * (across + 1) / 2
        if random.random() < 0.5:  # a shadow with a soft edge
            edge = np.clip((across + random.uniform(-1, 1)) * random.uniform(2, 10), 0, 1)
            paper *= 1 - random.uniform(0.1, 0.45) * edge
        paper *= 1 + random.uniform(0, 0.03) * smooth_noise(shape, max(shape) / random.uniform(2, 20), random)
        if random.random() < 0.25:
            paper = ruled(paper, random)
    strength = random.uniform(0.45, 1.0) * (1 + 0.15 * smooth_noise(shape, 8, random) * (not clean))
    picture = paper * (1 - np.clip(strength, 0.3, 1) * ink)
    if not clean:
        blurred = ImageFilter.GaussianBlur(random.uniform(0, 0.012) * max(shape))
        picture = np.asarray(Image.fromarray((picture * 255).astype(np.uint8)).filter(blurred)) / 255
        picture = picture + random.uniform(0, 0.03) * random.normal(size=shape)
    if random.random() < 0.3:
        picture = 1 - picture
    pixels = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return compressed(pixels, int(random.integers(25, 96))) if random.random() < 0.5 else pixels


def ruled(paper: Picture, random: Generator) -> Picture:
    """Return paper with lines, or a grid, fainter than the ink."""
    lined = paper.copy()
    step = int(max(8, max(paper.shape) * random.uniform(0.12, 0.4)))
    thick, strength = max(1, max(paper.shape) // 120), random.uniform(0.05, 0.25)
    for axis in range(int(random.integers(1, 3))):
        for start in range(int(random.integers(0, step)), paper.shape[axis], step):
            place = [slice(None), slice(None)]
            place[axis] = slice(start, start + thick)
            lined[tuple(place)] *= 1 - strength
    return lined


def compressed(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return a picture as JPEG leaves it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def seen(ink: Picture, random: Generator) -> Picture | None:
    """Return what the network sees of a photographed digit, or None if it is not one shape."""
    found = images.see(np.asarray(photographed(ink, random), np.float32) / np.float32(255))
    return found.pixels if found.digits == 1 else None


def drawn(random: Generator) -> tuple[Picture, int]:
    """Return the ink of a digit as MNIST's writers hardly wrote it, and the digit.

    They are a 1 with a long upstroke, a 7 with a bar across, and a 0 with a slash through.
    """
    digit = int(random.choice([1, 1, 7, 0]))
    slant, bend = random.uniform(-0.25, 0.35), random.uniform(-0.05, 0.05)
    if digit == 1:
        angle, length = np.radians(random.uniform(25, 65)), random.uniform(0.2, 0.6)
        strokes = [
            [
                (-length * np.sin(angle), length * np.cos(angle)),
                (bend, length / 3),
                (0, 0),
                (bend, 0.5),
                (0, 1),
            ]
        ]
        if random.random() < 0.3:
            strokes.append([(-random.uniform(0.1, 0.35), 1), (random.uniform(0.1, 0.35), 1 + bend)])
    elif digit == 7:
        width, foot = random.uniform(0.4, 0.8), random.uniform(0, 0.3)
        strokes = [[(0, bend), (width, 0), (foot + width / 3 + bend, 0.5), (foot, 1)]]
        if random.random() < 0.7:
            middle, half = foot + (width - foot) * 0.5, random.uniform(0.12, 0.3)
            strokes.append([(middle - half, 0.5 + bend), (middle + half, 0.5 - bend)])
    else:
        around = np.linspace(0, 2 * np.pi, 40)
        width = random.uniform(0.25, 0.45)
        strokes = [list(zip(width * np.sin(around), 0.5 - 0.5 * np.cos(around), strict=True))]
        strokes.append([(-width * random.uniform(0.5, 1.1), 0.85), (width * random.uniform(0.5, 1.1), 0.15)])
    side = int(30 * 4 ** random.random())
    pen = max(1, round(side * random.uniform(0.02, 0.14)))
    points = [
        [
            ((x - slant * (y - 0.5) + random.normal() * 0.015) * side, (y + random.normal() * 0.01) * side)
            for x, y in stroke
        ]
        for stroke in strokes
    ]
    low = np.min([point for stroke in points for point in stroke], axis=0) - pen - 1
    high = np.max([point for stroke in points for point in stroke], axis=0) + pen + 1
    fine = 4  # drawn larger and made smaller, for smooth edges
    image = Image.new("L", (int((high[0] - low[0]) * fine), int((high[1] - low[1]) * fine)))
    draw = ImageDraw.Draw(image)
    for stroke in points:
        moved = [((x - low[0]) * fine, (y - low[1]) * fine) for x, y in stroke]
        draw.line(moved, fill=255, width=pen * fine, joint="curve")
        for x, y in moved:
            draw.circle((x, y), pen * fine / 2, fill=255)
    return np.asarray(image.reduce(fine), np.float32) / np.float32(255), digit


def letter(random: Generator) -> Picture:
    """Return the ink of a letter or sign that is no digit, slanted and bent."""
    letters, fonts = (LATIN, FONTS) if random.random() < 0.6 else (GREEK, FONTS[:WITH_GREEK])
    font = FontProperties(family=str(random.choice(fonts)))
    outline = TextPath((0, 0), str(random.choice(list(letters))), size=100, prop=font)
    polygons = Outline(outline.vertices, outline.codes).to_polygons()
    slant, angle = random.uniform(-0.3, 0.4), np.radians(random.uniform(-15, 15))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = turn @ np.array([[1, slant], [0, -1]])
    points = [polygon @ turn.T for polygon in polygons]
    low, high = np.min([p.min(0) for p in points], axis=0), np.max([p.max(0) for p in points], axis=0)
    bend = random.uniform(-6, 6), random.uniform(0.02, 0.06)
    image = Image.new("L", (int(high[0] - low[0]) + 20, int(high[1] - low[1]) + 20))
    for polygon in points:
        moved = polygon - low + 10
        moved[:, 0] += bend[0] * np.sin(moved[:, 1] * bend[1])
        mask = Image.new("L", image.size)
        ImageDraw.Draw(mask).polygon([tuple(point) for point in moved], fill=255)
        image.paste(Image.fromarray(np.asarray(image) ^ np.asarray(mask)))  # a hole is inside of its outline
    return np.asarray(image, np.float32) / np.float32(255)


def scribble(random: Generator) -> Picture:
    """Return the ink of a few random strokes."""
    image = Image.new("L", (100, 100))
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(2, 6))):
        walk = np.cumsum(random.normal(size=(40, 2)), axis=0)
        for _ in range(3):
            walk = (walk[:-1] + walk[1:]) / 2
        walk = 10 + 80 * (walk - walk.min(0)) / np.maximum(np.ptp(walk, axis=0), 1) * random.uniform(0.4, 1)
        draw.line([tuple(point) for point in walk], fill=255, width=int(random.integers(3, 9)), joint="curve")
    return np.asarray(image, np.float32) / np.float32(255)


def blob(random: Generator) -> Picture:
    """Return the ink of a shape that nobody wrote: a filled outline, or half-tones such as a photo's."""
    noise = smooth_noise((100, 100), random.uniform(3, 8), random)
    y, x = np.meshgrid(np.linspace(-1, 1, 100), np.linspace(-1, 1, 100), indexing="ij")
    inside = np.clip((1 - (x**2 + y**2) * random.uniform(1.1, 2) + 0.7 * noise) * 8, 0, 1)
    return np.asarray(inside, np.float32)


def joined(first: Picture, second: Picture, random: Generator) -> Picture:
    """Return the ink of two MNIST digits that touch."""
    a, b = first[:, first.any(axis=0)], second[:, second.any(axis=0)]
    overlap = int(random.integers(1, 5))
    both = np.zeros((28, a.shape[1] + b.shape[1] - overlap), np.float32)
    both[:, : a.shape[1]] = a
    both[:, a.shape[1] - overlap :] = np.maximum(both[:, a.shape[1] - overlap :], b)
    return redrawn(np.pad(both, 2), random)


def no_digit(first: Picture, second: Picture, random: Generator) -> Picture:
    """Return the ink of something that is no digit.

    Args:
        first, second: (28, 28) MNIST images, to make it of; the first shows 2, 3, 4 or 5, which are none when
            they lie on their side.
        random: where it comes from.
    """
    kind = random.integers(6)
    if kind < 2:
        return letter(random)
    if kind == 2:
        return scribble(random)
    if kind == 3:
        return blob(random)
    if kind == 4:
        return joined(first, second, random)
    return redrawn(np.rot90(first, random.choice([1, 3])).copy(), random)
