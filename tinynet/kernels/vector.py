"""Vectors of numbers in one register, for loops that Numba does not vectorise by itself.

LLVM gives up on a loop over several arrays that may overlap, and on short loops it loses what it gains. A
kernel that names its vectors needs neither guess: `load` takes up to a whole vector from a flat array,
`store` puts it back. Lanes beyond `count` are neither read nor written (they load as 0):

    for i in range(0, x.size, lanes):
        store(y, i, x.size - i, add(load(x, i, x.size - i), load(y, i, x.size - i)))

with lanes = VECTOR_BYTES // x.itemsize. All of this exists inside kernels only. As a sum over lanes depends
on their number, and so on the CPU, sums are of vectors with 16 lanes: `load_parts`, `broadcast_parts`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import register_model

from .cpu import VECTOR_BYTES
from .jit import instruction
from .lanes import first_lanes, load_lanes, splat, store_lanes

PARTS = 16  # lanes


class Vector(types.Type):
    """Numba's type of a vector of float32 or float64: of one register, or of a number of lanes."""

    def __init__(self, dtype: Any, lanes: int | None = None) -> None:
        self.dtype, self.lanes = dtype, lanes or VECTOR_BYTES * 8 // dtype.bitwidth
        super().__init__(name=f"Vector({dtype}, {self.lanes})")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """How LLVM holds a vector."""

    def __init__(self, manager: Any, vector: Vector) -> None:
        scalar = ir.FloatType() if vector.dtype == types.float32 else ir.DoubleType()
        super().__init__(  # type: ignore[no-untyped-call]
            manager, vector, ir.VectorType(scalar, vector.lanes)
        )


def place_and_mask(context: Any, builder: Any, kind: Any, array: Any, arguments: Any) -> tuple[Any, Any, int]:
    """Return the address, the mask and the alignment of the vector that (array, index, count) mean."""
    vector = context.get_value_type(kind)
    data = context.make_array(array)(context, builder, arguments[0]).data
    address = builder.bitcast(builder.gep(data, [arguments[1]]), vector.as_pointer())
    return address, first_lanes(builder, vector.count, arguments[2]), array.dtype.bitwidth // 8


def loader(lanes: int | None) -> Any:
    """Make an intrinsic `load(array, index, count)`: array[index:][:count] as a vector, as if flat."""

    @instruction
    def load(typing_context: Any, array: Any, index: Any, count: Any) -> Any:
        kind = Vector(array.dtype, lanes)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return load_lanes(builder, *place_and_mask(context, builder, kind, array, arguments))

        return kind(array, types.int64, types.int64), codegen

    return load


load, load_parts = loader(None), loader(PARTS)


@instruction
def store(typing_context: Any, array: Any, index: Any, count: Any, value: Any) -> Any:
    """Write a vector to array[index:][:count]; of a contiguous array, as if it were flat."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        store_lanes(builder, arguments[3], *place_and_mask(context, builder, value, array, arguments))
        return context.get_dummy_value()

    return types.none(array, types.int64, types.int64, value), codegen


def broadcaster(lanes: int | None) -> Any:
    """Make an intrinsic `broadcast(value)`: a vector with a float in every lane."""

    @instruction
    def broadcast(typing_context: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return splat(builder, arguments[0], signature.return_type.lanes)

        return Vector(value, lanes)(value), codegen

    return broadcast


broadcast, broadcast_parts = broadcaster(None), broadcaster(PARTS)


@instruction
def scalar(typing_context: Any, a: Any) -> Any:
    """Return the first lane of a as a float."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.extract_element(arguments[0], ir.IntType(32)(0))

    return a.dtype(a), codegen


@instruction
def add(typing_context: Any, a: Any, b: Any) -> Any:
    """Return a + b, lane by lane."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments)

    return a(a, a), codegen


@instruction
def subtract(typing_context: Any, a: Any, b: Any) -> Any:
    """Return a - b, lane by lane."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fsub(*arguments)

    return a(a, a), codegen


