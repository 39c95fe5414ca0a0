"""Writing as a person does it, with MNIST's test digits and strokes of a pen, and a photograph of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from common import Array
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from tinynet.data import load_mnist


@dataclass
class Writer:
    """How somebody writes a number: all lengths are shares of a digit's height.

    Args:
        random: where the digits come from, and how they lie.
        height: of a digit in pixels.
        gap: least and most from one digit's ink to the next one's, row by row; below 0 they overlap.
        sizes: least and most of a digit's own height.
        shift: how far digits stand above or below the line.
        slant: how far tops lean to the right.
        pen: MNIST's grey from which on there is ink: the higher, the thinner.
        broken: how wide a line without ink through each digit is.
    """

    random: Generator
    height: int = 80
    gap: tuple[float, float] = (0.12, 0.5)
    sizes: tuple[float, float] = (0.9, 1.1)
    shift: float = 0.05
    slant: float = 0.0
    pen: float = 0.5
    broken: float = 0.0
    stroke: list[float] = field(default_factory=list)  # the width of those written so far

    def digit(self, character: str) -> Array:
        """Return the ink of a digit, from 0 to 1, in its own box."""
        pixels, labels = mnist()
        chosen = self.random.choice(np.flatnonzero(labels == int(character)))
        digit = np.pad(pixels[chosen].astype(np.float32) / 255, 8)
        if self.slant:
            digit = leaning(digit, self.slant)
        height = self.height * self.random.uniform(*self.sizes)
        rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
        box = int(columns[0]) - 1, int(rows[0]) - 1, int(columns[-1]) + 2, int(rows[-1]) + 2
        scale = height / (box[3] - box[1] - 2)
        size = max(round((box[2] - box[0]) * scale), 6), max(round((box[3] - box[1]) * scale), 6)
        large = np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.BICUBIC, box))
        ink: Array = np.clip((large - self.pen) * max(scale * 0.7, 1.2) + 0.5, 0, 1).astype(np.float32)
        edges = np.abs(np.diff(ink, axis=0)).sum() + np.abs(np.diff(ink, axis=1)).sum()
        self.stroke.append(2.3 * float(ink.sum()) / max(float(edges), 1))
        if self.broken:
            ink = ink * (1 - self._torn(ink.shape))
        return trimmed(ink)

    def _torn(self, shape: tuple[int, ...]) -> Array:
        """Return a line at any angle through the middle."""
        y, x = np.mgrid[: shape[0], : shape[1]]
        angle = self.random.uniform(0, np.pi)
        middle = np.array(shape) * self.random.uniform(0.35, 0.65, 2)
        off = np.abs((y - middle[0]) * np.sin(angle) + (x - middle[1]) * np.cos(angle))
        return np.asarray(off < self.broken * self.height / 2, np.float32)

    def sign(self, character: str) -> tuple[Array, float]:
        """Return the ink of a sign, and how far its middle is above the line, in heights."""
        high, pen = self.height, max(float(np.mean(self.stroke or [0.1 * self.height])), 2.0)
        length = high * self.random.uniform(0.3, 0.6)
        tilt = self.random.uniform(-0.12, 0.12)
        if character == "-":
            return stroked([[(0, 0), (length, length * tilt)]], pen), self.random.uniform(0.4, 0.6)
        if character == "+":
            across = [(0, length * (0.5 + tilt / 2)), (length, length * (0.5 - tilt / 2))]
            down = [(length * (0.5 - tilt), 0), (length * 0.5, length * self.random.uniform(0.85, 1.15))]
            return stroked([across, down], pen), self.random.uniform(0.4, 0.6)
        if character == ".":
            size = pen * self.random.uniform(0.05, 0.5)
            return stroked([[(0, 0), (size, size / 2)]], pen * self.random.uniform(1, 1.3)), 0.05
        if character == ",":
            size = high * self.random.uniform(0.14, 0.22)
            return stroked([[(size * 0.5, 0), (size * 0.45, size * 0.5), (0, size)]], pen), -0.04
        raise ValueError(character)

    def write(self, text: str) -> Array:
        """Return the ink of one line."""
        pieces, bottoms = [], []
        for character in text:
            if character.isdigit():
                ink = self.digit(character)
                bottom = self.random.uniform(-self.shift, self.shift) * self.height
            else:
                ink, above = self.sign(character)
                bottom = ink.shape[0] / 2 - above * self.height
            pieces.append(ink)
            bottoms.append(bottom)
        top = max(ink.shape[0] - bottom for ink, bottom in zip(pieces, bottoms, strict=True))
        line = np.zeros((int(top + max(max(bottoms), 0)) + 4, 1), np.float32)
        for character, ink, bottom in zip(text, pieces, bottoms, strict=True):
            least, most = self.gap
            if not character.isdigit():
                least, most = max(least, 0.1), max(most, 0.3)
            gap = self.random.uniform(least, most) * self.height
            line = beside(line, ink, int(top + bottom) - ink.shape[0] + 2, gap)
        return trimmed(line)


def mnist() -> tuple[Array, Array]:
    """Return MNIST's test images and labels."""
    if not _mnist:
        _mnist.append(load_mnist()[1])
    return _mnist[0]


