"""Vectors of floats as their bits: signs and exponents; see vector.py."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from .jit import instruction


@instruction
def copy_sign(typing_context: Any, a: Any, b: Any) -> Any:
    """Return |a| with the sign of b, lane by lane."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = arguments[0].type
        kind = ir.FunctionType(vector, [vector] * 2)
        name = f"llvm.copysign.v{vector.count}f{signature.return_type.dtype.bitwidth}"
        function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
        return builder.call(function, arguments)

    return a(a, a), codegen


def bits_of(builder: Any, value: Any, floats: Any) -> tuple[Any, Any, int]:
    """Return a vector's bits as LLVM's vector of integers, the type of these, and the bits of a mantissa."""
    single = floats.dtype == types.float32
    integers = ir.VectorType(ir.IntType(32 if single else 64), value.type.count)
    return builder.bitcast(value, integers), integers, 23 if single else 52


@instruction
def two_to_the(typing_context: Any, shifted: Any) -> Any:
    """Return 2**n, a normal number, for n + 1.5 * 2**23 (of float64: 2**52), whose last bits are n's."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, floats = arguments[0], signature.return_type
        bits, integers, mantissa = bits_of(builder, value, floats)
        one = (127 if mantissa == 23 else 1023) << mantissa
        bits = builder.shl(bits, ir.Constant(integers, [mantissa] * value.type.count))
        bits = builder.add(bits, ir.Constant(integers, [one] * value.type.count))
        return builder.bitcast(bits, value.type)

    return shifted(shifted), codegen


@instruction
def exponent(typing_context: Any, a: Any) -> Any:
    """Return n + 1.5 * 2**23 (of float64: 2**52) for positive normal a = m * 2**n, where 0.5 <= m**2 < 2."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, floats = arguments[0], signature.return_type
        bits, integers, mantissa = bits_of(builder, value, floats)
        root, shift = (0x3F3504F4, 0x4B400000) if mantissa == 23 else (0x3FE6A09E667F3BCD, 0x4338000000000000)
        bits = builder.sub(bits, ir.Constant(integers, [root] * value.type.count))
        bits = builder.ashr(bits, ir.Constant(integers, [mantissa] * value.type.count))
        return builder.bitcast(
            builder.add(bits, ir.Constant(integers, [shift] * value.type.count)), value.type
        )

    return a(a), codegen
