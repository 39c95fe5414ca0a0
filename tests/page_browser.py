"""The page in Chromium: windows of it, pens that draw in them, and what they have sent."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

COUNT_SPOKEN = """() => {
    window.spoken = [];
    const status = document.querySelector("[role=status]");
    new MutationObserver(() => window.spoken.push(status.textContent)).observe(status, {childList: true});
}"""


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium, or skip the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


def file(name: str, content: bytes) -> dict[str, Any]:
    """A file as a chooser of files takes it."""
    return {"name": name, "mimeType": "image/png", "buffer": content}


@dataclass
class Window:
    """The page in a window: `page` is Playwright's; what went wrong in it, and what it posted, is noted."""

    page: Any
    touch: bool
    complaints: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.devtools = self.page.context.new_cdp_session(self.page)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: request.method == "POST" and self.posts.append(request.url))

    def _note(self, message: Any) -> None:
        expected = "Failed to load resource"  # also where the server rightly says 400
        if message.type in ("error", "warning") and expected not in message.text:
            self.complaints.append(message.text)

    def draw(self, *strokes: list[tuple[int, int]]) -> None:
        """Draw with a finger, or the mouse, on a canvas that is 200 wide and high."""
        self.page.locator("canvas").scroll_into_view_if_needed()
        box = self.page.locator("canvas").bounding_box()
        for points in strokes:
            places = [
                (box["x"] + x / 200 * box["width"], box["y"] + y / 200 * box["height"]) for x, y in points
            ]
            if self.touch:
                self._touch(places)
                continue
            self.page.mouse.move(*places[0])
            self.page.mouse.down()
            for x, y in places[1:]:
                self.page.mouse.move(x, y, steps=5)
            self.page.mouse.up()

    def _touch(self, places: list[tuple[float, float]]) -> None:
        kinds = ["touchStart", *["touchMove"] * (len(places) - 1)]
        for kind, (x, y) in zip(kinds, places, strict=True):
            self.devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
            self.page.wait_for_timeout(50)  # a faster finger flings, and then the next tap only stops that
        self.devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def drag(self, kind: str, **data: Any) -> None:
        """Let the browser see files, or text, that are dragged from elsewhere."""
        data = {"items": [], "files": [], "dragOperationsMask": 1, **data}
        self.devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 30, "y": 30, "data": data})

    def drop(self, **data: Any) -> None:
        for kind in ("dragEnter", "dragOver", "drop"):
            self.drag(kind, **data)

    def press(self, selector: str) -> None:
        """Tap, or click."""
        element = self.page.locator(selector)
        element.tap() if self.touch else element.click()

    def until(self, happened: Callable[[], bool], seconds: float = 10) -> None:
        """Wait for what happens outside of the page."""
        end = time.monotonic() + seconds
        while not happened() and time.monotonic() < end:
            self.page.wait_for_timeout(20)
        assert happened()

    @property
    def picture(self) -> str:
        """What is on the canvas."""
        return self.page.evaluate("document.querySelector('canvas').toDataURL()")

    @property
    def fits(self) -> bool:
        """Whether nothing is so wide that the page scrolls sideways."""
        width = self.page.viewport_size["width"]  # on phones, innerWidth grows with what is too wide
        return self.page.evaluate("document.documentElement.scrollWidth") <= width
