"""Numbers in pictures: lines, signs, points, digits that touch, and what is no number."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re

import drawings
import numpy as np
import pytest
from PIL import Image

import tinynet
from tinynet import NumberReading, images, pretrained, read_number
from tinynet.reader import Reader, reader_of
from tinynet.recognition import cut
from tinynet.segmentation import segmented


def written(*lines, closer=0, **how):
    """A page with a number in each line, of whose margins so many pixels are cut off."""
    pages = [drawings.draw(line, **{"height": 80, "pen": 8, "gap": 0.3, **how}) for line in lines]
    width = max(page.shape[1] for page in pages)
    trimmed = [page[closer : page.shape[0] - closer] for page in pages]
    return drawings.as_bytes(
        np.concatenate(
            [
                np.pad(page, ((0, 0), (0, width - page.shape[1]), (0, 0)), constant_values=1)
                for page in trimmed
            ]
        )
    )


def turned(page, degrees):
    return np.asarray(
        Image.fromarray(page).rotate(degrees, Image.Resampling.BICUBIC, True, fillcolor="white")
    )


@pytest.fixture(scope="module")
def number():
    return read_number(written("472"))


# ---- Signs, points, commas


@pytest.mark.parametrize("text", ["-42", "+17", "3.5", "12,75", "4,250", "-0.5", "-7"])
def test_signs_and_points_are_in_the_text(text):
    for how in ({}, {"ink": drawings.WHITE, "paper": drawings.BLACK}, {"pen": 5, "height": 60}):
        reading = read_number(written(text, **how))
        assert reading.text == text
        assert len(reading.digits) == sum(character.isdigit() for character in text)
        assert reading.warnings == ()


def test_dust_is_no_point():
    page = drawings.draw("3527", height=80, pen=8)
    dust = drawings.as_bytes(drawings.specked(page, count=40, size=4))
    assert read_number(dust).text == "3527"


def test_an_underline_is_left_out():
    page = written("352")
    page[148:152, 30:-30] = 0
    assert read_number(page).text == "352"


@pytest.mark.parametrize("text", ["12=34", "12+34", "12-34"])
def test_a_sign_among_the_digits_is_warned_of(text):
    reading = read_number(written(text))
    assert reading.text == text
    assert any(f"{text[2]} stands among the digits" in warning for warning in reading.warnings)


def test_more_points_than_a_number_has_are_warned_of():
    assert read_number(written("1,250,000")).warnings == ()
    assert read_number(written("1.25.3")).warnings == (
        "There are several points or commas: some may be dust.",
    )


def test_a_letter_is_warned_of():
    reading = read_number(written("1E7"))
    assert any(warning.startswith("Digit 2 may not be one: ") for warning in reading.warnings)
    assert reading.confidence < 0.6


# ---- Lines


@pytest.mark.parametrize("closer", [0, 15, 30])
def test_lines_are_read_one_by_one(closer):
    reading = read_number(written("123", "4567", "-80", closer=closer))
    assert reading.text == "123\n4567\n-80"
    assert [line.text for line in reading.lines] == ["123", "4567", "-80"]
    assert [digit.digit for digit in reading.digits] == [1, 2, 3, 4, 5, 6, 7, 8, 0]
    assert reading.confidence == pytest.approx(np.prod([line.confidence for line in reading.lines]))


@pytest.mark.parametrize("degrees", [-12, -7, 7, 12])
def test_a_row_may_go_up_or_down(degrees):
    assert read_number(turned(written("5280371"), degrees)).text == "5280371"


def test_a_wide_gap_parts_no_line():
    page = np.hstack([written("47"), np.full((168, 400, 3), 255, np.uint8), written("20")])
    assert read_number(page).text == "4720"


def test_warnings_name_the_line():
    reading = read_number(written("25", "1E7"))
    assert [warning[:7] for warning in reading.warnings] == ["Line 2:"]
    assert reading.lines[0].warnings == ()


# ---- What touches, overlaps, is broken


@pytest.mark.parametrize(("text", "gap"), [("40", 0.03), ("00", 0.06), ("307", 0.03), ("88", 0.06)])
def test_digits_that_touch_are_read(text, gap):
    parts = images.find_digits(images.find_ink(images.open_picture(written(text, gap=gap))))
    assert len(parts) < len(text)
    assert read_number(written(text, gap=gap)).text == text


@pytest.mark.parametrize("text", ["4712", "971", "1741"])
def test_digits_that_lean_over_each_other_are_read(text):
    page = written(text, slant=0.45, gap=0.12)
    assert len(images.find_digits(images.find_ink(images.open_picture(page)))) <= len(text)
    assert read_number(page).text == text


@pytest.mark.parametrize("text", ["307", "58", "269"])
def test_broken_digits_are_read(text):
    assert read_number(written(text, breaks=14, gap=0.5)).text == text


def test_a_faint_digit_is_not_left_out():
    page = written("00", pen=10)
    page[45:125, 15:18] = 60  # a thin 1 to the left
    assert read_number(page).text == "100"
    page[70:76, 15:18] = page[97:103, 15:18] = 255
    assert read_number(page).text == "100"


def test_a_digit_at_the_border_is_read():
    page = written("1000")
    left = np.flatnonzero((page < 128).any(axis=(0, 2)))[0]
    assert read_number(page[:, left:]).text == "1000"


def test_what_is_not_sure_to_be_one_digit_is_so_much_less_sure(monkeypatch):
    """Of two halves that are as likely one digit as two, each is one with a probability of a half."""
    half = images.Digit(np.ones((100, 30), np.float32), 0, 0)
    other = dataclasses.replace(half, left=30)
    reader = reader_of(pretrained(), value_range=(0, 1), inverted=False)

    def as_likely(reader, pixels):
        wide = (pixels.sum(axis=1) > 0.3).sum(axis=1) > 8
        sure = np.where(wide, 0.6, 0.1 + 0.9 * np.sqrt((0.6 - 0.1) / 0.9))
        return np.stack([sure, *[(1 - sure) / 9] * 9], axis=1).astype(np.float32)

    monkeypatch.setattr(Reader, "probabilities", as_likely)
    for part in ("CUT", "THROUGH", "JOINED", "APART"):
        monkeypatch.setattr(f"tinynet.segmentation.{part}", 0.0)
    (piece,), (next_piece,) = cut(half, []), cut(other, [])
    found = segmented(reader, [piece, next_piece], 100)
    assert [share for _, share in found] == pytest.approx([0.5] * len(found), abs=1e-3)
    assert segmented(reader, [piece], 100) == [(half, 1.0)]


def test_a_seam_goes_around_ink():
    ink = np.zeros((40, 30), np.float32)
    ink[5:20, 12:16] = ink[20:35, 14:18] = 1
    straight = min(float(ink[:, column].sum()) for column in (14, 15))
    way, cut_ink = images.seam(ink, 14)
    assert straight == 30
    assert cut_ink == 0
    assert np.abs(np.diff(way)).max() <= 1
    assert np.abs(way - 14).max() <= round(0.12 * 40)


@pytest.mark.parametrize("slant", [-0.3, 0.0, 0.4])
def test_a_digit_is_set_upright_and_back(slant):
    ink = np.random.default_rng(0).random((30, 20), np.float32)
    digit = images.Digit(ink, 7, 50)
    back = images.trimmed(images.upright(images.upright(digit, slant), -slant))
    assert (back.top, back.left) == (7, 50)
    np.testing.assert_array_equal(back.ink, ink)
    leaning = images.upright(images.Digit(np.pad(np.ones((60, 4), np.float32), 2), 0, 0), -slant)
    assert images.slant_of([leaning]) == pytest.approx(slant)


# ---- The reading


def test_boxes_are_in_the_pictures_own_pixels(number):
    for digit, (left, top, right, bottom) in zip(number.digits, [d.box for d in number.digits], strict=True):
        page = written("472")[top:bottom, left:right, 0]
        assert (page[[0, -1]] < 200).any(axis=1).all()
        assert (page[:, [0, -1]] < 200).any(axis=0).all()
        assert digit.as_dict()["box"] == [left, top, right, bottom]
    large = Image.fromarray(written("472")).resize((2700, 1500))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90° clockwise to see it
    file = io.BytesIO()
    large.rotate(90, expand=True).save(file, "JPEG", exif=exif)
    for picture in (file.getvalue(), io.BytesIO(file.getvalue())):
        reading = read_number(picture)
        assert (reading.text, reading.size) == ("472", (1500, 2700))
        for digit, small in zip(reading.digits, number.digits, strict=True):
            scale = np.array([2700, 1500, 2700, 1500]) / np.array([*number.size[::-1]] * 2)
            np.testing.assert_allclose(digit.box, np.array(small.box) * scale, atol=14)


def test_a_blank_page_has_no_number():
    reading = read_number(np.ones((60, 80)))
    assert (str(reading), reading.digits, reading.lines, reading.confidence) == ("", (), (), 0.0)
    assert reading.warnings == ("There is no digit in the picture.",)
    for number in (int, float):
        with pytest.raises(ValueError, match="There is no number"):
            number(reading)


@pytest.mark.parametrize(
    ("text", "whole", "value"),
    [
        ("042", 42, 42.0),
        ("-42", -42, -42.0),
        ("+5", 5, 5.0),
        ("3.5", None, 3.5),
        ("3,5", None, 3.5),
        ("-0,125", None, -0.125),
        ("1,250", 1250, None),  # or 1.25
        ("1.250", None, 1.25),
        ("1,250,000", 1_250_000, 1_250_000.0),
        ("1.250.000", 1_250_000, 1_250_000.0),
        ("1,250.75", None, 1250.75),
        ("1.250,75", None, 1250.75),
        ("1.2.3", None, None),
        ("12-34", None, None),
        ("12=34", None, None),
    ],
)
def test_a_number_s_value(number, text, whole, value):
    reading = dataclasses.replace(number, text=text)
    assert str(reading) == text
    for kind, expected in ((int, whole), (float, value)):
        if expected is None:
            with pytest.raises(ValueError, match=re.escape(text)):
                kind(reading)
        else:
            assert kind(reading) == expected


def test_several_lines_have_no_one_value():
    reading = read_number(written("12", "34"))
    with pytest.raises(ValueError, match="There are 2 lines"):
        int(reading)
    assert [int(line) for line in reading.lines] == [12, 34]


def test_a_notebook_shows_the_boxes(number):
    assert isinstance(number, NumberReading)
    shown = np.asarray(Image.open(io.BytesIO(number._repr_png_())), int)
    assert shown.shape[2] == 3
    left, top, right, bottom = number.digits[0].box
    assert np.ptp(shown[top - 1, left:right], axis=1).min() > 50
    assert np.ptp(shown[top:bottom, left - 1], axis=1).min() > 50
    odd = dataclasses.replace(number, warnings=("<b>odd</b>",))
    text = odd._repr_html_()
    assert base64.b64encode(odd._repr_png_()).decode() in text
    assert "<b>472</b>" in text
    assert "&lt;b&gt;odd&lt;/b&gt;" in text
    assert repr(odd).startswith("NumberReading(text='472', confidence=")


def test_what_json_holds(number):
    content = json.loads(json.dumps(number.as_dict(), allow_nan=False))
    assert content["number"] == "472"
    assert [digit["digit"] for digit in content["digits"]] == [4, 7, 2]
    assert content["warnings"] == []
    assert tinynet.predict_image(written("4")).as_dict().keys().isdisjoint({"box"})
