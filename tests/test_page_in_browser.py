"""The page in a browser: by mouse, finger and keyboard, on wide and narrow screens, light and dark."""

from __future__ import annotations

import re

import pytest
from page_browser import COUNT_SPOKEN, file
from page_pictures import STROKES, drawn

pytestmark = pytest.mark.browser

ONE, SEVEN = STROKES["1"], STROKES["7"]


screens = pytest.mark.parametrize("scheme", ["light", "dark"])
widths = pytest.mark.parametrize("width", [1280, 838, 390])


@screens
@widths
def test_a_drawing_is_read_while_it_grows_and_stays(open_page, expect, width, scheme):
    window = open_page(width, scheme)
    page = window.page
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    corner = "[...document.querySelector('canvas').getContext('2d').getImageData(1, 1, 1, 1).data]"
    assert page.evaluate(corner) == [255, 255, 255, 255]  # white paper in the dark, too
    top = "document.querySelector('canvas').getBoundingClientRect().top + scrollY"
    before = page.evaluate(top)
    window.draw(SEVEN)
    expect(page.locator("#live .digit")).to_have_text("7")
    assert page.evaluate(top) == before  # nothing moves under the pen
    expect(page.locator("#live .sure")).to_have_text(re.compile(r"^\d+\.\d% sure$"))
    assert page.locator("#live meter").count() == 10
    assert float(page.locator("#live .best meter").get_attribute("value")) > 0.5
    window.press("#clear")
    expect(page.locator("#live .digit")).to_be_empty()
    window.draw(SEVEN)
    expect(page.locator("#live .digit")).to_have_text("7")
    before = window.picture
    window.press("#read")
    expect(page.locator("article .digit")).to_have_text("7")
    assert page.locator("article h3").inner_text() == "drawing.png"
    assert page.locator("article meter").count() == 10
    assert window.picture == before
    results, form = (page.locator(part).bounding_box() for part in ("article", "form"))
    assert results["y"] + results["height"] <= form["y"]
    expect(page.locator("article")).to_be_in_viewport()
    assert window.fits
    assert page.evaluate("document.activeElement.tagName") == "H2"