_mnist: list[tuple[Array, Array]] = []


def leaning(ink: Array, slant: float) -> Array:
    """Return ink of which the tops lean to the right."""
    image = Image.fromarray(ink)
    shear = (1, slant, -slant * ink.shape[0] / 2, 0, 1, 0)
    leant = image.transform(image.size, Image.Transform.AFFINE, shear, Image.Resampling.BICUBIC)
    return np.asarray(np.clip(np.asarray(leant), 0, 1), np.float32)


def turned(ink: Array, degrees: float) -> Array:
    """Return ink that goes uphill."""
    grown = Image.fromarray((ink * 255).astype(np.uint8)).rotate(degrees, Image.Resampling.BICUBIC, True)
    return np.asarray(grown, np.float32) / 255


def trimmed(ink: Array) -> Array:
    """Return ink without the empty rows and columns around it."""
    rows, columns = np.flatnonzero((ink > 0.3).any(axis=1)), np.flatnonzero((ink > 0.3).any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def stroked(strokes: list[list[tuple[float, float]]], pen: float) -> Array:
    """Return the ink of strokes with round ends."""
    points = [point for stroke in strokes for point in stroke]
    left, top = (min(point[axis] for point in points) - pen for axis in (0, 1))
    right, bottom = (max(point[axis] for point in points) + pen for axis in (0, 1))
    fine = 4
    image = Image.new("L", (int((right - left) * fine), int((bottom - top) * fine)))
    draw = ImageDraw.Draw(image)
    for stroke in strokes:
        moved = [((x - left) * fine, (y - top) * fine) for x, y in stroke]
        draw.line(moved, 255, max(round(pen * fine), 1), "curve")
        for x, y in moved:
            radius = pen * fine / 2
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    return trimmed(np.asarray(image.reduce(fine), np.float32) / 255)


def beside(line: Array, ink: Array, top: int, gap: float) -> Array:
    """Return a line with more ink to its right, so far away from it where they are closest."""
    height = max(line.shape[0], top + ink.shape[0])
    near = np.pad(line, ((0, height - line.shape[0]), (0, 0)))
    used = near > 0.3
    ends = np.where(used.any(axis=1), line.shape[1] - used[:, ::-1].argmax(axis=1), -(10**6))
    rows = slice(top, top + ink.shape[0])
    starts = np.where((ink > 0.3).any(axis=1), (ink > 0.3).argmax(axis=1), 10**6)
    reach = 2 * max(int(abs(gap)), 1)  # what is closest need not be in the same row
    widened = np.array([ends[rows][max(i - reach, 0) : i + reach + 1].max() for i in range(len(starts))])
    left = max(int((widened - starts).max() + gap), 0) if used.any() else 0
    row = np.zeros((height, max(line.shape[1], left + ink.shape[1])), np.float32)
    row[:, : near.shape[1]] = near
    place = row[rows, left : left + ink.shape[1]]
    np.maximum(place, ink, out=place)
    return row


def below(first: Array, second: Array, gap: float, indent: int) -> Array:
    """Return two lines, one below the other."""
    lines = [np.pad(first, ((0, 0), (max(-indent, 0), 0))), np.pad(second, ((0, 0), (max(indent, 0), 0)))]
    width = max(line.shape[1] for line in lines)
    lines = [np.pad(line, ((0, 0), (0, width - line.shape[1]))) for line in lines]
    return np.concatenate([lines[0], np.zeros((max(int(gap), 1), width), np.float32), lines[1]])


def photographed(ink: Array, random: Generator) -> Array:
    """Return a picture of ink on paper, a drawing or a photograph in fair light: (H, W) uint8."""
    margin = [int(random.uniform(0.15, 0.9) * 80) for _ in range(4)]
    ink = np.pad(ink, (margin[:2], margin[2:]))
    drawing = random.random() < 0.5
    paper = np.full(ink.shape, 1.0 if drawing else random.uniform(0.75, 0.95), np.float32)
    if not drawing:
        y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in ink.shape), indexing="ij")
        angle = random.uniform(0, 2 * np.pi)
        paper *= 1 - random.uniform(0, 0.15) * (1 + np.cos(angle) * x + np.sin(angle) * y) / 2
    picture = paper * (1 - (1.0 if drawing else random.uniform(0.6, 0.9)) * ink)
    if not drawing:
        blur = ImageFilter.GaussianBlur(random.uniform(0.3, 1.5))
        picture = np.asarray(Image.fromarray((picture * 255).astype(np.uint8)).filter(blur)) / 255
        picture = picture + random.uniform(0.005, 0.02) * random.normal(size=picture.shape)
    if random.random() < 0.2:
        picture = 1 - picture
    return (np.clip(picture, 0, 1) * 255).astype(np.uint8)
