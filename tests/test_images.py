"""From anybody's picture to 28×28 pixels: all files, arrays, light and paper, and what is no picture."""

from __future__ import annotations

import array
import functools
import io
import itertools
import os
import struct
import threading
import time
import tracemalloc
import warnings
import zlib
from pathlib import Path

import drawings
import numpy as np
import PIL
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from tinynet import images
from tinynet.images import ImageError, find_digits, find_ink, fit, open_picture, see

since_pillow_13 = pytest.mark.skipif(
    int(PIL.__version__.split(".")[0]) < 13, reason="older Pillows refuse such files"
)
PAGE = drawings.draw(3, height=60, pen=7)
GREY = drawings.grey(PAGE)


def opened(picture):
    """Open a picture, and check what is promised of each: no warning, and float32 from 0 to 1."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        brightness = open_picture(picture)
    assert [str(warning.message) for warning in caught] == []
    assert brightness.dtype == np.float32
    assert brightness.ndim == 2
    assert brightness.flags.c_contiguous
    assert 1 <= max(brightness.shape) <= images.LARGEST
    assert brightness.min() >= 0
    assert brightness.max() <= 1
    return brightness


def refused(picture, kind=ImageError):
    """Open a picture that is none: one clear error, no warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises((ImageError, FileNotFoundError)) as info:
            open_picture(picture)
    assert info.type is kind
    assert [str(warning.message) for warning in caught] == []
    message = str(info.value)
    assert message[0].isupper()
    assert message.endswith((".", ")."))
    assert "\n" not in message
    return message


def assert_same_digit(brightness, expected=GREY, atol=0.02):
    """Check that two pictures of a size show the same strokes, perhaps in other colours or lighter."""
    assert brightness.shape == expected.shape
    ink, wanted = find_ink(brightness) > 0.5, find_ink(expected) > 0.5
    assert wanted.any()
    assert (ink != wanted).sum() <= atol * wanted.sum()


def masks_differ(page, other):
    """Of the ink's pixels in a page, the share that differs in another page; grey, or (H, W, 3)."""
    ink, others = (find_ink(p if p.ndim == 2 else drawings.grey(p)) > 0.5 for p in (page, other))
    return (ink != others).sum() / ink.sum()


def image(mode):
    """PAGE as a PIL image of a mode."""
    grey = drawings.image(PAGE).convert("L")
    if mode == "1":
        return grey.point(lambda value: 255 * (value > 127)).convert("1")
    if mode in ("I;16", "I;16B", "I", "F"):
        scale, dtype = {
            "F": (1, "<f4"),
            "I": (65535, "<i4"),
            "I;16": (65535, "<u2"),
            "I;16B": (65535, ">u2"),
        }[mode]
        size = GREY.shape[::-1]
        return Image.frombytes(mode, size, (GREY * scale).astype(dtype).tobytes())
    if mode == "LAB":
        return Image.merge("LAB", [grey, Image.new("L", grey.size, 128), Image.new("L", grey.size, 128)])
    if mode in ("PA", "La"):
        return grey.convert("P" if mode == "PA" else "LA").convert(mode)
    if mode == "RGBa":
        return grey.convert("RGBA").convert("RGBa")
    return drawings.image(PAGE).convert(mode)


# Files

FILES = [
    ("PNG", {}),
    ("JPEG", {"quality": 90}),
    ("JPEG", {"progressive": True, "optimize": True}),
    ("MPO", {}),
    ("GIF", {}),
    ("BMP", {}),
    ("DIB", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("AVIF", {}),
    ("PPM", {}),
    ("ICO", {"sizes": [GREY.shape[::-1]]}),
    ("JPEG2000", {}),
    ("TGA", {}),
    ("TGA", {"compression": "tga_rle"}),
]
CODECS = {"AVIF": "avif", "WEBP": "webp", "JPEG2000": "jpg_2000", "JPEG": "jpg", "MPO": "jpg"}


def file_of(kind, **options):
    if kind in CODECS and not features.check(CODECS[kind]):
        pytest.skip(f"this Pillow does not write {kind}")
    if kind == "TIFF" and options and not features.check("libtiff"):
        pytest.skip("this Pillow does not write compressed TIFF")
    return drawings.encoded(PAGE, kind, **options)


def test_every_claimed_format_is_tested():
    assert set(images.FORMATS) <= {kind for kind, _ in FILES}


@pytest.mark.parametrize(("kind", "options"), FILES, ids=map(str, FILES))
def test_every_format_is_read(kind, options):
    content = file_of(kind, **options)
    lossless = kind not in ("JPEG", "MPO", "AVIF", "JPEG2000") and (kind != "WEBP" or options)
    brightness = opened(content)
    if lossless:
        np.testing.assert_allclose(brightness, GREY, atol=0.01)
    assert_same_digit(brightness, atol=0 if lossless else 0.03)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "1"),
        ("PNG", "L"),
        ("PNG", "LA"),
        ("PNG", "P"),
        ("PNG", "I;16"),
        ("PNG", "RGBA"),
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("GIF", "P"),
        ("GIF", "1"),
        ("PPM", "1"),
        ("PPM", "L"),
        ("PPM", "I;16"),
        ("BMP", "1"),
        ("BMP", "P"),
        ("TIFF", "1"),
        ("TIFF", "I;16"),
        ("TIFF", "I;16B"),
        ("TIFF", "I"),
        ("TIFF", "F"),
        ("TIFF", "CMYK"),
        pytest.param("TIFF", "YCbCr", marks=since_pillow_13),
        ("TIFF", "LAB"),
        ("WEBP", "RGBA"),
        ("TGA", "LA"),
    ],
)
def test_formats_are_read_in_their_modes(kind, mode):
    if kind in CODECS and not features.check(CODECS[kind]):
        pytest.skip(f"this Pillow does not write {kind}")
    assert_same_digit(opened(drawings.encoded(image(mode), kind)), atol=0.03)


def test_all_kinds_of_sources_are_the_same_picture(tmp_path):
    content = drawings.encoded(PAGE)
    path = tmp_path / "drawing of a 3.png"
    path.write_bytes(content)

    class Named:
        def __fspath__(self):
            return str(path)

    class Downloaded:
        def read(self):
            return content

    sources = [
        path,
        str(path),
        Named(),
        content,
        bytearray(content),
        memoryview(content),
        io.BytesIO(content),
    ]
    sources += [Downloaded(), Image.open(path), drawings.as_bytes(PAGE)]
    expected = opened(sources[0])
    np.testing.assert_allclose(expected, GREY, atol=0.01)
    for source in sources:
        np.testing.assert_array_equal(opened(source), expected)
    with path.open("rb") as file:
        np.testing.assert_array_equal(opened(file), expected)
        assert not file.closed


def test_the_name_of_a_file_does_not_matter(tmp_path):
    path = tmp_path / "picture.gif"
    path.write_bytes(drawings.encoded(PAGE, "PNG"))
    assert_same_digit(opened(path), atol=0)


def test_an_animation_s_first_frame_is_read():
    other = drawings.image(drawings.draw(8, height=60, pen=7))
    content = drawings.encoded(drawings.image(PAGE), "GIF", save_all=True, append_images=[other])
    assert_same_digit(opened(content), atol=0)


def test_an_animated_png_s_first_frame_is_read():
    other = drawings.image(1 - PAGE)
    content = drawings.encoded(drawings.image(PAGE), "PNG", save_all=True, append_images=[other])
    np.testing.assert_array_equal(opened(content), opened(drawings.encoded(PAGE)))


