"""Fixtures that several test modules share."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from page_browser import Window, chromium
from page_server import developing

import tinynet
from tinynet.seeds import set_random_seed

# An example may take long: the first one compiles kernels, and the machine may be busy.
settings.register_profile("tinynet", deadline=None)
settings.load_profile("tinynet")


def pytest_collection_modifyitems(items):
    """Skip the examples of plots where they cannot be drawn."""
    if importlib.util.find_spec("matplotlib") is None:
        for item in items:
            if item.path.parent.name == "plotting":
                item.add_marker(pytest.mark.skip(reason="needs matplotlib"))


def pytest_collection_finish():
    """Keep the thousands of collected tests out of garbage collections, which took half a second each."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_interrupts():
    """Let SIGINT raise KeyboardInterrupt, also where the suite was started in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def same_draws():
    """Start each test with the same seeds, so that what it and the peers draw depends on no other test."""
    set_random_seed(0)  # Python's and NumPy's, too: Keras takes its seeds from Python's
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def set_threads():
    """Sets the number of threads for one test."""
    before = tinynet.get_num_threads()
    yield tinynet.set_num_threads
    tinynet.set_num_threads(before)


@pytest.fixture(scope="session")
def blobs():
    """Three well separated clouds of points and their labels, in random order: easy to learn."""
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 240)
    x = np.array([[2.0, 0.0], [-2.0, 2.0], [-2.0, -2.0]])[y] + 0.5 * random.normal(size=(240, 2))
    return x.astype(np.float32), y


@pytest.fixture(scope="session")
def keras():
    """Keras on PyTorch; what asks for it is skipped where they are not installed."""
    pytest.importorskip("torch")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    found = pytest.importorskip("keras")
    if found.backend.backend() != "torch":
        pytest.skip("these tests need Keras's backend torch")
    return found


@pytest.fixture(scope="session")
def run_python():
    """Runs code in another Python process and returns what it printed."""

    def run(code: str, timeout: float = 60, **environment: str) -> str:
        paths = [str(Path(tinynet.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def page_address():
    """Where the web page is, while a server runs."""
    pytest.importorskip("django", minversion="5.2")
    with developing() as (port, _):
        yield f"http://127.0.0.1:{port}/ocr"


@pytest.fixture(scope="session")
def browser():
    """Chromium; what asks for it is skipped where there is none."""
    with chromium() as launched:
        yield launched


@pytest.fixture
def open_page(browser, page_address):
    """Opens the web page in a window of its own, whose console must stay empty."""
    windows = []

    def new(width=1280, scheme="light", **options):
        phone = width < 500
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            has_touch=phone,
            is_mobile=phone,
            **options,
        )
        windows.append(Window(context.new_page(), phone))
        windows[-1].page.goto(page_address)
        return windows[-1]

    yield new
    for window in windows:
        assert window.complaints == []
        window.page.context.close()


@pytest.fixture
def expect():
    """Playwright's `expect`, which waits until something in a page is so."""
    return pytest.importorskip("playwright.sync_api").expect
