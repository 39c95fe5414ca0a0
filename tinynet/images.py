"""From anybody's picture to the 28×28 pixels that the networks were trained on.

A picture goes through four steps, each a function below: `open_picture` (any file, array or PIL image →
brightness), `find_ink` (brightness → how much ink each pixel has, without paper, shadow or polarity),
`find_digits` (ink → the ink of each digit, left to right) and `fit` (a digit's ink → 28×28, as MNIST's makers
did it). The training of the pretrained weights uses the same functions.

Paper: LeCun, Bottou, Bengio, Haffner. "Gradient-based learning applied to document recognition." 1998: fitted
into 20×20 pixels with the aspect kept, the centre of mass in the centre of 28×28.
"""

from __future__ import annotations

import dataclasses
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import kernels

if TYPE_CHECKING:
    from PIL import Image

Array = NDArray[np.float32]

SIZE = 28  # pixels of a side of what the network sees
BOX = 20  # the digit fits into this many
LARGEST = 800  # a picture's longer side is reduced to this many pixels, or somewhat fewer
MOST_PIXELS = 80_000_000  # of a picture file; what Pillow itself warns about is a little more
FINE = 4  # strokes are measured and widened on a grid this many times as fine as the network's
STROKE = 2.6  # a stroke's width in the network's pixels: MNIST's is 2.2 to 3.4
FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF", "PPM", "ICO", "JPEG2000", "TGA")
FAINTEST = 0.035  # ink that differs less from its paper, of the distance from black to white, is none


class ImageError(ValueError):
    """A picture cannot be read: the message says what is wrong with it, and what to do.

    Example:
        >>> open_picture(b"PK")
        Traceback (most recent call last):
        ...
        tinynet.images.ImageError: The picture is not in a known format, or damaged. Save it as PNG or JPEG.
    """


def open_picture(picture: Any) -> Array:
    """Read a picture's brightness, the right way up.

    Args:
        picture: a path, the bytes of a file, an open binary file, a PIL image, or an array of (H, W),
            (H, W, 1), (H, W, 3) or (H, W, 4): integers to 255 (or to 65,535), or floats to 1 (or to 255).

    Returns:
        (H, W) float32 from 0 to 1, reduced to at most 800 pixels a side. Transparent pixels are white. Of a
        coloured picture it is the mixture of the colours that differs most.

    Raises:
        FileNotFoundError: there is no such file.
        ImageError: it is no picture, a damaged one, or one of more than 80 megapixels.

    Example:
        >>> import numpy as np
        >>> open_picture(np.full((1600, 4), 255, np.uint8)).shape
        (800, 2)
    """
    if isinstance(picture, np.ndarray):
        return _brightness(_reduced(_unit(picture)))
    image = _opened(picture)
    try:
        return _decoded(image)
    except ImageError:
        raise
    except Exception as error:  # whatever Pillow's decoders raise on damaged data
        raise ImageError(
            f"{_name(picture)} is damaged or truncated ({error}). Save or export the picture again."
        ) from error


def _name(picture: Any) -> str:
    """Return how errors call a picture."""
    if isinstance(picture, str | os.PathLike):
        return f"The picture {os.fspath(picture)!r}"
    return "The picture"