@instruction
def multiply(typing_context: Any, a: Any, b: Any) -> Any:
    """Return a * b, lane by lane."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fmul(*arguments)

    return a(a, a), codegen


@instruction
def divide(typing_context: Any, a: Any, b: Any) -> Any:
    """Return a / b, lane by lane."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fdiv(*arguments)

    return a(a, a), codegen


@instruction
def multiply_add(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c, lane by lane; rounded once where the CPU has an instruction for it."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = arguments[0].type
        kind = ir.FunctionType(vector, [vector] * 3)
        name = f"llvm.fmuladd.v{vector.count}f{signature.return_type.dtype.bitwidth}"
        function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
        return builder.call(function, arguments)

    return a(a, a, a), codegen


@instruction
def keep(typing_context: Any, a: Any, count: Any) -> Any:
    """Return the first `count` lanes of a, and 0 in the others."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = arguments[0].type
        mask = first_lanes(builder, vector.count, arguments[1])
        return builder.select(mask, arguments[0], ir.Constant(vector, None))

    return a(a, types.int64), codegen


@instruction
def lane_sum(typing_context: Any, a: Any) -> Any:
    """Return the sum of all lanes as a float: of halves, of their halves, and so on."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total = arguments[0]
        while total.type.count > 1:
            half, nothing = total.type.count // 2, ir.Constant(total.type, ir.Undefined)
            lower, upper = (
                ir.Constant(ir.VectorType(ir.IntType(32), half), list(range(start, start + half)))
                for start in (0, half)
            )
            total = builder.fadd(
                builder.shuffle_vector(total, nothing, lower), builder.shuffle_vector(total, nothing, upper)
            )
        return builder.extract_element(total, ir.IntType(32)(0))

    return a.dtype(a), codegen


def larger_of(builder: Any, a: Any, b: Any) -> Any:
    """Return the larger of LLVM's vectors lane by lane, or NaN where there is one."""
    takes_b = builder.or_(builder.fcmp_ordered(">", b, a), builder.fcmp_unordered("uno", b, b))
    return builder.select(takes_b, b, a)


@instruction
def larger(typing_context: Any, a: Any, b: Any) -> Any:
    """Return the larger of a and b lane by lane, or NaN where there is one."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return larger_of(builder, *arguments)

    return a(a, a), codegen


def chooser(comparison: str) -> Any:
    """Make an intrinsic `choose(a, b, yes, no)`: lane by lane yes where the comparison holds, else no."""

    @instruction
    def choose(typing_context: Any, a: Any, b: Any, yes: Any, no: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            a, b, yes, no = arguments
            return builder.select(builder.fcmp_ordered(comparison, a, b), yes, no)

        return a(a, a, a, a), codegen

    return choose


where_equal, where_greater = chooser("=="), chooser(">")


def numbers(builder: Any, vector: Any, value: Any) -> Any:
    """Return LLVM's vector of that type with a float64 in every lane, rounded to the vector's floats."""
    kind = vector.element
    return splat(builder, value if value.type == kind else builder.fptrunc(value, kind), vector.count)


@instruction
def constant(typing_context: Any, a: Any, single: Any, double: Any) -> Any:
    """Return a vector of a's kind with the number `single` in every lane of float32, `double` of float64."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        is_single = signature.return_type.dtype == types.float32
        return numbers(builder, arguments[0].type, arguments[1 if is_single else 2])

    return a(a, types.float64, types.float64), codegen


@instruction
def polynomial(typing_context: Any, a: Any, single: Any, double: Any) -> Any:
    """Return c[0] + c[1] * a + c[2] * a**2 + ...: of float32 c is `single`, else `double`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, coefficients = arguments[0], arguments[1 if signature.return_type.dtype == types.float32 else 2]
        kind = ir.FunctionType(x.type, [x.type] * 3)
        name = f"llvm.fmuladd.v{x.type.count}f{signature.return_type.dtype.bitwidth}"
        multiply_add = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
        values = cgutils.unpack_tuple(builder, coefficients)  # type: ignore[no-untyped-call]
        total = numbers(builder, x.type, values[-1])
        for value in values[-2::-1]:
            total = builder.call(multiply_add, [total, x, numbers(builder, x.type, value)])
        return total

    return a(a, single, double), codegen