def test_sixteen_bit_pngs_keep_their_depth():
    deep = (GREY * 65535).astype(np.uint16)
    np.testing.assert_allclose(opened(drawings.encoded(Image.fromarray(deep))), GREY, atol=1e-4)


def test_an_almost_black_sixteen_bit_picture_is_almost_black():
    dark = np.random.default_rng(0).integers(0, 200, (60, 50)).astype(np.uint16)
    assert opened(drawings.encoded(Image.fromarray(dark))).max() < 0.01


# PIL images

MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV", "LAB"]
DEEP_MODES = ["I;16", "I;16B", "I", "F"]


@pytest.mark.parametrize("mode", MODES + DEEP_MODES)
def test_pil_images_of_every_mode(mode):
    assert_same_digit(opened(image(mode)), atol=0.03)


@pytest.mark.parametrize("mode", MODES + DEEP_MODES)
def test_large_pil_images_of_every_mode_are_reduced(mode):
    large = image(mode).resize((images.LARGEST - 100, images.LARGEST + 100), Image.Resampling.NEAREST)
    brightness = opened(large)
    assert 0.5 * images.LARGEST <= brightness.shape[0] <= images.LARGEST
    small = np.asarray(Image.fromarray(brightness).resize(GREY.shape[::-1], Image.Resampling.BOX))
    assert_same_digit(small, atol=0.1)


def test_pil_images_of_premultiplied_grey():
    assert_same_digit(opened(image("La")))


@pytest.mark.parametrize("mode", [*MODES, *DEEP_MODES])
def test_a_caller_s_image_stays_as_it_is(mode):
    picture = image(mode)
    picture.info["title"] = "three"
    before = picture.mode, picture.size, picture.tobytes(), dict(picture.info), picture.getpalette()
    opened(picture)
    assert (picture.mode, picture.size, picture.tobytes(), dict(picture.info), picture.getpalette()) == before


def test_a_caller_s_unread_jpeg_keeps_its_size():
    page = drawings.image(PAGE).resize((1700, 2000))
    content = drawings.encoded(page, "JPEG")
    picture, other = Image.open(io.BytesIO(content)), Image.open(io.BytesIO(content))
    opened(picture)
    assert picture.size == (1700, 2000)
    np.testing.assert_array_equal(np.asarray(picture), np.asarray(other))


def test_a_caller_s_unread_image_can_be_used_afterwards():
    picture = Image.open(io.BytesIO(drawings.encoded(PAGE)))
    opened(picture)
    np.testing.assert_array_equal(np.asarray(picture), drawings.as_bytes(PAGE))


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_images_without_pixels_are_refused(size, mode):
    refused(Image.new(mode, size))


def test_a_closed_image_is_refused():
    picture = Image.open(io.BytesIO(drawings.encoded(PAGE)))
    picture.close()
    refused(picture)


# Orientation


def stored(upright, orientation):
    """How a camera stores a picture that EXIF's orientation sets upright again."""
    return {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = "maker"
    return block.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_set_upright(orientation):
    expected = see(opened(drawings.encoded(PAGE))).pixels
    picture = Image.fromarray(np.ascontiguousarray(stored(drawings.as_bytes(PAGE), orientation)))
    content = drawings.encoded(picture, "PNG", exif=exif(orientation))
    np.testing.assert_array_equal(see(opened(content)).pixels, expected)
    np.testing.assert_array_equal(see(opened(Image.open(io.BytesIO(content)))).pixels, expected)
    jpeg = opened(drawings.encoded(picture, "JPEG", exif=exif(orientation), quality=95))
    assert_same_digit(jpeg, atol=0.05)


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_large_photo_of_any_orientation_is_reduced_and_set_upright(orientation):
    page = drawings.as_bytes(drawings.draw(4, height=600, pen=60, page=(900, 1200), centre=(0.3, 0.5)))
    expected = opened(drawings.encoded(Image.fromarray(page), "JPEG"))
    turned = Image.fromarray(np.ascontiguousarray(stored(page, orientation)))
    brightness = opened(drawings.encoded(turned, "JPEG", exif=exif(orientation)))
    assert brightness.shape == expected.shape
    assert 0.5 * images.LARGEST <= brightness.shape[1] <= images.LARGEST
    assert np.abs(brightness - expected).mean() < 0.01


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation):
    content = drawings.encoded(PAGE, exif=exif(orientation))
    np.testing.assert_array_equal(opened(content), opened(drawings.encoded(PAGE)))


BAD_EXIF = [
    b"Exif\0\0",
    b"Exif\0\0garbage",
    b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
    b"Exif\0\0II*\0\xff\xff\xff\xff",
    b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01",
    b"Exif\0\0" + exif(6)[6:40],
    b"Exif\0\0" + b"\xff" * 200,
]


@pytest.mark.parametrize("block", BAD_EXIF, ids=range(len(BAD_EXIF)))
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_damaged_exif_block_does_not_matter(kind, block):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        brightness = open_picture(drawings.encoded(PAGE, kind, exif=block))
    np.testing.assert_array_equal(brightness, opened(drawings.encoded(PAGE, kind)))


@pytest.mark.parametrize("block", BAD_EXIF[2:6], ids=range(2, 6))
def test_a_damaged_exif_block_is_not_warned_of(block):
    content = drawings.encoded(PAGE, "JPEG", exif=block)
    opened(content)
    open_picture(content)  # where warnings are errors


@since_pillow_13
def test_a_damaged_tag_of_a_tiff_file_is_not_warned_of():
    content = drawings.encoded(PAGE, "TIFF", exif=exif(1))
    maker = struct.pack("<HHI", 0x010F, 2, 6)
    assert content.count(maker) == 1
    damaged = content.replace(maker, struct.pack("<HHI", 0x010F, 2, 2**31 - 1))
    np.testing.assert_array_equal(opened(damaged), opened(content))


# Colours and transparency

PENS = {
    "blue on cream": (drawings.BLUE, drawings.CREAM),
    "red on white": (drawings.RED, drawings.WHITE),
    "green on white": ((0.1, 0.6, 0.2), drawings.WHITE),
    "yellow on white": ((0.95, 0.85, 0.1), drawings.WHITE),
    "cyan on white": ((0.2, 0.8, 0.9), drawings.WHITE),
    "white on black": (drawings.WHITE, drawings.BLACK),
    "chalk": (drawings.CHALK, drawings.BOARD),
    "yellow on blue": ((1.0, 0.9, 0.2), (0.1, 0.2, 0.5)),
    "red on green as bright": ((0.8, 0.3, 0.3), (0.3, 0.8, 0.3)),
    "red on blue": ((0.9, 0.1, 0.1), (0.1, 0.1, 0.9)),
}


@pytest.mark.parametrize("colours", PENS.values(), ids=PENS.keys())
def test_ink_of_any_colour_on_paper_of_any_colour(colours):
    page = drawings.draw(3, height=60, pen=7, ink=colours[0], paper=colours[1])
    assert_same_digit(opened(page), atol=0.02)
    assert_same_digit(opened(drawings.encoded(drawings.noisy(page, 0.02))), atol=0.06)


