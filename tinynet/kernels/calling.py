"""Arguments of kernels as plain integers, and machine code that calls kernels with them.

Both follow Numba's calling convention, which is Numba's own affair; canary.py watches it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from ..waiting import apart
from .machine_code import kept_library

CELL = ir.IntType(64)
Kinds = tuple[Any, ...]  # Numba's types

VERSION = 1  # of `write_caller`: what it wrote before stays on disk
ADDRESS = 4  # where an array's address is among the cells of an array


def cells_of(kind: Any, value: Any) -> list[int]:
    """Return an argument as the integers that Numba's calling convention passes it in."""
    if isinstance(kind, types.Array):  # without its owner, which the program keeps
        return [0, 0, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides]
    if isinstance(kind, types.Float):
        whole, floating = ("q", "d") if kind.bitwidth == 64 else ("i", "f")
        return list(struct.unpack(whole, struct.pack(floating, value)))
    return [int(value)]


_callers: dict[Kinds, int] = {}
_libraries: list[Any] = []  # own the machine code


def callers(wanted: Sequence[Kinds]) -> list[int]:
    """Return the addresses of functions of a list of cells, which call kernels with the arguments in them.

    Args:
        wanted: for each function, Numba's types of the kernel's result and arguments.
    """
    if not {*wanted} <= {*_callers}:
        apart(lambda: write_callers({*wanted}))  # LLVM does not survive a half-made module
    return [_callers[kinds] for kinds in wanted]


def write_callers(wanted: set[Kinds]) -> None:
    """Compile such a function for all of these types that have none, or find it compiled."""
    with global_compiler_lock:
        new = {name_of(kinds): kinds for kinds in wanted - {*_callers}}
        if new:
            names = sorted(new)

            def make() -> tuple[Any, Any, str]:
                library = cpu_target.target_context.codegen().create_library("tinynet.callers")
                module = library.create_ir_module("callers")
                for name in names:
                    write_caller(module, name, new[name])
                return library, module, names[0]

            library = kept_library(" ".join(names), cpu_target.target_context, make)
            _libraries.append(library)
            _callers.update({kinds: library.get_pointer_to_function(name) for name, kinds in new.items()})


def name_of(kinds: Kinds) -> str:
    """Return the name of the function for these types: another one for others, or if it is written anew."""
    said = f"{VERSION} {[str(kind) for kind in kinds]}"
    return f"tinynet.call.{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def write_caller(module: Any, name: str, kinds: Kinds) -> None:
    """Add such a function to LLVM's module."""
    kernel_type = cpu_target.target_context.call_conv.get_function_type(kinds[0], kinds[1:])
    function = ir.Function(module, ir.FunctionType(CELL, [CELL.as_pointer()]), name)
    builder = ir.IRBuilder(function.append_basic_block())

    def argument(kind: Any, cell: Any) -> Any:
        if isinstance(kind, ir.PointerType):
            return builder.inttoptr(cell, kind)
        if isinstance(kind, ir.DoubleType):
            return builder.bitcast(cell, kind)
        if isinstance(kind, ir.FloatType):
            return builder.bitcast(builder.trunc(cell, ir.IntType(32)), kind)
        return cell if kind.width == CELL.width else builder.trunc(cell, kind)

    slots = [builder.alloca(kind.pointee) for kind in kernel_type.args[:2]]  # its result and its exception
    cells = [builder.load(builder.gep(function.args[0], [CELL(n)])) for n in range(len(kernel_type.args) - 1)]
    values = [argument(*pair) for pair in zip(kernel_type.args[2:], cells[1:], strict=True)]
    target = builder.inttoptr(cells[0], kernel_type.as_pointer())
    builder.ret(builder.zext(builder.call(target, [*slots, *values]), CELL))
