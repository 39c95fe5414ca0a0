"""The web page that reads digits: what it shows, what it refuses, and that it keeps nothing."""

from __future__ import annotations

import base64
import dataclasses
import html
import http.client
import io
import json
import os
import re
import socket
import struct
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from page_pictures import STROKES, drawn, png
from page_server import SITE, developing
from PIL import Image, ImageDraw

import tinynet

pytest.importorskip("django", minversion="5.2")

sys.path.insert(0, str(SITE))
os.environ["DJANGO_SETTINGS_MODULE"] = "ocr.settings"

import django
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import StopFutureHandlers
from django.test import Client, RequestFactory, override_settings
from ocr import room, uploads, views

os.environ.update(OCR_DEBUG="", OCR_HOSTS="", OCR_SECRET_KEY="")  # whatever the one who tests has set
django.setup()

MB = 2**20
BLANK = png(Image.new("RGB", (60, 80), "white"))


def bomb():
    """A small PNG that says it has 60,000 × 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n"
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        file += struct.pack(">I", len(content)) + kind + content + checksum
    return file


def form(*files, field="pictures", **fields):
    """The body of a form with (name, content) of each file, and its content type."""
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [(f'name="{field}"; filename="{name}"', content) for name, content in files]
    body = b"".join(
        b"--frontier\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return body + b"--frontier--\r\n", "multipart/form-data; boundary=frontier"


@pytest.fixture
def client():
    return Client(SERVER_NAME="127.0.0.1")


@pytest.fixture
def upload(client):
    """Uploads (name, content) of files to the page and returns the answer, with its text."""

    def post(*files):
        body, content_type = form(*files)
        response = client.post("/ocr", body, content_type=content_type)
        response.text = response.content.decode()
        return response

    return post


@pytest.fixture
def ask(client):
    """Sends one picture to the JSON endpoint and returns the status and what came."""

    def post(content, name="picture.png"):
        body, content_type = form((name, content), field="image")
        response = client.post("/api/predict", body, content_type=content_type)
        return response.status_code, response.json()

    return post


class Page(HTMLParser):
    """The elements of a page: (tag, attributes)."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def messages(text, kind):
    return [html.unescape(message) for message in re.findall(rf'<p class="{kind}"[^>]*>(.*?)</p>', text)]


def bars(text):
    """The (value, label) of each bar of the results."""
    meters = Page(text[: text.index("<form")]).all("meter")
    return [(bar["value"], bar["aria-label"]) for bar in meters]


def spoken(text):
    """What a screen reader is told of each picture."""
    return [article["data-said"] for article in Page(text).all("article")]


def names(text):
    return re.findall(r"<h3>(.*?)</h3>", text)


def digits(text):
    return "".join(re.findall(r'<span class="digit">(.*?)</span>', text, re.DOTALL))


# ---- The page


def test_the_root_leads_to_the_page(client):
    response = client.get("/")
    assert (response.status_code, response["Location"]) == (302, "/ocr")
    assert client.get("/ocr").status_code == 200
    assert client.head("/ocr").status_code == 200


def test_the_page_suits_phones_dark_rooms_and_readers_of_screens(client):
    text = client.get("/ocr").content.decode()
    page = Page(text)
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert "@media (prefers-color-scheme: dark)" in text
    assert ":focus-visible" in text
    assert "lang" in page.all("html")[0]
    labelled = {label["for"] for label in page.all("label")}
    assert labelled == {field["id"] for field in page.all("input") if field["type"] != "hidden"}
    assert [part["id"] for part in page.all("p") if part.get("role") == "status"] == ["said"]
    assert "at most 20 files, 20 MB a file, 100 MB together" in text


def test_the_form_needs_no_script(client):
    page = Page(client.get("/ocr").content.decode())
    [whole] = page.all("form")
    assert (whole["method"], whole["action"], whole["enctype"]) == ("post", "/ocr", "multipart/form-data")
    [chooser] = [field for field in page.all("input") if field["type"] == "file"]
    assert chooser["name"] == "pictures"
    assert "multiple" in chooser
    assert "hidden" not in chooser
    assert "submit" in [button["type"] for button in page.all("button")]
    [drawing] = [part for part in page.all("section") if part.get("id") == "drawing"]
    [more] = [part for part in page.all("div") if part.get("id") == "more"]
    assert "hidden" in drawing  # until the script shows it
    assert "hidden" in more


