"""Functions of arrays that are called once, and from then on run as machine code; see kernels/program.py.

`each` is the one loop whose parts may run at the same time, on threads or as parts of what is recorded;
`Recorded` is the one place that knows whether a function is called or replayed.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..waiting import apart
from .parallel import run, run_programs

Array = NDArray[Any]
Result = TypeVar("Result")

MAX_BYTES = 2**28  # of the arrays that the recordings of one function keep while no thread uses them
MAX_CALLERS = 8  # recordings of one function for arrays of the same shapes: for so many threads at once

_clock = itertools.count()


def each(function: Callable[[int], Result], count: int) -> list[Result]:
    """Return [function(0), ..., function(count - 1)]; no call needs what another one computes."""
    if kernels.jit.recorder.program is None:
        return run(function, count)
    return [function(i) for i in kernels.program.independent(range(count))]


class Recording:
    """What a function did to arrays in kernels, to be done again to others of the same shapes.

    Args:
        shapes: those of the arrays.
    """

    def __init__(self, shapes: tuple[tuple[int, ...], ...]) -> None:
        self.shapes, self.nbytes, self.used = shapes, 0, 0

    def record(self, function: Callable[..., list[list[Array]]], *inputs: Array) -> None:
        """Call the function, and keep what it does.

        The arrays are copied first: what a program keeps are not the caller's.
        """
        copies = [x.copy() for x in inputs]
        self.program = kernels.program.Program()
        with self.program.recording():
            self.result = function(*copies)
        self.places = [self.program.places_of(x) for x in copies]
        self.returns_inputs = any(
            np.may_share_memory(x, part) for x in copies for parts in self.result for part in parts
        )

    def run(self, *inputs: Array) -> None:
        """Do it to these arrays, which the caller keeps meanwhile."""
        for x, places in zip(inputs, self.places, strict=True):
            address = address_of(x)
            for cells, place, offset in places:
                cells[place] = address + offset
        run_programs(self.program.plan)


class Recorded:
    """A function that is run as machine code from its second call on, if all that it does is done by kernels.

    Any number of threads may call it at once: each of them has a recording of its own, and where there are
    too many, or where they would need too much memory, the function is called.

    Args:
        function: of contiguous arrays; returns lists of as many arrays each, of which a call makes one list,
            by joining the first arrays of all, the second ones, and so on.
        only_kernels: whether it does nothing to arrays but call kernels.
        lasting: arrays that it works on and that are there anyway, such as the weights.
    """

    def __init__(
        self, function: Callable[..., list[list[Array]]], only_kernels: bool, lasting: Sequence[Array] = ()
    ) -> None:
        self.function, self.only_kernels = function, only_kernels
        self.lasting = {id(owner(array)) for array in lasting}
        self.idle: dict[Any, list[Recording]] = {}  # by shapes, those that no thread uses now
        self.made: list[Recording] = []  # those, and those in use
        self.process = os.getpid()

    def __call__(self, *inputs: Array) -> list[Array]:
        """Return the arrays that the function returns, joined."""
        outer = kernels.jit.recorder.program
        if outer is not None:  # a finalizer calls this while this thread records, and has no part in that
            kernels.jit.recorder.program = None
            try:
                return self(*inputs)
            finally:
                kernels.jit.recorder.program = outer
        shapes = tuple([x.shape for x in inputs])
        recording = self.take(shapes) if self.only_kernels else None
        if recording is None:
            return joined(self.function(*inputs))
        try:
            if recording.nbytes:
                recording.run(*inputs)
            else:
                apart(functools.partial(recording.record, self.function, *inputs))
                self.keep(recording)
            result = joined(recording.result)
        except BaseException:
            if recording.nbytes:
                self.give_back(recording)
            elif recording in self.made:  # only a part was recorded
                self.made.remove(recording)
            raise
        self.give_back(recording)
        return result

    # Python's lists and dicts are enough here, without a lock: a signal handler may predict at any moment,
    # also in the midst of these lines.

    def take(self, shapes: tuple[tuple[int, ...], ...]) -> Recording | None:
        """Return a recording that no other call uses, or None if the function should be called."""
        if self.process != os.getpid():  # forked: the threads that used the others are not here
            self.process, self.made = os.getpid(), [r for idle in self.idle.values() for r in idle]
        try:
            return self.idle[shapes].pop()
        except (KeyError, IndexError):
            pass
        if not trusted():
            self.only_kernels = False
            return None
        same = [recording for recording in self.made if recording.shapes == shapes]
        if len(same) >= MAX_CALLERS or (same and same[0].nbytes > self.room()):
            return None
        recording = Recording(shapes)
        self.made.append(recording)
        return recording

    def keep(self, recording: Recording) -> None:
        """Count the bytes of a new recording, and let those go that were not used for the longest time."""
        arrays = {
            id(whole): whole.nbytes
            for arguments in recording.program.kept
            for whole in map(owner, arguments)
            if whole is not None
        }
        recording.nbytes = 1 + sum(n for key, n in arrays.items() if key not in self.lasting)
        if recording.returns_inputs:
            self.only_kernels = False  # there is nothing to replay
        for old in sorted((r for idle in [*self.idle.values()] for r in [*idle]), key=lambda r: r.used):
            if self.room() >= 0:
                break
            try:
                self.idle[old.shapes].remove(old)
                self.made.remove(old)
            except (KeyError, ValueError):
                pass  # another thread has taken it, or let it go

    def give_back(self, recording: Recording) -> None:
        """Let other calls use a recording."""
        recording.used = next(_clock)
        self.idle.setdefault(recording.shapes, []).append(recording)

    def room(self) -> int:
        """Return how many bytes more the recordings may have."""
        return MAX_BYTES - sum(recording.nbytes for recording in self.made)


def joined(lists: Sequence[Sequence[Array]]) -> list[Array]:
    """Return new arrays: the first ones of all lists joined along their first axis, then the second ones."""
    if len(lists) == 1:  # of one picture, say
        return [array.copy() for array in lists[0]]
    return [np.concatenate(arrays) for arrays in zip(*lists, strict=True)]


def address_of(x: Array) -> int:
    """Return where a contiguous array's memory begins, in a fifth of the time that `x.ctypes.data` takes."""
    try:
        return ctypes.addressof(_first_byte(x))
    except (TypeError, ValueError):  # read-only, or empty
        return x.ctypes.data


_first_byte: Callable[[Any], ctypes.c_char] = ctypes.c_char.from_buffer


def owner(array: Any) -> Array | None:
    """Return the array whose memory an array is a part of, or None if it is no array."""
    if not isinstance(array, np.ndarray):
        return None
    return array.base if isinstance(array.base, np.ndarray) else array


@functools.cache
def trusted() -> bool:
    """Return whether replaying kernels does what calling them does, with this version of Numba."""
    problem = kernels.canary.problem()
    if problem:
        warnings.warn(
            f"{problem} Steps and predictions are called instead of replayed: with the same results, but "
            "slower on several threads. Install a version of Numba that tinynet's pyproject names.",
            RuntimeWarning,
            stacklevel=2,
        )
    return not problem
