"""The register-tile micro-kernel, which every matrix product of the library goes through.

It computes, with flat buffers x, b and c and integer offsets r, s, p, q into them,

    c[q[i] + f] = start + sum over j of x[r[i] + s[j]] * b[p[j] + f]      0 <= f < columns

The speed comes from keeping ROWS x (1 or 2 vectors) sums in vector registers while j runs. Numba's
own loops do not promise that, so the tile is an intrinsic that emits LLVM vector instructions: it is
generic in the dtype and in the vector's width, and LLVM lowers it for any CPU. Every sum runs over j
in increasing order, one fused multiply-add at a time, whatever the tile's shape and wherever the row
falls in it: cutting a batch differently cannot change a bit of a sample's result. Terms in which all of a
tile's x are zero, as in the background of pictures, are left out where there are many of them.

Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), is the background.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from .cpu import ARM, ROWS, VECTOR_BYTES
from .jit import Array, inlined, instruction, kernel
from .lanes import first_lanes, load_lanes, splat, store_lanes

ZERO, BIAS, ACCUMULATE = 0, 1, 2  # what a sum starts from: 0, bias[f], or what c holds

# The letter that means "any vector register" to LLVM, where it is known.
VECTOR_REGISTER = {"x86_64": "v", "AMD64": "v", **dict.fromkeys(ARM, "w")}.get(platform.machine())
MANY_VECTORS = 8  # of columns: then it pays to look for zeros first
FIRST_TERMS = 64  # if nearly all of so many are not zero, no more are looked at
LINE = 64  # bytes of a line of the cache
AHEAD = 8  # rows of b that a single sample asks for before it needs them, as they lie in different pages


def make_tile(rows: int, vectors: int, vector_bytes: int) -> Any:
    """Make the intrinsic that computes `rows` x `vectors` vectors of sums, all of them held in registers.

    Args:
        rows: consecutive values of i, from `i` on.
        vectors: vectors of consecutive f, from `f` on.
        vector_bytes: the size of a vector.

    Returns:
        `tile(x, r, i, s, b, p, f, count, c, q, bias, start, relu)`, to be called in kernels only. It returns
        `rows`. A tile of a single vector computes `count` columns if there are fewer than its lanes; others
        read and write whole vectors.
    """

    @instruction
    def tile(
        typing_context: Any, x: Any, r: Any, i: Any, s: Any, b: Any, p: Any, f: Any, count: Any,
        c: Any, q: Any, bias: Any, start: Any, relu: Any,
    ) -> Any:  # fmt: skip
        signature = types.int64(x, r, i, s, b, p, f, count, c, q, bias, start, relu)
        return signature, generate_tile(rows, vectors, vector_bytes)

    return tile


def generate_tile(rows: int, vectors: int, vector_bytes: int) -> Any:
    """Return the code generator of a tile; see `make_tile`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dtype = signature.args[0].dtype
        scalar, size = context.get_value_type(dtype), dtype.bitwidth // 8
        lanes = vector_bytes // size
        vector, i64 = ir.VectorType(scalar, lanes), ir.IntType(64)
        x, r, s, b, p, c, q, bias = (
            context.make_array(signature.args[n])(context, builder, arguments[n]).data
            for n in (0, 1, 3, 4, 5, 8, 9, 10)
        )
        i, f, count, start, relu = (arguments[n] for n in (2, 6, 7, 11, 12))
        multiply_add = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module,
            ir.FunctionType(vector, [vector] * 3),
            f"llvm.fmuladd.v{lanes}f{dtype.bitwidth}",
        )
        zero = ir.Constant(vector, [0.0] * lanes)
        tile = [(t, v) for t in range(rows) for v in range(vectors)]

        def offset(table: Any, position: Any) -> Any:
            return builder.load(builder.gep(table, [position]))

        def address(base: Any, v: int) -> Any:
            return builder.bitcast(builder.gep(base, [i64(v * lanes)]), vector.as_pointer())

        mask = first_lanes(builder, lanes, count) if vectors == 1 else None

        def load(base: Any, v: int) -> Any:
            return load_lanes(builder, address(base, v), mask, size)

        x_rows = [builder.gep(x, [offset(r, builder.add(i, i64(t)))]) for t in range(rows)]
        c_rows = [builder.gep(c, [builder.add(offset(q, builder.add(i, i64(t))), f)]) for t in range(rows)]
        sums = {place: cgutils.alloca_once(builder, vector) for place in tile}  # type: ignore[no-untyped-call]

        for place in tile:
            builder.store(zero, sums[place])
        with builder.if_then(builder.icmp_signed("==", start, start.type(BIAS))):
            for t, v in tile:
                builder.store(load(builder.gep(bias, [f]), v), sums[t, v])
        with builder.if_then(builder.icmp_signed("==", start, start.type(ACCUMULATE))):
            for t, v in tile:
                builder.store(load(c_rows[t], v), sums[t, v])

        length = context.make_array(signature.args[3])(context, builder, arguments[3]).nitems
        with cgutils.for_range(builder, length) as loop:
            step = offset(s, loop.index)
            b_row = builder.gep(b, [builder.add(offset(p, loop.index), f)])
            if rows == 1 and vectors == MANY_VECTORS:
                later = builder.add(loop.index, length.type(AHEAD))
                later = builder.select(builder.icmp_signed("<", later, length), later, loop.index)
                fetch(builder, builder.gep(b, [builder.add(offset(p, later), f)]), vectors * vector_bytes)
            b_values = [load(b_row, v) for v in range(vectors)]
            for t in range(rows):
                x_value = splat(builder, builder.load(builder.gep(x_rows[t], [step])), lanes)
                for v in range(vectors):
                    value = builder.call(multiply_add, [x_value, b_values[v], builder.load(sums[t, v])])
                    builder.store(in_order(builder, value), sums[t, v])

        with builder.if_then(builder.icmp_signed("!=", relu, relu.type(0))):
            for place in tile:
                value = builder.load(sums[place])
                negative = builder.fcmp_ordered("<", value, zero)  # false for NaN, so that NaN stays
                builder.store(builder.select(negative, zero, value), sums[place])
        for t, v in tile:
            store_lanes(builder, builder.load(sums[t, v]), address(c_rows[t], v), mask, size)
        return i64(rows)

    return codegen


