"""Convolution, Dense and their gradients as one micro-kernel's work: im2col without the copy.

Every matrix product of the library is this one formula,

    c[q[i] + f] = start + sum over j of x[r[i] + s[j]] * b[p[j] + f]      0 <= f < columns

where x, b and c are flat buffers and r, s, p, q are integer offsets into them. What differs between
the operations is only which offsets play which role:

    ==================== ==================== ==================== ================= ==============
    operation            i (rows)             j (summed over)      x                 b
    ==================== ==================== ==================== ================= ==============
    Dense                samples              features             x                 kernel
    ... kernel gradient  features             samples              x                 dy
    ... input gradient   features             units                kernel            dy.T
    convolution          output pixels        taps (ky, kx, c)     padded x          kernel
    ... kernel gradient  taps (ky, kx, c)     output pixels        padded x          dy
    ... input gradient   input pixels         taps (ky, kx, f)     padded dy         kernel, c last
    ==================== ==================== ==================== ================= ==============

The micro-kernel is in register_tile.py; here are the functions that compute the offsets.
"""

from __future__ import annotations

import functools

import numpy as np

from . import elementwise
from .jit import Array
from .register_tile import gather_gemm

GROUP_ROWS = 512  # rows of one call for a convolution: the last, smaller tiles are then a small part


def dense(x: Array, kernel: Array, bias: Array, y: Array, relu: bool, columns: slice | None = None) -> None:
    """Compute y[n, u] = bias[u] + sum over d of x[n, d] * kernel[d, u], then ReLU if asked.

    Args:
        x: (N, D).
        kernel: (D, U).
        bias: (U,), or (0,) for none.
        y: (N, U), written.
        relu: whether negative results become 0.
        columns: which u to compute; default: all.
    """
    (n, d), u = x.shape, kernel.shape[1]
    first, stop, _ = (columns or slice(None)).indices(u)
    group = samples_at_once(n, 1)
    gather_gemm(
        x.reshape(-1), steps(group, d), steps(d, 1), kernel.reshape(-1)[first:], steps(d, u),
        y.reshape(-1)[first:], steps(group, u), stop - first, bias[first:stop], False, relu,
        n, group, d, 0, u, False,
    )  # fmt: skip


def dense_kernel_gradient(
    x: Array, dy: Array, dkernel: Array, first: int = 0, accumulate: bool = False
) -> None:
    """Compute dkernel[d, u] = sum over n of x[n, first + d] * dy[n, u].

    Args:
        x: (N, D).
        dy: (N, U).
        dkernel: (rows, U) some of the gradient's rows, or all, written.
        first: the first of them.
        accumulate: whether to add to what dkernel holds.
    """
    (n, d), (rows, u) = x.shape, dkernel.shape
    if n == 0:
        dkernel[:] = dkernel if accumulate else 0
        return
    group = samples_at_once(n, 1)
    gather_gemm(
        x.reshape(-1)[first:], steps(rows, 1), steps(group, d), dy.reshape(-1), steps(group, u),
        dkernel.reshape(-1), steps(rows, u), u, dkernel[0, :0], accumulate, False,
        n, group, d, u, 0, True,
    )  # fmt: skip


def dense_input_gradient(dy: Array, kernel: Array, dx: Array, dy_columns: Array, dx_columns: Array) -> None:
    """Compute dx[n, d] = sum over u of dy[n, u] * kernel[d, u].

    As dx.T = kernel @ dy.T, because a shard's dy and dx are much smaller to transpose than the kernel.

    Args:
        dy: (N, U).
        kernel: (D, U).
        dx: (N, D), written.
        dy_columns, dx_columns: (U, N) and (D, N) to work in.
    """
    (n, u), d = dy.shape, len(kernel)
    elementwise.exchange(dy.reshape(1, n, u), dy_columns.reshape(1, u, n))
    gather_gemm(
        kernel.reshape(-1), steps(d, u), steps(u, 1), dy_columns.reshape(-1), steps(u, n),
        dx_columns.reshape(-1), steps(d, n), n, dy_columns[0, :0], False, False,
        1, 1, 0, 0, 0, False,
    )  # fmt: skip
    elementwise.exchange(dx_columns.reshape(1, d, n), dx.reshape(1, n, d))