def test_nothing_comes_from_elsewhere(client, upload):
    for response in (client.get("/ocr"), upload(("a.png", drawn("1")))):
        text, policy = response.content.decode(), response["Content-Security-Policy"]
        page = Page(text)
        addresses = [a[key] for _, a in page.elements for key in ("src", "href", "action") if key in a]
        assert all(address.startswith(("data:", "/ocr")) for address in addresses)
        assert not re.search(r"https?:|url\(|@import|style=| on\w+=", text)
        [style], [script] = page.all("style"), page.all("script")
        assert style["nonce"] == script["nonce"]
        assert policy.count(f"'nonce-{script['nonce']}'") == 2
        assert policy.startswith("default-src 'none'; img-src 'self' data:;")
        assert "connect-src 'self'" in policy
        assert "unsafe" not in policy
    assert client.get("/ocr")["Content-Security-Policy"] != policy  # a nonce is used once


def test_headers_keep_the_page_to_itself(client):
    response = client.get("/ocr")
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]
    assert response.cookies["csrftoken"]["httponly"]


# ---- What it reads


@pytest.mark.parametrize("digit", STROKES)
def test_it_reads_a_digit(upload, digit):
    response = upload(("mine.png", drawn(digit)))
    assert response.status_code == 200
    assert digits(response.text) == digit
    assert names(response.text) == ["mine.png"]
    assert re.search(r"\b\d{2,3}\.\d% sure", response.text)


def test_it_shows_the_picture_what_was_seen_and_all_ten_bars(upload):
    content = drawn("7", size=900, ink=(200, 0, 0))
    response = upload(("seven.png", content))
    reading = tinynet.predict_image(content)
    page = Page(response.text)
    shown, seen = (Image.open(io.BytesIO(base64_of(image["src"]))) for image in page.all("img"))
    assert max(shown.size) == 320
    assert (np.ptp(np.asarray(shown.convert("RGB")), axis=2) > 150).any()  # in its own red
    assert seen.size == (28, 28)
    np.testing.assert_allclose(1 - np.asarray(seen) / 255, np.clip(reading.pixels, 0, 1), atol=0.005)
    assert "image-rendering: pixelated" in response.text
    assert all(image["alt"] for image in page.all("img"))
    expected = [(f"{p:.4f}", f"Probability of {digit}") for digit, p in enumerate(reading.probabilities)]
    assert bars(response.text) == expected
    for digit, probability in enumerate(reading.probabilities):
        best = ' class="best"' if digit == 7 else ""
        row = rf"<li{best}><span>{digit}</span>.*<span>{probability:.1%}</span>"
        assert re.search(row, response.text)


def test_screen_readers_are_told_in_a_sentence(upload):
    response = upload(
        ("<7>.png", drawn("7")), ("70.png", side_by_side(["70"])), ("w.png", BLANK), ("t", b"t")
    )
    sure, number = re.findall(r"\d+\.\d% sure", response.text[: response.text.index("w.png")])[::2]
    assert spoken(response.text) == [
        f"<7>.png: 7, {sure}.",
        f"70.png: 70, {number}.",
        "w.png: There is no ink in the picture.",
        f"t: {messages(response.text, 'problem')[0]}",
    ]


def test_its_script_gets_the_results_alone(client, upload):
    files = ("7.png", drawn("7")), ("text.png", b"text")
    body, content_type = form(*files)
    whole = upload(*files).text
    for content, said in ((body, 'data-said="7.png'), (b"", "No picture came")):
        response = client.post("/ocr", content, content_type, headers={"X-Requested-With": "fetch"})
        text = response.content.decode()
        assert text.startswith('<div id="results">')
        assert said in text
        assert not re.search("<form|<script|autofocus|csrf", text)
        assert response.status_code == (200 if content is body else 400)
    page = Page(whole)
    assert "autofocus" in page.all("h2")[0]  # without the script, reading aloud begins there


def base64_of(address):
    start = "data:image/png;base64,"
    assert address.startswith(start)
    return base64.b64decode(address.removeprefix(start))


