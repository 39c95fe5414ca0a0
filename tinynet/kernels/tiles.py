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
from .vector import Vector, load_lanes, place_and_mask, store_lanes


def unpack(builder: Any, values: Any) -> list[Any]:
    """Return the parts of a tuple."""
    return cgutils.unpack_tuple(builder, values)  # type: ignore[no-untyped-call, no-any-return]


def product(builder: Any, matrix: Array, column: Sequence[Any]) -> list[Any]:
    """Return a matrix of numbers times a column of LLVM's vectors."""
    kind, results = column[0].type, []
    for row in matrix.tolist():
        total = None
        for factor, value in zip(row, column, strict=True):
            if factor == 0:
                continue
            if abs(factor) != 1:
                value = builder.fmul(ir.Constant(kind, [abs(factor)] * kind.count), value)
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


def load_tile(vectors: int) -> Any:
    """Make an instruction `load(array, index, step, count)`: array[index + n * step :][:count] of all n."""

    @instruction
    def load(typing_context: Any, array: Any, index: Any, step: Any, count: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, index, step, count = arguments
            address, mask, size = place_and_mask(context, builder, signature.args[0], (array, index, count))
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
        address, mask, size = place_and_mask(context, builder, signature.args[0], (array, index, count))
        for n, value in enumerate(unpack(builder, tile)):
            store_lanes(builder, value, moved(builder, address, step, n, size), mask, size)
        return context.get_dummy_value()

    return types.none(array, types.int64, types.int64, types.int64, tile), codegen


@instruction
def load_column(typing_context: Any, array: Any, index: Any, step: Any, counts: Any) -> Any:
    """Return array[index + n * step :][: counts[n]] of all n."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, step, counts = arguments
        values = []
        for n, count in enumerate(unpack(builder, counts)):
            place = builder.add(index, builder.mul(step, step.type(n)))
            there = place_and_mask(context, builder, signature.args[0], (array, place, count))
            values.append(load_lanes(builder, *there))
        return context.make_tuple(builder, signature.return_type, values)

    return tile_of(Vector(array.dtype), counts.count)(array, types.int64, types.int64, counts), codegen


@instruction
def store_column(
    typing_context: Any, array: Any, index: Any, step: Any, counts: Any, old: Any, a: Any, b: Any
) -> Any:
    """Write a[n] + b[n] to array[index + n * step :][: counts[n]]; where n < old, add it to what is there."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, step, counts, old, a, b = arguments
        columns = [unpack(builder, values) for values in (counts, a, b)]
        for n, (count, one, other) in enumerate(zip(*columns, strict=True)):
            place, total = builder.add(index, builder.mul(step, step.type(n))), builder.fadd(one, other)
            adds = builder.zext(builder.icmp_signed(">", old, old.type(n)), count.type)
            before = (array, place, builder.mul(count, adds))
            there = place_and_mask(context, builder, signature.args[0], before)
            total = builder.fadd(load_lanes(builder, *there), total)
            there = place_and_mask(context, builder, signature.args[0], (array, place, count))
            store_lanes(builder, total, *there)
        return context.get_dummy_value()

    return types.none(array, types.int64, types.int64, counts, types.int64, a, b), codegen
