"""The page under gunicorn, and visitors who mean it no good: the others are answered, and it stays."""

from __future__ import annotations

import io
import json
import random
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hostile_requests import request
from page_server import ask, picture, raw, serving
from PIL import Image
from rounds import rounds

pytest.importorskip("gunicorn")

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells a process's memory")


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        ask(running.port, picture())  # the workers' first start is not what is measured
        yield running


@pytest.mark.parametrize(
    ("head", "status", "said"),
    [
        ("Host: evil.example\r\nContent-Length: 1000000\r\n", 400, "OCR_HOSTS"),
        ("Host: localhost\r\nContent-Length: 1000000000000000\r\n", 413, "MB together"),
        ("Host: localhost\r\nTransfer-Encoding: chunked\r\n", 411, "Content-Length"),
    ],
    ids=["foreign host", "petabyte", "chunks"],
)
def test_who_is_refused_and_sends_nothing_more_blocks_nobody(server, head, status, said):
    with ThreadPoolExecutor(9) as pool:  # more than there are threads
        answers = pool.map(lambda _: raw(server.port, head, bytes(100)), range(9))
        for answer, seconds in answers:
            assert answer.startswith(f"HTTP/1.1 {status}")
            assert said in answer
            assert seconds < 25
    assert ask(server.port, picture())[0] == 200


def test_who_is_refused_and_sends_without_end_is_cut_off(server):
    sent, start = 0, time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
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
    assert ask(server.port, picture())[0] == 200


@on_linux
def test_large_pictures_at_once_take_bounded_memory_and_time(server):
    file = io.BytesIO()
    Image.new("RGBA", (6200, 6200), "white").save(file, "PNG")  # 38 megapixels
    with ThreadPoolExecutor(8) as pool:
        start = time.monotonic()
        statuses = [*pool.map(lambda _: ask(server.port, file.getvalue())[0], range(12))]
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    assert time.monotonic() < start + 60
    assert len(server.workers) == 2
    assert max(server.memory("VmHWM")) < 800_000 * 1024


def answer_to(port, data, size):
    """Send a request in pieces of some size, with pauses, and return what is answered within some seconds."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            for begin in range(0, len(data), size):
                connection.sendall(data[begin : begin + size])
                if size < len(data):
                    time.sleep(0.05)
            connection.shutdown(socket.SHUT_WR)  # or who announced more than there is would be waited for
            while piece := connection.recv(2**16):
                answer += piece
        except TimeoutError:
            raise
        except OSError:  # refused before all was sent
            pass
    return answer


@on_linux
def test_good_requests_are_answered_while_others_lie(server):
    content, workers, good = picture(), server.workers, []
    for seed in rounds(2):
        draws, answers, done = (
            [random.Random(f"{seed} {number}") for number in range(4)],
            [],
            threading.Event(),
        )

        def attack(draw, answers=answers):
            for _ in range(60):
                data, size = request(draw, content)
                answers.append((data, answer_to(server.port, data, size)))

        def visit(done=done):
            while not done.is_set():
                start = time.monotonic()
                status, reading = ask(server.port, content)
                good.append((status, reading.get("digit"), time.monotonic() - start < 30))

        visitor = threading.Thread(target=visit)
        visitor.start()
        try:
            with ThreadPoolExecutor(len(draws)) as pool:
                [*pool.map(attack, draws)]
        finally:
            done.set()
            visitor.join()
        for data, answer in answers:
            assert not answer or answer.startswith(b"HTTP/1."), (data[:300], answer[:300])
            assert answer[9:10] in (b"1", b"2", b"3", b"4", b""), (data[:300], answer[:300])
    assert {*good} == {(200, 1, True)}
    assert server.workers == workers


@on_linux
def test_a_thousand_uploads_leave_no_memory_behind(server):
    draw, memory = random.Random(0), []
    pictures = []
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"):
        for side in (20, 50, 90, 120, 300):
            file = io.BytesIO()
            Image.effect_noise((side, side + draw.randint(0, 50)), 90).save(file, kind)
            pictures.append(file.getvalue())
    with ThreadPoolExecutor(8) as pool:
        for _ in rounds(1):
            for _ in range(4):
                chosen = [draw.choice(pictures) for _ in range(250)]
                assert {status for status, _ in pool.map(lambda one: ask(server.port, one), chosen)} <= {200}
                memory.append(sum(server.memory()) / 2**20)
    assert memory[-1] - memory[len(memory) // 2 - 1] < 40, f"MB after each 250 uploads: {json.dumps(memory)}"
