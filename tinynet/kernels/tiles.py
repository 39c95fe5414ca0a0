"""Small tiles of vectors in registers, for kernels that transform images tile by tile.

A tile is a tuple of vectors (vector.py), row after row. What is here is made for a tile of a certain size,
or for a matrix of numbers, and exists inside kernels only:

    load_16 = load_tile(16)
    transform = both_ways(MATRIX)                  # MATRIX @ tile @ MATRIX.T, lane by lane
    store_tile(y, j, step, count, transform(load_16(x, i, step, count)))

The sums run in the order of the matrix's columns, and zeros and ones cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .jit import Array, instruction
from .lanes import load_lanes, store_lanes
from .vector import Vector, larger_of, place_and_mask


def unpack(builder: Any, values: Any) -> list[Any]:
    """Return the parts of a tuple."""
    return cgutils.unpack_tuple(builder, values)  # type: ignore[no-untyped-call, no-any-return]


def splatted(kind: Any, number: float) -> Any:
    """Return LLVM's vector of a kind with a number in every lane."""
    return ir.Constant(kind, [float(number)] * kind.count)


def product(builder: Any, matrix: Array, column: Sequence[Any]) -> list[Any]:
    """Return a matrix of numbers times a column of LLVM's vectors."""
    kind, results = column[0].type, []
    for row in matrix.tolist():
        total = None
        for factor, value in zip(row, column, strict=True):
            if factor == 0:
                continue
            if abs(factor) != 1:
                value = builder.fmul(splatted(kind, abs(factor)), value)
            if total is None:
                total = value if factor > 0 else builder.fneg(value)
            else:
                total = builder.fadd(total, value) if factor > 0 else builder.fsub(total, value)
        results.append(total)
    return results


