"""A picture as a whole, in grey or colours, for models that see no ink but things."""

from __future__ import annotations

from typing import Any

import numpy as np

from .opening import Array, pixels_of

LUMA = np.array(
    [0.299, 0.587, 0.114], np.float32
)  # how bright red, green and blue are (ITU-R BT.601), as in Pillow


def open_photo(picture: Any, channels: int) -> Array:
    """Read a picture as it is, the right way up.

    Args:
        picture: see `open_picture`.
        channels: 1 for its brightness, 3 for its colours.

    Returns:
        (H, W) or (H, W, 3) float32 from 0 to 1, reduced to at most 800 pixels a side. Transparent pixels are
        white.

    Raises:
        FileNotFoundError: there is no such file.
        ImageError: it is no picture, a damaged one, or one of more than 80 megapixels or 512 MiB.

    Example:
        >>> import numpy as np
        >>> open_photo(np.uint8([[[255, 0, 0], [0, 255, 0]]]), 1).round(2).tolist()
        [[0.30000001192092896, 0.5899999737739563]]
        >>> open_photo(np.zeros((20, 30)), 3).shape
        (20, 30, 3)
    """
    pixels = pixels_of(picture)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = pixels[..., :3] * pixels[..., 3:] + (1 - pixels[..., 3:])
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        grey = pixels.reshape(pixels.shape[:2])
        return np.ascontiguousarray(grey if channels == 1 else np.stack([grey] * 3, axis=2))
    return np.ascontiguousarray(pixels @ LUMA if channels == 1 else pixels)


def resized(pixels: Array, height: int, width: int) -> Array:
    """Return a picture in another size, stretched to it; where it shrinks, all of its pixels count.

    Args:
        pixels: (H, W) or (H, W, channels) float32.
        height, width: the new size.

    Returns:
        (height, width) or (height, width, channels) float32; a picture of that size as it is.

    Example:
        >>> import numpy as np
        >>> resized(np.float32([[0, 0, 1, 1]]), 1, 2).round(2)
        array([[0.14, 0.86]], dtype=float32)
    """
    from PIL import Image

    if pixels.shape[:2] == (height, width):
        return pixels
    planes = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
    new = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
        for plane in np.moveaxis(planes, 2, 0)
    ]
    return np.ascontiguousarray(np.stack(new, axis=2)).reshape(height, width, *pixels.shape[2:])