def fetch(builder: Any, address: Any, size: int) -> None:
    """Ask for so many bytes to be in the cache soon."""
    byte, number = ir.IntType(8), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), number, number, number])
    prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")  # type: ignore[no-untyped-call]
    first = builder.bitcast(address, byte.as_pointer())
    for line in range(0, size, LINE):
        place = builder.gep(first, [ir.IntType(64)(line)])
        builder.call(prefetch, [place, number(0), number(3), number(1)])  # to read, to keep, data


def in_order(builder: Any, value: Any) -> Any:
    """Return a vector through an empty instruction, which neither it nor any load can be moved across.

    Left to itself, LLVM loads all the x values before it adds, and so pushes sums out of the registers:
    three times slower.
    """
    if VECTOR_REGISTER is None:
        return value
    same = ir.FunctionType(value.type, [value.type])
    return builder.asm(same, "", f"={VECTOR_REGISTER},0,~{{memory}}", [value], True)


row_tile = make_tile(1, MANY_VECTORS, VECTOR_BYTES)  # a single sample: 8 sums hide the latency of one another
wide_tile, wide_4, wide_2, wide_1 = (make_tile(rows, 2, VECTOR_BYTES) for rows in (ROWS, 4, 2, 1))
narrow_tile, narrow_4, narrow_2, narrow_1 = (make_tile(rows, 1, VECTOR_BYTES) for rows in (ROWS, 4, 2, 1))


