"""Machine code besides the kernels', kept from process to process beside theirs.

Kernels come compiled out of Numba's cache. What they need besides is small, Numba's runtime and the callers
of calling.py, but to compile it takes 70 ms, and 18 MB of memory for those parts of LLVM that are touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.runtime import nrtdynmod as untyped
from numba.core.runtime.nrt import rtsys as untyped_system

from ..files.atomic import atomic_write

DIGEST = hashlib.sha256().digest_size  # bytes that a file begins with, of what follows
LENGTH = struct.Struct("<Q")  # then comes the length of the first part

nrtdynmod: Any = untyped
rtsys: Any = untyped_system
kept_in: list[Path] = []  # the folder in which Numba keeps kernels, if there is one


def kept_library(name: str, context: Any, make: Callable[[], tuple[Any, Any, str]]) -> Any:
    """Return a library of machine code, made now or in an earlier process.

    Args:
        name: of the library, which says all that it depends on but the versions and the CPU.
        context: Numba's, of the CPU.
        make: returns an empty library, what to compile for it, and the name of a function of it.
    """
    codegen = context.codegen()
    versions = numba.__version__, llvmlite.__version__, codegen.magic_tuple(), name
    file = f"tinynet-{hashlib.sha256(repr(versions).encode()).hexdigest()[:24]}.code"
    paths = [folder / file for folder in kept_in]
    for kept in filter(None, map(read, paths)):
        with contextlib.suppress(
            Exception
        ):  # what is kept is of no use, whatever the reason: it is made anew
            return codegen.unserialize_library((name, "object", kept))
    library, module, function = make()
    library.enable_object_caching()
    library.add_ir_module(module)
    library.finalize()
    library.get_pointer_to_function(function)  # only then it is compiled
    machine_code, bitcode = library.serialize_using_object_code()[2]
    data = LENGTH.pack(len(machine_code)) + machine_code + bitcode
    for path in paths:
        with contextlib.suppress(OSError):  # a full disk
            atomic_write(path, hashlib.sha256(data).digest() + data)
    return library


def read(path: Path) -> tuple[bytes, bytes] | None:
    """Return machine code and bitcode from a file, or None if it is not there, or not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, data = content[:DIGEST], content[DIGEST:]
    if hashlib.sha256(data).digest() != digest:
        return None
    (length,), parts = LENGTH.unpack_from(data), data[LENGTH.size :]
    return parts[:length], parts[length:]


def start_runtime(context: Any) -> None:
    """Let Numba's runtime begin, if it has not."""
    original = nrtdynmod.compile_nrt_functions

    def compiled(context: Any) -> Any:
        def make() -> tuple[Any, Any, str]:
            module, library = nrtdynmod.create_nrt_module(context)
            return library, module, "NRT_decref"

        try:
            return kept_library("runtime", context, make)
        except Exception:  # of a version of Numba that does it in another way
            return original(context)

    nrtdynmod.compile_nrt_functions = compiled
    try:
        rtsys.initialize(context)
    finally:
        nrtdynmod.compile_nrt_functions = original
