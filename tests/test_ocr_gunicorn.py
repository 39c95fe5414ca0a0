"""The page under the server that people deploy it with."""

from __future__ import annotations

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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gunicorn")

processes = {}  # of the servers, by their ports
SITE = Path(__file__).parent.parent / "examples" / "ocr_site"


def picture():
    """A picture of a 1, as a PNG."""
    pixels = np.full((90, 60), 255, np.uint8)
    pixels[15:75, 28:33] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module", params=[[], ["--preload"]], ids=["plain", "preload"])
def port(request):
    """Two workers of four threads each, started as the page's README says, without any settings."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(SITE), "--bind", "127.0.0.1:0"]
    process = subprocess.Popen(
        [*command, "--workers", "2", "--threads", "4", *request.param, "ocr.wsgi"],
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
    processes[int(found[1])] = process.pid
    yield int(found[1])
    process.terminate()
    process.wait(30)
    listener.join()
    process.stderr.close()
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


def test_many_visitors_are_answered_by_all_workers(port):
    content = picture()
    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda _: ask(port, content), range(40))]
    assert all(status == 200 and answer["digit"] == 1 for status, answer in answers)


def test_an_upload_in_chunks_needs_a_length(port):
    answer, _ = raw(port, "Host: localhost\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")
    assert answer.startswith("HTTP/1.1 411")
    assert "Content-Length" in answer.split("\r\n\r\n", 1)[1]
    assert ask(port, picture())[0] == 200


@pytest.mark.stress
@pytest.mark.parametrize(
    ("head", "status", "said"),
    [
        ("Host: evil.example\r\nContent-Length: 1000000\r\n", 400, "OCR_HOSTS"),
        ("Host: localhost\r\nContent-Length: 1000000000000000\r\n", 413, "MB together"),
        ("Host: localhost\r\nTransfer-Encoding: chunked\r\n", 411, "Content-Length"),
    ],
    ids=["foreign host", "petabyte", "chunks"],
)
def test_who_is_refused_and_sends_nothing_more_blocks_nobody(port, head, status, said):
    with ThreadPoolExecutor(9) as pool:  # more than there are threads
        answers = pool.map(lambda _: raw(port, head, bytes(100)), range(9))
        for answer, seconds in answers:
            assert answer.startswith(f"HTTP/1.1 {status}")
            assert said in answer
            assert seconds < 25
    assert ask(port, picture())[0] == 200


@pytest.mark.stress
def test_who_is_refused_and_sends_without_end_is_cut_off(port):
    sent, start = 0, time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        head = "POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        connection.sendall(f"{head}Content-Length: {10**13}\r\n\r\n".encode())
        try:
            while time.monotonic() < start + 30:
                connection.sendall(bytes(2**20))
                sent += 2**20
        except OSError:
            pass
    assert sent < 2**30
    assert time.monotonic() < start + 25
    assert ask(port, picture())[0] == 200


@pytest.mark.stress
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells a process's memory")
def test_large_pictures_at_once_take_bounded_memory_and_time(port):
    file = io.BytesIO()
    Image.new("RGBA", (6200, 6200), "white").save(file, "PNG")  # 38 megapixels
    with ThreadPoolExecutor(8) as pool:
        start = time.monotonic()
        statuses = [*pool.map(lambda _: ask(port, file.getvalue())[0], range(16))]
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    assert time.monotonic() < start + 60
    children = Path(f"/proc/{processes[port]}/task/{processes[port]}/children").read_text().split()
    assert len(children) == 2
    for child in children:
        status = Path(f"/proc/{child}/status").read_text()
        assert int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) < 800_000