def test_a_coloured_stroke_is_found_wherever_it_lies():
    page = np.full((800, 800, 3), (1.0, 0.9, 0.6), np.float32)
    page[..., 1] += np.random.default_rng(0).normal(0, 0.02, (800, 800)).astype(np.float32)
    page[100:700, 390:402] = (0.6, 0.9, 0.9)
    assert len(find_digits(find_ink(opened(np.minimum(page, 1))))) == 1


def with_alpha(ink, alpha, hidden=(0, 0, 0)):
    """(H, W, 4) bytes: ink of a colour, opaque on the strokes and transparent elsewhere."""
    pixels = np.zeros((*GREY.shape, 4), np.uint8)
    pixels[..., :3] = np.where(alpha[..., None] > 0, ink, hidden)
    pixels[..., 3] = alpha * 255
    return pixels


STROKES = 1 - GREY


@pytest.mark.parametrize("hidden", [(0, 0, 0), (255, 255, 255), (200, 30, 90)])
def test_transparent_paper_is_white(hidden):
    pixels = with_alpha((0, 0, 0), STROKES, hidden)
    expected = 1 - pixels[..., 3] / np.float32(255)
    for picture in (pixels, Image.fromarray(pixels), drawings.encoded(Image.fromarray(pixels))):
        np.testing.assert_allclose(opened(picture), expected, atol=0.01)


@pytest.mark.parametrize("hidden", [(0, 0, 0), (255, 255, 255)])
def test_white_ink_on_transparent_paper_is_seen(hidden):
    pixels = with_alpha((255, 255, 255), STROKES, hidden)
    for picture in (pixels, Image.fromarray(pixels), drawings.encoded(Image.fromarray(pixels))):
        assert_same_digit(opened(picture), atol=0)
    large = Image.fromarray(pixels).resize((800, 1600), Image.Resampling.NEAREST)
    assert see(opened(large)).digits == 1


def test_half_transparent_ink_is_paler():
    pixels = with_alpha((0, 0, 0), STROKES * 0.5)
    brightness = opened(pixels)
    assert brightness.min() == pytest.approx(0.5, abs=0.01)
    assert_same_digit(brightness)


def test_large_transparent_pictures_do_not_mix_in_hidden_colours():
    pixels = np.zeros((1600, 1600, 4), np.uint8)  # black, and transparent
    pixels[:801, :801] = (200, 200, 200, 255)
    assert opened(Image.fromarray(pixels)).min() > 0.78


def test_a_fully_transparent_picture_has_no_ink():
    assert see(opened(np.zeros((50, 40, 4), np.uint8))).digits == 0


@pytest.mark.parametrize("transparency", ["index", "bytes"])
def test_a_palette_with_transparent_colours(transparency):
    """The transparent paper's own colour, black, must not show."""
    picture = Image.fromarray((STROKES > 0.5).astype(np.uint8), "L").convert("P")
    picture.putpalette([0, 0, 0, 30, 20, 60])
    content = drawings.encoded(picture, "PNG", transparency=0 if transparency == "index" else b"\0\xff")
    assert "transparency" in Image.open(io.BytesIO(content)).info
    brightness = opened(content)
    assert brightness[0, 0] > 0.99
    assert_same_digit(brightness, atol=0.05)
    assert_same_digit(opened(Image.open(io.BytesIO(content))), atol=0.05)


@pytest.mark.parametrize(("mode", "colour"), [("L", 0), ("RGB", (0, 0, 0))])
def test_a_colour_key_is_transparent(mode, colour):
    """A PNG may name one colour that is transparent: here black, the paper's."""
    picture = Image.fromarray(np.where(STROKES > 0.5, 90, 0).astype(np.uint8)).convert(mode)
    brightness = opened(drawings.encoded(picture, "PNG", transparency=colour))
    assert brightness[0, 0] > 0.99
    assert_same_digit(brightness, atol=0.05)


# Arrays

ARRAYS = {
    "uint8": (GREY * 255).astype(np.uint8),
    "int64": (GREY * 255).astype(np.int64),
    "uint16": (GREY * 65535).astype(np.uint16),
    "uint16 big-endian": (GREY * 65535).astype(">u2"),
    "int32": (GREY * 65535).astype(np.int32),
    "bool": GREY > 0.5,
    "float16": GREY.astype(np.float16),
    "float32": GREY,
    "float64": GREY.astype(np.float64),
    "float64 big-endian": GREY.astype(">f8"),
    "longdouble": GREY.astype(np.longdouble),
    "floats to 255": GREY * 255,
    "floats to 65535": GREY * 65535,
    "one channel": GREY[..., None],
    "three channels": PAGE,
    "three channels of bytes": drawings.as_bytes(PAGE),
    "four channels": np.concatenate([PAGE, np.ones((*GREY.shape, 1), np.float32)], axis=2),
    "four channels of bytes": np.dstack([drawings.as_bytes(PAGE), np.full(GREY.shape, 255, np.uint8)]),
}


@pytest.mark.parametrize("pixels", ARRAYS.values(), ids=ARRAYS.keys())
def test_arrays_of_every_type_and_layout(pixels):
    atol = 0.5 if pixels.dtype == bool else 0.005
    backward, wide = pixels[::-1, ::-1].copy()[::-1, ::-1], np.repeat(np.repeat(pixels, 2, 0), 3, 1)[::2, ::3]
    fixed = pixels.copy()
    fixed.flags.writeable = False
    for version in (pixels, np.asfortranarray(pixels), backward, wide, fixed):
        before = version.copy()
        brightness = opened(version)
        np.testing.assert_allclose(brightness, GREY, atol=atol)
        np.testing.assert_array_equal(version, before)
        assert not np.shares_memory(brightness, version)
    assert_same_digit(brightness, atol=0.03)


def test_what_is_done_with_the_brightness_does_not_reach_the_array():
    pixels = np.zeros((28, 28), np.float32)
    pixels[4:24, 12:16] = 1  # like an image of MNIST
    for source in (pixels, pixels[..., None]):
        brightness = open_picture(source)
        brightness[...] = 0.5
        assert pixels.max() == 1


@pytest.mark.parametrize("error", [1e-7, 1e-4])
def test_floats_may_leave_the_range_by_rounding(error):
    np.testing.assert_allclose(opened(GREY.astype(np.float64) * (1 + error)), GREY, atol=0.01)
    np.testing.assert_allclose(opened(GREY.astype(np.float64) - error), GREY, atol=0.01)


def test_arrays_and_files_are_read_alike():
    for page in (PAGE, drawings.noisy(drawings.draw(2, ink=drawings.BLUE, paper=drawings.CREAM))):
        np.testing.assert_array_equal(opened(drawings.as_bytes(page)), opened(drawings.encoded(page)))


def test_large_arrays_and_images_are_reduced_alike():
    page = drawings.as_bytes(drawings.draw(5, height=600, pen=40, page=(1101, 903)))
    array_of, image_of = opened(page), opened(Image.fromarray(page))
    assert 0.5 * images.LARGEST <= array_of.shape[0] <= images.LARGEST
    np.testing.assert_allclose(np.divide(*array_of.shape), 1101 / 903, rtol=0.01)
    alike = np.asarray(Image.fromarray(image_of).resize(array_of.shape[::-1], Image.Resampling.BOX))
    assert_same_digit(alike, array_of, atol=0.05)


