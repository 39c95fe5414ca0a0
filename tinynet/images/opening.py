"""Open any picture, and return its brightness."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..waiting import hold_over_fork
from .content import ImageError, content_of, name_of

if TYPE_CHECKING:
    from PIL import Image

Array = NDArray[np.float32]

LARGEST = 800  # a picture's longer side is reduced to this many pixels
MOST_PIXELS = 80_000_000  # of a picture; what Pillow itself warns about is a little more
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF", "PPM", "ICO", "JPEG2000", "TGA")
SUFFIXES = (  # of what counts as a picture in a folder
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".avif", ".heic", ".ppm",
    ".pgm", ".pbm", ".ico", ".jp2", ".tga",
)  # fmt: skip
ORIENTATION = 0x0112  # the EXIF tag
FAINTEST = 0.035  # a picture whose brightness varies by less is blank
SAMPLE = 20_000  # pixels that stand for all where a statistic is wanted
ROUNDING = 1e-3  # by how much a float may leave the range from 0 to 1

_quiet = threading.RLock()  # held while warnings are off, which is so for all threads
hold_over_fork(_quiet)


def open_picture(picture: Any) -> Array:
    """Read a picture's brightness, the right way up.

    Args:
        picture: a path, a data URI, the bytes of a file, an open binary file, a PIL image, or an array of
            (H, W), (H, W, 1), (H, W, 3) or (H, W, 4): uint8, bool, uint16 or other integers to 255 (or to
            65,535), or floats to 1 (or to 255). A file that is at its end is read from its start.

    Returns:
        (H, W) float32 from 0 to 1, reduced to at most 800 pixels a side. Transparent pixels are white. Of a
        coloured picture it is the mixture of the colours that differs most.

    Raises:
        FileNotFoundError: there is no such file.
        ImageError: it is no picture, a damaged one, or one of more than 80 megapixels or 512 MiB.

    Example:
        >>> import numpy as np
        >>> open_picture(np.full((1600, 4), 255, np.uint8)).shape
        (800, 2)
    """
    return brightness_of(pixels_of(picture))


def pixels_of(picture: Any) -> Array:
    """Read a picture's pixels, the right way up.

    Args:
        picture: see `open_picture`.

    Returns:
        (H, W), or (H, W, channels) of 1, 3 (colours) or 4 (and how opaque they are), float32 from 0 to 1,
        reduced to at most 800 pixels a side.

    Raises:
        FileNotFoundError, ImageError: see `open_picture`.
    """
    from PIL import Image

    if isinstance(picture, np.ndarray):
        if picture.dtype.name == "uint16" and picture.size and picture.max() <= 255:  # a byte in each of them
            picture = picture.astype(np.uint8)
        return _from_array(picture)
    name = name_of(picture)
    image = picture if isinstance(picture, Image.Image) else opened(content_of(picture, name), name)
    if not image.width * image.height:
        raise ImageError(f"{name} has no pixels: it is {image.width} x {image.height}.")
    if image.width * image.height > MOST_PIXELS:
        raise ImageError(_too_large(f"{name} ({image.width} x {image.height})"))
    try:
        if image is not picture:
            image.draft(None, (LARGEST, LARGEST))  # a JPEG is decoded at a fraction of its size at once
        pixels = _decoded(image)
        if float(pixels.max() - pixels.min()) < FAINTEST:
            _warn_of_pages(image, name)
        return pixels
    except ImageError:
        raise
    except Exception as error:  # whatever Pillow's decoders raise on damaged data
        raise ImageError(
            f"{name} is damaged or truncated ({error}). Save or export the picture again."
        ) from error


def _warn_of_pages(image: Image.Image, name: str) -> None:
    """Warn if a blank picture is the first of several in its file."""
    try:
        pages = int(getattr(image, "n_frames", 1))
    except Exception:  # damaged after the first
        return
    if pages > 1:
        warnings.warn(f"{name} has {pages} pages, and the first, which is read, is blank.", stacklevel=4)


def sample(values: NDArray[Any], most: int = SAMPLE) -> NDArray[Any]:
    """Return at most so many rows of an array, spread evenly but without a rhythm.

    Args:
        values: (N, ...).
        most: how many.

    Returns:
        All of them if they are few.
    """
    if len(values) <= most:
        return values
    golden = np.arange(most) * 0.6180339887498949 % 1
    return values[(golden * len(values)).astype(np.int64)]


def quantile(values: NDArray[Any], share: float) -> float:
    """Return the value that a share of the values is not above; for few values far quicker than NumPy's."""
    place = int(share * (values.size - 1))
    return float(np.partition(values, place, axis=None)[place])


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    """Keep Pillow's warnings about damaged tags to itself."""
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def opened(content: bytes, name: str) -> Image.Image:
    """Return the PIL image of a file, with its pixels not read yet."""
    from PIL import Image

    if not content:
        raise ImageError(f"{name} is empty.")
    try:
        with _no_warnings():
            return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(name)) from error
    except Exception as error:  # UnidentifiedImageError, or what a plugin raises on a damaged header
        raise ImageError(f"{name} {_unknown(content[:32])}") from error


def _too_large(name: str) -> str:
    return f"{name} has more than {MOST_PIXELS // 1_000_000} megapixels. Reduce it first."


