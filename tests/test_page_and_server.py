"""The page in a browser, and its server: how often that is asked, and what is said without a good answer."""

from __future__ import annotations

import re
import time

import pytest
from page_browser import file
from page_pictures import STROKES, drawn

pytestmark = pytest.mark.browser

ONE, SEVEN = STROKES["1"], STROKES["7"]


def readings(window):
    return [url for url in window.posts if url.endswith("/api/predict")]


def test_a_drawing_is_sent_once_the_pen_rests(open_page, expect):
    window = open_page()
    answer = {"digit": 7, "is_digit": True, "confidence": 0.9, "probabilities": [0.1] * 10}
    window.page.route("**/api/predict", lambda route: route.fulfill(json=answer))  # a quick server
    box = window.page.locator("canvas").bounding_box()
    window.page.mouse.move(box["x"] + 20, box["y"] + 20)
    window.page.mouse.down()
    for step in range(15):
        window.page.mouse.move(box["x"] + 20 + 10 * step, box["y"] + 60 + step, steps=5)
        window.page.wait_for_timeout(150)
    window.page.mouse.up()
    assert len(readings(window)) <= 3  # of 75 movements, with pauses; more than none only on a slow computer
    window.press("#clear")
    window.posts.clear()
    window.draw(SEVEN)
    expect(window.page.locator("#live .digit")).to_have_text("7")
    window.page.wait_for_timeout(700)
    assert len(readings(window)) == 1


def test_what_is_stale_is_cancelled_and_never_shown(open_page, expect):
    window = open_page()
    page, failed, held = window.page, [], []
    page.on("requestfailed", lambda request: failed.append(request.failure))
    page.route("**/api/predict", lambda route: held.append(route))  # none is answered
    window.draw(ONE)
    window.until(lambda: held)
    page.wait_for_timeout(1000)
    window.draw(SEVEN)
    window.until(lambda: failed)
    assert failed == ["net::ERR_ABORTED"]
    page.wait_for_timeout(500)
    assert len(held) == 1  # the server may be busy with the first for another second
    window.until(lambda: len(held) == 2)
    held[1].continue_()
    expect(page.locator("#live .digit")).to_have_text("7")
    window.press("#clear")
    page.wait_for_timeout(700)
    assert len(held) == 2  # an empty drawing is not sent


def test_a_busy_server_is_left_alone_as_long_as_it_asks(open_page, expect):
    window = open_page()
    page, times = window.page, []

    def busy(route):
        times.append(time.monotonic())
        if len(times) == 1:
            route.fulfill(status=503, headers={"Retry-After": "3"}, json={"error": "busy"})
        else:
            route.continue_()

    page.route("**/api/predict", busy)
    window.draw(ONE)
    expect(page.locator("#live .sure")).to_have_text("The server is busy. The drawing is read in 3 seconds.")
    window.draw(SEVEN)
    window.press("#undo")
    expect(page.locator("#live .digit")).to_have_text("1")
    assert len(times) == 2
    assert times[1] - times[0] > 2.9


@pytest.mark.parametrize("width", [1280, 390])
def test_long_numbers_fit(open_page, expect, width):
    window = open_page(width)
    answer = {"digit": 1, "is_digit": False, "number": "1234567890" * 3, "number_confidence": 0.9}
    window.page.route("**/api/predict", lambda route: route.fulfill(json=answer))
    window.draw(ONE)
    expect(window.page.locator("#live .digit")).to_have_text(answer["number"])
    expect(window.page.locator("#live .sure")).to_have_text("90.0% sure")
    assert not window.page.is_visible("#live meter >> nth=0")  # they would be of one digit
    assert window.fits


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 502, "body": "<h1>Bad Gateway</h1>"}, "could not answer (502)"),
        (None, "cannot be reached"),
    ],
    ids=["no page", "no server"],
)
def test_without_an_answer_the_drawing_stays(open_page, expect, answer, said):
    window = open_page()
    page = window.page
    page.route("**/*", lambda route: route.fulfill(**answer) if answer else route.abort())
    window.draw(SEVEN)
    before = window.picture
    expect(page.locator("#live .sure")).to_have_text(re.compile("server"))
    window.press("#read")
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_role("alert")).to_be_in_viewport()
    assert window.picture == before
    page.unroute("**/*")
    window.press("#read")
    expect(page.locator("article .digit")).to_have_text("7")


def test_each_bad_input_has_one_message_and_the_form_stays(open_page, expect):
    window = open_page()
    page, alert = window.page, window.page.get_by_role("alert")
    window.press("#read")
    expect(alert).to_have_text("No picture came. Choose a picture file or draw a digit first.")
    page.set_input_files("#pictures", [file("<b>.png", b"text")])
    expect(page.locator(".problem")).to_have_text(
        "The picture is not in a known format, or damaged. Save it as PNG or JPEG."
    )
    expect(page.locator("article h3")).to_have_text("<b>.png")
    window.draw(SEVEN)
    expect(page.locator("#live .digit")).to_have_text("7")
    window.posts.clear()
    page.set_input_files("#pictures", [file("1.png", drawn("1"))] * 21)
    expect(alert).to_contain_text("That is too much: at most 20 files, 20 MB a file, 100 MB together")
    assert window.posts == []  # it is not sent first
    page.set_input_files("#pictures", [])
    page.context.clear_cookies()
    window.press("#read")
    expect(alert).to_contain_text("The form has expired")
    expect(page.locator(".problem")).to_have_count(1)
    assert page.is_visible("form")