def test_reducing_takes_means():
    random = np.random.default_rng(0)
    pixels = random.random((2400, 6)).astype(np.float32)
    expected = pixels.reshape(800, 3, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(opened(pixels), expected, atol=1e-5)
    np.testing.assert_allclose(opened(pixels.T), expected.T, atol=1e-5)
    for size in (801, 1000, 1601):
        pixels = random.random((size, 4)).astype(np.float32)
        assert opened(pixels).mean() == pytest.approx(pixels.mean(), abs=0.01)
        slope = np.linspace(0, 1, size, dtype=np.float32)[:, None].repeat(4, axis=1)
        assert (np.diff(opened(slope), axis=0) > 0).all()


@pytest.mark.parametrize("kind", [np.matrix, np.ma.masked_array, np.memmap])
def test_other_kinds_of_arrays(kind, tmp_path):
    if kind is np.memmap:
        pixels = np.memmap(tmp_path / "pixels", np.float32, "w+", shape=GREY.shape)
        pixels[...] = GREY
    elif kind is np.matrix:
        pixels = GREY.view(np.matrix)
    else:
        pixels = np.ma.masked_array(GREY, GREY > 2)
    np.testing.assert_array_equal(opened(pixels), GREY)


# Sizes


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (1, 2), (2, 1), (3, 3), (1, 1000), (1000, 1), (2, 5000), (5000, 3), (1, 100_000), (28, 28)],
)
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
def test_odd_sizes(shape, channels):
    for dtype in (np.uint8, np.float32):
        pixels = (
            np.random.default_rng(0).random((*shape, *channels)) * (255 if dtype == np.uint8 else 1)
        ).astype(dtype)
        seen = see(opened(pixels))
        assert seen.pixels.shape == (28, 28)
        assert seen.pixels.min() >= 0
        assert seen.pixels.max() <= 1
        if channels in ((3,), (4,)) and dtype == np.uint8:
            assert see(opened(drawings.encoded(Image.fromarray(pixels)))).pixels.shape == (28, 28)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_fifty_megapixels(mode):
    picture = Image.new(mode, (8000, 6250), "white")
    picture.paste(Image.new(mode, (500, 3000), "black"), (3800, 1500))
    brightness = opened(picture)
    assert brightness.shape == (625, 800)
    assert brightness[300, 100] == 1
    assert brightness[300, 410] == 0
    assert see(brightness).digits == 1


def test_a_large_array_takes_little_more_memory():
    pixels = np.full((1700, 1700, 3), 200, np.uint8)
    pixels[300:1400, 800:900] = 0
    tracemalloc.start()
    try:
        opened(pixels)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 8 * pixels.nbytes


# What is no picture


def png_header(width, height):
    """A PNG file of a size, without pixels."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


NOT_PICTURES = {
    "None": (None, "got NoneType"),
    "int": (7, "got int"),
    "float": (0.5, "got float"),
    "list": ([[0, 1], [1, 0]], "got list"),
    "tuple": ((1, 2), "got tuple"),
    "dict": ({}, "got dict"),
    "array.array": (array.array("B", [1, 2]), "got array"),
    "a number of NumPy's": (np.float32(1), "got float32"),
    "no bytes": (b"", "empty"),
    "empty file": (io.BytesIO(), "empty"),
    "text": (b"seven", "not in a known format"),
    "text file": (io.StringIO("seven"), "open as text"),
    "zip": (b"PK\x03\x04" + bytes(60), "not in a known format"),
    "zeros": (bytes(1000), "not in a known format"),
    "PDF": (b"%PDF-1.7\n" + bytes(60), "PDF"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60), "HEIC"),
    "HEIC of another brand": (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(60), "HEIC"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "SVG after a space": (b"\n  <svg/>", "SVG"),
    "XML": (b"<?xml version='1.0'?><svg/>", "SVG"),
    "HTML": (b"<!DOCTYPE html><html></html>", "HTML"),
    "HTML without a type": (b"<html><body>404</body></html>", "HTML"),
    "huge PNG": (png_header(60_000, 60_000), "pixels"),
    "PNG of no size": (png_header(0, 5), ""),
    "PNG without pixels": (png_header(5, 5), "damaged"),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 5\n", "not in a known format"),
}


@pytest.mark.parametrize(("picture", "message"), NOT_PICTURES.values(), ids=NOT_PICTURES.keys())
def test_what_is_no_picture_is_refused(picture, message):
    assert message in refused(picture)


def test_a_picture_of_somewhat_too_many_pixels_is_refused():
    assert "80 megapixels" in refused(png_header(10_000, 10_000))


BAD_ARRAYS = {
    "NaN": (np.array([[0, np.nan]]), "NaN"),
    "infinite": (np.array([[0, np.inf]]), "infinite"),
    "minus infinity": (np.array([[0, -np.inf]]), "infinite"),
    "negative": (np.array([[0.5, -0.5]]), "at least 0"),
    "negative integers": (np.array([[-1, 5]]), "at least 0"),
    "no axis": (np.array(5.0), "(H, W"),
    "one axis": (np.ones(5), "(H, W"),
    "four axes": (np.ones((1, 5, 5, 3)), "(H, W"),
    "two channels": (np.ones((5, 5, 2)), "(H, W"),
    "five channels": (np.ones((5, 5, 5)), "(H, W"),
    "no channel": (np.ones((5, 5, 0)), "(H, W"),
    "channels first": (np.ones((3, 28, 28)), "(H, W"),
    "no row": (np.ones((0, 5)), "(H, W"),
    "no column": (np.ones((5, 0, 3)), "(H, W"),
    "complex": (np.ones((5, 5), complex), "complex"),
    "strings": (np.array([["a", "b"]]), "<U1"),
    "objects": (np.array([[1, None]], object), "object"),
    "dates": (np.array([["2020-01-01"]], "datetime64[D]"), "datetime64"),
    "records": (np.zeros((2, 2), [("r", "u1")]), "not"),
}


@pytest.mark.parametrize(("pixels", "message"), BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
def test_what_no_picture_s_array_can_be_is_refused(pixels, message):
    assert message in refused(pixels)


def test_numbers_beyond_float32_are_no_warning():
    opened(np.array([[0, 1e300]]))


def test_files_that_are_not_there(tmp_path):
    for path in (tmp_path / "no.png", str(tmp_path / "no" / "no.png")):
        assert "There is no picture" in refused(path, FileNotFoundError)
    assert "is a folder" in refused(tmp_path)
    assert "is a folder" in refused("")
    refused("a\0b")
    (tmp_path / "empty.png").write_bytes(b"")
    message = refused(tmp_path / "empty.png")
    assert "empty" in message
    assert "empty.png" in message


def broken_download():
    raise ConnectionError("the line is dead")


class Response:
    def __init__(self, read):
        self.read = read


@pytest.mark.parametrize(
    "kind", ["text", "closed", "for writing", "broken", "name too long", "path of bytes"]
)
def test_files_that_cannot_be_read(kind, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(drawings.encoded(PAGE))
    if kind == "text":
        with path.open(encoding="utf-8") as file:
            refused(file)
    elif kind == "closed":
        with path.open("rb") as file:
            pass
        refused(file)
    elif kind == "for writing":
        with (tmp_path / "other").open("wb") as file:
            refused(file)
    elif kind == "broken":
        assert "the line is dead" in refused(Response(broken_download))
    elif kind == "name too long":
        refused("data:image/png;base64," + "A" * 5000)
    else:

        class Named:
            def __fspath__(self):
                return os.fsencode(path)

        refused(Named())


class Endless(io.RawIOBase):
    """Zeros without end, or what a picture goes on with."""

    def __init__(self, start=b""):
        self.start, self.given = start, 0

    def read(self, size=-1):
        assert 0 < size < 1e8, "nobody can read it all"
        self.given += size
        start, self.start = self.start[:size], self.start[size:]
        return start or bytes(size)


@pytest.mark.parametrize("start", [b"", drawings.encoded(PAGE)], ids=["zeros", "picture"])
def test_a_file_without_end_is_refused(monkeypatch, start):
    monkeypatch.setattr(images.content, "MOST_BYTES", 10**7)
    file = Endless(start)
    assert "has more than 9 MiB" in refused(file)
    assert file.given < 2e7


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without end")
def test_a_path_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(images.content, "MOST_BYTES", 10**7)
    assert "'/dev/zero' has more than" in refused("/dev/zero")
    with pytest.raises(ImageError, match="more than"):
        images.load_img("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_into_which_nobody_writes_is_empty_and_another_one_is_read(tmp_path):
    pipe, content = str(tmp_path / "pipe"), drawings.encoded(PAGE)
    os.mkfifo(pipe)
    assert refused(pipe) == f"The picture {pipe!r} is empty."
    reading, writing = os.pipe()  # as what a shell makes of <(command)
    threading.Thread(target=lambda: (time.sleep(0.2), os.write(writing, content), os.close(writing))).start()
    np.testing.assert_array_equal(opened(f"/dev/fd/{reading}"), opened(content))
    os.close(reading)


def test_a_file_that_comes_in_small_pieces_is_read():
    content = drawings.encoded(PAGE)
    pieces = iter([content[:1], content[1:50], content[50:], b""])
    np.testing.assert_array_equal(opened(Response(lambda size: next(pieces))), opened(content))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_truncated_files_are_refused(kind):
    content = drawings.encoded(PAGE, kind)
    for length in [1, 8, 20, *range(30, len(content) - 40, len(content) // 20)]:
        message = refused(content[:length])
        assert "damaged" in message or "not in a known format" in message


@pytest.mark.parametrize(
    "kind",
    [kind for kind in images.FORMATS if kind not in ("AVIF", "ICO")],
)
def test_files_that_end_in_their_header_are_refused(kind):
    refused(file_of(kind)[:20])


def test_damaged_pixels_are_refused():
    """Where Pillow's first try fails, though a second one gives what was read before the damage."""
    content, random = drawings.encoded(PAGE), np.random.default_rng(0)
    found = 0
    for place in random.integers(60, len(content) - 20, 30):
        damaged = bytearray(content)
        damaged[place] ^= 0x55
        try:
            Image.open(io.BytesIO(damaged)).load()
        except (OSError, SyntaxError):
            found += 1
            assert "damaged" in refused(bytes(damaged))
    assert found > 5


