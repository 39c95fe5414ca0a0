"""A shadow that falls into a picture is no digit; what is written up to the border is one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from tinynet import predict_image, read_number
from tinynet.images.shadows import without_shadows


def shaded(seed):
    """A page with nothing on it, into which a thing out of sight throws a shadow, with soft edges."""
    random = np.random.default_rng(seed)
    height, width = (int(size) for size in random.integers(60, 500, 2))
    shadow = Image.new("L", (width, height), 0)
    corners = [
        (random.uniform(-0.3, 1.3) * width, random.uniform(-0.3, 1.3) * height)
        for _ in range(random.integers(3, 6))
    ]
    ImageDraw.Draw(shadow).polygon(corners, fill=255)
    shadow = shadow.filter(ImageFilter.GaussianBlur(random.uniform(0.02, 0.15) * min(height, width)))
    light = 1 - random.uniform(0, 0.3) * np.linspace(0, 1, width)
    page = random.uniform(120, 250) * light * (1 - random.uniform(0.1, 0.5) * np.asarray(shadow) / 255)
    return np.clip(page + random.normal(0, random.uniform(0, 6), (height, width)), 0, 255).astype(np.uint8)


def test_pages_with_shadows_are_blank():
    taken = [
        seed
        for seed in range(60)
        if (reading := predict_image(shaded(seed))).is_digit or reading.confidence > 0.6
    ]
    assert taken == []
    assert [seed for seed in range(60) if read_number(shaded(seed)).confidence > 0.6] == []


@pytest.mark.parametrize("pen", [0, 60, 105])
@pytest.mark.parametrize("paper", [240, 255])
def test_what_is_written_up_to_the_border_is_read(pen, paper):
    page = np.full((120, 100), paper, np.uint8)
    page[:90, 45:57] = pen
    reading = predict_image(page)
    assert (reading.digit, reading.is_digit) == (1, True)


def test_only_faint_parts_at_the_border_go():
    paper = np.ones((30, 40), np.float32)
    paper[0:9, 2:4], paper[0:9, 10:12], paper[12:20, 20:22] = 0.7, 0.3, 0.7
    ink = (paper < 1).astype(np.float32)
    left = without_shadows(ink, paper)
    assert left.dtype == np.float32
    assert not left[:, :8].any()
    np.testing.assert_array_equal(left[:, 8:], ink[:, 8:])
    dark = np.float32(1) - paper  # light ink
    assert not without_shadows(ink, 0.5 + dark / 2)[:, :8].any()


def test_a_picture_of_grain_alone_is_blank():
    ink = np.zeros((50, 50), np.float32)
    ink[4:8, 7:9] = ink[20, 30:34] = 1
    assert not without_shadows(ink, 1 - ink).any()
    ink[30:35, 9] = 1
    np.testing.assert_array_equal(without_shadows(ink, 1 - ink), ink)