def by_rows(builder: Any, matrix: Array, columns: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the tile of these columns times the matrix transposed, row after row."""
    return [value for row in zip(*columns, strict=True) for value in product(builder, matrix, row)]


def tile_of(vector: Any, count: int) -> Any:
    """Return Numba's type of a tile of so many vectors."""
    return types.UniTuple(vector, count)  # type: ignore[no-untyped-call]


def down(matrix: Array) -> Any:
    """Make an instruction `multiply(column)`: the matrix times a column."""

    @instruction
    def multiply(typing_context: Any, column: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            values = product(builder, matrix, unpack(builder, arguments[0]))
            return context.make_tuple(builder, signature.return_type, values)

        return tile_of(column.dtype, len(matrix))(column), codegen

    return multiply


def across(matrix: Array) -> Any:
    """Make an instruction `multiply(columns)`: the tile of these columns times the matrix transposed."""

    @instruction
    def multiply(typing_context: Any, columns: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            tile = [unpack(builder, column) for column in unpack(builder, arguments[0])]
            return context.make_tuple(builder, signature.return_type, by_rows(builder, matrix, tile))

        column = columns.dtype
        return tile_of(column.dtype, column.count * len(matrix))(columns), codegen

    return multiply


def both_ways(matrix: Array) -> Any:
    """Make an instruction `transform(tile)`: the matrix times a square tile times the matrix transposed."""

    @instruction
    def transform(typing_context: Any, tile: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            values, size = unpack(builder, arguments[0]), matrix.shape[1]
            columns = [product(builder, matrix, values[n::size]) for n in range(size)]
            return context.make_tuple(builder, signature.return_type, by_rows(builder, matrix, columns))

        return tile_of(tile.dtype, len(matrix) ** 2)(tile), codegen

    return transform


def moved(builder: Any, address: Any, step: Any, n: int, size: int) -> Any:
    """Return the address n steps further on, in an array whose elements have this size."""
    offset = builder.mul(step, step.type(n * size))
    return builder.inttoptr(builder.add(builder.ptrtoint(address, step.type), offset), address.type)


def place_of(context: Any, builder: Any, array: Any, arguments: Any) -> tuple[Any, Any, int]:
    """Return the address, the mask and the alignment of the register that (array, index, count) mean."""
    return place_and_mask(context, builder, Vector(array.dtype), array, arguments)


def load_tile(vectors: int) -> Any:
    """Make an instruction `load(array, index, step, count)`: array[index + n * step :][:count] of all n."""

    @instruction
    def load(typing_context: Any, array: Any, index: Any, step: Any, count: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, index, step, count = arguments
            address, mask, size = place_of(context, builder, signature.args[0], (array, index, count))
            values = [
                load_lanes(builder, moved(builder, address, step, n, size), mask, size)
                for n in range(vectors)
            ]
            return context.make_tuple(builder, signature.return_type, values)

        kind = tile_of(Vector(array.dtype), vectors)
        return kind(array, types.int64, types.int64, types.int64), codegen

    return load


@instruction
def store_tile(typing_context: Any, array: Any, index: Any, step: Any, count: Any, tile: Any) -> Any:
    """Write the n-th vector of a tile to array[index + n * step :][:count], for all n."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, step, count, tile = arguments
        address, mask, size = place_of(context, builder, signature.args[0], (array, index, count))
        for n, value in enumerate(unpack(builder, tile)):
            store_lanes(builder, value, moved(builder, address, step, n, size), mask, size)
        return context.get_dummy_value()

    return types.none(array, types.int64, types.int64, types.int64, tile), codegen


def column_places(context: Any, builder: Any, array: Any, arguments: Any) -> list[Any]:
    """Return what `place_and_mask` says of four vectors below one another.

    Args:
        arguments: (array, index, step, count, first, limit): the n-th vector is
            array[index + n * step :][:count], and is there if 0 <= first + n < limit.
    """
    array_value, index, step, count, first, limit = arguments
    places = []
    for n in range(4):
        row = builder.add(first, first.type(n))
        there = builder.zext(builder.icmp_unsigned("<", row, limit), count.type)
        place = builder.add(index, builder.mul(step, step.type(n)))
        places.append(place_of(context, builder, array, (array_value, place, builder.mul(count, there))))
    return places


@instruction
def load_column(
    typing_context: Any, array: Any, index: Any, step: Any, count: Any, first: Any, limit: Any
) -> Any:
    """Return four vectors below one another, and 0 for those that are not there; see `column_places`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = column_places(context, builder, signature.args[0], arguments)
        values = [load_lanes(builder, *place) for place in places]
        return context.make_tuple(builder, signature.return_type, values)

    return tile_of(Vector(array.dtype), 4)(array, *[types.int64] * 5), codegen


@instruction
def store_column(
    typing_context: Any, array: Any, index: Any, step: Any, count: Any, first: Any, limit: Any,
    old: Any, a: Any, b: Any,
) -> Any:  # fmt: skip
    """Write the sums of two columns where they are there; if `old`, add the upper two to what is there."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *place, old, a, b = arguments
        places = column_places(context, builder, signature.args[0], place)
        before = column_places(
            context, builder, signature.args[0], [*place[:3], builder.mul(place[3], old), *place[4:]]
        )
        columns = zip(unpack(builder, a), unpack(builder, b), places, before, strict=True)
        for n, (one, other, there, written) in enumerate(columns):
            total = builder.fadd(one, other)
            if n < 2:
                total = builder.fadd(load_lanes(builder, *written), total)
            store_lanes(builder, total, *there)
        return context.get_dummy_value()

    return types.none(array, *[types.int64] * 6, a, b), codegen


@instruction
def columns_of(typing_context: Any, tile: Any) -> Any:
    """Return the four columns of a tile of 4x4."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, column = unpack(builder, arguments[0]), signature.return_type.dtype
        columns = [context.make_tuple(builder, column, values[n::4]) for n in range(4)]
        return context.make_tuple(builder, signature.return_type, columns)

    return tile_of(tile_of(tile.dtype, 4), 4)(tile), codegen


@instruction
def add_to_all(typing_context: Any, tile: Any, vector: Any) -> Any:
    """Return the sums of a vector and all vectors of a tile."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sums = [builder.fadd(value, arguments[1]) for value in unpack(builder, arguments[0])]
        return context.make_tuple(builder, signature.return_type, sums)

    return tile(tile, vector), codegen


@instruction
def largest_of(typing_context: Any, tile: Any) -> Any:
    """Return a tile's largest vector lane by lane, or NaN where there is one, and its first place."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = [(value, splatted(value.type, n)) for n, value in enumerate(unpack(builder, arguments[0]))]
        while len(values) > 1:  # of pairs, and of those again
            values = [
                (larger_of(builder, a, b), builder.select(builder.fcmp_ordered(">", b, a), q, p))
                for (a, p), (b, q) in zip(values[::2], values[1::2], strict=True)
            ]
        return context.make_tuple(builder, signature.return_type, values[0])

    return tile_of(tile.dtype, 2)(tile), codegen


@instruction
def put_at(typing_context: Any, value: Any, place: Any) -> Any:
    """Return a tile of four vectors with a value at its place, lane by lane, and 0 elsewhere."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, place = arguments
        zero = splatted(value.type, 0)
        values = [
            builder.select(builder.fcmp_ordered("==", place, splatted(value.type, n)), value, zero)
            for n in range(4)
        ]
        return context.make_tuple(builder, signature.return_type, values)

    return tile_of(value, 4)(value, place), codegen
