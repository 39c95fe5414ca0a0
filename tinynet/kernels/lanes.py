"""How LLVM fills a vector, and loads and stores some of its lanes."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils


def splat(builder: Any, value: Any, lanes: int) -> Any:
    """Return LLVM's vector with a number in every lane."""
    nothing = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = builder.insert_element(nothing, value, ir.IntType(32)(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), lanes), None))


def first_lanes(builder: Any, lanes: int, count: Any) -> Any:
    """Return LLVM's mask of the first `count` lanes; of all if there are not so many."""
    i32 = ir.IntType(32)  # comparing 64 bits takes two registers for a vector of float32
    whole, none = ir.Constant(count.type, lanes), ir.Constant(count.type, 0)
    count = builder.select(builder.icmp_signed(">", count, whole), whole, count)
    count = builder.select(builder.icmp_signed("<", count, none), none, count)
    places = ir.Constant(ir.VectorType(i32, lanes), list(range(lanes)))
    return builder.icmp_signed(">", splat(builder, builder.trunc(count, i32), lanes), places)


def load_lanes(builder: Any, address: Any, mask: Any, align: int) -> Any:
    """Load a vector: of all lanes if the mask is None, else of its lanes, and 0 in the others."""
    if mask is None:
        return builder.load(address, align=align)
    vector, i32 = address.type.pointee, ir.IntType(32)
    kind = ir.FunctionType(vector, [address.type, i32, mask.type, vector])
    name = f"llvm.masked.load.v{vector.count}f{align * 8}.p0"
    function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    return builder.call(function, [address, i32(align), mask, ir.Constant(vector, None)])


def store_lanes(builder: Any, value: Any, address: Any, mask: Any, align: int) -> None:
    """Store a vector: all lanes if the mask is None, else its lanes."""
    if mask is None:
        builder.store(value, address, align=align)
        return
    i32 = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [value.type, address.type, i32, mask.type])
    name = f"llvm.masked.store.v{value.type.count}f{align * 8}.p0"
    function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    builder.call(function, [value, address, i32(align), mask])
