"""The page under the server that people deploy it with; `tests/stress/test_page.py` attacks it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from page_server import ask, picture, raw, serving

pytest.importorskip("gunicorn")


@pytest.fixture(scope="module", params=[[], ["--preload"]], ids=["plain", "preload"])
def port(request):
    with serving(*request.param) as server:
        yield server.port


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
