"""Pictures of digits as people make them, drawn here: no data file and no network.

A page is a float array (H, W, 3) from 0 to 1. `draw` writes a number on paper; the functions after it do to a
page what light, paper and cameras do; `image`, `grey` and `encoded` turn it into what a caller has.
"""

from __future__ import annotations

import io
import itertools
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WHITE, BLACK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
CREAM, BLUE = (0.96, 0.93, 0.82), (0.12, 0.2, 0.6)
RED, BOARD, CHALK = (0.85, 0.1, 0.1), (0.13, 0.22, 0.18), (0.93, 0.94, 0.9)


def arc(x, y, width, height, first, last, points=40):
    """The points of an ellipse's arc around (x, y); degrees run clockwise from the right."""
    angles = [math.radians(first + (last - first) * i / points) for i in range(points + 1)]
    return [(x + width / 2 * math.cos(a), y + height / 2 * math.sin(a)) for a in angles]


# The strokes of each digit and sign, in a box of height 1; y points down.
STROKES = {
    0: [arc(0.32, 0.5, 0.62, 1.0, -90, 270)],
    1: [[(0.08, 0.0), (0.06, 1.0)]],
    2: [[*arc(0.3, 0.29, 0.56, 0.58, -165, 35), (0.02, 1.0), (0.64, 1.0)]],
    3: [[*arc(0.28, 0.26, 0.5, 0.52, -155, 90), *arc(0.28, 0.75, 0.6, 0.5, -90, 150)]],
    4: [[(0.2, 0.0), (0.02, 0.6), (0.66, 0.6)], [(0.5, 0.12), (0.46, 1.0)]],
    5: [[(0.14, 0.03), (0.1, 0.45), *arc(0.28, 0.69, 0.6, 0.62, -115, 140)], [(0.14, 0.03), (0.6, 0.0)]],
    6: [[(0.46, 0.0), (0.2, 0.3), *arc(0.32, 0.7, 0.56, 0.58, -180, 190)]],
    7: [[(0.0, 0.02), (0.6, 0.0), (0.22, 1.0)]],
    8: [arc(0.3, 0.25, 0.5, 0.5, 90, 450) + arc(0.3, 0.74, 0.6, 0.5, -90, 270)],
    9: [[*arc(0.3, 0.28, 0.52, 0.54, 0, -360), (0.56, 0.3), (0.5, 1.0)]],
    "-": [[(0.0, 0.52), (0.4, 0.5)]],
    "+": [[(0.0, 0.5), (0.5, 0.5)], [(0.25, 0.25), (0.25, 0.75)]],
    "=": [[(0.0, 0.4), (0.5, 0.4)], [(0.0, 0.65), (0.5, 0.65)]],
    ".": [[(0.0, 1.0), (0.02, 1.0)]],
    ",": [[(0.06, 0.95), (0.0, 1.15)]],
    "E": [[(0.5, 0.0), (0.0, 0.0), (0.0, 1.0), (0.5, 1.0)], [(0.0, 0.48), (0.4, 0.48)]],
}


def width_of(digit):
    """How wide a digit or sign is, of its height."""
    return max(x for stroke in STROKES[digit] for x, _ in stroke)


def draw(
    number,
    height=120,
    pen=10,
    page=None,
    centre=(0.5, 0.5),
    ink=BLACK,
    paper=WHITE,
    gap=0.45,
    slant=0.0,
    breaks=0,
):
    """Write a number's digits on a page.

    Args:
        number: an integer, or its text where it starts with 0 or has signs.
        height: of a digit in pixels, pen not counted.
        pen: the width of a stroke in pixels.
        page: (height, width) of the paper; default: half a digit's height around.
        centre: where the number's middle lies, as parts of the page.
        ink, paper: their colours.
        gap: from one digit to the next, of the height; below 0 they overlap.
        slant: how far the top leans to the right, of the height.
        breaks: so many pixels are missing in the middle of each stroke.
    """
    digits = [int(character) if character.isdigit() else character for character in str(number)]
    total = sum(width_of(digit) for digit in digits) + gap * (len(digits) - 1)
    if page is None:
        page = round(2 * height + pen), round((total + 1) * height + pen)
    fine = 3 if max(page) <= 700 else 1  # drawn larger, then reduced: grey edges
    mask = Image.new("L", (page[1] * fine, page[0] * fine))
    pencil = ImageDraw.Draw(mask)
    left, top = page[1] * centre[0] - total * height / 2, page[0] * centre[1] - height / 2
    for digit in digits:
        for stroke in STROKES[digit]:
            points = [(left + (x + slant * (0.5 - y)) * height, top + y * height) for x, y in stroke]
            for part in halves(points, breaks) if breaks else [points]:
                line(pencil, [(x * fine, y * fine) for x, y in part], pen * fine)
        left += (width_of(digit) + gap) * height
    amount = np.asarray(mask.resize(page[::-1], Image.Resampling.BOX), np.float32)[..., None] / 255
    return np.float32(paper) * (1 - amount) + np.float32(ink) * amount