def test_it_reads_several_pictures_in_their_order(upload):
    response = upload(*((f"{digit}.png", drawn(digit)) for digit in "710"))
    assert digits(response.text) == "710"
    assert names(response.text) == ["7.png", "1.png", "0.png"]
    assert response.status_code == 200


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16", "RGBA"])
def test_it_shows_pictures_of_every_mode(upload, mode):
    grey = Image.open(io.BytesIO(drawn("1", ink="#333"))).convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey, np.uint16) * 257)
    else:
        image = grey.convert("RGB").convert(mode)
    file = io.BytesIO()
    image.save(file, "JPEG" if mode == "CMYK" else "PNG")
    response = upload(("one.png", file.getvalue()))
    assert digits(response.text) == "1"
    shown = np.asarray(
        Image.open(io.BytesIO(base64_of(Page(response.text).all("img")[0]["src"]))).convert("L")
    )
    assert shown.min() < 60
    assert shown.max() > 200


def test_it_turns_the_picture_upright(upload):
    turned = Image.open(io.BytesIO(drawn("7"))).crop((30, 20, 170, 180)).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90° clockwise to see it
    file = io.BytesIO()
    turned.save(file, "JPEG", exif=exif)
    response = upload(("phone.jpg", file.getvalue()))
    assert digits(response.text) == "7"
    shown = Image.open(io.BytesIO(base64_of(Page(response.text).all("img")[0]["src"])))
    assert shown.size == (140, 160)


def side_by_side(numbers):
    """A PNG of several rows of digits."""
    rows = [
        np.hstack([np.asarray(Image.open(io.BytesIO(drawn(digit))))[:, 20:180] for digit in number])
        for number in numbers
    ]
    return png(Image.fromarray(np.vstack(rows)))


@pytest.mark.parametrize("numbers", [["70"], ["107", "170"]])
def test_it_says_the_number_of_several_digits(upload, ask, numbers):
    content = side_by_side(numbers)
    response = upload(("number.png", content))
    assert response.status_code == 200
    assert digits(response.text) == "\n".join(numbers)
    assert re.search(r"\b\d{2,3}\.\d% sure", response.text)
    page = Page(response.text)
    written = "".join(numbers)
    assert [label for _, label in bars(response.text)] == [f"Probability of {d}" for d in written]
    boxed = np.asarray(Image.open(io.BytesIO(base64_of(page.all("img")[1]["src"]))), np.int64)
    assert (np.ptp(boxed, axis=2) > 50).sum() > 100 * len(written)  # the boxes are in colour
    assert messages(response.text, "warning") == []
    status, answer = ask(content)
    assert (status, answer["number"]) == (200, "\n".join(numbers))
    assert answer["number_confidence"] > 0.8
    assert answer["warnings"]  # about the digit


def test_it_says_first_that_there_is_no_digit(upload, ask):
    image = Image.new("L", (200, 200), 255)
    for line in ([(140, 30), (60, 30), (60, 170), (140, 170)], [(60, 100), (120, 100)]):
        ImageDraw.Draw(image).line(line, 0, width=12)  # an E
    response = upload(("e.png", png(image)))
    assert digits(response.text) == ""
    assert "% sure" not in response.text[: response.text.index("No digit")]
    assert response.text.index("No digit") < response.text.index("<meter")
    assert "not be a digit" in messages(response.text, "warning")[0]
    assert "number" not in ask(png(image))[1]


def test_it_passes_on_every_warning(upload, monkeypatch):
    reading = tinynet.predict_image(drawn("1"))
    odd = dataclasses.replace(reading, warnings=("This may not be a digit: <b>3%</b>.", "And so on."))
    monkeypatch.setattr(views, "predict_image", lambda content: odd)
    response = upload(("odd.png", drawn("1")))
    assert response.status_code == 200
    assert messages(response.text, "warning") == list(odd.warnings)
    assert "<b>3%</b>" not in response.text


# ---- What it refuses


def test_without_a_picture_it_asks_for_one(client, upload):
    for response in (upload(), upload(("", b"")), client.post("/ocr")):
        assert response.status_code == 400
        assert messages(response.content.decode(), "problem") == [
            "No picture came. Choose a picture file or draw a digit first."
        ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"These are no pixels." * 9, "not in a known format"),
        (b"", "empty"),
        (b"%PDF-1.7 and so on", "PDF"),
        (drawn("7")[:300], "damaged"),
        (drawn("7")[:60], "damaged"),
        (bomb(), "megapixels"),
    ],
    ids=["text", "empty", "pdf", "truncated", "beheaded", "bomb"],
)
def test_it_says_what_is_wrong_with_a_file(upload, ask, content, said):
    response = upload(("some.png", content))
    assert response.status_code == 400
    [message] = messages(response.text, "problem")
    assert said in message
    assert names(response.text) == ["some.png"]
    assert "Traceback" not in response.text
    assert ask(content) == (400, {"error": message})