def convolution(
    padded: Array,
    kernel: Array,
    bias: Array,
    y: Array,
    stride_y: int,
    stride_x: int,
    relu: bool,
    dilation_y: int = 1,
    dilation_x: int = 1,
) -> None:
    """Compute a convolution (a cross-correlation, as everywhere in the field), then ReLU if asked.

    y[n, oy, ox, f] = bias[f] + sum over ky, kx, c of
        padded[n, oy * stride_y + ky * dilation_y, ox * stride_x + kx * dilation_x, c] * kernel[ky, kx, c, f]

    In G groups, the c are the C / G channels of the group that f is in, one of the G groups of F / G filters.

    Args:
        padded: (N, PH, PW, C) with PH > (OH - 1) * stride_y + (KH - 1) * dilation_y, PW likewise.
        kernel: (KH, KW, C / G, F).
        bias: (F,), or (0,) for none.
        y: (N, OH, OW, F), written.
        stride_y, stride_x: steps of the window.
        relu: whether negative results become 0.
        dilation_y, dilation_x: steps between the taps; default 1.
    """
    n, ph, pw, c = padded.shape
    kh, kw, channels, f = kernel.shape
    _, oh, ow, _ = y.shape
    at_once = samples_at_once(n, oh * ow)
    pixels = offsets(at_once, oh, ow, ph * pw * c, stride_y * pw * c, stride_x * c, 0)
    taps = offsets(kh, kw, channels, dilation_y * pw * c, dilation_x * c, 1, 0)
    for first, those in groups_of(c, channels, f):
        gather_gemm(
            padded.reshape(-1)[first:], pixels, taps, kernel.reshape(-1)[those.start :], steps(taps.size, f),
            y.reshape(-1)[those.start :], steps(pixels.size, f), those.stop - those.start,
            bias[those], False, relu, n, at_once, ph * pw * c, 0, oh * ow * f, False,
        )  # fmt: skip


def convolution_kernel_gradient(
    padded: Array,
    dy: Array,
    dkernel: Array,
    stride_y: int,
    stride_x: int,
    top: int,
    left: int,
    accumulate: bool = False,
    dilation_y: int = 1,
    dilation_x: int = 1,
) -> None:
    """Compute the gradient of a convolution with respect to its kernel.

    dkernel[ky, kx, c, f] = sum over n, oy, ox of
        padded[n, oy * stride_y + ky * dilation_y, ox * stride_x + kx * dilation_x, c]
        * dy[n, top + oy, left + ox, f]

    In groups, c is the one of the channels of the group that f is in.

    Args:
        padded: (N, PH, PW, C).
        dy: (N, DH, DW, F) with the upstream gradient (N, OH, OW, F) at [:, top:, left:].
        dkernel: (KH, KW, C / G, F), written.
        stride_y, stride_x: steps of the window.
        top, left: where the upstream gradient begins.
        accumulate: whether to add to what dkernel holds.
        dilation_y, dilation_x: steps between the taps; default 1.
    """
    n, ph, pw, c = padded.shape
    if n == 0:
        dkernel[:] = dkernel if accumulate else 0
        return
    _, dh, dw, f = dy.shape
    kh, kw, channels, _ = dkernel.shape
    oh = (ph - (kh - 1) * dilation_y - 1) // stride_y + 1
    ow = (pw - (kw - 1) * dilation_x - 1) // stride_x + 1
    at_once = samples_at_once(n, oh * ow)
    pixels = offsets(at_once, oh, ow, ph * pw * c, stride_y * pw * c, stride_x * c, 0)
    dy_pixels = offsets(at_once, oh, ow, dh * dw * f, dw * f, f, (top * dw + left) * f)
    taps = offsets(kh, kw, channels, dilation_y * pw * c, dilation_x * c, 1, 0)
    for first, those in groups_of(c, channels, f):
        gather_gemm(
            padded.reshape(-1)[first:], taps, pixels, dy.reshape(-1)[those.start :], dy_pixels,
            dkernel.reshape(-1)[those.start :], steps(taps.size, f), those.stop - those.start,
            dkernel.reshape(-1)[:0], accumulate, False, n, at_once, ph * pw * c, dh * dw * f, 0, True,
        )  # fmt: skip


