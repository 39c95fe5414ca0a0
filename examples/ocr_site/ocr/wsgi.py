"""What a web server runs; `check` and the tests do not import it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
from django.core.handlers.wsgi import LimitedStream
from django.core.wsgi import get_wsgi_application

from tinynet import predict_image

site = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    """Answer a request, then throw away what nobody has read of it.

    A refused upload must be read to its end, or the browser shows a broken connection instead of the answer;
    and by pieces, because runserver would read all the rest into memory at once.
    """
    with closing(site(environ, start_response)) as response:
        yield from response
    upload = environ["wsgi.input"]
    while upload.read(2**16):
        pass
    if isinstance(upload, LimitedStream):  # runserver's: after a visitor who hung up it would still ask for
        upload.limit = 0  # all that was announced, and find no memory for it


def warm_up() -> None:
    """Load the model and compile the kernels, so that the first visitor does not wait for it."""
    picture = np.full((90, 60), 255, np.uint8)
    picture[15:75, 28:33] = 0
    predict_image(picture)


threading.Thread(target=warm_up, daemon=True).start()
