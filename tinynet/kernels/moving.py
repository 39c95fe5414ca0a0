"""Moving the elements of samples from one place to another: padding, cropping, transposing, other sizes.

A sample is a list of pixels, each of C numbers that stay together, and `places` says which pixel of the input
each pixel of the output is; -1 means none, which gives zeros.
"""

from __future__ import annotations

from .jit import Array, kernel


@kernel
def take(x: Array, places: Array, y: Array) -> None:
    """Write y[n, q, c] = x[n, places[q], c], or 0 where places[q] is -1.

    Args:
        x: (N, P, C).
        places: (Q,) int64, each at least -1 and below P.
        y: (N, Q, C), written.
    """
    samples, pixels, channels = y.shape
    for n in range(samples):
        for q in range(pixels):
            p = places[q]
            if p < 0:
                for c in range(channels):
                    y[n, q, c] = 0
            else:
                for c in range(channels):
                    y[n, q, c] = x[n, p, c]


@kernel
def give_back(dy: Array, places: Array, dx: Array) -> None:
    """Write the gradient of `take`: dx[n, p, c] = the sum over the q with places[q] = p of dy[n, q, c].

    Args:
        dy: (N, Q, C).
        places: (Q,) int64, as for `take`.
        dx: (N, P, C), written.
    """
    samples, pixels, channels = dx.shape
    for n in range(samples):
        for p in range(pixels):
            for c in range(channels):
                dx[n, p, c] = 0
        for q in range(len(places)):
            p = places[q]
            if p >= 0:
                for c in range(channels):
                    dx[n, p, c] += dy[n, q, c]


@kernel
def between(place: float, scale: float, last: float, half: float) -> tuple[int, int, float]:
    """Return the two pixels that one of an axis's new ones lies between, and how far it is from the first.

    The centre of place is at (place + half) * scale - half of the axis, or at its outermost pixels: 0, last.
    It has the arguments' dtype, as with Keras's backends.
    """
    centre = min(max((place + half) * scale - half, half - half), last)
    first = int(centre)
    return first, min(first + 1, int(last)), centre - first


@kernel
def interpolate(x: Array, y: Array) -> None:
    """Write images in another size, interpolated bilinearly between the centres of pixels.

    y[n, i, j, c] = the sum over the two rows p and the two columns q around the place of (i, j) in x of
    (1 - |its row - p|) * (1 - |its column - q|) * x[n, p, q, c].

    Args:
        x: (N, H, W, C).
        y: (N, A, B, C), written.
    """
    samples, height, width, channels = x.shape
    _, out_height, out_width, _ = y.shape
    number = x.dtype.type
    down_scale, along_scale = number(height) / number(out_height), number(width) / number(out_width)
    for n in range(samples):
        for oy in range(out_height):
            top, bottom, down = between(number(oy), down_scale, number(height - 1), number(0.5))
            below, above = number(down), number(1 - down)
            for ox in range(out_width):
                left, right, along = between(number(ox), along_scale, number(width - 1), number(0.5))
                after, before = number(along), number(1 - along)
                for c in range(channels):
                    upper = before * x[n, top, left, c] + after * x[n, top, right, c]
                    lower = before * x[n, bottom, left, c] + after * x[n, bottom, right, c]
                    y[n, oy, ox, c] = above * upper + below * lower


@kernel
def interpolate_gradient(dy: Array, dx: Array) -> None:
    """Write the gradient of `interpolate`: each dy goes to its four pixels, by their weights.

    Args:
        dy: (N, A, B, C).
        dx: (N, H, W, C), written.
    """
    samples, height, width, channels = dx.shape
    _, out_height, out_width, _ = dy.shape
    number = dx.dtype.type
    down_scale, along_scale = number(height) / number(out_height), number(width) / number(out_width)
    dx[:] = 0
    for n in range(samples):
        for oy in range(out_height):
            top, bottom, down = between(number(oy), down_scale, number(height - 1), number(0.5))
            below, above = number(down), number(1 - down)
            for ox in range(out_width):
                left, right, along = between(number(ox), along_scale, number(width - 1), number(0.5))
                after, before = number(along), number(1 - along)
                for c in range(channels):
                    upper, lower = above * dy[n, oy, ox, c], below * dy[n, oy, ox, c]
                    dx[n, top, left, c] += before * upper
                    dx[n, top, right, c] += after * upper
                    dx[n, bottom, left, c] += before * lower
                    dx[n, bottom, right, c] += after * lower
