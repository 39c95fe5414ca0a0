"""Convolutions of few channels with 2x2 max-pooling, all of it in registers.

Where a window has few pixels, as in a network's first layer, the products take less time than to write their
sums, read them again and pool them. So the four sums that are pooled are computed at the same time, each with
the additions of gather_gemm.py in their order: the same bits. And as only one of the four has a gradient, the
kernel's is computed from the pooled one.

In both kernels padded is (N, PH, PW, C), taps (KH * KW * C,) int64 offsets of a window's elements in it,
kernel and dkernel are (KH, KW, C, F), y, dy and place (N, OH, OW, F).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from .cpu import VECTOR_BYTES
from .jit import Array, instruction, kernel
from .lanes import splat
from .tiles import largest_of, put_at, unpack
from .vector import add, broadcast, larger, load, store, where_greater

TAPS = 9  # of the kernel's gradient, at a time


def pixels(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    """Return x at index, index + right, index + below, and index + below + right, as vectors."""
    x, index, right, below = arguments
    data = context.make_array(signature.args[0])(context, builder, x).data
    places = [index, builder.add(index, right), builder.add(index, below)]
    places.append(builder.add(places[2], right))
    lanes = VECTOR_BYTES * 8 // signature.args[0].dtype.bitwidth
    return [splat(builder, builder.load(builder.gep(data, [place])), lanes) for place in places]


def multiply_adder(builder: Any, vector: Any) -> Any:
    """Return LLVM's function a * b + c of vectors, rounded once where the CPU has an instruction for it."""
    size = 32 if isinstance(vector.element, ir.FloatType) else 64
    kind, name = ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{vector.count}f{size}"
    return cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]


@instruction
def add_products(
    typing_context: Any, x: Any, index: Any, right: Any, below: Any, weights: Any, sums: Any
) -> Any:
    """Return the four sums, plus the pixels at index in each of four windows side by side, times weights."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *place, weights, sums = arguments
        multiply_add = multiply_adder(builder, weights.type)
        values = [
            builder.call(multiply_add, [pixel, weights, total])
            for pixel, total in zip(
                pixels(context, builder, signature, place), unpack(builder, sums), strict=True
            )
        ]
        return context.make_tuple(builder, signature.return_type, values)

    return sums(x, types.int64, types.int64, types.int64, weights, sums), codegen


@instruction
def add_taps(
    typing_context: Any, x: Any, index: Any, right: Any, below: Any, taps: Any, tap: Any, tile: Any, sums: Any
) -> Any:
    """Return TAPS sums, plus the pixels that each tap sees in four windows, times a tile of four vectors.

    They are the taps from `tap` on; of those after the last, sums mean nothing.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, index, right, below, taps, tap, tile, sums = arguments
        tile, results = unpack(builder, tile), unpack(builder, sums)
        multiply_add = multiply_adder(builder, tile[0].type)
        table = context.make_array(signature.args[4])(context, builder, taps)
        last = builder.sub(table.nitems, tap.type(1))
        for n in range(TAPS):
            one = builder.add(tap, tap.type(n))
            one = builder.select(builder.icmp_signed("<", one, last), one, last)
            place = builder.add(index, builder.load(builder.gep(table.data, [one])))
            seen = pixels(context, builder, signature, (x, place, right, below))
            for pixel, value in zip(seen, tile, strict=True):
                results[n] = builder.call(multiply_add, [pixel, value, results[n]])
        return context.make_tuple(builder, signature.return_type, results)

    return sums(x, types.int64, types.int64, types.int64, taps, types.int64, tile, sums), codegen


@kernel
def convolve_and_pool(
    padded: Array, taps: Array, kernel: Array, bias: Array, y: Array, place: Array,
    stride_y: int, stride_x: int, relu: bool,
) -> None:  # fmt: skip
    """Write the largest of each 2x2 outputs of a convolution, after a ReLU if asked, and where it was.

    Args:
        padded, taps, kernel, y: see above; y is written.
        bias: (F,), or (0,) for none.
        place: written: 0 to 3, the first output that is the largest, or -1 where a ReLU lets no gradient
            pass; or of size 0 if it is not wanted.
        stride_y, stride_x: steps of the convolution's windows.
        relu: whether there is a ReLU.
    """
    row, filters = padded.shape[2] * padded.shape[3], y.shape[3]
    right, below = stride_x * padded.shape[3], stride_y * row
    lanes = VECTOR_BYTES // y.itemsize
    lowest, nowhere = (
        broadcast(y.dtype.type(0 if relu else -np.inf)),
        broadcast(y.dtype.type(-1 if relu else 0)),
    )
    for f in range(0, filters, 2 * lanes):  # two vectors: one alone would wait for its sums
        count, other, i = filters - f, filters - f - lanes, f
        start, start2 = load(bias, f, bias.size - f), load(bias, f + lanes, bias.size - f - lanes)
        for n in range(len(y)):
            for oy in range(y.shape[1]):
                first = n * padded.shape[1] * row + 2 * oy * below
                for _ in range(y.shape[2]):
                    sums, sums2 = (start, start, start, start), (start2, start2, start2, start2)
                    for j in range(taps.size):
                        pixel, weight = first + taps[j], j * filters + f
                        weights = load(kernel, weight, count)
                        sums = add_products(padded, pixel, right, below, weights, sums)
                        weights = load(kernel, weight + lanes, other)
                        sums2 = add_products(padded, pixel, right, below, weights, sums2)
                    found, found2 = largest_of(sums), largest_of(sums2)
                    store(y, i, count, larger(found[0], lowest))
                    store(y, i + lanes, other, larger(found2[0], lowest))
                    if place.size:
                        store(place, i, count, where_greater(found[0], lowest, found[1], nowhere))
                        where = where_greater(found2[0], lowest, found2[1], nowhere)
                        store(place, i + lanes, other, where)
                    first, i = first + 2 * right, i + filters


@kernel
def pooled_kernel_gradient(
    padded: Array, taps: Array, dy: Array, place: Array, dkernel: Array, total: Array,
    stride_y: int, stride_x: int,
) -> None:  # fmt: skip
    """Write the gradient with respect to the kernel, and to the bias.

    Args:
        padded, taps, dy, dkernel: see above; dkernel is written.
        place: what `convolve_and_pool` wrote.
        total: (F,), written: the sum of all dy that place lets pass; or (0,) if it is not wanted.
        stride_y, stride_x: steps of the convolution's windows.
    """
    row, filters = padded.shape[2] * padded.shape[3], dy.shape[3]
    right, below = stride_x * padded.shape[3], stride_y * row
    zero, nowhere = broadcast(dy.dtype.type(0)), broadcast(dy.dtype.type(-1))
    for f in range(0, filters, VECTOR_BYTES // dy.itemsize):
        count = filters - f
        for tap in range(0, taps.size, TAPS):
            sums, column_sum, i = (zero, zero, zero, zero, zero, zero, zero, zero, zero), zero, f
            for n in range(len(dy)):
                for oy in range(dy.shape[1]):
                    first = n * padded.shape[1] * row + 2 * oy * below
                    for _ in range(dy.shape[2]):
                        value, where = load(dy, i, count), load(place, i, count)
                        column_sum = add(column_sum, where_greater(where, nowhere, value, zero))
                        tile = put_at(value, where)
                        sums = add_taps(padded, first, right, below, taps, tap, tile, sums)
                        first, i = first + 2 * right, i + filters
            for j in range(tap, min(tap + TAPS, taps.size)):
                store(dkernel, j * filters + f, count, sums[j - tap])
            store(total, f, total.size - f, column_sum)