def test_an_error_names_the_file_and_its_cause(tmp_path):
    path = tmp_path / "torn.png"
    path.write_bytes(drawings.encoded(PAGE)[:300])
    assert "torn.png" in refused(path)
    with pytest.raises(ImageError) as info:
        open_picture(path)
    assert info.value.__cause__ is not None
    assert isinstance(info.value, ValueError)


# Fuzzing


def seen_or_refused(picture):
    """Check that a picture gives 28×28 pixels or an ImageError: nothing else is possible."""
    try:
        brightness = open_picture(picture)
    except ImageError:
        return False
    assert brightness.dtype == np.float32
    assert brightness.ndim == 2
    assert min(brightness.shape) >= 1
    assert brightness.min() >= 0
    assert brightness.max() <= 1
    seen = see(brightness)
    assert seen.pixels.shape == (28, 28)
    assert seen.pixels.dtype == np.float32
    assert 0 <= seen.pixels.min() <= seen.pixels.max() <= 1
    assert (seen.digits > 0) == bool(seen.pixels.any())
    return True


MAGIC = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"RIFF\0\0\0\0WEBP",
    b"P5 ",
    b"P6\n3 3\n255\n",
]


@settings(max_examples=80)
@given(st.sampled_from(MAGIC), st.binary(max_size=120))
def test_random_bytes(magic, rest):
    seen_or_refused(magic + rest)


SMALL = drawings.draw(2, height=24, pen=3)
VALID = [
    drawings.encoded(SMALL),
    drawings.encoded(SMALL, exif=exif(6)),
    drawings.encoded(drawings.image(SMALL).convert("P"), transparency=0),
    drawings.encoded(SMALL, "JPEG"),
    drawings.encoded(SMALL, "JPEG", exif=exif(8), progressive=True),
    drawings.encoded(drawings.image(SMALL).convert("CMYK"), "JPEG"),
]


@settings(max_examples=80)
@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6),
    st.one_of(st.none(), st.integers(0, 10_000)),
)
def test_damaged_files(content, changes, length):
    damaged = bytearray(content)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    seen_or_refused(bytes(damaged[:length]))


@settings(max_examples=80)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([(), (1,), (3,), (4,)]),
    st.sampled_from(["u1", "i2", ">u2", "i4", "f2", "f4", "f8", "?"]),
    st.sampled_from([1, 2, 255, 65535]),
    st.integers(0, 2**32),
)
@example(1, 1, (3,), "u1", 255, 0)
@example(9, 9, (), "f2", 65535, 0)
def test_random_arrays(height, width, channels, dtype, most, seed):
    random = np.random.default_rng(seed)
    pixels = random.random((height, width, *channels)) * min(most, 32767 if dtype == "i2" else most)
    pixels[random.random(pixels.shape) < 0.5] = 0
    with np.errstate(over="ignore"):
        pixels = pixels.astype(dtype)
    if np.isfinite(pixels).all():
        assert seen_or_refused(pixels)
    else:
        assert not seen_or_refused(pixels)


# find_ink

PENCILS = [4, 12]


@pytest.mark.parametrize("pen", PENCILS)
def test_the_ink_is_where_the_pen_was(pen):
    for digit in (0, 1, 4, 5, 8):
        page = drawings.grey(drawings.draw(digit, pen=pen))
        ink = find_ink(page)
        assert ink.dtype == np.float32
        assert ink.min() == 0
        assert 0.9999 < ink.max() <= 1
        assert ((ink > 0.5) != (page < 0.5)).sum() <= 0.06 * (page < 0.5).sum()
        assert (ink[page == 1] == 0).all()


@pytest.mark.parametrize("pen", PENCILS)
def test_polarity_does_not_matter(pen):
    for digit in (0, 1, 4, 8):
        page = drawings.grey(drawings.draw(digit, pen=pen))
        np.testing.assert_allclose(find_ink(1 - page), find_ink(page), atol=1e-3)


@pytest.mark.parametrize(
    ("scale", "offset"), [(0.5, 0), (0.5, 0.5), (0.3, 0.4), (0.1, 0.0), (0.1, 0.9), (0.06, 0.5)]
)
def test_contrast_and_brightness_hardly_matter(scale, offset):
    page = drawings.grey(drawings.draw(4, pen=12))
    assert masks_differ(page, page * np.float32(scale) + np.float32(offset)) < 0.1


LIGHT = {
    "gradient": drawings.gradient,
    "strong gradient": lambda page: drawings.gradient(page, 0.3),
    "shadow": drawings.shadow,
    "hard shadow": lambda page: drawings.shadow(page, 0.4, 0.002),
    "shadow and gradient": lambda page: drawings.shadow(drawings.gradient(page)),
    "noise": drawings.noisy,
    "noise and gradient": lambda page: drawings.noisy(drawings.gradient(page)),
}