def _opened(picture: Any) -> Image.Image:
    """Return the PIL image of a file, with its pixels not read yet."""
    from PIL import Image

    if isinstance(picture, Image.Image):
        return picture
    if isinstance(picture, str | os.PathLike):
        path = Path(picture)
        if path.is_dir():
            raise ImageError(f"{_name(picture)} is a folder. Name a file in it.")
        if not path.exists():
            raise FileNotFoundError(f"There is no picture {os.fspath(picture)!r}.")
        file: Any = io.BytesIO(path.read_bytes())
    elif isinstance(picture, bytes | bytearray | memoryview):
        file = io.BytesIO(picture)
    elif hasattr(picture, "read"):
        content = picture.read()
        if not isinstance(content, bytes):
            raise ImageError("The picture's file is open as text. Open it with mode 'rb'.")
        file = io.BytesIO(content)
    else:
        raise ImageError(
            f"A picture is a path, bytes, a binary file, a PIL image or an array; "
            f"got {type(picture).__name__}."
        )
    start = file.getvalue()[:32]
    if not start:
        raise ImageError(f"{_name(picture)} is empty.")
    try:
        image = Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(_too_large(_name(picture))) from error
    except Exception as error:  # UnidentifiedImageError, or what a plugin raises on a damaged header
        raise ImageError(f"{_name(picture)} {_unknown(start)}") from error
    if image.width * image.height > MOST_PIXELS:
        raise ImageError(_too_large(f"{_name(picture)} ({image.width} x {image.height})"))
    return image


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
    """Return a PIL image's brightness."""
    from PIL import ImageOps

    image.draft(None, (LARGEST, LARGEST))  # a JPEG is decoded at a fraction of its size at once
    try:
        image = ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block; the pixels are fine
        image.load()
    factor = -(-max(image.size) // LARGEST)
    if image.mode.startswith(("I", "F")):
        return _brightness(_reduced(_unit(np.asarray(image))))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if factor > 1:
        if image.mode == "RGBA":
            image = image.convert("RGBa")  # else transparent pixels' colours would come in
        image = image.reduce(factor)
    if image.mode == "RGBa":
        image = image.convert("RGBA")
    return _brightness(np.asarray(image, np.float32) / np.float32(255))


def _unit(pixels: NDArray[Any]) -> Array:
    """Return an array's pixels from 0 to 1."""
    if pixels.ndim not in (2, 3) or pixels.size == 0 or pixels.shape[2:] not in ((), (1,), (3,), (4,)):
        raise ImageError(
            f"A picture's array is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {pixels.shape}."
        )
    if pixels.dtype == np.bool_:
        return pixels.astype(np.float32)
    if pixels.dtype.kind not in "uif":
        raise ImageError(f"A picture's array holds integers, floats or bools, not {pixels.dtype}.")
    values = pixels.astype(np.float32)
    if not np.isfinite(values).all():
        raise ImageError("The picture's array has NaN or infinite pixels. Replace them first.")
    least, most = float(values.min()), float(values.max())
    if least < 0:
        raise ImageError(f"A picture's pixels are at least 0, but the least is {least:g}. Undo its scaling.")
    if pixels.dtype.kind == "f" and most <= 1:
        return values
    top = 255 if most <= 255 else 65535
    return np.asarray(np.minimum(values / top, 1), np.float32)


def _reduced(pixels: Array) -> Array:
    """Return an array with each side at most LARGEST pixels, by the mean over squares."""
    factor = -(-max(pixels.shape[:2]) // LARGEST)
    if factor == 1:
        return pixels
    for axis in (0, 1):
        starts = np.arange(0, pixels.shape[axis], factor)
        counts = np.minimum(pixels.shape[axis] - starts, factor).astype(np.float32)
        shape = [-1 if a == axis else 1 for a in range(pixels.ndim)]
        pixels = np.asarray(np.add.reduceat(pixels, starts, axis=axis) / counts.reshape(shape), np.float32)
    return pixels


def _brightness(pixels: Array) -> Array:
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
    step = max(1, len(colours) // 20_000)
    _, axes = np.linalg.eigh(np.cov(colours[::step].T))
    axis = axes[:, -1] * (1 if axes[:, -1].sum() >= 0 else -1)
    mixed = (colours @ (axis / np.sqrt(3)).astype(np.float32)).reshape(pixels.shape[:2])
    lowest = np.float32(min(mixed.min(), 0))  # a mixture with negative parts may fall below 0
    return np.asarray(mixed - lowest, np.float32)


def find_ink(brightness: Array) -> Array:
    """Find how much ink each pixel has.

    The paper's brightness is estimated around each pixel: what is left when all strokes are filled in by a
    morphological closing (dark ink) or opening (light ink). Of the two, the right one leaves the more even
    paper, and less ink. So shadows and gradients go, and it does not matter what the border looks like.

    Args:
        brightness: (H, W), from 0 to 1.

    Returns:
        (H, W) float32: 0 where there is none, 1 where there is as much as in the strokes' middle. All 0 if
        there is no ink.

    Example:
        >>> import numpy as np
        >>> paper = np.linspace(0.5, 1.0, 40, dtype=np.float32) * np.ones((40, 1), np.float32)   # in a shadow
        >>> paper[10:30, 18:22] *= 0.4
        >>> ink = find_ink(paper)
        >>> print(ink[5, 3], ink[20, 20].round(1))
        0.0 1.0
    """
    smooth = _blurred(brightness, max(brightness.shape) // 400)
    radius = max(2, max(brightness.shape) // 5)
    candidates = []
    for sign in (1, -1):  # dark ink, light ink
        paper = _closed(sign * smooth, radius)
        signal = paper - sign * smooth
        level = _median(signal)
        candidates.append((float(paper.std()) + level, signal - level))
    return _stretched(min(candidates, key=lambda candidate: candidate[0])[1])


def _closed(x: Array, radius: int) -> Array:
    """Return x with what is dark and narrower than 2 · radius + 1 pixels filled in."""
    return -_window_maximum(-_window_maximum(x, radius), radius)


def _window_maximum(x: Array, radius: int) -> Array:
    """Return the maximum over the square around each pixel."""
    columns, rows = np.empty_like(x), np.empty_like(x.T, order="C")
    kernels.picture.window_maximum(x, columns, radius)
    kernels.picture.window_maximum(np.ascontiguousarray(columns.T), rows, radius)
    return np.ascontiguousarray(rows.T)


def _blurred(x: Array, radius: int) -> Array:
    """Return the mean over the square around each pixel."""
    height, width = x.shape
    for axis, size in ((0, height), (1, width)) if radius else ():
        framed = np.pad(x, [(radius, radius) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        x = np.take(framed, range(size), axis)
        for shift in range(1, 2 * radius + 1):
            x += framed[shift : shift + size] if axis == 0 else framed[:, shift : shift + size]
        x /= np.float32(2 * radius + 1)
    return np.ascontiguousarray(x)


def _median(x: Array) -> float:
    """Return about the median of many values."""
    return float(np.median(x.ravel()[:: max(1, x.size // 20_000)]))


def _stretched(signal: Array) -> Array:
    """Return ink from 0 to 1 of a signal that is about 0 on paper, noise left out."""
    noise = 1.4826 * _median(np.abs(signal))
    floor = max(4 * noise, FAINTEST)
    candidates = signal[signal > floor]
    if candidates.size < 4:
        return np.zeros_like(signal)
    threshold = min(_otsu(candidates), 0.5 * float(np.percentile(candidates, 95)))
    full = float(np.median(signal[signal > threshold]))
    low = max(floor, 0.6 * threshold)
    ink = np.clip((signal - low) / (full - low), 0, 1)
    return _connected(ink.astype(np.float32), signal > threshold)


def _otsu(values: Array) -> float:
    """Return the threshold between two groups of values (Otsu 1979)."""
    counts, edges = np.histogram(values, 128)
    middles = (edges[1:] + edges[:-1]) / 2
    below, total = np.cumsum(counts), counts.sum()
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (sums[-1] * below - sums * total) ** 2 / (below * (total - below))
    return float(edges[1 + int(np.argmax(np.nan_to_num(between)))])


def _labels(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Return the numbers of a mask's connected parts, from 1 on, and how many there are."""
    labels = np.empty(mask.shape, np.int32)
    height, width = mask.shape
    workspace = np.empty((height + 1) // 2 * ((width + 1) // 2) + 1, np.int32)
    return labels, kernels.picture.label(mask, labels, workspace)


def _connected(ink: Array, strong: NDArray[np.bool_]) -> Array:
    """Return the ink of the parts that are strong somewhere."""
    labels, count = _labels(ink > 0)
    kept = np.zeros(count + 1, np.float32)
    kept[np.unique(labels[strong])] = 1
    kept[0] = 0
    return ink * kept[labels]


def find_digits(ink: Array) -> list[Array]:
    """Find the digits in a picture's ink, from left to right.

    Connected parts of the ink are a digit's strokes. A stroke belongs to the digit that it lies above, below
    or in; a small one also to a digit near it. Specks go, and what touches the picture's border (its frame,
    a table's edge) if there is something else.

    Args:
        ink: (H, W) from 0 to 1, as `find_ink` returns it.

    Returns:
        A list of (H, W) arrays: of each digit its ink alone. Empty if there is none.

    Example:
        >>> import numpy as np
        >>> ink = np.zeros((30, 40), np.float32)
        >>> ink[5:25, 5:10] = ink[5:25, 28:31] = ink[3, 20] = 1.0        # two strokes and a speck
        >>> [int(digit.sum()) for digit in find_digits(ink)]
        [100, 60]
    """
    labels, count = _labels(ink > 0)
    if count == 0:
        return []
    parts = _without_frame(_without_specks(_parts(ink, labels, count)), ink.shape)
    digits: list[list[_Part]] = []
    for part in sorted(parts, key=lambda part: -part.length):  # the long strokes first: the others join them
        home = _home(part, digits)
        if home is None:
            digits.append([part])
        else:
            home.append(part)
    digits.sort(key=lambda digit: min(part.left for part in digit))
    return [np.where(np.isin(labels, [part.label for part in digit]), ink, np.float32(0)) for digit in digits]


@dataclasses.dataclass(frozen=True)
class _Part:
    """A connected part of the ink: its number, its box (right and bottom are outside) and its pixels' ink."""

    label: int
    top: int
    bottom: int
    left: int
    right: int
    mass: float

    @property
    def length(self) -> int:
        return max(self.bottom - self.top, self.right - self.left)


def _parts(ink: Array, labels: NDArray[np.int32], count: int) -> list[_Part]:
    """Describe the connected parts."""
    mass = np.bincount(labels.ravel(), ink.ravel(), count + 1)
    rows, columns = np.nonzero(labels)
    numbers = labels[rows, columns]
    top, left = np.full(count + 1, labels.size), np.full(count + 1, labels.size)
    bottom, right = np.zeros(count + 1, int), np.zeros(count + 1, int)
    np.minimum.at(top, numbers, rows)
    np.minimum.at(left, numbers, columns)
    np.maximum.at(bottom, numbers, rows + 1)
    np.maximum.at(right, numbers, columns + 1)
    boxes = zip(top, bottom, left, right, mass, strict=True)
    return [
        _Part(i, int(box[0]), int(box[1]), int(box[2]), int(box[3]), float(box[4]))
        for i, box in enumerate(boxes)
        if i
    ]


def _without_specks(parts: list[_Part]) -> list[_Part]:
    """Return the parts that are no specks: dust, dots, noise."""
    longest, heaviest = max(part.length for part in parts), max(part.mass for part in parts)
    return [part for part in parts if part.length >= 0.12 * longest and part.mass >= 0.01 * heaviest]


def _without_frame(parts: list[_Part], shape: tuple[int, ...]) -> list[_Part]:
    """Return the parts that do not touch the picture's border, if one of them may be a digit."""
    height, width = shape

    def touches(part: _Part) -> bool:
        return part.top == 0 or part.left == 0 or part.bottom == height or part.right == width

    inside = [part for part in parts if not touches(part)]
    longest = max((part.length for part in inside), default=0)
    return [part for part in parts if not touches(part) or longest < 0.3 * part.length]


def _home(part: _Part, digits: list[list[_Part]]) -> list[_Part] | None:
    """Return the digit that a stroke belongs to, if it is not the first of another one."""
    for digit in digits:
        top, bottom = min(p.top for p in digit), max(p.bottom for p in digit)
        left, right = min(p.left for p in digit), max(p.right for p in digit)
        size = max(bottom - top, right - left)
        across = max(part.left - right, left - part.right, 0)  # the gap between the boxes
        along = max(part.top - bottom, top - part.bottom, 0)
        shared = min(part.right, right) - max(part.left, left)
        over = shared > 0.5 * min(part.right - part.left, right - left)
        if over and along < 0.15 * size:
            return digit
        if part.length < 0.4 * size and max(across, along) < 0.15 * size:
            return digit
    return None


def fit(ink: Array) -> Array:
    """Fit a digit's ink into what the network was trained on.

    It is scaled so that it just fits into 20×20 pixels with its aspect kept, its strokes are made as wide as
    MNIST's if they are thinner or much wider, and its centre of mass is moved to the centre of 28×28.

    Args:
        ink: (H, W) from 0 to 1, with some ink.

    Returns:
        (28, 28) float32 from 0 (paper) to 1 (ink).

    Example:
        >>> import numpy as np
        >>> ink = np.zeros((300, 200), np.float32)
        >>> ink[50:250, 80:84] = 1.0                       # a thin stroke
        >>> pixels = fit(ink)
        >>> np.flatnonzero(pixels.sum(axis=1) > 0.1).size, np.flatnonzero(pixels.sum(axis=0) > 0.1).size
        (20, 3)
    """
    rows, columns = np.flatnonzero((ink > 0.5).any(axis=1)), np.flatnonzero((ink > 0.5).any(axis=0))
    if not rows.size:
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    box = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    fine = _scaled(ink, box, BOX * FINE)
    change = _stroke_change(fine)
    if change > 0:  # wider strokes need room
        fine = _scaled(ink, box, max(round(BOX * FINE - 2 * change), BOX))
        change = _stroke_change(fine)
    return _centred(_with_strokes(fine, change))


def _scaled(ink: Array, box: tuple[int, int, int, int], side: int) -> Array:
    """Return what is in a box, scaled so that its longer side is `side`."""
    from PIL import Image

    left, top, right, bottom = box
    scale = side / max(right - left, bottom - top)
    size = max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1)
    image = Image.fromarray(ink[top:bottom, left:right])
    fine = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
    full = np.percentile(fine[fine > 0], 80)  # thin strokes pale when they are made smaller
    return np.minimum(fine / np.float32(full), np.float32(1))


def _stroke_width(ink: Array) -> float:
    """Return the mean width of strokes, in pixels: twice their area by the length of their edges."""
    framed = np.pad(ink, 1)
    down, right = np.diff(framed, axis=0)[:, 1:], np.diff(framed, axis=1)[1:]
    edges = float(np.sqrt(down**2 + right**2).sum())
    return 2 * float(ink.sum()) / edges


def _stroke_change(fine: Array) -> float:
    """Return by how many fine pixels a stroke's either side is to move."""
    width = _stroke_width(fine)
    target = STROKE * FINE
    if width < target:
        return (target - width) / 2
    return -max(width - 1.6 * target, 0) / 2


def _with_strokes(fine: Array, change: float) -> Array:
    """Return strokes that are wider by `change` on either side, or narrower where it is negative."""
    if change == 0:
        return fine
    framed = np.pad(fine, int(max(change, 0)) + 1)
    changed = np.empty_like(framed)
    if change > 0:
        kernels.picture.widen(framed, changed, change)
        return changed
    kernels.picture.widen(1 - framed, changed, -change)
    return 1 - changed


def _centred(fine: Array) -> Array:
    """Return (28, 28) pixels of a finer picture, with its centre of mass in their centre."""
    height, width = fine.shape
    rows, columns = (min(-(-side // FINE), BOX) for side in fine.shape)
    canvas = np.zeros((max(rows * FINE, height), max(columns * FINE, width)), np.float32)
    top, left = (canvas.shape[0] - height) // 2, (canvas.shape[1] - width) // 2
    canvas[top : top + height, left : left + width] = fine
    top, left = (canvas.shape[0] - rows * FINE) // 2, (canvas.shape[1] - columns * FINE) // 2
    blocks = canvas[top : top + rows * FINE, left : left + columns * FINE].reshape(rows, FINE, columns, FINE)
    coarse = blocks.mean(axis=(1, 3))
    pixels = np.zeros((SIZE, SIZE), np.float32)
    y = coarse.sum(axis=1) @ (np.arange(rows) + 0.5) / coarse.sum()
    x = coarse.sum(axis=0) @ (np.arange(columns) + 0.5) / coarse.sum()
    top = min(max(round(SIZE / 2 - y), 0), SIZE - rows)
    left = min(max(round(SIZE / 2 - x), 0), SIZE - columns)
    pixels[top : top + rows, left : left + columns] = coarse
    return pixels


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """What the network is to see of a picture.

    Attributes:
        pixels: (28, 28) from 0 (paper) to 1 (ink); all 0 if there is no ink.
        digits: how many digits or other shapes were found.
    """

    pixels: Array
    digits: int


def see(brightness: Array) -> Seen:
    """Turn a picture's brightness into what the network is to see.

    An image of MNIST, or one that was made like those, stays as it is. Of several digits the one with the
    most ink is taken.

    Args:
        brightness: (H, W) from 0 to 1.

    Returns:
        28×28 pixels, and how many digits were found.

    Example:
        >>> import numpy as np
        >>> see(np.ones((40, 30), np.float32)).digits
        0
    """
    if _like_mnist(brightness):
        return Seen(brightness, 1)
    digits = find_digits(find_ink(brightness))
    if not digits:
        return Seen(np.zeros((SIZE, SIZE), np.float32), 0)
    return Seen(fit(max(digits, key=lambda ink: float(ink.sum()))), len(digits))


def _like_mnist(brightness: Array) -> bool:
    """Return whether it is 28×28, light on black, 20 pixels large, with its centre of mass in the centre."""
    if brightness.shape != (SIZE, SIZE):
        return False
    rows, columns = np.flatnonzero(brightness.any(axis=1)), np.flatnonzero(brightness.any(axis=0))
    if not rows.size or brightness.max() < 0.6:
        return False
    longer = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    places = np.arange(SIZE) - (SIZE - 1) / 2
    y, x = brightness.sum(axis=1) @ places, brightness.sum(axis=0) @ places
    off = max(abs(float(y)), abs(float(x))) / float(brightness.sum())
    return BOX - 1 <= longer <= BOX and off <= 1.0


def cuts(ink: Array) -> list[int]:
    """Find the columns at which a digit's ink may be cut, if it may be several digits that touch.

    Args:
        ink: (H, W), of one connected group of strokes.

    Returns:
        The first column, those of least ink in between where the ink is wide, and the one after the last.

    Example:
        >>> import numpy as np
        >>> ink = np.zeros((20, 40), np.float32)
        >>> ink[2:18, 5:9] = ink[2:18, 25:29] = ink[10, 5:29] = 1.0       # two strokes joined by a thin one
        >>> cuts(ink)
        [5, 17, 29]
    """
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    height = int(rows[-1] - rows[0]) + 1
    first, last = int(columns[0]), int(columns[-1]) + 1
    if last - first < 0.8 * height:
        return [first, last]
    profile = ink[:, first:last].sum(axis=0)
    apart = max(round(0.25 * height), 1)  # of two cuts, and of a cut from an end
    least = -_window_maximum(-profile[np.newaxis].repeat(2, axis=0), apart)[0]
    valleys = (profile == least) & (profile < 0.5 * profile.max())
    valleys[:apart] = valleys[len(valleys) - apart :] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valleys, [False]])))
    middles = edges.reshape(-1, 2).sum(axis=1) // 2
    return [first, *(first + int(middle) for middle in middles), last]


def strip(ink: Array, first: int, last: int) -> Array:
    """Return the ink of some columns, the other columns empty."""
    kept = np.zeros_like(ink)
    kept[:, first:last] = ink[:, first:last]
    return kept


def thumbnail(brightness: Array, side: int = 160) -> NDArray[np.uint8]:
    """Return a small version of a picture for people.

    Args:
        brightness: (H, W) from 0 to 1.
        side: the most pixels of its longer side; default 160.

    Returns:
        (h, w) from 0 to 255.
    """
    from PIL import Image

    image = Image.fromarray((np.clip(brightness, 0, 1) * 255).astype(np.uint8))
    image.thumbnail((side, side))
    return np.asarray(image)


def as_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the PNG file of a picture (H, W)."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
