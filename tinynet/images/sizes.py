"""How large a picture is before it is reduced."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from .content import content_of, name_of
from .opening import ORIENTATION, opened

LYING = (5, 6, 7, 8)  # the orientations in EXIF that swap width and height


def size_of(picture: Any) -> tuple[int, int]:
    """Return the height and width of a picture in its own pixels, the right way up.

    Args:
        picture: as `open_picture` takes it, and has read it; not an open file.

    Example:
        >>> import numpy as np
        >>> size_of(np.zeros((1600, 4)))
        (1600, 4)
    """
    from PIL import Image

    if isinstance(picture, np.ndarray):
        return picture.shape[0], picture.shape[1]
    name = name_of(picture)
    image = picture if isinstance(picture, Image.Image) else opened(content_of(picture, name), name)
    try:
        lying = image.getexif().get(ORIENTATION) in LYING
    except Exception:  # a damaged EXIF block
        lying = False
    return (image.width, image.height) if lying else (image.height, image.width)


def kept(picture: Any) -> Any:
    """Return a picture that can be read more than once: the bytes of an open file or a pipe."""
    if hasattr(picture, "read") and not isinstance(picture, np.ndarray):
        return content_of(picture, name_of(picture))
    is_path = isinstance(picture, str | os.PathLike)
    return content_of(picture, name_of(picture)) if is_path and Path(picture).is_fifo() else picture
