"""A child that is forked while another thread opens a picture, prints, or serves the page does not hang."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import drawings
import numpy as np
import pytest
from PIL import Image

import tinynet

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
SITE = Path(__file__).parents[1] / "examples" / "ocr_site"

START = """
import os, signal, sys, threading, time, warnings
import numpy as np
import tinynet
from tinynet import Sequential, layers

warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of fork beside threads
begun = threading.Event()
picture = np.full((90, 60), 255, np.uint8)
picture[15:75, 28:33] = 0

def child(function):
    "Return how a forked child ends that calls a function."
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        function()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def train():
    model = Sequential([layers.Dense(1)], 2, seed=0)
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 2)), np.ones(8), verbose=1)
"""

OPENING = """
from tinynet.images import as_png, opening
content = as_png(picture)

def open_slowly():
    with opening._no_warnings():
        begun.set()
        time.sleep(0.5)

thread = threading.Thread(target=open_slowly)
thread.start()
begun.wait()
print(child(lambda: tinynet.predict_image(content)), warnings.filters == before)
thread.join()
"""

PRINTING = """
class Slow:
    def write(self, text):
        begun.set()
        time.sleep(0.3)

    def flush(self):
        pass

def train_in_child():
    sys.stderr = sys.__stderr__
    train()

train()
sys.stderr = Slow()
thread = threading.Thread(target=train)
thread.start()
begun.wait()
print(child(train_in_child))
thread.join()
"""

KILLED = """
class Deadly(type(sys.stderr)):
    def write(self, text):
        os.kill(os.getpid(), signal.SIGKILL)

def train_and_die():
    sys.stderr = Deadly(sys.stderr.buffer)
    train()

train()
signal.alarm(20)
print(child(train_and_die))
train()
"""

HANDLER = """
from tinynet.images import as_png, opening
content = as_png(picture)
signal.signal(signal.SIGUSR1, lambda *_: print(tinynet.predict_image(content).digit))
signal.alarm(20)
with opening._no_warnings():
    signal.raise_signal(signal.SIGUSR1)
"""

SERVING = f"""
sys.path.insert(0, {str(SITE)!r})
os.environ["DJANGO_SETTINGS_MODULE"] = "ocr.settings"
import django
django.setup()
from ocr import room

def read():
    room.pixels_of = lambda content: room.settings.OCR_PIXELS_AT_ONCE
    with room.room_for(b"", time.monotonic() + 3):
        begun.set()
        time.sleep(0.5)

thread = threading.Thread(target=read)
thread.start()
begun.wait()
print(child(read))
thread.join()
"""

CASES = {
    "opening": (f"{START}before = [*warnings.filters]\n{OPENING}", "0 True\n"),
    "printing": (START + PRINTING, "0\n"),
    "killed": (START + KILLED, "-9\n"),
    "serving": (START + SERVING, "0\n"),
    "handler": (START + HANDLER, "1\n"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_another_thread_was_doing_holds_up_no_child(case, run_python):
    code, said = CASES[case]
    printed = run_python(code, TINYNET_NUM_THREADS="2")
    lines = [line for line in printed.splitlines(keepends=True) if not line.startswith("Epoch")]
    assert "".join(lines) == said


PAGE = f"""
import multiprocessing, os, sys, threading, warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

warnings.simplefilter("ignore", DeprecationWarning)
sys.path.insert(0, {str(SITE)!r})

import ocr.wsgi  # warms up
from django.test import Client
from ocr import room

from tinynet import predict_image

content = Path(__file__).with_name("picture.png").read_bytes()


def answers(_=None):
    "What the page and the library say of the picture."
    response = Client().post("/api/predict", content, content_type="image/png", HTTP_HOST="localhost")
    said, ours = response.json(), predict_image(content).probabilities.tolist()
    return response.status_code, said["digit"], said["probabilities"], ours


if __name__ == "__main__":
    expected, stop = answers(), threading.Event()

    def visitor():
        while not stop.is_set():
            assert answers() == expected

    visitors = [threading.Thread(target=visitor) for _ in range(2)]
    for thread in visitors:
        thread.start()
    for kind in sys.argv[1:]:
        with room.room_for(content, room.deadline()), multiprocessing.get_context(kind).Pool(2) as pool:
            found = pool.map_async(answers, range(6), 1).get(60)
        print(kind, found == [expected] * 6, expected[:2])
    stop.set()
    for thread in visitors:
        thread.join()
"""


@pytest.mark.parametrize("kind", ["fork", "spawn", pytest.param("forkserver", marks=pytest.mark.stress)])
def test_the_page_answers_in_processes_of_multiprocessing(kind, tmp_path):
    pytest.importorskip("django", minversion="5.2")
    (tmp_path / "program.py").write_text(PAGE)
    pixels = np.full((90, 60), 255, np.uint8)
    pixels[15:75, 28:33] = 0
    (tmp_path / "picture.png").write_bytes(drawings.encoded(Image.fromarray(pixels)))
    paths = [str(Path(tinynet.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, str(tmp_path / "program.py"), kind],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == f"{kind} True (200, 1)\n", done.stderr