def _unknown(start: bytes) -> str:
    """Return what to say of a file that Pillow does not open, from its first bytes."""
    if start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        return "is a HEIC photo. Export it as JPEG (iPhone: Settings, Camera, Formats, Most Compatible)."
    if start.startswith(b"%PDF"):
        return "is a PDF document. Export the page as PNG or JPEG."
    if start.lstrip().startswith((b"<svg", b"<?xml", b"<!DOCTYPE", b"<html")):
        return "is text (SVG, XML or HTML), not pixels. Export it as PNG."
    return "is not in a known format, or damaged. Save it as PNG or JPEG."


def _decoded(image: Image.Image) -> Array:
    """Return a PIL image's pixels, upright and reduced, from 0 to 1."""
    from PIL import Image

    with _no_warnings() if image.format == "TIFF" else contextlib.nullcontext():  # it reads its tags again
        image.load()  # looking for EXIF data may do it, too, and then an error would be lost
    turn = _turn(image)
    if image.mode.startswith(("I", "F")):
        return _from_array(np.asarray(image if turn is None else image.transpose(turn)))
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        image = image.convert("LA") if image.mode == "La" else image
        image = image if image.mode == "RGBA" else image.convert("RGBA")  # which would copy all of it
    elif image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if max(image.size) > LARGEST:
        scale = LARGEST / max(image.size)
        size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
        image = image.resize(size, Image.Resampling.BOX)
    if turn is not None:
        image = image.transpose(turn)
    return np.asarray(image, np.float32) / np.float32(255)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """Return what sets an image upright, by its EXIF data."""
    from PIL import Image

    try:
        with _no_warnings():
            orientation = image.getexif().get(ORIENTATION)
    except Exception:  # a damaged EXIF block; the pixels are fine
        return None
    turns = Image.Transpose
    return {
        2: turns.FLIP_LEFT_RIGHT,
        3: turns.ROTATE_180,
        4: turns.FLIP_TOP_BOTTOM,
        5: turns.TRANSPOSE,
        6: turns.ROTATE_270,
        7: turns.TRANSVERSE,
        8: turns.ROTATE_90,
    }.get(orientation)  # type: ignore[arg-type]


def _from_array(pixels: NDArray[Any]) -> Array:
    """Return an array's pixels, reduced, from 0 to 1."""
    if pixels.ndim not in (2, 3) or pixels.size == 0 or pixels.shape[2:] not in ((), (1,), (3,), (4,)):
        raise ImageError(
            f"A picture's array is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {pixels.shape}."
        )
    if pixels.dtype.kind not in "buif":
        raise ImageError(f"A picture's array holds integers, floats or bools, not {pixels.dtype}.")
    if pixels.dtype == np.float16:  # too narrow for what follows
        pixels = pixels.astype(np.float32)
    least, most = float(pixels.min()), float(pixels.max())
    if not np.isfinite([least, most]).all():
        raise ImageError("The picture's array has NaN or infinite pixels. Replace them first.")
    if least < -ROUNDING:
        raise ImageError(f"A picture's pixels are at least 0, but the least is {least:g}. Undo its scaling.")
    whole = {"bool": 1.0, "uint8": 255.0, "uint16": 65535.0}.get(pixels.dtype.name)
    if whole is None:
        limits = (1 + ROUNDING, 255.0, 65535.0) if pixels.dtype.kind == "f" else (255.0, 65535.0)
        whole = next((limit for limit in limits if most <= limit), most)
        whole = 1.0 if whole < 2 else whole
    return np.asarray(np.clip(_reduced(pixels) / whole, 0, 1), np.float32)


def _reduced(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return an array with each side at most LARGEST pixels, by the mean over rectangles."""
    scale = LARGEST / max(pixels.shape[:2])
    for axis in (0, 1) if scale < 1 else ():
        size = pixels.shape[axis]
        kept = max(round(size * scale), 1)
        starts = np.arange(kept) * size // kept
        counts = np.diff(np.append(starts, size))
        shape = [-1 if a == axis else 1 for a in range(pixels.ndim)]
        kind = np.float64 if pixels.dtype == np.float64 else np.float32
        pixels = np.add.reduceat(pixels, starts, axis=axis, dtype=kind) / counts.reshape(shape).astype(kind)
    return pixels


def brightness_of(pixels: Array) -> Array:
    """Return the brightness (H, W) of pixels (H, W) or (H, W, 1, 3 or 4 channels) from 0 to 1."""
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.ascontiguousarray(pixels.reshape(pixels.shape[:2]))
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:]
        white = pixels[..., :3] * alpha + (1 - alpha)
        if np.ptp(white) < FAINTEST < np.ptp(alpha):  # white ink on transparent paper
            white = pixels[..., :3] * alpha
        pixels = white
    if np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 1], pixels[..., 2]):
        return np.ascontiguousarray(pixels[..., 0])
    colours = pixels.reshape(-1, 3)
    if len(colours) == 1:
        return np.asarray(pixels.mean(axis=2), np.float32)
    _, axes = np.linalg.eigh(np.cov(sample(colours).T))
    axis = axes[:, -1] * (1 if axes[:, -1].sum() >= 0 else -1)
    mixed = (colours @ (axis / np.sqrt(3)).astype(np.float32)).reshape(pixels.shape[:2])
    lowest = np.float32(min(mixed.min(), 0))  # a mixture with negative parts may fall below 0
    return np.asarray(np.clip(mixed - lowest, 0, 1), np.float32)
