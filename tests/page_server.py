"""The page under the servers that people run it with, and how to ask it."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SITE = Path(__file__).parent.parent / "examples" / "ocr_site"


def picture():
    """A picture of a 1, as a PNG."""
    pixels = np.full((90, 60), 255, np.uint8)
    pixels[15:75, 28:33] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@dataclass
class Server:
    """A gunicorn that runs: where, and all that it has said."""

    port: int
    pid: int
    lines: list[str]

    @property
    def workers(self) -> list[int]:
        """The processes that answer; on Linux."""
        return [*map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())]

    def memory(self, what: str = "VmRSS") -> list[int]:
        """The memory of each worker in bytes; on Linux. "VmHWM" is the most that it ever was."""
        statuses = [Path(f"/proc/{worker}/status").read_text() for worker in self.workers]
        return [int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) * 1024 for status in statuses]


@contextlib.contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Run two workers of four threads each, started as the page's README says, without any settings."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(SITE), "--bind", "127.0.0.1:0"]
    process = subprocess.Popen(
        [*command, "--workers", "2", "--threads", "4", *options, "ocr.wsgi"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    for line in process.stderr:
        lines.append(line)
        if found := re.search(r"Listening at: http://127.0.0.1:(\d+)", line):
            break
    else:
        pytest.fail("".join(lines))
    listener = threading.Thread(target=lines.extend, args=[process.stderr])
    listener.start()
    try:
        while "".join(lines).count("Booting worker") < 2:
            time.sleep(0.01)
        yield Server(int(found[1]), process.pid, lines)
    finally:
        process.terminate()
        process.wait(30)
        listener.join()
        process.stderr.close()
    assert "Traceback" not in "".join(lines), "".join(lines)


@contextlib.contextmanager
def developing() -> Iterator[tuple[int, subprocess.Popen]]:
    """Run Django's own server, as one does on one's own computer: its port and its process."""
    process = subprocess.Popen(
        [sys.executable, str(SITE / "manage.py"), "runserver", "--noreload", "127.0.0.1:0"],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := re.search(r"server at http://127\.0\.0\.1:(\d+)/", line):
            break
    else:
        pytest.fail("".join(lines))
    listener = threading.Thread(target=lines.extend, args=[process.stdout])  # so that the pipe never fills
    listener.start()
    yield int(found[1]), process
    process.terminate()
    process.wait(10)
    listener.join()
    process.stdout.close()
    assert "Traceback" not in "".join(lines), "".join(lines)


def ask(port, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/api/predict", body, {"Content-Type": "image/png"})
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def raw(port, head, body=b"", seconds=30):
    """Send bytes, and return all that comes until the server closes the connection, and after how long."""
    answer, start = b"", time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(
            f"POST /api/predict HTTP/1.1\r\nContent-Type: image/png\r\n{head}\r\n".encode() + body
        )
        while piece := connection.recv(2**16):
            answer += piece
    return answer.decode(), time.monotonic() - start