@pytest.mark.parametrize("light", LIGHT.values(), ids=LIGHT.keys())
@pytest.mark.parametrize(
    ("ink", "paper", "most"), [(drawings.BLACK, drawings.WHITE, 0.06), (drawings.CHALK, drawings.BOARD, 0.16)]
)
def test_light_does_not_matter(light, ink, paper, most):
    for digit in (4, 8):
        page = drawings.draw(digit, pen=12, ink=ink, paper=paper)
        assert masks_differ(page, light(page)) < most


def test_a_deep_shadow_does_not_matter():
    for digit in (0, 2, 4, 8):
        page = drawings.draw(digit, pen=12)
        assert masks_differ(page, drawings.shadow(page, 0.6)) < 0.1


def test_digits_in_a_deep_shadow_are_found():
    for digit in range(10):
        page = drawings.shadow(drawings.draw(digit), 0.7)
        assert see(drawings.grey(page)).digits == 1


def blank(kind, seed=0):
    random = np.random.default_rng(seed)
    page = np.full((300, 240, 3), 0.8, np.float32)
    if "dark" in kind:
        page *= 0.2
    if "gradient" in kind:
        page = drawings.gradient(page)
    if "shadow" in kind:
        page = drawings.shadow(page, 0.4, 0.1)
    if "noise" in kind:
        page = drawings.noisy(page, 0.02, seed)
    if "grain" in kind:
        page = page * random.normal(1, 0.03, page.shape[:2])[..., None].astype(np.float32)
    return drawings.grey(page)


@pytest.mark.parametrize(
    "kind",
    [
        "plain",
        "dark",
        "dark gradient",
        "noise",
        "dark noise",
        "grain",
        "gradient",
        "gradient noise",
        "shadow noise",
    ],
)
def test_a_blank_page_has_no_ink(kind):
    for seed in range(3 if "noise" in kind or "grain" in kind else 1):
        page = blank(kind, seed)
        assert not find_ink(page).any()
        seen = see(page)
        assert seen.digits == 0
        assert not seen.pixels.any()


@pytest.mark.parametrize("side", [400, 800])
def test_a_large_blank_page_with_strong_noise_has_no_ink(side):
    noise = np.random.default_rng(1).normal(0, 0.05, (side, side))
    assert not find_ink(np.clip(0.7 + noise, 0, 1).astype(np.float32)).any()


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_page_of_one_colour_has_no_ink(value):
    for shape in ((1, 1), (3, 3), (28, 28), (1, 500), (300, 200)):
        assert not find_ink(np.full(shape, value, np.float32)).any()


@pytest.mark.parametrize("ink", [0.8, 0.9, 0.94])
def test_a_faint_pencil_is_found(ink):
    page = drawings.draw(5, ink=(ink,) * 3)
    assert masks_differ(drawings.draw(5), page) < 0.08
    assert see(drawings.grey(page)).digits == 1


def test_what_is_fainter_than_any_pencil_is_paper():
    page = drawings.draw(5, ink=(0.98,) * 3)
    assert not find_ink(drawings.grey(page)).any()


def test_find_ink_and_what_follows_do_not_write_to_their_arguments():
    page = drawings.grey(drawings.noisy(drawings.draw(35)))
    page.flags.writeable = False
    ink = find_ink(page)
    ink.flags.writeable = False
    for digit in find_digits(ink):
        digit.ink.flags.writeable = False
        fit(digit.ink)
        images.cuts(digit.ink)
        images.strip(digit.ink, 0, 5)
    see(page)


def test_find_ink_takes_arrays_of_any_layout():
    page = drawings.grey(drawings.draw(4))
    expected = find_ink(page)
    np.testing.assert_array_equal(find_ink(np.asfortranarray(page)), expected)
    np.testing.assert_array_equal(find_ink(page.T.copy().T), expected)
    np.testing.assert_allclose(find_ink(page.astype(np.float64)), expected, atol=1e-5)


# find_digits


def pasted(digits, shape):
    """The ink of digits where they were found."""
    page = np.zeros(shape, np.float32)
    for digit in digits:
        height, width = digit.ink.shape
        page[digit.top : digit.top + height, digit.left : digit.left + width] += digit.ink
    return page


def edges(digits):
    """(left, right) of each digit."""
    return [(digit.left, digit.left + digit.ink.shape[1]) for digit in digits]


def digits_of(page):
    return find_digits(find_ink(drawings.grey(page)))


@functools.cache
def alone(digit, pen):
    """What is seen of a digit on a page of its own."""
    return see(drawings.grey(drawings.draw(digit, height=60, pen=pen))).pixels


@pytest.mark.parametrize("pen", [3, 10])
@pytest.mark.parametrize("gap", [0.2, 0.8])
@pytest.mark.parametrize("number", [12, 345, 987654, "70701"])
def test_digits_are_found_from_left_to_right(number, gap, pen):
    page = drawings.draw(number, height=60, pen=pen, gap=gap)
    digits = digits_of(page)
    assert len(digits) == len(str(number))
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(edges(digits)))
    ink = find_ink(drawings.grey(page))
    np.testing.assert_array_equal(pasted(digits, ink.shape), ink)  # nothing is lost or twice there
    for digit, name in zip(digits, str(number), strict=True):
        assert difference(fit(digit.ink), alone(name, pen)) < 0.05


def test_the_order_is_that_of_the_left_edges():
    """Not of size, height on the page, or ink."""
    ink = np.zeros((60, 120), np.float32)
    ink[30:58, 5:9] = ink[2:50, 40:60] = ink[20:45, 80:86] = ink[5:25, 100:104] = 1
    assert edges(find_digits(ink)) == [(5, 9), (40, 60), (80, 86), (100, 104)]


def test_no_ink_is_no_digit():
    assert find_digits(np.zeros((20, 30), np.float32)) == []


def test_specks_are_dropped():
    for digit in range(10):
        page = drawings.draw(digit)
        clean, dusty = (digits_of(p) for p in (page, drawings.specked(page)))
        assert len(dusty) == 1
        before, after = (pasted(found, page.shape[:2]) for found in (clean, dusty))
        assert ((before > 0.5) != (after > 0.5)).mean() < 0.003  # but for specks on the strokes themselves
    ink = np.zeros((50, 50), np.float32)
    ink[10:40, 20:24] = 1
    ink[10:13, 40:43] = ink[45, 5] = 1
    assert [digit.ink.sum() for digit in find_digits(ink)] == [120]


def test_a_frame_is_dropped():
    for digit in (0, 1, 4, 7):
        page = drawings.draw(digit)
        for width in (1, 6):
            found = digits_of(drawings.framed(page, width=width))
            assert len(found) == 1
            ink = pasted(found, page.shape[:2])
            assert ((ink > 0.5) != (find_ink(drawings.grey(page)) > 0.5)).mean() < 0.002


def test_a_frame_close_to_the_digit_of_a_small_picture_is_dropped():
    for digit in range(10):
        page = drawings.draw(digit, page=(150, 120))
        found = digits_of(drawings.framed(page, width=6))
        assert len(found) == 1
        assert 110 < found[0].ink.shape[0] < 140