def test_a_blank_picture_is_no_digit(upload, ask):
    response = upload(("white.png", BLANK))
    assert response.status_code == 400
    assert messages(response.text, "warning") == ["There is no ink in the picture."]
    assert digits(response.text) == ""
    assert len(Page(response.text).all("img")) == 2
    status, answer = ask(BLANK)
    assert (status, answer["digit"], answer["is_digit"]) == (200, None, False)


def test_good_pictures_are_read_beside_bad_ones(upload):
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10_000):
        files = (
            ("large.png", b"x" * 10_001),
            ("seven.png", drawn("7")),
            ("text.png", b"text"),
            ("w.png", BLANK),
        )
        response = upload(*files)
        assert response.status_code == 200
        assert names(response.text) == [name for name, _ in files]
        assert digits(response.text) == "7"
        large, text = messages(response.text, "problem")
        assert "at most 20 files, 0.00953674 MB a file" in large
        assert "not in a known format" in text
        assert upload(files[0], files[2]).status_code == 413
        assert upload(files[2], files[3]).status_code == 400


def test_a_file_over_the_limit_is_refused(upload, ask):
    content = drawn("1") + bytes(20 * MB)  # a picture, but for what comes after it
    response = upload(("large.png", content))
    assert response.status_code == 413
    [message] = messages(response.text, "problem")
    assert "20 MB a file" in message
    assert ask(content) == (413, {"error": message})
    fits = content[: 20 * MB]
    assert upload(("fits.png", fits)).status_code == 200
    assert ask(fits)[0] == 200


def test_too_many_files_are_refused(upload):
    assert upload(*[("1.png", drawn("1"))] * 20).status_code == 200
    response = upload(*[("1.png", drawn("1"))] * 21)
    assert response.status_code == 413
    assert "at most 20 files" in messages(response.text, "problem")[0]


def test_a_request_over_the_limit_is_refused(upload, ask, client):
    with override_settings(FILE_UPLOAD_MAX_MEMORY_SIZE=5000):
        response = upload(("a.png", bytes(3000)), ("b.png", bytes(3000)))
        assert response.status_code == 413
        assert "MB together" in messages(response.text, "problem")[0]
        assert ask(bytes(6000))[0] == 413


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(upload, ask, monkeypatch):
    content = png(Image.new("1", (6400, 6400), 1))  # 41 megapixels in a few kB
    assert len(content) < 20_000
    monkeypatch.setattr(views, "predict_image", lambda picture: pytest.fail("it was decoded"))
    response = upload(("many.png", content))
    assert response.status_code == 413
    [message] = messages(response.text, "problem")
    assert "40 megapixels a picture" in message
    assert ask(content) == (413, {"error": message})


def test_pixels_in_flight_are_bounded(client, monkeypatch):
    content, together, most, lock = drawn("1", 100), [0], [0], threading.Lock()

    def slow(picture, old=views.predict_image):
        with lock:
            together[0] += 1
            most[0] = max(most[0], together[0])
        threading.Event().wait(0.02)
        with lock:
            together[0] -= 1
        return old(picture)

    monkeypatch.setattr(views, "predict_image", slow)

    def post(_):
        return Client(SERVER_NAME="127.0.0.1").post("/api/predict", content, content_type="image/png")

    with override_settings(OCR_PIXELS_AT_ONCE=25_000), ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(post, range(16))]
    assert [answer.status_code for answer in answers] == [200] * 16
    assert most[0] == 2  # of 10,000 pixels each
    assert room._taken == [0]


def test_who_finds_no_room_in_time_is_told_so(upload, ask, client):
    content = drawn("1", 100)
    with (
        override_settings(OCR_PIXELS_AT_ONCE=15_000, OCR_SECONDS=0.1),
        room.room_for(content, room.deadline()),
    ):
        response = upload(("1.png", content), ("2.png", content))
        assert response.status_code == 503
        assert messages(response.text, "problem") == [views.BUSY] * 2
        assert response["Retry-After"] == "10"
        assert ask(content) == (503, {"error": views.BUSY})
        answer = client.post("/api/predict", content, content_type="image/png")
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert room._taken == [0]
    assert ask(content)[0] == 200


