"""im2col and col2im, written to be read: a convolution as one matrix product.

The fast path (gather_gemm.py) computes the same thing without laying the columns out, and is tested
against these. Chellapilla, Puri and Simard, "High Performance Convolutional Neural Networks for Document
Processing" (2006).
"""

from __future__ import annotations

from .jit import Array, kernel


@kernel
def im2col(x: Array, columns: Array, stride_y: int, stride_x: int, top: int, left: int) -> None:
    """Copy the patch under every position of the window into a row.

    columns[n, oy, ox, ky, kx, c] = x[n, oy * stride_y + ky - top, ox * stride_x + kx - left, c],
    or 0 outside x.

    Args:
        x: (N, H, W, C).
        columns: (N, OH, OW, KH, KW, C), written.
        stride_y, stride_x: steps of the window.
        top, left: rows and columns of zeros before x.
    """
    samples, out_height, out_width, kernel_height, kernel_width, channels = columns.shape
    height, width = x.shape[1:3]
    for n in range(samples):
        for oy in range(out_height):
            for ox in range(out_width):
                for ky in range(kernel_height):
                    for kx in range(kernel_width):
                        iy = oy * stride_y + ky - top
                        ix = ox * stride_x + kx - left
                        inside = 0 <= iy < height and 0 <= ix < width
                        for c in range(channels):
                            columns[n, oy, ox, ky, kx, c] = x[n, iy, ix, c] if inside else 0


@kernel
def col2im(columns: Array, x: Array, stride_y: int, stride_x: int, top: int, left: int) -> None:
    """Add every row of columns back to the patch that it came from: the transpose of `im2col`.

    x[n, iy, ix, c] = the sum of columns[n, oy, ox, ky, kx, c] over all that im2col read from there.

    Args:
        columns: (N, OH, OW, KH, KW, C).
        x: (N, H, W, C), written.
        stride_y, stride_x: steps of the window.
        top, left: rows and columns of zeros before x.
    """
    samples, out_height, out_width, kernel_height, kernel_width, channels = columns.shape
    height, width = x.shape[1:3]
    x[:] = 0
    for n in range(samples):
        for oy in range(out_height):
            for ox in range(out_width):
                for ky in range(kernel_height):
                    for kx in range(kernel_width):
                        iy = oy * stride_y + ky - top
                        ix = ox * stride_x + kx - left
                        if 0 <= iy < height and 0 <= ix < width:
                            for c in range(channels):
                                x[n, iy, ix, c] += columns[n, oy, ox, ky, kx, c]
