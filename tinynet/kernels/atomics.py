"""Instructions by which threads that run kernels share an array: each sees what the others have written."""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils

from .calling import CELL
from .cpu import X86
from .jit import instruction

NAPS: bool = binding.address_of_symbol("usleep") is not None
GIVES_WAY: bool = binding.address_of_symbol("sched_yield") is not None


def place_in(context: Any, builder: Any, queue: Any, arguments: Any) -> Any:
    """Return LLVM's address of queue[place], the first two arguments."""
    data = context.make_array(queue)(context, builder, arguments[0]).data
    return builder.gep(data, [arguments[1]])


@instruction
def look(typing_context: Any, queue: Any, place: Any) -> Any:
    """Return queue[place] as it is now, whichever thread wrote it."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(place_in(context, builder, queue, arguments), "seq_cst", 8)

    return types.int64(queue, types.int64), codegen


@instruction
def put(typing_context: Any, queue: Any, place: Any, value: Any) -> Any:
    """Write queue[place], for all threads to see, and before them all that was written until now."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[2], place_in(context, builder, queue, arguments), "seq_cst", 8)
        return context.get_dummy_value()

    return types.none(queue, types.int64, types.int64), codegen


@instruction
def add_one(typing_context: Any, queue: Any, place: Any) -> Any:
    """Add 1 to queue[place], whatever other threads do meanwhile."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.atomic_rmw("add", place_in(context, builder, queue, arguments), CELL(1), "seq_cst")
        return context.get_dummy_value()

    return types.none(queue, types.int64), codegen


@instruction
def exchange_if(typing_context: Any, queue: Any, place: Any, old: Any, new: Any) -> Any:
    """Write new to queue[place] if old is there, in one step, and return whether it was."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = place_in(context, builder, queue, arguments)
        return builder.extract_value(
            builder.cmpxchg(address, arguments[2], arguments[3], "seq_cst", "seq_cst"), 1
        )

    return types.boolean(queue, types.int64, types.int64, types.int64), codegen


@instruction
def pause(typing_context: Any) -> Any:
    """Tell the CPU that this thread is waiting."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if X86:
            kind = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.none(), codegen


@instruction
def nap(typing_context: Any) -> Any:
    """Let this thread sleep for 50 microseconds, where the system has a call for that."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if NAPS:
            integer = ir.IntType(32)
            kind = ir.FunctionType(integer, [integer])
            function = cgutils.get_or_insert_function(builder.module, kind, "usleep")  # type: ignore[no-untyped-call]
            builder.call(function, [integer(50)])
        return context.get_dummy_value()

    return types.none(), codegen


@instruction
def give_way(typing_context: Any) -> Any:
    """Let another thread have this one's core, if one waits for it and the system has a call for that."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if GIVES_WAY:
            kind = ir.FunctionType(ir.IntType(32), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.none(), codegen
