"""Kernel calls that are made over and over with the same arguments, all at once and without the GIL.

A layer makes a few short kernel calls, and a training step some hundreds. Each of them gives the GIL away and
has to get it back; when several threads do so, the waits cost as much as the arithmetic. But a shard of a
batch always takes the same way through the same arrays: so the calls of its first pass are recorded, and
from then on one call of machine code makes them all.

    program = Program()
    with program.recording():
        layer.forward(x)      # its kernels run, and are recorded
    program.run()             # they run again, on what the arrays hold now

Only kernel calls are recorded: what Python and NumPy do in between is not done again.

Several programs are run by a crew of threads that share a queue. The helpers `serve` it in machine code and
never need the GIL; the thread that has the programs to run `lead`s. A single program can be run so, too,
where parts of it are marked as `independent`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba import types

from .atomics import add_one, exchange_if, give_way, look, nap, pause, put
from .calling import ADDRESS, CELL, Kinds, callers, cells_of
from .jit import Array, Kernel, instruction, kernel, recorder

Part = TypeVar("Part")

# The places of a queue. Tasks are numbered through, from one lot to the next: those from NEXT to LIMIT are
# still to be taken, and the table at TABLES lists them from BASE on. LEADING: more may come at once.
NEXT, LIMIT, DONE, BASE, TABLES, FAILED, STOPPED, LEADING, PLACES = 0, 8, 16, 24, 25, 26, 27, 28, 32

PATIENCE = 40_000  # looks, about a millisecond, before who leads sleeps while others finish
POLITENESS = 1_024  # looks, 25 microseconds, after which it is asked whether another thread needs this core


class Program:
    """A list of kernel calls; see the module."""

    def __init__(self) -> None:
        self.calls: list[tuple[Kinds, Array]] = []  # the types and the cells of each
        self.addresses: list[list[int]] = []
        self.kept: list[Any] = []  # the arrays, whose addresses the calls hold
        self.table = np.empty((0, 2), np.int64)
        self.lots: list[list[int]] = [[0]]  # at which calls independent parts begin
        self.in_part = False
        self.plan = Plan([])  # which of its parts a crew may run at the same time

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record the kernels that this thread calls while the block runs."""
        outer, recorder.program = recorder.program, self
        try:
            yield
        finally:
            recorder.program = outer
        functions = callers([kinds for kinds, _ in self.calls])
        addresses = [cells.ctypes.data for _, cells in self.calls]
        self.table = np.array([*zip(functions, addresses, strict=True)], np.int64).reshape(-1, 2)
        stages: list[Array] = []
        first = self.table.ctypes.data
        for lot, (end, *_) in itertools.pairwise([*self.lots, [len(self.table)]]):
            parts = [(begin, stop) for begin, stop in itertools.pairwise([*lot, end]) if begin < stop]
            if len(parts) == 1 and stages and len(stages[-1]) == 1:
                stages[-1][0, 1] += parts[0][1] - parts[0][0]  # goes on where the stage before ends
            elif parts:
                places = [(first + begin * self.table.strides[0], stop - begin) for begin, stop in parts]
                stages.append(np.array(places, np.int64))
        self.plan = Plan(stages)

    def add(self, kernel: Kernel, arguments: tuple[Any, ...]) -> None:
        """Append a call."""
        kinds = tuple(numba.typeof(argument) for argument in arguments)  # type: ignore[no-untyped-call]
        compiled: Any = kernel.overloads[kinds]
        address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
        values: list[int] = []
        addresses = []  # the places in the cells that hold an array's address
        for kind, value in zip(kinds, arguments, strict=True):
            if isinstance(kind, types.Array):
                addresses.append(len(values) + 1 + ADDRESS)
            values += cells_of(kind, value)
        self.calls.append(((compiled.fndesc.restype, *kinds), np.array([address, *values], np.int64)))
        self.addresses.append(addresses)
        self.kept.append(arguments)

    def places_of(self, x: Array) -> list[tuple[Array, int, int]]:
        """Return where the calls hold addresses inside the array x: (cells, place, offset) of each."""
        begin, end = x.ctypes.data, x.ctypes.data + x.nbytes
        return [
            (cells, place, address - begin)
            for (_, cells), addresses in zip(self.calls, self.addresses, strict=True)
            for place in addresses
            if begin <= (address := int(cells[place])) < end
        ]

    def run(self) -> None:
        """Make all the calls, in order, on this thread."""
        if run_table(self.table.ctypes.data, len(self.table)):
            raise MemoryError("A kernel failed; most likely there is no memory left.")


