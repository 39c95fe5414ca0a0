"""Whether replaying recorded kernels does what calling them does, with this version of Numba.

Programs pass arguments as Numba's calling convention wants them, which is Numba's own affair and may change.
So before the first recording is trusted, the layout is compared with the one that `calling.cells_of` writes,
and only if it is the same, a small program is run and compared with calls.
"""

from __future__ import annotations

import llvmlite
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import datamodel
from numba.core.registry import cpu_target

from . import elementwise, update
from .calling import CELL
from .program import Program

ARRAY = ("meminfo", "parent", "nitems", "itemsize", "data", "shape", "strides")


def problem() -> str:
    """Return what is wrong, in a sentence, or nothing."""
    try:
        if layout_is_known() and replay_is_call():
            return ""
        found = "lays out the arguments of kernels in another way than tinynet knows"
    except Exception as error:  # whatever a version to come may raise
        found = f"cannot be asked how it calls kernels ({error!r})"
    return f"Numba {numba.__version__} with llvmlite {llvmlite.__version__} {found}."


def layout_is_known() -> bool:
    """Return whether Numba passes arguments as `calling.cells_of` lays them out; nothing is run."""
    byte, single, manager = ir.IntType(8), ir.FloatType(), getattr(datamodel, "default_manager")  # noqa: B009
    for axes in (1, 2, 4):
        array = types.Array(types.float32, axes, "C")
        if tuple(manager.lookup(array)._fields) != ARRAY:
            return False
        kinds = (array, types.int64, types.float32, types.float64, types.boolean)
        wanted = [
            *(byte.as_pointer(), byte.as_pointer(), CELL, CELL, single.as_pointer(), *[CELL] * (2 * axes)),
            *(CELL, single, ir.DoubleType(), byte),
        ]
        convention = cpu_target.target_context.call_conv
        for result, place in ((types.none, byte.as_pointer()), (types.int64, CELL)):
            function = convention.get_function_type(result, kinds)
            if function.return_type != ir.IntType(32) or list(function.args[2:]) != wanted:
                return False
            if function.args[0].pointee != place or not isinstance(function.args[1].pointee, ir.PointerType):
                return False
    return True


def replay_is_call() -> bool:
    """Return whether a replayed program of kernels with arguments of all kinds writes what calls write."""
    x = np.arange(12, dtype=np.float32).reshape(1, 2, 3, 2) - 5
    padded, total, filled = (
        np.empty((1, 3, 4, 2), np.float32),
        np.empty(2, np.float32),
        np.empty(3, np.float32),
    )
    results, program = [padded, total, filled], Program()
    with program.recording():
        elementwise.bias_gradient(x, x, padded, 1, 0, total, True)
        elementwise.fill(filled, 0.5)
        update.add_up(total, filled[:2], False)
    called = [result.copy() for result in results]
    for result in results:
        result[...] = np.nan
    program.run()
    return all(
        result.tobytes() == expected.tobytes() for result, expected in zip(results, called, strict=True)
    )