@instruction
def any_nonzero(typing_context: Any, x: Any, r: Any, i: Any, step: Any) -> Any:
    """Return whether one of the ROWS numbers x[r[i] + step], x[r[i + 1] + step], ... is not zero."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = ir.IntType(signature.args[0].dtype.bitwidth)
        x, r = (context.make_array(signature.args[n])(context, builder, arguments[n]).data for n in (0, 1))
        together = bits(0)
        for row in range(ROWS):
            place = builder.load(builder.gep(r, [builder.add(arguments[2], arguments[2].type(row))]))
            address = builder.gep(x, [builder.add(place, arguments[3])])
            together = builder.or_(together, builder.load(builder.bitcast(address, bits.as_pointer())))
        return builder.icmp_unsigned("!=", builder.shl(together, bits(1)), bits(0))  # without the signs

    return types.boolean(x, r, i, step), codegen


@inlined
def tile_height(rows: int) -> int:
    """Return the height of the tallest tile that fits into so many rows."""
    return ROWS if rows >= ROWS else 4 if rows >= 4 else 2 if rows >= 2 else 1


@inlined
def find_nonzero(x: Array, r: Array, s: Array, p: Array, kept: Array, sizes: Array) -> bool:
    """Find the terms of each tile's sums in which not all of its rows' x are zero.

    Pictures are mostly background: of MNIST's pixels 81% are zero, and in 47% of the terms those of all 14
    samples of a tile are. To leave a zero term out does not change a sum.

    Args:
        x, r, s, p: as in `gather_gemm`.
        kept: (tiles, 2, length) int64, written: the offsets s and p of each tile's terms.
        sizes: (tiles,) int64, written: how many they are.

    Returns:
        Whether it pays.
    """
    i = t = total = 0
    while i < r.size:
        height, size = tile_height(r.size - i), 0
        for j in range(s.size):
            if height == ROWS:
                needed = any_nonzero(x, r, i, s[j])
            else:
                needed = x[r[i] + s[j]] != 0
                for row in range(i + 1, i + height):
                    needed |= x[r[row] + s[j]] != 0
            if needed:
                kept[t, 0, size], kept[t, 1, size] = s[j], p[j]
                size += 1
            if t == 0 and j == FIRST_TERMS and 16 * size > 15 * j:
                return False
        sizes[t] = size
        i, t, total = i + height, t + 1, total + size
        if 16 * total > 15 * t * s.size:
            return False
    return True


@kernel
def gather_gemm(
    x: Array, r: Array, s: Array, b: Array, p: Array, c: Array, q: Array, columns: int, bias: Array,
    accumulate: bool, relu: bool, samples: int, group: int, x_step: int, b_step: int, c_step: int,
    sums_samples: bool,
) -> None:  # fmt: skip
    """Compute c[q[i] + f] = bias[f] + sum over j of x[r[i] + s[j]] * b[p[j] + f], then ReLU if asked.

    It does so for `group` samples at a time, whose offsets r and q (or, where the sum runs over samples, s
    and p) hold; from group to group only the places where x, b and c begin move on. The last group may have
    fewer samples.

    Args:
        x, b, c: flat contiguous buffers of one float dtype; only c is written.
        r, q: (rows,) int64 offsets into x and c.
        s, p: (length,) int64 offsets into x and b.
        columns: how many f; b[p[j]:][:columns] and c[q[i]:][:columns] must exist.
        bias: (columns,), or (0,) for none.
        accumulate: whether to add to what c holds, instead of to the bias.
        relu: whether negative results become 0.
        samples, group: how many there are, and how many the offsets are for.
        x_step, b_step, c_step: sizes of a sample in x, b and c; 0 where it is the same for all.
        sums_samples: whether samples are summed over, in s and p, or are rows, in r and q.
    """
    lanes = VECTOR_BYTES // x.itemsize
    for first in range(0, samples, group):
        count = min(group, samples - first)
        rows = r.size if sums_samples else r.size // group * count
        length = s.size // group * count if sums_samples else s.size
        xs, bs, cs = x[first * x_step :], b[first * b_step :], c[first * c_step :]
        adds = accumulate or (sums_samples and first > 0)
        start = ACCUMULATE if adds else BIAS if bias.size else ZERO
        many = columns >= MANY_VECTORS * lanes or rows == 1  # else it does not pay to look for zeros
        tiles = rows // ROWS + min(rows % ROWS, 4) if many else 0  # or one or two less
        kept, sizes = np.empty((tiles, 2, length), np.int64), np.empty(tiles, np.int64)
        skips = many and find_nonzero(xs, r[:rows], s[:length], p, kept, sizes)
        f = 0
        while f < columns:
            rest = columns - f
            vectors = 1 if rest < 2 * lanes else 2 if rows > 1 or rest < 8 * lanes else 8
            i = t = 0
            while i < rows:
                ss = kept[t, 0, : sizes[t]] if skips else s[:length]
                pp = kept[t, 1, : sizes[t]] if skips else p[:length]
                height = tile_height(rows - i)
                if vectors == 8:
                    row_tile(xs, r, i, ss, bs, pp, f, rest, cs, q, bias, start, relu)
                elif height == ROWS:
                    if vectors == 2:
                        wide_tile(xs, r, i, ss, bs, pp, f, rest, cs, q, bias, start, relu)
                    else:
                        narrow_tile(xs, r, i, ss, bs, pp, f, rest, cs, q, bias, start, relu)
                elif height == 4:
                    if vectors == 2:
                        wide_4(xs, r, i, ss, bs, pp, f, rest, cs, q, bias, start, relu)
                    else:
                        narrow_4(xs, r, i, ss, bs, pp, f, rest, cs, q, bias, start, relu)
                elif height == 2:
                    if vectors == 2:
                        wide_2(xs, r, i, ss, bs, pp, f, rest, cs, q, bias, start, relu)
                    else:
                        narrow_2(xs, r, i, ss, bs, pp, f, rest, cs, q, bias, start, relu)
                else:
                    if vectors == 2:
                        wide_1(xs, r, i, ss, bs, pp, f, rest, cs, q, bias, start, relu)
                    else:
                        narrow_1(xs, r, i, ss, bs, pp, f, rest, cs, q, bias, start, relu)
                i += height
                t += 1
            f += vectors * lanes
