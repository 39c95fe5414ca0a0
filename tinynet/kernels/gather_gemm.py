"""One register-tile micro-kernel for convolution, its gradients and Dense: im2col without the copy.

Every matrix product of the library is this one formula,

    c[q[i] + f] = start + sum over j of x[r[i] + s[j]] * b[p[j] + f]      0 <= f < columns

where x, b and c are flat buffers and r, s, p, q are integer offsets into them. What differs between
the operations is only which offsets play which role:

    ==================== ==================== ==================== ================= ==============
    operation            i (rows)             j (summed over)      x                 b
    ==================== ==================== ==================== ================= ==============
    Dense                samples              features             x                 kernel
    ... kernel gradient  features             samples              x                 dy
    ... input gradient   samples              units                dy                kernel.T
    convolution          output pixels        taps (ky, kx, c)     padded x          kernel
    ... kernel gradient  taps (ky, kx, c)     output pixels        padded x          dy
    ... input gradient   input pixels         taps (ky, kx, f)     padded dy         kernel, c last
    ==================== ==================== ==================== ================= ==============

The speed comes from keeping ROWS x (1 or 2 vectors) sums in vector registers while j runs. Numba's
own loops do not promise that, so the tile is an intrinsic that emits LLVM vector instructions: it is
generic in the dtype and in the vector's width, and LLVM lowers it for any CPU. Every sum runs over j
in increasing order, one fused multiply-add at a time, whatever the tile's shape and wherever the row
falls in it: cutting a batch differently cannot change a bit of a sample's result.

Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), is the background.
"""

from __future__ import annotations

import platform
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import Array, kernel

ZERO, BIAS, ACCUMULATE = 0, 1, 2  # what a sum starts from: 0, bias[f], or what c holds


def tile_shape(features: dict[str, bool]) -> tuple[int, int]:
    """Choose the tile from the CPU's features.

    Two vectors of sums a row leave, besides the sums, registers for two vectors of b and one of x:
    32 registers hold 14 rows, 16 hold 6.

    Args:
        features: the CPU's features by LLVM's names.

    Returns:
        The number of rows, and the bytes in a vector.
    """
    if features.get("avx512f"):
        return 14, 64
    if features.get("avx2") or features.get("avx"):
        return 6, 32
    if features.get("neon"):
        return 14, 16
    return 6, 16


def host_features() -> dict[str, bool]:
    """Return the features of the CPU that Numba compiles for: the host's, unless Numba is told others."""
    named = numba.config.CPU_FEATURES  # type: ignore[attr-defined]
    if named is None:
        return dict(llvmlite.binding.get_host_cpu_features())
    return {feature[1:]: feature.startswith("+") for feature in named.split(",") if feature}


ROWS, VECTOR_BYTES = tile_shape(host_features())
# The letter that means "any vector register" to LLVM, where it is known.
VECTOR_REGISTER = {"x86_64": "v", "AMD64": "v", "aarch64": "w", "arm64": "w"}.get(platform.machine())
GROUP_ROWS = 512  # rows of one call for a convolution: the last, partly empty tile is then a small part


def make_tile(rows: int, vectors: int, vector_bytes: int) -> Any:
    """Make the intrinsic that computes `rows` x `vectors` vectors of sums, all of them held in registers.

    Args:
        rows: consecutive values of i, from `i` on.
        vectors: vectors of consecutive f, from `f` on.
        vector_bytes: the size of a vector.

    Returns:
        `tile(x, r, i, s, b, p, f, c, q, bias, start, relu)`, to be called in kernels only. It reads and
        writes whole vectors: f + vectors * lanes values of every row of b and c must exist.
    """

    @intrinsic
    def tile(
        typing_context: Any, x: Any, r: Any, i: Any, s: Any, b: Any, p: Any, f: Any,
        c: Any, q: Any, bias: Any, start: Any, relu: Any,
    ) -> Any:  # fmt: skip
        signature = types.void(x, r, i, s, b, p, f, c, q, bias, start, relu)
        return signature, generate_tile(rows, vectors, vector_bytes)

    return tile