def test_a_request_of_many_slow_pictures_ends_in_time(upload, monkeypatch):
    def slow(picture, old=views.predict_image):
        threading.Event().wait(0.1)
        return old(picture)

    monkeypatch.setattr(views, "predict_image", slow)
    with override_settings(OCR_SECONDS=0.25):
        response = upload(*[("1.png", drawn("1"))] * 20)
    assert response.status_code == 200
    assert 1 <= len(digits(response.text)) <= 3
    assert messages(response.text, "problem") == [views.BUSY] * (20 - len(digits(response.text)))


def test_a_bad_picture_gives_its_room_back(ask):
    content = drawn("1", 400)
    assert ask(content[: len(content) // 2])[0] == 400
    assert ask(bomb())[0] == 400
    assert room._taken == [0]


def test_a_large_photo_counts_as_what_is_decoded_of_it():
    file = io.BytesIO()
    Image.new("RGB", (8000, 6000), "white").save(file, "JPEG")
    assert room.pixels_of(file.getvalue()) == 2000 * 1500
    file = io.BytesIO()
    Image.new("RGB", (800, 600), "white").resize((1600, 1200)).save(file, "JPEG", progressive=True)
    assert room.pixels_of(file.getvalue()) == 1600 * 1200
    assert room.pixels_of(b"no picture") == 0


def test_nothing_is_read_of_a_request_that_says_it_is_too_large():
    body, content_type = form(("a.png", b"1"))
    request = RequestFactory().post("/ocr", body, content_type=content_type, CONTENT_LENGTH=str(10**12))
    with pytest.raises(RequestDataTooBig):
        _ = request.FILES
    assert request.read(len(body)) == body


def new_file(handler, name):
    with pytest.raises(StopFutureHandlers):
        handler.new_file("pictures", name, "image/png", 10)


def test_a_content_length_that_is_too_small_lets_no_more_in():
    handler = uploads.BoundedMemoryHandler()
    handler.handle_raw_input(None, {}, 10, "frontier")  # it says: 10 bytes
    for number in range(6):
        new_file(handler, f"{number}.png")
        for start in range(0, 15 * MB, MB):
            handler.receive_data_chunk(bytes(MB), start)
    new_file(handler, "last.png")
    handler.receive_data_chunk(bytes(10 * MB), 0)  # 6 · 15 + 10 MB
    with pytest.raises(RequestDataTooBig):
        handler.receive_data_chunk(b"1", 10 * MB)


def test_nothing_is_kept_of_a_file_that_is_too_large():
    handler = uploads.BoundedMemoryHandler()
    handler.handle_raw_input(None, {}, 30 * MB, "frontier")
    new_file(handler, "large.png")
    for start in range(0, 30 * MB, MB):
        handler.receive_data_chunk(bytes(MB), start)
        assert len(handler.file.getvalue()) == (start + MB if start < 20 * MB else 0)
    assert handler.file_complete(30 * MB).size == 30 * MB


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content_type": "multipart/form-data"}, b"no boundary"),
        ({"content_type": "multipart/form-data; boundary=frontier"}, b"no parts"),
        ({"content_type": "multipart/form-data; boundary=frontier", "CONTENT_LENGTH": "-1"}, b"negative"),
        ({"content_type": "multipart/form-data; boundary=frontier"}, form(("a.png", BLANK))[0][:200]),
        ({"content_type": "text/plain"}, b"text"),
        ({"content_type": "application/x-www-form-urlencoded"}, b"&".join(b"%d=1" % i for i in range(99))),
    ],
)
def test_damaged_requests_get_an_answer(client, headers, body):
    for url in ("/ocr", "/api/predict"):
        response = client.generic("POST", url, body, **headers)
        assert response.status_code in (400, 415)
        assert b"Traceback" not in response.content
    assert "error" in response.json()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)<b>.png", "&lt;script&gt;alert(1)&lt;b&gt;.png"),
        ("&lt;img src=x onerror=alert(1)&gt;", "&lt;img src=x onerror=alert(1)&gt;"),
        ("'><img src=x>.png", "&#x27;&gt;&lt;img src=x&gt;.png"),
        ("{{ limits }}{% csrf_token %}.png", "{{ limits }}{% csrf_token %}.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\\\pictures\\\\7.png", "7.png"),
        ("ζωγραφιά 数字 🖊️.png", "ζωγραφιά 数字 🖊️.png"),
        ("\u202egnp.7", "gnp.7"),
    ],
)
@pytest.mark.parametrize("content", [drawn("1"), b"text"], ids=["picture", "text"])
def test_names_are_only_text(upload, name, shown, content):
    response = upload((name, content))
    assert names(response.text) == [shown]
    page = Page(response.text)
    assert len(page.all("script")) == 1
    assert len(page.all("img")) == (0 if content == b"text" else 2)
    assert not page.all("b")