def test_a_digit_at_the_border_is_kept_where_there_is_nothing_else():
    for digit in (0, 2, 3, 4, 5, 6, 7, 8, 9):  # a 1 would fill the page: what is ink and what is paper?
        whole = drawings.draw(digit, pen=8)
        rows, columns = (np.flatnonzero((drawings.grey(whole) < 0.5).any(axis=axis)) for axis in (1, 0))
        tight = whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert len(digits_of(tight)) == 1, digit


def test_a_digit_at_the_border_is_kept_beside_a_small_one_inside():
    ink = np.zeros((60, 80), np.float32)
    ink[0:55, 10:14] = 1
    ink[20:32, 40:43] = 1
    assert len(find_digits(ink)) == 2


@pytest.mark.parametrize(("pen", "gap"), [(6, 2), (10, 5)])
def test_broken_strokes_stay_together(gap, pen):
    for digit in range(10):
        assert len(digits_of(drawings.draw(digit, height=90, pen=pen, breaks=gap + pen))) == 1


def test_a_bar_belongs_to_the_five_under_it():
    """Written in two strokes that do not touch, as many people do."""
    for gap in (2, 5, 8):
        ink = np.zeros((120, 100), np.float32)
        ink[20:25, 35:70] = 1  # the bar
        ink[25 + gap : 60, 30:35] = ink[55:60, 30:60] = ink[60:95, 60:65] = ink[95:100, 30:65] = 1
        found = find_digits(ink)
        assert len(found) == 1
        np.testing.assert_array_equal(pasted(found, ink.shape), ink)


def test_a_gap_like_that_of_an_i_is_closed():
    ink = np.zeros((100, 60), np.float32)
    ink[30:90, 28:33] = 1
    ink[16:25, 28:33] = 1
    assert len(find_digits(ink)) == 1


@pytest.mark.parametrize(("gap", "count"), [(3, 1), (10, 1), (14, 2), (30, 2)])
def test_a_short_stroke_belongs_to_the_digit_that_it_lies_close_to(gap, count):
    ink = np.zeros((100, 120), np.float32)
    ink[10:90, 30:36] = 1
    ink[10:16, 36 + gap : 56 + gap] = 1
    assert len(find_digits(ink)) == count


def test_a_stroke_inside_of_a_zero_belongs_to_it():
    ink = np.zeros((100, 100), np.float32)
    ink[10:90, 20:25] = ink[10:90, 65:70] = ink[10:15, 20:70] = ink[85:90, 20:70] = 1
    ink[40:60, 43:47] = 1
    assert len(find_digits(ink)) == 1


def test_two_digits_one_above_the_other_stay_apart():
    ink = np.zeros((200, 80), np.float32)
    ink[10:80, 30:35] = ink[120:190, 30:35] = 1
    assert len(find_digits(ink)) == 2


def dots(side, distance, size):
    page = np.ones((side, side), np.float32)
    for down in range(size):
        page[distance // 2 + down :: distance] = 1
        for right in range(size):
            page[distance // 2 + down :: distance, distance // 2 + right :: distance] = 0
    return page


def test_many_shapes_do_not_take_all_memory():
    ink = find_ink(dots(200, 10, 3))
    found = find_digits(ink)
    assert len(found) > 1
    assert sum(digit.ink.nbytes for digit in found) < 10 * ink.nbytes


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.02, 0.7), st.integers(0, 2**32))
def test_digits_are_disjoint_parts_of_the_ink(height, width, share, seed):
    random = np.random.default_rng(seed)
    ink = (random.random((height, width)) * (random.random((height, width)) < share)).astype(np.float32)
    found = find_digits(ink)
    assert ink.any() or not found
    assert found or not ink[4:-4, 4:-4].any()  # short bits at the border are no digit
    for digit in found:
        assert digit.ink.dtype == np.float32
        for line in (digit.ink[0], digit.ink[-1], digit.ink[:, 0], digit.ink[:, -1]):
            assert line.any()  # it is no larger than it has to be
        assert 0 <= fit(digit.ink).min() <= fit(digit.ink).max() <= 1
    total = pasted(found, ink.shape)
    np.testing.assert_array_equal(total[total > 0], ink[total > 0])
    assert edges(found) == sorted(edges(found), key=lambda edge: edge[0])


# fit


def extent(pixels, least=0.3):
    """How many rows and columns have some ink."""
    rows, columns = (np.flatnonzero(pixels.sum(axis=axis) > least) for axis in (1, 0))
    return int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1


def off_centre(pixels):
    """How far the centre of mass lies from the picture's centre, down and to the right."""
    places = np.arange(28) - 13.5
    return [float(pixels.sum(axis=axis) @ places / pixels.sum()) for axis in (1, 0)]


def stroke_width(pixels):
    """Of a straight upright stroke: the mean ink of its middle rows."""
    return float(pixels[10:18].sum(axis=1).mean())


@pytest.mark.parametrize("height", [20, 60, 200])
@pytest.mark.parametrize("pen", [0.01, 0.05, 0.15, 0.35])
def test_a_digit_fills_the_box_around_its_centre_of_mass(height, pen):
    for digit in (0, 1, 4, 7):
        ink = find_ink(drawings.grey(drawings.draw(digit, height=height, pen=pen * height)))
        pixels = fit(ink)
        assert pixels.shape == (28, 28)
        assert pixels.dtype == np.float32
        assert pixels.min() >= 0
        assert 0.9 < pixels.max() <= 1
        assert 19 <= extent(pixels)[0] <= 20
        assert extent(pixels)[1] <= 20
        assert max(map(abs, off_centre(pixels))) <= 0.51


@pytest.mark.parametrize(
    ("height", "width"), [(200, 100), (100, 200), (50, 40), (300, 30), (30, 300), (28, 28)]
)
def test_the_aspect_is_kept(height, width):
    ink = np.zeros((400, 400), np.float32)
    ink[20 : 20 + height, 30 : 30 + width] = 1
    thick = max(2, min(height, width) // 8)
    ink[20 + thick : 20 + height - thick, 30 + thick : 30 + width - thick] = 0  # a rectangle's outline
    rows, columns = extent(fit(ink), 1.0)
    assert max(rows, columns) in (19, 20)
    expected = 20 * min(height, width) / max(height, width)
    assert min(rows, columns) == pytest.approx(max(expected, 2.6), abs=2.5)


def test_every_pen_gets_the_width_of_mnist_s_strokes():
    """From a hairline to one that is a sixth as wide as the digit is high, pictures of 28 to 2000."""
    cases = [(28, 0.01), (28, 0.05), (28, 0.16), (100, 0.01), (300, 0.05), (300, 0.16), (2000, 0.02)]
    for side, pen in cases:
        height = side * 0.6
        page = drawings.draw(1, height, max(pen * height, 1), (side, side))
        assert 2.0 < stroke_width(fit(find_ink(open_picture(page)))) < 3.6, (side, pen)


def test_a_fat_pen_is_made_thinner_but_not_thin():
    for pen in (0.4, 0.5):
        ink = find_ink(drawings.grey(drawings.draw(1, 200, pen * 200)))
        assert 3 < stroke_width(fit(ink)) < 20 * pen / (1 + pen)


def difference(pixels, expected):
    """The mean difference of two images, where rounding may have moved one of them by a pixel."""
    moved = [np.roll(pixels, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(np.abs(image - expected).mean() for image in moved)


def test_where_and_how_large_a_digit_is_hardly_matters():
    expected = fit(find_ink(drawings.grey(drawings.draw(5, height=150, pen=15))))
    for height, centre in [(150, (0.3, 0.6)), (75, (0.5, 0.5)), (300, (0.55, 0.45)), (450, (0.5, 0.5))]:
        page = drawings.draw(5, height=height, pen=height / 10, page=(600, 560), centre=centre)
        assert difference(fit(find_ink(open_picture(page))), expected) < 0.02


def test_moving_the_ink_moves_nothing():
    ink = np.zeros((90, 80), np.float32)
    ink[10:60, 20:25] = ink[55:60, 20:50] = 1
    moved = np.roll(ink, (17, 9), (0, 1))
    np.testing.assert_array_equal(fit(moved), fit(ink))


def test_fitting_what_is_fitted_changes_little():
    for digit in range(10):
        once = fit(find_ink(drawings.grey(drawings.draw(digit, slant=0.1))))
        assert difference(fit(once), once) < 0.04


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 2), (2, 3), (1, 800), (800, 1), (800, 2), (13, 13), (799, 800)]
)
def test_fit_takes_any_shape(shape):
    pixels = fit(np.ones(shape, np.float32))
    assert pixels.shape == (28, 28)
    assert 0 <= pixels.min() <= pixels.max() <= 1
    assert pixels.sum() > 10
    rows, columns = extent(pixels)
    assert (rows >= columns) if shape[0] >= shape[1] else (columns >= rows)


