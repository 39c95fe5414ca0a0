"""Make README's pictures of a notebook and of the progress bar, from what they really show; needs Chromium.

python -m pip install ".[browser,plot]" && python docs/screenshots.py
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import html
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent
WIDTH, COLUMNS = 760, 92  # pixels of the pictures, letters of a terminal's line
CELLS = [
    """
from tinynet import Sequential, data, layers

(x_train, y_train), (x_test, y_test) = data.load_mnist()
model = Sequential([
    layers.Conv2D(32, 3, activation="relu"), layers.MaxPool2D(2), layers.Dropout(0.25),
    layers.Flatten(), layers.Dense(10, activation="softmax"),
], input_shape=(28, 28, 1), seed=0)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(data.scale_pixels(x_train), y_train, batch_size=128, epochs=5, validation_split=0.1)
""",
    """
import tinynet

tinynet.predict_image("my_seven.jpg")
""",
]
STYLE = """
body { margin: 0; padding: 14px; background: #ffffff; color: #1f2328; width: 732px; }
pre { font: 12.5px/1.5 "DejaVu Sans Mono", monospace; margin: 0; white-space: pre-wrap; }
.in { background: #f5f5f5; border: 1px solid #d9d9d9; padding: 8px 10px; }
.out { padding: 8px 10px 14px; }
.terminal { background: #16191d; color: #e6e6e6; padding: 14px; border-radius: 6px; white-space: pre; }
"""


def run_cell(source: str, names: dict[str, Any]) -> str:
    """Run a cell as a notebook does, and return what it shows of its last line, as HTML."""
    *lines, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        raise ValueError("A cell must end in an expression.")
    with contextlib.redirect_stdout(io.StringIO()):  # of the lines of fit, which the other picture shows
        exec(compile(ast.Module(lines, []), "cell", "exec"), names)
        shown: str = eval(compile(ast.Expression(last.value), "cell", "eval"), names)._repr_html_()
    return shown


def notebook() -> str:
    """Return the cells and what they show, as HTML."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (200, 200), 225)
    ImageDraw.Draw(picture).line([(60, 40), (140, 40), (90, 160)], fill=40, width=14, joint="curve")
    picture.save("my_seven.jpg")
    names: dict[str, Any] = {}
    return "".join(
        f'<pre class="in">{html.escape(source.strip())}</pre><div class="out">{run_cell(source, names)}</div>'
        for source in CELLS
    )


def on_screen(written: str) -> list[str]:
    """Return the lines that a terminal shows of what was written to it."""
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", written).replace("\r\n", "\n")
    return [next((part for part in reversed(line.split("\r")) if part), "") for line in plain.split("\n")]


def terminal() -> str:
    """Return what a terminal shows in the third epoch of the example, as HTML."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    command = [
        sys.executable,
        str(DOCS.parent / "examples" / "mnist_cnn.py"),
        "--save",
        "mnist_cnn.safetensors",
    ]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    written = ""
    while not re.search(r"Epoch 3/\d+.*?\b[67]\d%", written.rpartition("\n")[2]):
        part = os.read(ours, 4096).decode(errors="replace")  # raises when the example has ended before
        written += part
    process.kill()
    process.wait()
    os.close(ours)
    lines = ["$ python examples/mnist_cnn.py", *on_screen(written)]
    return f'<pre class="terminal">{html.escape(chr(10).join(lines))}</pre>'


def main() -> None:
    """Draw both."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, content in (("progress", terminal()), ("notebook", notebook())):
            page = browser.new_page(viewport={"width": WIDTH, "height": 100}, device_scale_factor=2)
            page.set_content(f"<style>{STYLE}</style><body>{content}</body>")
            page.screenshot(path=DOCS / f"{name}.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