def test_long_names_are_cut(upload):
    [shown] = names(upload(("a" * 600 + ".png", drawn("1"))).text)
    assert shown == "a" * 251 + ".png"
    assert upload(("a" * 5000 + ".png", drawn("1"))).status_code == 400  # beyond Django's limit of a header


def test_other_methods_and_places_get_plain_pages(client, monkeypatch):
    assert client.put("/ocr").status_code == 405
    response = client.get("/nothing")
    assert response.status_code == 404
    assert b"Not Found" in response.content

    def broken(content):
        raise RuntimeError("secret")

    monkeypatch.setattr(views, "predict_image", broken)
    client.raise_request_exception = False
    body, content_type = form(("a.png", BLANK))
    response = client.post("/ocr", body, content_type=content_type)
    assert response.status_code == 500
    assert b"secret" not in response.content
    assert b"Server Error" in response.content


def test_other_hosts_are_refused():
    refused = Client(SERVER_NAME="example.com").post("/ocr")
    assert refused.status_code == 400
    assert "OCR_HOSTS" in messages(refused.content.decode(), "problem")[0]
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert Client(SERVER_NAME=host).get("/ocr").status_code == 200


def test_an_upload_of_unknown_size_is_refused(client):
    for url in ("/ocr", "/api/predict"):
        answer = client.post(url, b"", "image/png", HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
        assert answer.status_code == 411
        assert "Content-Length" in answer.content.decode()


def test_another_site_cannot_send_the_form():
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="127.0.0.1")
    picture = ("1.png", drawn("1"))
    body, content_type = form(picture)
    response = strict.post("/ocr", body, content_type=content_type)
    assert response.status_code == 403
    assert "expired" in messages(response.content.decode(), "problem")[0]

    page = Page(strict.get("/ocr").content.decode())
    [token] = [field["value"] for field in page.all("input") if field["name"] == "csrfmiddlewaretoken"]
    body, content_type = form(picture, csrfmiddlewaretoken=token)
    assert strict.post("/ocr", body, content_type=content_type).status_code == 200
    response = strict.post("/ocr", body, content_type=content_type, HTTP_ORIGIN="https://example.com")
    assert response.status_code == 403
    assert strict.post("/api/predict", drawn("1"), content_type="image/png").status_code == 200


def test_an_upload_touches_no_disk(upload, ask, client):
    """No file is opened to write while pictures of 12 MB come in (Django would by itself above 2.5 MB)."""
    picture = drawn("1") + bytes(12 * MB)
    tinynet.predict_image(picture)  # compiled kernels are cached on disk
    opened, watching = [], True

    def watch(event, arguments):
        if watching and event == "open":
            _, mode, flags = arguments
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or set(mode or "") & set("wax+"):
                opened.append(arguments)
        elif watching and event.startswith(("tempfile.", "os.mkdir", "os.rename")):
            opened.append((event, *arguments))

    sys.addaudithook(watch)  # hooks stay for good
    try:
        assert upload(("1.png", picture), ("2.png", picture)).status_code == 200
        assert ask(picture)[0] == 200
        assert client.post("/api/predict", picture, content_type="image/png").status_code == 200
    finally:
        watching = False
    assert opened == []


# ---- The JSON endpoint


def test_the_endpoint_answers_in_json(ask, client):
    content = drawn("7")
    expected = json.loads(json.dumps(tinynet.predict_image(content).as_dict()))
    assert ask(content, "seven.png") == (200, {"file": "seven.png", **expected})
    assert expected["digit"] == 7
    response = client.post("/api/predict", content, content_type="image/png")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json() == {"file": None, **expected}
    assert not response.cookies


def test_the_endpoint_refuses_in_json(client):
    def error(response, status):
        assert response.status_code == status
        [(key, message)] = response.json().items()
        assert (key, type(message)) == ("error", str)
        return message

    response = client.get("/api/predict")
    assert "POST" in error(response, 405)
    assert response["Allow"] == "POST"
    body, content_type = form(("a.png", BLANK), ("b.png", BLANK), field="image")
    assert "2 came" in error(client.post("/api/predict", body, content_type=content_type), 400)
    body, content_type = form(("a.png", BLANK), field="picture")
    assert "0 came" in error(client.post("/api/predict", body, content_type=content_type), 400)
    assert "empty" in error(client.generic("POST", "/api/predict", CONTENT_TYPE="image/png"), 400)
    assert "image/" in error(client.post("/api/predict", b"{}", content_type="application/json"), 415)
    assert "20 MB" in error(client.post("/api/predict", bytes(20 * MB + 1), content_type="image/png"), 413)


