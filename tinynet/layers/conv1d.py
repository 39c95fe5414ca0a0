"""The convolution of sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .conv2d import Conv2D


@dataclass(eq=False, repr=False)
class Conv1D(Conv2D, only_kernels=True):
    """A convolution along the steps of sequences (N, steps, channels), as of images of one row.

    The kernel is (size, channels, filters), and is not flipped. Waibel, Hanazawa, Hinton, Shikano and Lang,
    "Phoneme Recognition Using Time-Delay Neural Networks" (1989).

    Args:
        filters, data_format, activation, use_bias, kernel_initializer, bias_initializer, method: as for
            `Conv2D`.
        kernel_size, strides, dilation_rate, groups: as for `Conv2D`, one integer each.
        padding: "valid" (default), "same", or "causal" (all zeros before the sequence, so that an output
            depends on no later step).

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = Conv1D(4, 3, padding="causal")
        >>> layer.build((10, 2))
        (10, 4)
        >>> layer.kernel.value.shape
        (3, 2, 4)
    """

    axes: ClassVar[int] = 1
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same", "causal")
