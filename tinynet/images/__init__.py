"""From anybody's picture to the 28×28 pixels that the networks were trained on.

A picture goes through four steps, a file each: `open_picture` (any file, array or PIL image → brightness),
`find_ink` (brightness → how much ink each pixel has, without paper, shadow or polarity), `find_digits` (ink →
the ink of each digit, left to right) and `fit` (a digit's ink → 28×28, as MNIST's makers did it). `digits_of`
and `see` go through them in a row; the pretrained networks were trained on what `see` returns.

Apart from these steps, `photo.py` reads a picture as a whole, for models that see things; `drawn.py` draws
the ten digits, by which is found in which form a model takes pictures; and `loading.py` has Keras's helpers:
`load_img`, `img_to_array`, `array_to_img` and `save_img`.

Paper: LeCun, Bottou, Bengio, Haffner. "Gradient-based learning applied to document recognition." 1998: fitted
into 20×20 pixels with the aspect kept, the centre of mass in the centre of 28×28.
"""

from __future__ import annotations

from .content import ImageError
from .cutting import MOST_CUTS, cuts, seam, slant_of, strip, upright
from .digits import Digit, find_digits, together, trimmed
from .drawn import drawn_digits
from .fitting import SIZE, fit
from .ink import find_ink
from .loading import array_to_img, img_to_array, load_img, save_img
from .marks import Mark
from .opening import (
    FORMATS,
    LARGEST,
    MOST_PIXELS,
    SUFFIXES,
    brightness_of,
    open_picture,
    pixels_of,
)
from .photo import open_photo, resized
from .rows import Row, find_rows
from .seeing import Seen, digits_of, rows_of, see
from .showing import as_png, on_paper, thumbnail
from .sizes import kept, size_of

__all__ = [
    "FORMATS", "LARGEST", "MOST_CUTS", "MOST_PIXELS", "SIZE", "SUFFIXES", "Digit", "ImageError", "Mark",
    "Row", "Seen", "array_to_img", "as_png", "brightness_of", "cuts", "digits_of", "drawn_digits",
    "find_digits", "find_ink", "find_rows", "fit", "img_to_array", "kept", "load_img", "on_paper",
    "open_photo", "open_picture", "pixels_of", "resized", "rows_of", "save_img", "seam", "see", "size_of",
    "slant_of", "strip", "thumbnail", "together", "trimmed", "upright",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
