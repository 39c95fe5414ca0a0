"""The bytes of a picture, from wherever it comes, and not without end."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Any

MOST_BYTES = 2**29  # of a file; the most pixels, with 16 bits for each of three colours, are a little less
PIECE = 2**20  # bytes that are read at once
LONGEST = 120  # characters of a path that errors say
BASE64 = re.compile(r"[A-Za-z0-9+/=_-]{64,}")  # and no dot, so no usual path


class ImageError(ValueError):
    """A picture cannot be read: the message says what is wrong with it, and what to do.

    Example:
        >>> from tinynet.images import open_picture
        >>> open_picture(b"")
        Traceback (most recent call last):
        ...
        tinynet.images.content.ImageError: The picture is empty.
    """


def name_of(picture: Any) -> str:
    """Return how errors call a picture."""
    if isinstance(picture, str | os.PathLike):
        return f"The picture {_short(picture)!r}"
    return "The picture"


def _short(path: Any) -> Any:
    """Return a path as errors show it."""
    whole = os.fspath(path)
    return whole if len(whole) <= LONGEST or not isinstance(whole, str) else f"{whole[:LONGEST]}..."


def content_of(picture: Any, name: str) -> bytes:
    """Return the bytes of a picture's file."""
    if isinstance(picture, bytes | bytearray | memoryview):
        return bytes(picture)
    if not isinstance(picture, str | os.PathLike) and not hasattr(picture, "read"):
        raise ImageError(
            "A picture is a path, a data URI, bytes, a binary file, a PIL image or an array; "
            f"got {type(picture).__name__}."
        )
    if isinstance(picture, str) and picture[:5].lower() == "data:":
        return _of_data_uri(picture)
    if isinstance(picture, str) and BASE64.fullmatch(picture) and not os.path.lexists(picture):
        raise ImageError(
            "The picture is no path, but looks like base64: put 'data:image/png;base64,' before it, or "
            "decode it with base64.b64decode."
        )
    try:
        if hasattr(picture, "read"):
            content = _read(picture, name) or _read_again(picture, name)
        elif Path(picture).is_dir():
            raise ImageError(f"{name} is a folder. Name a file in it.")
        else:
            with open(picture, "rb", buffering=0, opener=_opened) as file:
                content = _read(file, name)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no picture {_short(picture)!r}.") from error
    except ImageError:
        raise
    except Exception as error:  # no permission, a closed file, a path that no system takes, ...
        cause = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ImageError(f"{name} cannot be read: {cause}.") from error
    return content


def _opened(path: str, flags: int) -> int:
    """Open a file, without waiting for somebody to write into it if it is a pipe: it is then empty."""
    if not hasattr(os, "O_NONBLOCK"):
        return os.open(path, flags)
    number = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(number, True)
    return number


def _of_data_uri(uri: str) -> bytes:
    """Return the bytes in a data URI, as a browser's canvas gives it.

    Reference:
        RFC 2397.
    """
    head, comma, body = uri.partition(",")
    try:
        if not comma or not head.lower().endswith(";base64"):
            raise ValueError("it has no ';base64,'")
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError as error:
        raise ImageError(
            f"The picture is a damaged data URI ({str(error).rstrip('.')}). It begins with "
            "'data:image/png;base64,'."
        ) from error


def _read_again(file: Any, name: str) -> bytes:
    """Return all of a file that was at its end, as after writing to it, if it can be read from its start."""
    try:
        file.seek(0)
    except Exception:  # it has no way back
        return b""
    return _read(file, name)


def _read(file: Any, name: str) -> bytes:
    """Return what is left of a file, which may have no end."""
    pieces, left = list[bytes](), MOST_BYTES
    step: tuple[int, ...] = (PIECE,)
    while True:
        try:
            piece = file.read(*step)
        except TypeError:
            if not step:
                raise
            step = ()  # such a `read` gives all at once
            continue
        if isinstance(piece, str):
            raise ImageError(f"{name} is open as text. Open it with mode 'rb'.")
        left -= len(piece)
        if left < 0:
            raise ImageError(f"{name} has more than {MOST_BYTES // 2**20} MiB. Reduce it first.")
        pieces.append(piece)
        if not piece or not step:
            return b"".join(pieces)
