"""The decorator that makes a Python function a kernel."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy.ma  # noqa: F401 (Numba imports it at the first call of a kernel, where a fork would hurt)
from llvmlite.binding import ffi
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher, cpu_target
from numba.extending import intrinsic
from numpy.typing import NDArray

from ..waiting import apart, hold_over_fork
from .machine_code import kept_in, start_runtime

Array = NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])

SHARED = (
    "atomics.py",
    "cpu.py",
    "jit.py",
    "vector.py",
    "bits.py",
    "functions.py",
    "tiles.py",
)  # what kernels of other files use


if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
    raise RuntimeError("tinynet needs Numba's compiler, and NUMBA_DISABLE_JIT switches it off: unset it.")


# A child must not find the compiler in the midst of something; its own parts are there before the locks are
# held.
cpu_target.target_context  # noqa: B018
compiler_lock: Any = global_compiler_lock
hold_over_fork(compiler_lock, ffi.lib._lock)


class Recorder(threading.local):
    """What records the kernels that a thread calls now, if anything: a `Program`, see program.py."""

    program: Any = None


recorder = Recorder()


class Kernel(CPUDispatcher):
    """A compiled kernel."""

    def compile(self, signature: Any) -> Any:
        """Compile the kernel for these types, or load it; a signal handler that calls it meanwhile waits."""
        if compiler_lock.is_locked():  # by this thread, which compiles what calls the kernel
            return super().compile(signature)
        return apart(lambda: super(Kernel, self).compile(signature))

    def __call__(self, *arguments: Any) -> Any:
        """Run the kernel, and let a program that is recording know; see program.py."""
        result = super().__call__(*arguments)
        if recorder.program is not None:
            recorder.program.add(self, arguments)
        return result


def kernel(function: Function) -> Function:
    """Compile a function with Numba on its first call, and keep the machine code for later processes.

    A kernel releases the GIL (shards of a batch run on threads), is serial (the threads are ours) and
    keeps IEEE arithmetic, so that the same input gives the same bits. Where the cache folder cannot be
    written, it is compiled in memory.

    A kernel may call other kernels of its own file only: Numba's cache does not notice when a kernel in
    another file changes.

    Args:
        function: a function of arrays and numbers in the subset of Python that Numba compiles.

    Returns:
        The compiled function, called like the original.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # "cannot cache function: no locator available"
        compiled = numba.njit(**options)(function)
    cache: Any = vars(compiled).get("_cache")
    if hasattr(cache, "load_overload"):
        survive_bad_cache(cache)
        notice_changes(cache)
        if not kept_in and (path := getattr(cache, "_cache_path", None)):
            kept_in.append(Path(path))
    compiled.__class__ = Kernel
    return compiled  # type: ignore[no-any-return]


def inlined(function: Function) -> Function:
    """Make a function a part of the kernels that call it, in whatever file they are.

    Args:
        function: of vectors and numbers; it stands in a file that `notice_changes` names.

    Returns:
        What kernels call.
    """
    made: Any = numba.njit(nogil=True, error_model="numpy", forceinline=True)(function)
    return made  # type: ignore[no-any-return]


def instruction(function: Callable[..., Any]) -> Any:
    """Make a function that writes LLVM instructions into the kernels that call it.

    Args:
        function: of Numba's typing context and the types of the arguments; it returns the signature and the
            code generator.

    Returns:
        What kernels call, with the arguments alone.
    """
    return intrinsic(function)


def notice_changes(cache: Any) -> None:
    """Let Numba's cache of a kernel depend on the files that all kernels use, besides its own."""
    with contextlib.suppress(Exception):  # an attribute that another version of Numba does not have
        files = [Path(__file__).with_name(name).stat() for name in SHARED]
        index = cache._cache_file
        index._source_stamp = (index._source_stamp, *((file.st_mtime, file.st_size) for file in files))


def survive_bad_cache(cache: Any) -> None:
    """Make a kernel compile again where its cache files are damaged, and go on where the disk is full."""
    load, save = getattr(cache, "_load_overload", cache.load_overload), cache.save_overload

    def load_overload(signature: Any, target_context: Any) -> Any:
        try:
            # All that machine code needs. Numba's own way imports what it compiles with first: half a second.
            start_runtime(target_context)
            return load(signature, target_context)
        except Exception:  # whatever unpickling a damaged file raises
            with contextlib.suppress(Exception):
                cache.flush()
            return None

    def save_overload(*arguments: Any) -> None:
        with contextlib.suppress(Exception):
            save(*arguments)

    cache.load_overload, cache.save_overload = load_overload, save_overload