@screens
@widths
def test_axe_finds_nothing(open_page, expect, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    window = open_page(width, scheme)

    def faults():
        return [
            f"{one['id']}: {one['nodes'][0]['html']}" for one in axe.run(window.page).response["violations"]
        ]

    assert faults() == []
    window.draw(ONE)
    expect(window.page.locator("#live .digit")).to_have_text("1")
    assert faults() == []
    files = [("7.png", drawn("7")), ("text.png", b"text"), ("70.png", drawn("0"))]
    window.page.set_input_files("#pictures", [file(*one) for one in files])
    expect(window.page.locator("article")).to_have_count(3)
    assert faults() == []
    window.page.set_input_files("#pictures", [file("1.png", drawn("1"))] * 21)
    expect(window.page.get_by_role("alert")).to_be_visible()
    assert faults() == []
    assert window.fits


def test_strokes_and_clearing_can_be_undone(open_page, expect):
    window = open_page()
    blank = window.picture
    window.draw(ONE)
    one = window.picture
    window.draw(SEVEN)
    both = window.picture
    assert len({blank, one, both}) == 3
    window.press("#undo")
    assert window.picture == one
    window.press("#clear")
    assert window.picture == blank
    window.press("#undo")
    assert window.picture == one
    window.page.keyboard.press("Control+z")
    window.press("#undo")
    window.press("#undo")
    assert window.picture == blank
    window.draw(ONE)
    expect(window.page.locator("#live .digit")).to_have_text("1")


def test_a_drawing_and_files_are_read_together(open_page, expect):
    window = open_page()
    window.draw(ONE)
    window.page.set_input_files("#pictures", [file("0.png", drawn("0"))])
    expect(window.page.locator("article .digit")).to_have_text(["0"])  # what is chosen is read at once
    window.press("#read")
    expect(window.page.locator("article .digit")).to_have_text(["0", "1"])
    expect(window.page.locator("article h3")).to_have_text(["0.png", "drawing.png"])


def test_a_reload_posts_nothing_again(open_page, expect):
    window = open_page()
    page = window.page
    start = page.url, page.evaluate("history.length")
    page.set_input_files("#pictures", [file("7.png", drawn("7"))])
    window.press("#read")
    expect(page.locator("article .digit")).to_have_text("7")
    assert (page.url, page.evaluate("history.length")) == start
    window.posts.clear()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.reload()
    page.wait_for_load_state("networkidle")
    assert window.posts == []


def test_files_are_dropped_anywhere(open_page, expect, tmp_path):
    window = open_page()
    page = window.page
    paths = []
    for digit in "71":
        path = tmp_path / f"{digit}.png"
        path.write_bytes(drawn(digit))
        paths.append(str(path))
    window.drag("dragEnter", files=paths)
    window.drag("dragOver", files=paths)
    expect(page.locator("body")).to_have_class("dragging")
    page.evaluate("document.body.dispatchEvent(new DragEvent('dragleave', {bubbles: true}))")
    expect(page.locator("body")).not_to_have_class("dragging")
    window.drop(files=paths)
    expect(page.locator("article .digit")).to_have_text(["7", "1"])
    expect(page.locator("article h3")).to_have_text(["7.png", "1.png"])
    expect(page.locator("body")).not_to_have_class("dragging")
    window.drop(files=[str(tmp_path)])
    expect(page.get_by_role("alert")).to_contain_text("That is a folder")
    link = {"mimeType": "text/uri-list", "data": "https://example.com/7.png"}
    window.drop(items=[link])
    expect(page.get_by_role("alert")).to_contain_text("a link and no picture")
    assert page.url.endswith("/ocr")


def test_a_picture_is_pasted(open_page, expect):
    window = open_page(permissions=["clipboard-read", "clipboard-write"])
    page = window.page
    window.draw(SEVEN)
    page.evaluate("""() => new Promise((done) => document.querySelector("canvas").toBlob(async (png) => {
        await navigator.clipboard.write([new ClipboardItem({"image/png": png})]);
        done();
    }))""")
    page.keyboard.press("Control+v")
    expect(page.locator("article .digit")).to_have_text("7")
    expect(page.locator("article h3")).to_have_text("image.png")
    page.evaluate("navigator.clipboard.writeText('7')")
    page.keyboard.press("Control+v")
    expect(page.get_by_role("alert")).to_have_text("There is no picture on the clipboard.")


def test_phones_take_photos(open_page, expect):
    assert not open_page(1280).page.is_visible("#camera")
    window = open_page(390)
    with window.page.expect_file_chooser() as found:
        window.press("#camera")
    assert found.value.element.get_attribute("capture") == "environment"
    found.value.set_files([file("photo.png", drawn("7"))])
    expect(window.page.locator("article .digit")).to_have_text("7")
    expect(window.page.locator("article h3")).to_have_text("photo.png")


@screens
def test_the_keyboard_reaches_everything(open_page, expect, scheme):
    window = open_page(scheme=scheme)
    page = window.page
    focused = "[document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
    for place in ("read", "undo", "clear", "pictures"):
        page.keyboard.press("Tab")
        assert page.evaluate(focused) == [place, "solid"]
    page.evaluate(
        "document.activeElement.addEventListener('click', (event) => { window.clicked = event.isTrusted; })"
    )
    page.keyboard.press("Enter")  # the browser opens its chooser
    assert page.evaluate("clicked")
    page.set_input_files("#pictures", [file("7.png", drawn("7"))])
    expect(page.locator("article .digit")).to_have_text("7")
    assert page.evaluate("document.activeElement.textContent") == "1 picture"
    assert page.evaluate(focused)[1] == "solid"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == ["read", "solid"]
    window.draw(ONE)
    one = window.picture
    page.locator("#clear").focus()
    page.keyboard.press("Space")
    assert window.picture != one
    page.locator("#undo").focus()
    page.keyboard.press("Enter")
    assert window.picture == one
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("article .digit")).to_have_text(["7", "1"])


def test_a_result_is_announced_once(open_page, expect):
    window = open_page()
    page = window.page
    page.evaluate(COUNT_SPOKEN)
    window.draw(SEVEN)
    expect(page.locator("#said")).to_have_text(re.compile(r"^Drawing: 7, \d+\.\d% sure\.$"))
    for count in (3, 5):  # and again, where the result is the same
        window.press("#read")
        window.until(lambda count=count: page.evaluate("spoken.length") >= count)
        expect(page.locator("#said")).to_have_text(re.compile(r"^drawing.png: 7, \d+\.\d% sure\.$"))
    page.wait_for_timeout(500)
    kinds = [text.split(":")[0] for text in page.evaluate("spoken")]
    assert kinds == ["Drawing", "", "drawing.png", "", "drawing.png"]
    assert page.locator("[aria-live], [role=alert], [role=status], output").count() == 1


def test_the_form_works_where_scripts_are_off(open_page, expect):
    window = open_page(java_script_enabled=False)
    page = window.page
    assert not page.is_visible("canvas")
    assert not page.is_visible("#more")
    page.set_input_files("#pictures", [file("7.png", drawn("7"))])
    window.press("#read")
    expect(page.locator("article .digit")).to_have_text("7")
    expect(page.locator("article h3")).to_have_text("7.png")
    expect(page.locator("article .answer p")).to_have_text(re.compile(r"\d+\.\d% sure"))
    page.set_input_files("#pictures", [file("<b>.png", b"text")])
    window.press("#read")
    expect(page.locator("article h3")).to_have_text("<b>.png")
    expect(page.locator("article .problem")).to_contain_text("not in a known format")
