"""The decorator that makes a Python function a kernel."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numpy.typing import NDArray

Array = NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])


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
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
    if hasattr(compiled, "_cache"):  # not where NUMBA_DISABLE_JIT is set
        survive_bad_cache(compiled._cache)
    return compiled  # type: ignore[no-any-return]


def survive_bad_cache(cache: Any) -> None:
    """Make a kernel compile again where its cache files are damaged, and go on where the disk is full."""
    load, save = cache.load_overload, cache.save_overload

    def load_overload(*arguments: Any) -> Any:
        try:
            return load(*arguments)
        except Exception:  # whatever unpickling a damaged file raises
            with contextlib.suppress(Exception):
                cache.flush()
            return None

    def save_overload(*arguments: Any) -> None:
        with contextlib.suppress(Exception):
            save(*arguments)

    cache.load_overload, cache.save_overload = load_overload, save_overload