def line(pencil, points, pen):
    """Draw a line with round ends and corners."""
    pencil.line(points, 255, max(round(pen), 1), "curve")
    for x, y in points:
        pencil.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), 255)


def halves(points, gap):
    """Return a line's two halves, which end `gap` pixels from each other."""
    fine = [
        (a[0] + (b[0] - a[0]) * i / 50, a[1] + (b[1] - a[1]) * i / 50)
        for a, b in itertools.pairwise(points)
        for i in range(50)
    ]
    lengths = np.cumsum([0.0, *(math.dist(a, b) for a, b in itertools.pairwise(fine))])
    before, after = lengths[-1] / 2 - gap / 2, lengths[-1] / 2 + gap / 2
    return (
        [point for point, length in zip(fine, lengths, strict=True) if length <= before],
        [point for point, length in zip(fine, lengths, strict=True) if length >= after],
    )


def places(page):
    """The rows and columns of a page from 0 to 1."""
    return np.ogrid[0 : 1 : page.shape[0] * 1j, 0 : 1 : page.shape[1] * 1j]


def gradient(page, least=0.5):
    """Light from a side: the page gets darker from one corner to the opposite one."""
    y, x = places(page)
    return (page * (1 - (1 - least) * (y + 2 * x) / 3)[..., None]).astype(np.float32)


def shadow(page, depth=0.4, softness=0.06):
    """A hand's or phone's shadow with a soft edge, over a part of the page."""
    y, x = places(page)
    dark = (1 + np.tanh((x + 0.5 * y - 0.75) / (2 * softness))) / 2
    return (page * (1 - depth * dark)[..., None]).astype(np.float32)


def ruled(page, distance, colour=(0.7, 0.75, 0.85), across=False, width=1):
    """Lined paper, squared if `across`; the ink stays in front."""
    page = page.copy()
    for start in range(width):
        rows = page[distance // 2 + start :: distance]
        np.minimum(rows, np.float32(colour), out=rows)
        if across:
            columns = page[:, distance // 2 + start :: distance]
            np.minimum(columns, np.float32(colour), out=columns)
    return page


def noisy(page, strength=0.03, seed=0):
    """A camera's noise."""
    noise = np.random.default_rng(seed).normal(0, strength, page.shape)
    return np.clip(page + noise, 0, 1).astype(np.float32)


def blurred(page, radius=2.0):
    """Out of focus."""
    return np.asarray(image(page).filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255


def framed(page, colour=BLACK, width=3):
    """A frame along the page's border."""
    page = page.copy()
    for rows in (page[:width], page[-width:], page[:, :width], page[:, -width:]):
        rows[...] = np.float32(colour)
    return page


def specked(page, colour=BLACK, count=12, size=2, seed=0):
    """Dust."""
    page, random = page.copy(), np.random.default_rng(seed)
    for y, x in random.random((count, 2)):
        top, left = int(y * (page.shape[0] - size)), int(x * (page.shape[1] - size))
        page[top : top + size, left : left + size] = np.float32(colour)
    return page


def grey(page):
    """The page as (H, W) from 0 to 1."""
    return np.ascontiguousarray(page.mean(axis=2), np.float32)


def as_bytes(page):
    """The page as (H, W, 3) from 0 to 255."""
    return (np.clip(page, 0, 1) * 255 + 0.5).astype(np.uint8)


def image(page):
    """The page as a PIL image."""
    return Image.fromarray(as_bytes(page))


def encoded(picture, kind="PNG", **options):
    """The bytes of a file that shows a page or a PIL image."""
    if isinstance(picture, np.ndarray):
        picture = image(picture)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def joined_strokes(distance=40, strokes=3, height=60):
    """Return the ink of upright strokes that a thin line joins."""
    ink = np.zeros((height, distance * strokes + 20), np.float32)
    for i in range(strokes):
        ink[5 : height - 5, 10 + distance * i : 18 + distance * i] = 1
    ink[height // 2 : height // 2 + 2, 10 : 18 + distance * (strokes - 1)] = 1
    return ink
