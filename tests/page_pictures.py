"""Pictures of digits for the page's tests: in files, and as strokes for a pen."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

STROKES = {  # of pictures 200 pixels wide and high
    "0": [
        (100, 40),
        (65, 60),
        (50, 100),
        (65, 140),
        (100, 160),
        (135, 140),
        (150, 100),
        (135, 60),
        (100, 40),
    ],
    "1": [(100, 40), (100, 160)],
    "7": [(55, 45), (140, 45), (90, 160)],
}


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def drawn(digit, size=200, ink="black", paper="white"):
    """A PNG of a digit in strokes."""
    image = Image.new("RGB", (size, size), paper)
    points = [(x * size / 200, y * size / 200) for x, y in STROKES[digit]]
    ImageDraw.Draw(image).line(points, ink, width=size // 14, joint="curve")
    return png(image)