def convolution_input_gradient(
    dy: Array,
    kernel: Array,
    dx: Array,
    stride_y: int,
    stride_x: int,
    top: int,
    left: int,
    dilation_y: int = 1,
    dilation_x: int = 1,
) -> None:
    """Compute the gradient of a convolution with respect to its input.

    dx[n, iy, ix, c] = sum over ky, kx, f, where the divisions leave no rest, of
        dY[n, (iy + top - ky * dilation_y) / stride_y, (ix + left - kx * dilation_x) / stride_x, f]
        * kernel[ky, kx, f, c]

    In groups, f are the filters of the group that c is in. Where a stride is above 1, no dilation is.

    The input pixels fall in stride_y * stride_x phases: all pixels of a phase use the same taps, so each
    phase is one call of the micro-kernel, with no zeros multiplied.

    Args:
        dy: (N, DH, DW, F), the upstream gradient dY with A = (KH - 1) * dilation_y // stride_y rows of zeros
            above it, as many columns of zeros before it for the width, and zeros after it up to
            DH > A + (H - 1 + top) // stride_y, DW likewise.
        kernel: (KH, KW, F, C / G), the kernel with its last two axes exchanged.
        dx: (N, H, W, C), written.
        stride_y, stride_x: steps of the window.
        top, left: how many rows and columns of padding the convolution put before its input.
        dilation_y, dilation_x: steps between the taps; default 1.
    """
    n, dh, dw, f = dy.shape
    kh, kw, _, channels = kernel.shape
    _, h, w, c = dx.shape
    above, before = (kh - 1) * dilation_y // stride_y, (kw - 1) * dilation_x // stride_x
    first_rows = [y0 for y0 in range(min(stride_y, h)) if (y0 + top) % stride_y < kh]
    first_columns = [x0 for x0 in range(min(stride_x, w)) if (x0 + left) % stride_x < kw]
    if len(first_rows) < min(stride_y, h) or len(first_columns) < min(stride_x, w):
        elementwise.fill(dx.reshape(-1), 0.0)  # the other phases have no taps
    for y0 in first_rows:
        for x0 in first_columns:
            # (y0, x0) is the phase's first pixel, and (oy, ox) the output pixel that its tap
            # (phase_y, phase_x) fed.
            (oy, phase_y), (ox, phase_x) = divmod(y0 + top, stride_y), divmod(x0 + left, stride_x)
            height, width = -(-(h - y0) // stride_y), -(-(w - x0) // stride_x)
            taps_y, taps_x = -(-(kh - phase_y) // stride_y), -(-(kw - phase_x) // stride_x)
            at_once = samples_at_once(n, height * width)
            first_output, first_pixel = ((oy + above) * dw + ox + before) * f, (y0 * w + x0) * c
            first_tap = (phase_y * kw + phase_x) * f * channels
            outputs = offsets(at_once, height, width, dh * dw * f, dw * f, f, first_output)
            pixels = offsets(at_once, height, width, h * w * c, stride_y * w * c, stride_x * c, first_pixel)
            for first, those in groups_of(c, channels, f):
                taps = taps_y, taps_x, those.stop - those.start
                tap_steps = stride_y * kw * f * channels, stride_x * f * channels, channels
                gather_gemm(
                    dy.reshape(-1)[those.start :],
                    outputs,
                    offsets(*taps, -dilation_y * dw * f, -dilation_x * f, 1, 0),
                    kernel.reshape(-1)[those.start * channels :],
                    offsets(*taps, *tap_steps, first_tap),
                    dx.reshape(-1)[first:],
                    pixels,
                    channels, dy.reshape(-1)[:0], False, False, n, at_once, dh * dw * f, 0, h * w * c, False,
                )  # fmt: skip


def groups_of(channels: int, together: int, filters: int) -> list[tuple[int, slice]]:
    """Return each group's first channel and its filters.

    Args:
        channels: C, of all groups.
        together: C / G, of each group.
        filters: F, of all groups.
    """
    size = filters * together // channels
    return [(n * together, slice(n * size, (n + 1) * size)) for n in range(channels // together)]


def samples_at_once(samples: int, rows: int) -> int:
    """Return how many samples of `rows` rows each make GROUP_ROWS rows or a little more."""
    return max(1, min(samples, -(-GROUP_ROWS // rows)))


@functools.lru_cache(maxsize=512)
def steps(count: int, step: int) -> Array:
    """Return the (count,) offsets 0, step, 2 * step, ..., read-only."""
    return offsets(count, 1, 1, step, 0, 0, 0)


@functools.lru_cache(maxsize=512)
def offsets(
    planes: int, rows: int, columns: int, plane_step: int, row_step: int, column_step: int, first: int
) -> Array:
    """Return the (planes * rows * columns,) offsets of a box in a flat buffer, read-only.

    offsets[(plane, row, column)] = first + plane * plane_step + row * row_step + column * column_step
    """
    plane, row, column = np.ogrid[:planes, :rows, :columns]
    box = first + plane * plane_step + row * row_step + column * column_step
    result = np.ascontiguousarray(box.reshape(-1), np.int64)
    result.setflags(write=False)
    return result
