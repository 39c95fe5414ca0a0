"""Picture files and pixels, as Keras's helpers of these names have them."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..layers.geometry import image_data_format
from ..names import unknown
from .content import ImageError, content_of, name_of
from .opening import opened

if TYPE_CHECKING:
    from PIL import Image

Array = NDArray[Any]

# By the names of colour modes: the modes of Pillow's that stay as they are, the first of which others become.
MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}
CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image.Image:
    """Read a picture file, as `keras.utils.load_img` does.

    Args:
        path: of the file, or an open binary file.
        color_mode: "rgb" (the default), "rgba" or "grayscale", which keeps grey pictures of 16 or 32 bits.
        target_size: (height, width) in pixels, or None (the default) for the picture's own.
        interpolation: how it gets there: "nearest" (the default), "bilinear", "bicubic", "hamming", "box" or
            "lanczos", all as Pillow's `resize` does them.
        keep_aspect_ratio: whether the middle of the picture is taken that has the target's proportions; else
            (default) the picture is stretched.

    Returns:
        A PIL image; `img_to_array` has its pixels. EXIF's rotation is left as it is.

    Raises:
        FileNotFoundError: there is no such file.
        tinynet.ImageError: it is no picture, or a damaged one; the message names the file.
        ValueError: another colour mode or interpolation.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> save_img(file, np.zeros((4, 6, 3)), file_format="png")
        >>> load_img(file, "grayscale", target_size=(2, 3)).size
        (3, 2)
    """
    from PIL import Image

    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"load_img: {unknown('interpolation', interpolation, INTERPOLATIONS)}")
    check_color_mode("load_img", color_mode)
    image = read(path)
    if image.mode.startswith("I") and color_mode != "grayscale":
        warnings.warn(
            f"{name_of(path)} has more than 8 bits a pixel; as {color_mode!r}, all above 255 becomes white. "
            "Give color_mode='grayscale' to keep it.",
            stacklevel=2,
        )
    image = converted(image, color_mode, path)
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    height, width = target_size
    box = middle(image.width, image.height, width, height) if keep_aspect_ratio else None
    return image.resize((width, height), Image.Resampling[interpolation.upper()], box)


def load_8_bits(path: Any, color_mode: str) -> Array:
    """Return a picture's pixels, of grey pictures with 16 bits the upper 8.

    Args:
        path: of the file.
        color_mode: see `load_img`.

    Returns:
        (height, width, channels) float32 from 0 to 255.
    """
    from PIL import Image

    image = read(path)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    return img_to_array(converted(image, color_mode, path))


def read(path: Any) -> Image.Image:
    """Return the PIL image of a path or of an open binary file, with its pixels decoded."""
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if isinstance(path, str | os.PathLike):
        content = content_of(path, name_of(path))
    elif hasattr(path, "getvalue"):  # wherever reading has come to
        content = path.getvalue()
    elif hasattr(path, "read"):
        content = content_of(path, name_of(path))
    else:
        raise TypeError(f"load_img: path must be a path or an open binary file, not {type(path).__name__}.")
    image = opened(content, name_of(path))
    try:
        image.load()
    except Exception as error:  # whatever Pillow's decoders raise on damaged data
        raise damaged(path, error) from error
    return image


def converted(image: Image.Image, color_mode: str, path: Any) -> Image.Image:
    """Return an image in a colour mode."""
    try:
        return image if image.mode in MODES[color_mode] else image.convert(MODES[color_mode][0])
    except Exception as error:  # a palette of the wrong size, for example
        raise damaged(path, error) from error


def damaged(path: Any, error: Exception) -> ImageError:
    """Return the error for a file that Pillow cannot decode."""
    return ImageError(
        f"{name_of(path)} is damaged or truncated ({error}). Save or export it again, or remove it."
    )


def check_color_mode(owner: str, color_mode: str) -> None:
    """Raise unless a colour mode is known."""
    if color_mode not in MODES:
        raise ValueError(f"{owner}: {unknown('color_mode', color_mode, MODES)}")


def middle(width: int, height: int, target_width: int, target_height: int) -> tuple[int, int, int, int]:
    """Return the box (left, top, right, bottom) in the middle of an image that has a target's proportions."""
    box_width = min(width, max(height * target_width // target_height, 1))
    box_height = min(height, max(width * target_height // target_width, 1))
    left, top = (width - box_width) // 2, (height - box_height) // 2
    return left, top, left + box_width, top + box_height


def img_to_array(img: Any, data_format: str | None = None, dtype: DTypeLike | None = None) -> Array:
    """Return the pixels of a picture, as `keras.utils.img_to_array` does.

    Args:
        img: a PIL image, or an array (height, width) or (height, width, channels).
        data_format: None or "channels_last"; tinynet has no other.
        dtype: of the result; None (the default) for float32.

    Returns:
        (height, width, channels), numbers as the picture has them, such as 0 to 255.

    Raises:
        ValueError: another data format, or an array of other axes.

    Example:
        >>> img_to_array([[0, 255]])
        array([[[  0.],
                [255.]]], dtype=float32)
    """
    channels_last("img_to_array", data_format)
    pixels = np.asarray(img, np.float32 if dtype is None else dtype)
    if pixels.ndim not in (2, 3):
        raise ValueError(
            "img_to_array: expected a picture (height, width) or (height, width, channels), got the shape "
            f"{pixels.shape}."
        )
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def array_to_img(
    x: ArrayLike, data_format: str | None = None, scale: bool = True, dtype: DTypeLike | None = None
) -> Image.Image:
    r"""Make a picture of pixels, as `keras.utils.array_to_img` does.

    Args:
        x: (height, width, channels) of 1 (grey), 3 (RGB) or 4 channels (RGBA).
        data_format: None or "channels_last"; tinynet has no other.
        scale: whether the least value becomes 0 and the greatest 255 (the default); else values are from 0 to
            255, and grey ones may be larger. Fractions are cut off.
        dtype: what is computed in; None (the default) for float32.

    Returns:
        A PIL image of mode "L", "RGB" or "RGBA", or "I" for grey values above 255.

    Raises:
        ValueError: another shape or data format; or values that the picture cannot hold.

    Example:
        >>> picture = array_to_img(np.array([[[0.0], [0.5], [1.0]]]))
        >>> picture.mode, picture.tobytes()
        ('L', b'\x00\x7f\xff')
    """
    from PIL import Image

    channels_last("array_to_img", data_format)
    pixels = np.asarray(x, np.float32 if dtype is None else dtype)
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4):
        raise ValueError(
            "array_to_img: expected one picture (height, width, channels) of 1, 3 or 4 channels, got the "
            f"shape {pixels.shape}; x[..., np.newaxis] adds a channel axis."
        )
    if scale:
        pixels = pixels - pixels.min()
        pixels = pixels / (pixels.max() or 1) * 255
    grey, greatest = pixels.shape[2] == 1, pixels.max(initial=0)
    if not (pixels.min(initial=0) > -1 and (greatest < 256 or (grey and greatest < 2**31))):
        raise ValueError(
            f"array_to_img: pixels must be from 0 to 255, got {pixels.min()} to {greatest}; scale=True makes "
            "them so."
        )
    kind = np.int32 if grey and greatest > 255 else np.uint8
    return Image.fromarray((pixels[..., 0] if grey else pixels).astype(kind))


def save_img(
    path: str | os.PathLike[str] | IO[bytes],
    x: ArrayLike,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write pixels to a picture file, as `keras.utils.save_img` does.

    Args:
        path: of the file, whose suffix says the format, or an open binary file.
        x: (height, width, channels), see `array_to_img`.
        data_format: None or "channels_last"; tinynet has no other.
        file_format: "png", "jpeg", ..., for an open file; default None.
        scale: whether the least value becomes 0 and the greatest 255; default True.
        **kwargs: what Pillow's `Image.save` takes besides, such as `quality`.

    Raises:
        ValueError: see `array_to_img`; or an unknown format.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> save_img(file, np.array([[[0.0], [7.0]]]), file_format="png", scale=False)
        >>> img_to_array(load_img(file, "grayscale")).ravel()
        array([0., 7.], dtype=float32)
    """
    picture = array_to_img(x, data_format, scale)
    if file_format is None and isinstance(path, str | os.PathLike):
        file_format = Path(path).suffix[1:]
    kind = (file_format or "").lower()
    kind = "jpeg" if kind == "jpg" else "tiff" if kind == "tif" else kind
    if picture.mode == "RGBA" and kind == "jpeg":
        warnings.warn("save_img: JPEG has no transparency; the picture is saved as RGB.", stacklevel=2)
        picture = picture.convert("RGB")
    picture.save(path, kind or None, **kwargs)


def channels_last(owner: str, data_format: str | None) -> None:
    """Raise unless a data format is that of tinynet's images."""
    data_format = data_format or image_data_format()
    if data_format != "channels_last":
        raise ValueError(
            f"{owner}: data_format must be None or 'channels_last', got {data_format!r}; tinynet's images "
            "are (N, height, width, channels), and x.transpose(0, 2, 3, 1) makes them so."
        )
