"""In which forms a picture may come: data URIs, files at their end, pages, and one where many are due."""

from __future__ import annotations

import base64
import io
import warnings

import drawings
import numpy as np
import pytest
from PIL import Image

from tinynet import ImageError, predict_image, predict_images
from tinynet.images import open_picture

PAGE = drawings.draw(3, height=60, pen=7)
BYTES = drawings.as_bytes(PAGE)
CONTENT = drawings.encoded(PAGE)
URI = "data:image/png;base64," + base64.b64encode(CONTENT).decode()


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_sixteen_bits_may_hold_bytes(dtype):
    np.testing.assert_array_equal(open_picture(BYTES.astype(dtype)), open_picture(BYTES))


def test_a_data_uri_is_read():
    folded = URI[:60] + "\n" + URI[60:]
    for uri in (URI, folded, URI.replace("data:", "DATA:")):
        np.testing.assert_array_equal(open_picture(uri), open_picture(CONTENT))


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (URI[:-7], "damaged data URI"),
        (URI.replace(";base64", ""), "damaged data URI"),
        ("data:", "damaged data URI"),
        (URI.replace("iVBOR", "AAAAA"), "known format"),
        (URI.partition(",")[2], "looks like base64"),
        ("a" * 300 + ".png", "too long|no picture"),
        ("folder/" + "a" * 150 + ".png", "There is no picture"),
    ],
)
def test_an_error_about_a_long_text_is_short(picture, said):
    with pytest.raises((ImageError, FileNotFoundError), match=said) as info:
        open_picture(picture)
    assert len(str(info.value)) < 250


def test_a_file_at_its_end_is_read_from_its_start():
    file = io.BytesIO()
    Image.fromarray(BYTES).save(file, "PNG")
    for _ in range(2):
        np.testing.assert_array_equal(open_picture(file), open_picture(CONTENT))


@pytest.mark.parametrize("picture", ["a.png", CONTENT, io.BytesIO(CONTENT)], ids=["name", "bytes", "file"])
def test_one_picture_where_many_are_due(picture):
    with pytest.raises(TypeError, match="list of pictures"):
        predict_images(picture)


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_a_blank_first_page_is_warned_of(kind):
    blank = Image.new("RGB", (BYTES.shape[1], BYTES.shape[0]), "white")
    content = drawings.encoded(blank, kind, save_all=True, append_images=[Image.fromarray(BYTES)])
    with pytest.warns(UserWarning, match="2 pages, and the first, which is read, is blank"):
        assert predict_image(content).digit is None


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_other_first_pages_are_not_warned_of(kind):
    blank = Image.new("RGB", (BYTES.shape[1], BYTES.shape[0]), "white")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_picture(drawings.encoded(Image.fromarray(BYTES), kind, save_all=True, append_images=[blank]))
        open_picture(drawings.encoded(blank, kind))
