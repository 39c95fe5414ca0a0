"""What a web server runs, such as `gunicorn ocr.wsgi`; `check` and the tests do not import it."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import numpy as np
from django.core.handlers.wsgi import LimitedStream
from django.core.wsgi import get_wsgi_application

from tinynet import predict_image

MOST_BYTES, MOST_SECONDS = 256 * 2**20, 5  # of a refused upload that are still read

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ocr.settings")
site = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    """Answer a request, then throw away what nobody has read of it."""
    with closing(site(environ, start_response)) as response:
        yield from response
    drain(environ)


def drain(environ: dict[str, Any]) -> None:
    """Read the rest of an upload, as far as that is soon done, and let the server hear no more of it.

    A refused upload should be read to its end, or the browser shows a broken connection instead of the
    answer; and by pieces, because runserver would read all the rest into memory at once.
    """
    upload, connection = environ["wsgi.input"], connection_of(environ)
    end, left = time.monotonic() + MOST_SECONDS, MOST_BYTES
    try:
        while (piece := upload.read(2**16)) and left > 0 and time.monotonic() < end:
            left -= len(piece)
        rest = bool(piece)
    except OSError:  # nothing came in time, or the visitor hung up
        rest = True
    if isinstance(upload, LimitedStream):  # runserver's, which would ask for all that was announced
        rest, upload.limit = rest or upload.limit > 0, 0
    if connection is not None:
        if rest or "HTTP_TRANSFER_ENCODING" in environ:
            close_for_reading(connection)
        connection.close()


def connection_of(environ: dict[str, Any]) -> socket.socket | None:
    """Return the visitor's connection, which no read waits for longer from now on, where it can be found."""
    source = environ.get("gunicorn.socket") or getattr(
        getattr(environ["wsgi.input"], "_read", None), "__self__", None
    )
    if source is None:  # another server
        return None
    try:
        connection = socket.socket(fileno=os.dup(source.fileno()))
        seconds = struct.pack("ll", MOST_SECONDS, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)
    except (AttributeError, OSError):  # no socket, as in a test
        return None
    return connection


def close_for_reading(connection: socket.socket) -> None:
    """Let the server find the end of what comes, so that it closes the connection."""
    with suppress(OSError):  # closed already
        connection.shutdown(socket.SHUT_RD)


def return_memory() -> None:
    """Let the C library give a picture's memory back when it is freed, where it is the GNU one.

    By itself it keeps some for each thread: eight of them that have each decoded a large picture, one after
    another, would keep a gigabyte.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(-3, 2**20)  # M_MMAP_THRESHOLD


def warm_up() -> None:
    """Load the model and compile the kernels, so that the first visitor does not wait for it."""
    picture = np.full((90, 60), 255, np.uint8)
    picture[15:75, 28:33] = 0
    predict_image(picture)


return_memory()
# Not on a thread, which would be left behind in the midst of it where a server forks after the import.
warm_up()
