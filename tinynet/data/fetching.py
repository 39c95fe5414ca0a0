"""What comes over the network: a URL's content, a wheel by pip, and a table in a wheel."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from zipfile import ZipFile

TIMEOUT = 10.0  # seconds without an answer


def download(url: str, name: str) -> bytes:
    """Return what a URL holds, with a progress bar under a name."""
    from tqdm import tqdm

    data = bytearray()
    with _open(url) as response:
        size = int(response.headers.get("Content-Length") or 0) or None
        with tqdm(desc=name, total=size, unit="B", unit_scale=True) as bar:
            while chunk := response.read(1 << 16):
                data += chunk
                bar.update(len(chunk))
    return bytes(data)


def _open(url: str) -> Any:
    """Open a URL within TIMEOUT; urlopen alone would take that for each address, and more for the name."""
    import urllib.error
    import urllib.request
    from concurrent.futures import Future
    from threading import Thread

    answer: Future[Any] = Future()

    def connect() -> None:
        try:
            answer.set_result(urllib.request.urlopen(url, timeout=TIMEOUT))
        except Exception as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it holds the connection
            answer.set_exception(error)

    Thread(target=connect, daemon=True).start()
    try:
        return answer.result(TIMEOUT)
    except TimeoutError:
        raise TimeoutError(f"no answer within {TIMEOUT:g} seconds") from None


def pip_download(requirement: str, folder: Path) -> Path:
    """Download a wheel into a folder, from the package index that pip is set up for, and return its file."""
    import subprocess

    print(f"Fetching {requirement} with pip ...", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(folder), requirement]
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if result.returncode:
        reason = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
        raise OSError(reason[-1])
    (wheel,) = folder.glob("*.whl")
    return wheel


def read_table(wheel: ZipFile, table: str) -> npt.NDArray[np.uint8]:
    """Return the rows of a CSV table of numbers from 0 to 255 in a wheel, without its header line."""
    from tqdm import tqdm

    blocks = []
    size = wheel.getinfo(table).file_size
    with wheel.open(table) as file, tqdm(desc=Path(table).name, total=size, unit="B", unit_scale=True) as bar:
        bar.update(len(file.readline()))
        while lines := list(islice(file, 2000)):  # in blocks, because the text is 110 MB
            blocks.append(np.loadtxt(lines, np.uint8, delimiter=",", ndmin=2))
            bar.update(sum(map(len, lines)))
    return np.concatenate(blocks)
