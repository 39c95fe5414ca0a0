"""Make the pictures of the web page: python docs/page_picture.py (pip install ".[browser]" and Chromium first)."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

HERE = Path(__file__).parent
SITE = HERE.parent / "examples" / "ocr_site" / "manage.py"
PORT = 8021
TWO = [  # a 2 on a square of side 1: an arc, a slanting line, and a wave below
    *[(0.5 - 0.19 * math.cos(t / 10), 0.36 - 0.19 * math.sin(t / 10)) for t in range(2, 36)],
    (0.6, 0.55),
    (0.45, 0.71),
    (0.31, 0.82),
    *[(0.31 + 0.4 * t / 20, 0.82 - 0.025 * math.sin(2 * math.pi * t / 20)) for t in range(1, 21)],
]


def draw(page: Page) -> None:
    """Write a 2 on the canvas with the mouse."""
    box = page.locator("canvas").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in TWO]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def main() -> None:
    """Draw on the page, in the light and the dark, and save what it then looks like."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    server = subprocess.Popen(
        [sys.executable, str(SITE), "runserver", "--noreload", f"127.0.0.1:{PORT}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        next(line for line in server.stdout if "server at http" in line)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
            for scheme, name in (("light", "page.png"), ("dark", "page_dark.png")):
                page = browser.new_page(viewport={"width": 1104, "height": 640})
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.goto(f"http://127.0.0.1:{PORT}/ocr")
                draw(page)
                expect(page.locator("#live .digit")).to_have_text(re.compile(r"\d"))
                page.screenshot(path=HERE / name)
                Image.open(HERE / name).convert("RGB").quantize(64).save(HERE / name, optimize=True)
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