# ---- The settings


def test_settings_pass_the_checks_without_loading_the_library(run_python):
    """`manage.py check` stays quick: neither the model nor numba is loaded."""
    code = (
        "import sys, django; from django.core.management import call_command; django.setup(); "
        "call_command('check', deploy=True, fail_level='WARNING'); "
        "print([name in sys.modules for name in ('numba', 'ocr.wsgi')]); "
        "from django.conf import settings; print(settings.DEBUG, settings.ALLOWED_HOSTS[3:]); "
        "print(settings.SECRET_KEY)"
    )
    paths = os.pathsep.join([str(SITE), str(Path(tinynet.__file__).parents[1])])
    environment = {"PYTHONPATH": paths, "OCR_HOSTS": "a.example, 10.0.0.7"}
    first, second = (run_python(code, **environment) for _ in range(2))
    assert first.splitlines()[-3:-1] == ["[False, False]", "False ['a.example', '10.0.0.7']"]
    assert first.splitlines()[-1] != second.splitlines()[-1]  # a secret key for each process
    chosen = run_python(
        "from ocr import settings; print(settings.DEBUG, settings.SECRET_KEY)",
        **environment,
        OCR_DEBUG="1",
        OCR_SECRET_KEY="mine",
    )
    assert chosen == "True mine\n"


# ---- A real server


@pytest.fixture(scope="module")
def server():
    """A server in another process: its port and its process."""
    with developing() as running:
        yield running


def send(port, body, content_type, url="/api/predict", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", url, body, {"Content-Type": content_type, **headers})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def peak_memory(process):
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        pytest.skip("/proc tells a process's memory")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024


def test_many_visitors_at_once_get_their_own_answers(server):
    port, _ = server
    pictures = {digit: drawn(digit) for digit in STROKES}
    alone = {digit: send(port, picture, "image/png") for digit, picture in pictures.items()}
    assert {digit: json.loads(text)["digit"] for digit, (_, text) in alone.items()} == {
        "0": 0,
        "1": 1,
        "7": 7,
    }
    order = list(STROKES) * 10
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda digit: send(port, pictures[digit], "image/png"), order))
    assert answers == [alone[digit] for digit in order]


def test_a_huge_upload_is_refused_without_being_kept(server):
    port, process = server
    send(port, drawn("1"), "image/png")
    before = peak_memory(process)
    body, content_type = form(("huge.png", bytes(150 * MB)))
    for url in ("/api/predict", "/nothing", "/ocr"):
        status, text = send(port, body, content_type, url)
        assert status == {"/api/predict": 413, "/nothing": 404, "/ocr": 403}[url]
    status, text = send(port, bytes(150 * MB), "image/png")
    assert status == 413
    assert "100 MB together" in json.loads(text)["error"]
    assert peak_memory(process) < before + 30 * MB


def test_a_huge_form_gets_a_page(server):
    port, _ = server
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/ocr")
    response = connection.getresponse()
    cookie = response.headers["Set-Cookie"].split(";")[0]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.read().decode())[1]
    connection.close()
    body, content_type = form(("huge.png", bytes(101 * MB)), csrfmiddlewaretoken=token)
    status, text = send(port, body, content_type, "/ocr", Cookie=cookie)
    assert status == 413
    assert "100 MB together" in messages(text, "problem")[0]


@pytest.mark.parametrize("said", [10**12, 5 * MB, 60, 0])
def test_a_wrong_content_length_does_no_harm(server, said):
    port, _ = server
    body, content_type = form(("1.png", drawn("1")), field="image")
    head = f"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"{head}Content-Length: {said}\r\n\r\n".encode() + body)
        if said == 5 * MB:  # what is within the limit is waited for
            connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(2**16)
    expected = {10**12: b"413", 5 * MB: b"200"}.get(said, b"400")
    assert answer.startswith(b"HTTP/1.1 " + expected)
    assert send(port, drawn("7"), "image/png")[0] == 200