def independent(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield parts, and tell a program that records that none of them needs what is computed for another.

    Args:
        parts: what a loop goes through that calls kernels.

    Yields:
        Each of them.
    """
    program = recorder.program
    if program is None or program.in_part:  # a loop inside of a part is no loop of the program's own
        yield from parts
        return
    parts, begins = [*parts], list[int]()
    program.lots.append(begins)
    for part in parts:
        begins.append(len(program.calls))
        program.in_part = len(parts) > 1
        yield part
        program.in_part = False
    program.lots.append([len(program.calls)])


@instruction
def call(typing_context: Any, function: Any, cells: Any) -> Any:
    """Call the function at an address with a list of cells at another, and return what it returns."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(CELL, [CELL.as_pointer()])
        function, cells = arguments
        return builder.call(
            builder.inttoptr(function, kind.as_pointer()), [builder.inttoptr(cells, CELL.as_pointer())]
        )

    return types.int64(types.int64, types.int64), codegen


@instruction
def cell_at(typing_context: Any, address: Any) -> Any:
    """Return the integer at an address."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], CELL.as_pointer()))

    return types.int64(types.int64), codegen


@kernel
def run_table(table: int, length: int) -> int:
    """Make the calls of a table of (function, cells) addresses until one fails; return its status, or 0."""
    for i in range(length):
        status = call(cell_at(table + 16 * i), cell_at(table + 16 * i + 8))
        if status != 0:
            return int(status)
    return 0


@kernel
def take_tasks(queue: Array) -> None:
    """Run tasks of the queue until none is left to take."""
    while True:
        task = look(queue, NEXT)
        if task >= look(queue, LIMIT):
            return
        if exchange_if(queue, NEXT, task, task + 1):
            entry = look(queue, TABLES) + 16 * (task - look(queue, BASE))
            status = run_table(cell_at(entry), cell_at(entry + 8))
            if status != 0:
                put(queue, FAILED, status)
            add_one(queue, DONE)


@kernel
def rest_a_moment(looks: int) -> None:
    """Wait between two looks; now and then, let a thread on the same core go on: it may have the task."""
    if looks % POLITENESS == 0:
        give_way()
    pause()


@kernel
def serve(queue: Array, patience: int, rest: int) -> None:
    """Run tasks as they come, until the queue is stopped or none has come for too long.

    Args:
        queue: (PLACES,) int64.
        patience: how many looks are too long while somebody leads.
        rest: and while nobody does.
    """
    looks = 0
    while look(queue, STOPPED) == 0:
        if looks >= rest and (looks >= patience or look(queue, LEADING) == 0):
            return
        if look(queue, NEXT) < look(queue, LIMIT):
            take_tasks(queue)
            looks = 0
        looks += 1
        rest_a_moment(looks)


@kernel
def run_stages(stages: Array) -> int:
    """Run all tasks of all stages on this thread until one fails; return its status, or 0; see `Plan`."""
    for i in range(len(stages)):
        tables, count = stages[i, 0], stages[i, 1]
        for task in range(count):
            status = run_table(cell_at(tables + 16 * task), cell_at(tables + 16 * task + 8))
            if status != 0:
                return int(status)
    return 0


@kernel
def wait_for(queue: Array, limit: int) -> None:
    """Wait until all tasks before the limit are done: awake as long as that is likely to be soon."""
    looks = 0
    while look(queue, DONE) < limit:
        if looks < PATIENCE:
            looks += 1
            rest_a_moment(looks)
        else:  # who has the task has no core; to look out for it would take one more
            nap()


@kernel
def lead(queue: Array, stages: Array) -> int:
    """Run the tasks of stages with those who serve the queue, and return 0 or a failure's status.

    Args:
        queue: (PLACES,) int64, with no task left in it; one thread at a time may lead.
        stages: (stages, 2) of a `Plan`.
    """
    put(queue, FAILED, 0)
    put(queue, LEADING, 1)
    status = 0
    for i in range(len(stages)):
        tables, count = stages[i, 0], stages[i, 1]
        if count == 1:  # nothing to share
            status = run_table(cell_at(tables), cell_at(tables + 8))
        else:
            limit = look(queue, LIMIT) + count
            put(queue, BASE, limit - count)
            put(queue, TABLES, tables)
            put(queue, LIMIT, limit)
            take_tasks(queue)
            wait_for(queue, limit)
            status = look(queue, FAILED)
        if status != 0:
            break
    put(queue, LEADING, 0)
    return int(status)


class Plan:
    """What a crew runs: stage after stage, each of programs that are independent of one another.

    Args:
        stages: of each, (tasks, 2) the addresses and lengths of its programs' tables.
    """

    def __init__(self, stages: Sequence[Array]) -> None:
        self.kept = list(stages)
        places = [(tables.ctypes.data, len(tables)) for tables in stages]
        self.stages = np.array(places, np.int64).reshape(-1, 2)
        self.most = max((count for _, count in places), default=0)  # programs at the same time
        self.shares = self.most > 1
