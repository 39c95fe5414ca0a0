"""NumPy's arrays beside pages that may not be touched: who reads or writes past an array's end crashes.

New memory for arrays is full of NaN, and lies in a slot of its own between such pages. The array ends where
the second one begins, or begins where the first one ends. When it is freed, what is left of its own pages is
checked, and all of it is forbidden until the slot is needed again: so who still uses the array crashes, too.

The functions are machine code, because NumPy frees arrays also where an exception is on its way.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
from collections.abc import Iterator

import numba
import numpy as np
from numba import types

PAGE, NOTHING, READ_AND_WRITE = mmap.PAGESIZE, 0, mmap.PROT_READ | mmap.PROT_WRITE
PRIVATE, NO_RESERVE, AT_ITS_PLACE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 0x4000, 0x10
SLOT, SLOTS = 2**26, 2**15  # bytes of a slot, and how many there are: addresses only
SLACK, NAN = 0xA5, 0xFF  # bytes beside arrays, and in them
SET_HANDLER = 304  # the place of PyDataMem_SetHandler in the table of NumPy's functions (NEP 49)
AT_THE_END, NEXT, ARENA, MADE, PATTERN, MESSAGE, SIZES = range(7)  # of the state's numbers, sizes last

size_t, integer = ctypes.c_size_t, ctypes.c_int
libc = ctypes.CDLL(None)
for name, taken, given in [
    ("mmap", [size_t, size_t, integer, integer, integer, ctypes.c_long], size_t),
    ("mprotect", [size_t, size_t, integer], integer),
    ("memset", [size_t, integer, size_t], size_t),
    ("memcpy", [size_t, size_t, size_t], size_t),
    ("memcmp", [size_t, size_t, size_t], integer),
    ("write", [integer, size_t, size_t], ctypes.c_ssize_t),
    ("abort", [], None),
]:
    getattr(libc, name).argtypes, getattr(libc, name).restype = taken, given
map_memory, protect, fill, copy = libc.mmap, libc.mprotect, libc.memset, libc.memcpy
compare, write, abort = libc.memcmp, libc.write, libc.abort
TEXT = b"Written past an array's end.\n"
message, pattern = ctypes.create_string_buffer(TEXT), ctypes.create_string_buffer(bytes([SLACK]) * PAGE)
LENGTH = len(TEXT)


@numba.njit
def new(state, size, byte):
    """Return the address of memory for an array, full of one byte, or 0."""
    room = max(1, (size + PAGE - 1) // PAGE) * PAGE
    if room > SLOT - 2 * PAGE:
        return 0
    for _ in range(SLOTS):
        slot = state[NEXT]
        state[NEXT] = (slot + 1) % SLOTS
        if state[SIZES + slot] < 0:
            begin = state[ARENA] + slot * SLOT + (SLOT - PAGE - room if state[AT_THE_END] else PAGE)
            if protect(begin, room, READ_AND_WRITE):
                return 0
            fill(begin, SLACK, room)
            address = begin + (room - size if state[AT_THE_END] else 0)
            fill(address, byte, size)
            state[SIZES + slot] = size
            state[MADE] += 1
            return address
    return 0


@numba.njit
def freed(state, address):
    """Check what is beside an array in its pages, and forbid them."""
    slot = (address - state[ARENA]) // SLOT
    size, begin = state[SIZES + slot], address // PAGE * PAGE
    room = max(1, (size + PAGE - 1) // PAGE) * PAGE
    before, after = address - begin, begin + room - address - size
    if compare(begin, state[PATTERN], before) or compare(address + size, state[PATTERN], after):
        write(2, state[MESSAGE], LENGTH)
        abort()
    map_memory(begin, room, NOTHING, PRIVATE | NO_RESERVE | AT_ITS_PLACE, -1, 0)
    state[SIZES + slot] = -1


NUMBERS = types.CPointer(types.int64)


@numba.cfunc(types.int64(NUMBERS, types.int64))
def malloc(numbers, size):
    return new(numba.carray(numbers, (SIZES + SLOTS,)), size, NAN)


@numba.cfunc(types.int64(NUMBERS, types.int64, types.int64))
def calloc(numbers, count, size):
    return new(numba.carray(numbers, (SIZES + SLOTS,)), count * size, 0)


@numba.cfunc(types.int64(NUMBERS, types.int64, types.int64))
def realloc(numbers, old, size):
    state = numba.carray(numbers, (SIZES + SLOTS,))
    address = new(state, size, NAN)
    if old and address:
        copy(address, old, min(size, state[SIZES + (old - state[ARENA]) // SLOT]))
        freed(state, old)
    return address


@numba.cfunc(types.void(NUMBERS, types.int64, types.int64))
def free(numbers, address, _):
    if address:
        freed(numba.carray(numbers, (SIZES + SLOTS,)), address)


class Handler(ctypes.Structure):
    """NumPy's struct PyDataMem_Handler."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        *((name, ctypes.c_void_p) for name in ("context", "malloc", "calloc", "realloc", "free")),
    )


state = np.full(SIZES + SLOTS, -1, np.int64)
state[[NEXT, MADE]] = 0
state[ARENA] = map_memory(0, SLOT * SLOTS, NOTHING, PRIVATE | NO_RESERVE, -1, 0)
state[[PATTERN, MESSAGE]] = ctypes.addressof(pattern), ctypes.addressof(message)
functions = [function.address for function in (malloc, calloc, realloc, free)]
handler = Handler(b"guard pages", 1, state.ctypes.data, *functions)


def handler_setter() -> ctypes._CFuncPtr:
    """Return NumPy's function that sets the handler of this context."""
    api, pointer = ctypes.pythonapi, ctypes.c_void_p
    api.PyCapsule_GetPointer.restype, api.PyCapsule_GetPointer.argtypes = pointer, [ctypes.py_object, pointer]
    api.PyCapsule_New.restype = ctypes.py_object
    api.PyCapsule_New.argtypes = [pointer, ctypes.c_char_p, pointer]
    table = api.PyCapsule_GetPointer(np._core._multiarray_umath._ARRAY_API, None)
    function = ctypes.cast(table, ctypes.POINTER(pointer))[SET_HANDLER]
    return ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(function)


@contextlib.contextmanager
def guarded(at_the_end: bool) -> Iterator[None]:
    """Lay all arrays that are made meanwhile beside forbidden pages, at this end of theirs."""
    state[AT_THE_END], made = at_the_end, int(state[MADE])
    set_handler = handler_setter()
    before = set_handler(ctypes.pythonapi.PyCapsule_New(ctypes.addressof(handler), b"mem_handler", None))
    try:
        yield
        assert state[MADE] > made
    finally:
        set_handler(before)