def generate_tile(rows: int, vectors: int, vector_bytes: int) -> Any:
    """Return the code generator of a tile; see `make_tile`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dtype = signature.args[0].dtype
        scalar, size = context.get_value_type(dtype), dtype.bitwidth // 8
        lanes = vector_bytes // size
        vector, i32, i64 = ir.VectorType(scalar, lanes), ir.IntType(32), ir.IntType(64)
        x, r, s, b, p, c, q, bias = (
            context.make_array(signature.args[n])(context, builder, arguments[n]).data
            for n in (0, 1, 3, 4, 5, 7, 8, 9)
        )
        i, f, start, relu = (arguments[n] for n in (2, 6, 10, 11))
        multiply_add = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module,
            ir.FunctionType(vector, [vector] * 3),
            f"llvm.fmuladd.v{lanes}f{dtype.bitwidth}",
        )
        zero = ir.Constant(vector, [0.0] * lanes)
        undefined = ir.Constant(vector, ir.Undefined)
        first_lane = ir.Constant(ir.VectorType(i32, lanes), [0] * lanes)
        tile = [(t, v) for t in range(rows) for v in range(vectors)]

        def offset(table: Any, position: Any) -> Any:
            return builder.load(builder.gep(table, [position]))

        def address(base: Any, v: int) -> Any:
            return builder.bitcast(builder.gep(base, [i64(v * lanes)]), vector.as_pointer())

        def broadcast(value: Any) -> Any:
            return builder.shuffle_vector(
                builder.insert_element(undefined, value, i32(0)), undefined, first_lane
            )

        x_rows = [builder.gep(x, [offset(r, builder.add(i, i64(t)))]) for t in range(rows)]
        c_rows = [builder.gep(c, [builder.add(offset(q, builder.add(i, i64(t))), f)]) for t in range(rows)]
        sums = {place: cgutils.alloca_once(builder, vector) for place in tile}  # type: ignore[no-untyped-call]

        for place in tile:
            builder.store(zero, sums[place])
        with builder.if_then(builder.icmp_signed("==", start, start.type(BIAS))):
            for t, v in tile:
                builder.store(builder.load(address(builder.gep(bias, [f]), v), align=size), sums[t, v])
        with builder.if_then(builder.icmp_signed("==", start, start.type(ACCUMULATE))):
            for t, v in tile:
                builder.store(builder.load(address(c_rows[t], v), align=size), sums[t, v])

        length = context.make_array(signature.args[3])(context, builder, arguments[3]).nitems
        with cgutils.for_range(builder, length) as loop:
            step = offset(s, loop.index)
            b_row = builder.gep(b, [builder.add(offset(p, loop.index), f)])
            b_values = [builder.load(address(b_row, v), align=size) for v in range(vectors)]
            for t in range(rows):
                x_value = broadcast(builder.load(builder.gep(x_rows[t], [step])))
                for v in range(vectors):
                    value = builder.call(multiply_add, [x_value, b_values[v], builder.load(sums[t, v])])
                    builder.store(in_order(builder, value), sums[t, v])

        with builder.if_then(builder.icmp_signed("!=", relu, relu.type(0))):
            for place in tile:
                value = builder.load(sums[place])
                negative = builder.fcmp_ordered("<", value, zero)  # false for NaN, so that NaN stays
                builder.store(builder.select(negative, zero, value), sums[place])
        for t, v in tile:
            builder.store(builder.load(sums[t, v]), address(c_rows[t], v), align=size)
        return context.get_dummy_value()

    return codegen


def in_order(builder: Any, value: Any) -> Any:
    """Return a vector through an empty instruction, which neither it nor any load can be moved across.

    Left to itself, LLVM loads all the x values before it adds, and so pushes sums out of the registers:
    three times slower.
    """
    if VECTOR_REGISTER is None:
        return value
    same = ir.FunctionType(value.type, [value.type])
    return builder.asm(same, "", f"={VECTOR_REGISTER},0,~{{memory}}", [value], True)


narrow_tile = make_tile(ROWS, 1, VECTOR_BYTES)
wide_tile = make_tile(ROWS, 2, VECTOR_BYTES)


@kernel
def gather_gemm(
    x: Array,
    r: Array,
    s: Array,
    b: Array,
    p: Array,
    c: Array,
    q: Array,
    columns: int,
    bias: Array,
    start: int,
    relu: bool,
) -> None:
    """Compute c[q[i] + f] = start + sum over j of x[r[i] + s[j]] * b[p[j] + f], then ReLU if asked.

    Args:
        x, b, c: flat contiguous buffers of one float dtype; only c is written.
        r, q: (rows,) int64 offsets into x and c.
        s, p: (length,) int64 offsets into x and b.
        columns: how many f; b[p[j]:][:columns] and c[q[i]:][:columns] must exist.
        bias: (columns,) read if start is BIAS.
        start: ZERO, BIAS or ACCUMULATE.
        relu: whether negative results become 0.
    """
    lanes = VECTOR_BYTES // x.itemsize
    rows, length = r.size, s.size
    edge_r, edge_q = np.empty(ROWS, np.int64), np.empty(ROWS, np.int64)
    edge_c = np.empty(ROWS * 2 * lanes, x.dtype)
    edge_b = np.empty(0 if columns % lanes == 0 else length * lanes, x.dtype)
    edge_p = np.arange(length) * lanes

    f = 0
    while f < columns:
        width = 2 * lanes if columns - f > lanes else lanes
        if columns - f < width and width > lanes:  # the last vector is not full: take the full one alone
            width = lanes
        used = min(width, columns - f)
        panel, panel_p, panel_f = b, p, f
        if used < width:  # a last vector would read past the end of b
            for j in range(length):
                for k in range(width):
                    edge_b[j * width + k] = b[p[j] + f + k] if k < used else 0
            panel, panel_p, panel_f = edge_b, edge_p, 0
        for i in range(0, rows, ROWS):
            if used == width and i + ROWS <= rows:
                if width > lanes:
                    wide_tile(x, r, i, s, b, p, f, c, q, bias, start, relu)
                else:
                    narrow_tile(x, r, i, s, b, p, f, c, q, bias, start, relu)
                continue
            height = min(ROWS, rows - i)
            for t in range(ROWS):  # rows past the end repeat the last one and are thrown away
                edge_r[t] = r[i + min(t, height - 1)]
                edge_q[t] = t * width - panel_f
                for k in range(width):
                    value = x.dtype.type(0)
                    if t < height and k < used:
                        if start == ACCUMULATE:
                            value = c[q[i + t] + f + k]
                        elif start == BIAS:
                            value = bias[f + k]
                    edge_c[t * width + k] = value
            if width > lanes:
                wide_tile(x, edge_r, 0, s, panel, panel_p, panel_f, edge_c, edge_q, bias, ACCUMULATE, relu)
            else:
                narrow_tile(x, edge_r, 0, s, panel, panel_p, panel_f, edge_c, edge_q, bias, ACCUMULATE, relu)
            for t in range(height):
                for k in range(used):
                    c[q[i + t] + f + k] = edge_c[t * width + k]
        f += width


@kernel
def dense(x: Array, kernel: Array, bias: Array, y: Array, relu: bool) -> None:
    """Compute y[n, u] = bias[u] + sum over d of x[n, d] * kernel[d, u], then ReLU if asked.

    Args:
        x: (N, D).
        kernel: (D, U).
        bias: (U,), or (0,) for none.
        y: (N, U), written.
        relu: whether negative results become 0.
    """
    (n, d), u = x.shape, kernel.shape[1]
    rows, taps = np.arange(n), np.arange(d)
    start = BIAS if bias.size else ZERO
    gather_gemm(
        x.reshape(-1), rows * d, taps, kernel.reshape(-1), taps * u,
        y.reshape(-1), rows * u, u, bias, start, relu,
    )  # fmt: skip


@kernel
def dense_kernel_gradient(x: Array, dy: Array, dkernel: Array) -> None:
    """Compute dkernel[d, u] = sum over n of x[n, d] * dy[n, u].

    Args:
        x: (N, D).
        dy: (N, U).
        dkernel: (D, U), written.
    """
    (n, d), u = x.shape, dy.shape[1]
    rows, samples = np.arange(d), np.arange(n)
    gather_gemm(
        x.reshape(-1), rows, samples * d, dy.reshape(-1), samples * u,
        dkernel.reshape(-1), rows * u, u, dy.reshape(-1), ZERO, False,
    )  # fmt: skip


@kernel
def pixel_offsets(
    samples: int, height: int, width: int, sample_size: int, row_size: int, pixel_size: int
) -> Array:
    """Return the (samples * height * width,) offsets n * sample_size + y * row_size + x * pixel_size."""
    offsets = np.empty(samples * height * width, np.int64)
    i = 0
    for n in range(samples):
        for y in range(height):
            for x in range(width):
                offsets[i] = n * sample_size + y * row_size + x * pixel_size
                i += 1
    return offsets


@kernel
def samples_at_once(samples: int, rows: int) -> int:
    """Return how many samples of `rows` rows each make a call of GROUP_ROWS rows or a little more."""
    return max(1, min(samples, (GROUP_ROWS + rows - 1) // rows))


@kernel
def convolution(
    padded: Array, kernel: Array, bias: Array, y: Array, stride_y: int, stride_x: int, relu: bool
) -> None:
    """Compute a convolution (a cross-correlation, as everywhere in the field), then ReLU if asked.

    y[n, oy, ox, f] = bias[f] + sum over ky, kx, c of
        padded[n, oy * stride_y + ky, ox * stride_x + kx, c] * kernel[ky, kx, c, f]

    Args:
        padded: (N, PH, PW, C) with PH >= (OH - 1) * stride_y + KH, PW likewise.
        kernel: (KH, KW, C, F).
        bias: (F,), or (0,) for none.
        y: (N, OH, OW, F), written.
        stride_y, stride_x: steps of the window.
        relu: whether negative results become 0.
    """
    n, ph, pw, c = padded.shape
    kh, kw, _, f = kernel.shape
    _, oh, ow, _ = y.shape
    group = samples_at_once(n, oh * ow)
    r = pixel_offsets(group, oh, ow, ph * pw * c, stride_y * pw * c, stride_x * c)
    s = pixel_offsets(kh, kw, c, pw * c, c, 1)
    p, q = np.arange(s.size) * f, np.arange(r.size) * f
    x_flat, y_flat, kernel_flat = padded.reshape(-1), y.reshape(-1), kernel.reshape(-1)
    start = BIAS if bias.size else ZERO
    for first in range(0, n, group):
        rows = min(group, n - first) * oh * ow
        x_group, y_group = x_flat[first * ph * pw * c :], y_flat[first * oh * ow * f :]
        gather_gemm(x_group, r[:rows], s, kernel_flat, p, y_group, q[:rows], f, bias, start, relu)


@kernel
def convolution_kernel_gradient(
    padded: Array, dy: Array, dkernel: Array, stride_y: int, stride_x: int
) -> None:
    """Compute the gradient of a convolution with respect to its kernel.

    dkernel[ky, kx, c, f] = sum over n, oy, ox of
        padded[n, oy * stride_y + ky, ox * stride_x + kx, c] * dy[n, oy, ox, f]

    Args:
        padded: (N, PH, PW, C).
        dy: (N, OH, OW, F).
        dkernel: (KH, KW, C, F), written.
        stride_y, stride_x: steps of the window.
    """
    n, ph, pw, c = padded.shape
    _, oh, ow, f = dy.shape
    kh, kw = dkernel.shape[:2]
    group = samples_at_once(n, oh * ow)
    taps = pixel_offsets(kh, kw, c, pw * c, c, 1)
    pixels = pixel_offsets(group, oh, ow, ph * pw * c, stride_y * pw * c, stride_x * c)
    p, q = np.arange(pixels.size) * f, np.arange(taps.size) * f
    x_flat, dy_flat, dkernel_flat = padded.reshape(-1), dy.reshape(-1), dkernel.reshape(-1)
    for first in range(0, n, group):
        length = min(group, n - first) * oh * ow
        x_group, dy_group = x_flat[first * ph * pw * c :], dy_flat[first * oh * ow * f :]
        start = ZERO if first == 0 else ACCUMULATE
        gather_gemm(
            x_group, taps, pixels[:length], dy_group, p[:length], dkernel_flat, q, f, dy_flat, start, False
        )  # fmt: skip


@kernel
def convolution_input_gradient(
    dy: Array, kernel: Array, dx: Array, stride_y: int, stride_x: int, top: int, left: int
) -> None:
    """Compute the gradient of a convolution with respect to its input.

    dx[n, iy, ix, c] = sum over ky, kx, f, where the divisions leave no rest, of
        dY[n, (iy + top - ky) / stride_y, (ix + left - kx) / stride_x, f] * kernel[ky, kx, f, c]

    The input pixels fall in stride_y * stride_x phases: all pixels of a phase use the same taps, so each
    phase is one call of the micro-kernel, with no zeros multiplied.

    Args:
        dy: (N, DH, DW, F), the upstream gradient dY with (KH - 1) // stride_y rows of zeros above it,
            (KW - 1) // stride_x columns of zeros before it, and zeros after it up to
            DH > (KH - 1) // stride_y + (H - 1 + top) // stride_y, DW likewise.
        kernel: (KH, KW, F, C), the kernel with its last two axes exchanged.
        dx: (N, H, W, C), written.
        stride_y, stride_x: steps of the window.
        top, left: how many rows and columns of padding the convolution put before its input.
    """
    n, dh, dw, f = dy.shape
    kh, kw, _, c = kernel.shape
    _, h, w, _ = dx.shape
    above, before = (kh - 1) // stride_y, (kw - 1) // stride_x
    dy_flat, kernel_flat, dx_flat = dy.reshape(-1), kernel.reshape(-1), dx.reshape(-1)
    for phase_y in range(stride_y):
        for phase_x in range(stride_x):
            # The first pixel of the phase, and the output pixel that its tap (phase_y, phase_x) fed.
            y0, x0 = (phase_y - top) % stride_y, (phase_x - left) % stride_x
            oy, ox = (y0 + top) // stride_y, (x0 + left) // stride_x
            height, width = (h - y0 + stride_y - 1) // stride_y, (w - x0 + stride_x - 1) // stride_x
            taps_y, taps_x = (
                (kh - phase_y + stride_y - 1) // stride_y,
                (kw - phase_x + stride_x - 1) // stride_x,
            )
            if height <= 0 or width <= 0:
                continue
            group = samples_at_once(n, height * width)
            r = (
                pixel_offsets(group, height, width, dh * dw * f, dw * f, f)
                + ((oy + above) * dw + ox + before) * f
            )
            s = pixel_offsets(max(taps_y, 0), max(taps_x, 0), f, -dw * f, -f, 1)
            p = pixel_offsets(max(taps_y, 0), max(taps_x, 0), f, stride_y * kw * f * c, stride_x * f * c, c)
            p += (phase_y * kw + phase_x) * f * c
            q = (
                pixel_offsets(group, height, width, h * w * c, stride_y * w * c, stride_x * c)
                + (y0 * w + x0) * c
            )
            for first in range(0, n, group):
                rows = min(group, n - first) * height * width
                dy_group, dx_group = dy_flat[first * dh * dw * f :], dx_flat[first * h * w * c :]
                gather_gemm(
                    dy_group, r[:rows], s, kernel_flat, p, dx_group, q[:rows], c, dy_flat, ZERO, False
                )