@pytest.mark.parametrize("value", [1.0, 0.4, 0.01, 1e-6, 1e-30])
def test_fit_takes_faint_ink(value):
    ink = np.zeros((40, 40), np.float32)
    ink[10:30, 18:22] = value
    np.testing.assert_allclose(fit(ink), fit((ink > 0).astype(np.float32)), atol=1e-5)


# see


@pytest.mark.parametrize("digit", range(10))
def test_an_image_like_mnist_s_stays_as_it_is(digit):
    pixels = fit(find_ink(drawings.grey(drawings.draw(digit))))
    stored = np.rint(pixels * 255).astype(np.uint8)
    for source in (
        stored,
        stored[..., None],
        Image.fromarray(stored),
        drawings.encoded(Image.fromarray(stored)),
    ):
        seen = see(open_picture(source))
        np.testing.assert_array_equal(seen.pixels, stored / np.float32(255))
        assert seen.digits == 1
    assert see(pixels).pixels.tobytes() == pixels.tobytes()


def test_what_is_not_quite_like_mnist_is_fitted():
    pixels = fit(find_ink(drawings.grey(drawings.draw(4))))
    larger = np.asarray(Image.fromarray(pixels).resize((29, 29)))
    variants = {
        "dark on light": 1 - pixels,
        "moved": np.roll(pixels, (2, -3), (0, 1)),
        "another size": larger,
        "smaller digit": np.pad(np.asarray(Image.fromarray(pixels).resize((22, 22))), 3),
        "faint": pixels * np.float32(0.4),
        "grey paper": pixels * np.float32(0.8) + np.float32(0.2),
    }
    for name, variant in variants.items():
        seen = see(np.ascontiguousarray(variant))
        assert seen.digits == 1, name
        assert seen.pixels.shape == (28, 28)
        assert not np.array_equal(seen.pixels, variant), name
        assert np.abs(seen.pixels - pixels).mean() < 0.09, name


def test_of_several_digits_the_one_with_the_most_ink_is_seen():
    page = drawings.draw(1, height=60, pen=6, page=(200, 300), centre=(0.2, 0.5))
    page = np.minimum(page, drawings.draw(8, height=120, pen=12, page=(200, 300), centre=(0.7, 0.5)))
    seen = see(drawings.grey(page))
    assert seen.digits == 2
    alone = see(drawings.grey(drawings.draw(8, height=120, pen=12, page=(200, 300), centre=(0.7, 0.5))))
    np.testing.assert_allclose(seen.pixels, alone.pixels, atol=0.02)


def test_a_page_of_text_is_seen_in_reasonable_memory():
    page = drawings.grey(drawings.draw("31415926535", height=20, pen=2, gap=0.4))
    assert see(page).digits == 11


# cuts and strip


@settings(max_examples=80)
@given(st.integers(1, 30), st.integers(1, 80), st.floats(0.1, 1), st.integers(0, 2**32))
def test_cuts_divide_the_ink(height, width, share, seed):
    random = np.random.default_rng(seed)
    ink = (random.random((height, width)) * (random.random((height, width)) < share)).astype(np.float32)
    ink[height // 2, width // 3] = 1
    places = images.cuts(ink)
    columns = np.flatnonzero(ink.any(axis=0))
    assert (places[0], places[-1]) == (columns[0], columns[-1] + 1)
    assert all(before < after for before, after in itertools.pairwise(places))
    strips = [images.strip(ink, a, b) for a, b in itertools.pairwise(places)]
    np.testing.assert_array_equal(np.sum(strips, axis=0), ink)


@pytest.mark.parametrize("strokes", [2, 3, 5])
def test_cuts_lie_between_the_strokes(strokes):
    places = images.cuts(drawings.joined_strokes(40, strokes))
    assert len(places) == strokes + 1
    for i, place in enumerate(places[1:-1]):
        assert 18 + 40 * i < place < 10 + 40 * (i + 1)


def test_a_narrow_digit_is_not_cut():
    for digit in range(10):
        (ink,) = digits_of(drawings.draw(digit))
        assert len(images.cuts(ink.ink)) == 2


def test_cuts_keep_their_distance():
    ink = drawings.joined_strokes(300, 2)
    ink[29, 18:310:4] = 1  # a jagged line
    places = np.array(images.cuts(ink))
    assert np.diff(places).min() >= round(0.12 * 50)


def test_of_too_many_cuts_those_of_least_ink_are_taken():
    ink = drawings.joined_strokes(40, 12)
    ink *= np.random.default_rng(0).uniform(0.9, 1, ink.shape).astype(np.float32)
    every = images.cuts(ink)
    assert len(every) > 12
    least = sorted(every[1:-1], key=lambda place: ink[:, place].sum())
    for most in (len(every), 9, 1, 0):
        assert images.cuts(ink, most) == [every[0], *sorted(least[:most]), every[-1]]


# What people are shown


@pytest.mark.parametrize("shape", [(1, 1), (1, 800), (800, 1), (800, 600), (600, 800), (100, 90), (3, 3)])
def test_thumbnails_keep_the_aspect(shape):
    brightness = np.random.default_rng(0).random(shape).astype(np.float32)
    small = images.thumbnail(brightness)
    assert small.dtype == np.uint8
    assert max(small.shape) == min(max(shape), 160)
    assert small.shape == tuple(max(round(side * min(160 / max(shape), 1)), 1) for side in shape)
    if max(shape) <= 160:
        np.testing.assert_array_equal(small, (brightness * 255).astype(np.uint8))


def test_as_png_writes_a_file_with_the_same_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5), np.uint8)
    content = images.as_png(pixels)
    assert content.startswith(b"\x89PNG")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), pixels)


def test_a_thumbnail_does_not_change_its_source():
    brightness = np.full((300, 200), 0.5, np.float32)
    brightness.flags.writeable = False
    small = images.thumbnail(brightness, 50)
    assert small.shape == (50, 33)
    assert (small == 127).all()
