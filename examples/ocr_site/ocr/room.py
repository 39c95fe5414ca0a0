"""How many pixels are decoded at the same time: a file of 100 kB may have as many as take 700 MB."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from PIL import Image

from tinynet.images import LARGEST, ImageError
from tinynet.images.opening import opened


class BusyError(Exception):
    """There was no room in time, because other pictures are being read."""


class TooManyPixelsError(Exception):
    """A picture has more pixels than the page reads."""


_changed, _taken = threading.Condition(), [0]


def _forget() -> None:
    """Begin anew in a forked child, which does not have the threads that were reading pictures."""
    global _changed
    _changed, _taken[0] = threading.Condition(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def deadline() -> float:
    """Return until when a request that begins now may wait for room."""
    return time.monotonic() + settings.OCR_SECONDS


@contextmanager
def room_for(content: bytes, until: float) -> Iterator[int]:
    """Wait until a picture may be decoded, and let others wait meanwhile.

    Args:
        content: the picture's file.
        until: the `deadline` of the request.

    Yields:
        How many pixels will be decoded.

    Raises:
        BusyError: there was no room before the deadline.
        TooManyPixelsError: there never is.
    """
    pixels = pixels_of(content)
    if pixels > settings.OCR_MOST_PIXELS:
        raise TooManyPixelsError

    def fits() -> bool:
        return time.monotonic() > until or _taken[0] + pixels <= settings.OCR_PIXELS_AT_ONCE

    with _changed:
        _changed.wait_for(fits, max(until - time.monotonic(), 0))
        if time.monotonic() > until:
            raise BusyError
        _taken[0] += pixels
    try:
        yield pixels
    finally:
        with _changed:
            _taken[0] -= pixels
            _changed.notify_all()


def pixels_of(content: bytes) -> int:
    """Return how many pixels of a picture will be decoded; 0 if it is none, which the library says."""
    try:
        image: Image.Image = opened(content, "The picture")
        if not image.info.get("progressive"):  # all of such a JPEG is kept until its end
            image.draft(None, (LARGEST, LARGEST))
    except Exception as error:  # also what a damaged header does
        return 0 if isinstance(error, ImageError) else settings.OCR_PIXELS_AT_ONCE
    return image.width * image.height
