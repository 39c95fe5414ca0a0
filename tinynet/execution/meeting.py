"""Shards that meet: sums over all shards of a batch, in the midst of a layer's forward or backward pass.

Batch normalisation needs the mean of the whole batch, but each shard goes through the layers on its own. So
it calls `meet(part)`, from any depth of ordinary calls, and gets the sum of all shards' parts; nobody else
knows of it.
For this, each shard runs on a thread of its own, as a coroutine: it is suspended where it meets, until
`together`, which resumes all of them by `each`, has the sum. What is recorded just gets more stages.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..waiting import Gate, Task, start_thread
from .recording import each

Array = NDArray[Any]
Result = TypeVar("Result")

_here = threading.local()  # its `strand` is the suspendable call that this thread runs


class Abandoned(BaseException):
    """Ends a call that nobody will resume, because another one failed."""


def meet(part: Array) -> Array:
    """Return the sum of a part over all shards of the batch, in their order; alone, the part itself.

    Every shard has to call it equally often, with parts of one shape.

    Args:
        part: an array of this shard, contiguous.

    Returns:
        An array of its shape, the same one for all shards: read-only for the caller.

    Raises:
        TypeError: the part is no contiguous array of float32 or float64.
        ValueError: the shards' parts differ in shape or type.

    Example:
        >>> sums = together(lambda i: meet(np.array([10.0 * i, 1.0])), 3)
        >>> [total.tolist() for total in sums]
        [[30.0, 3.0], [30.0, 3.0], [30.0, 3.0]]
    """
    if not isinstance(part, np.ndarray) or part.dtype.kind != "f" or not part.flags.c_contiguous:
        raise TypeError(f"meet() takes a contiguous array of float32 or float64; got {part!r}.")
    strand: Strand[Any] | None = getattr(_here, "strand", None)
    return part if strand is None else strand.wait_for_total(part)


def together(
    function: Callable[[int], Result], count: int, tell: Callable[[Any], list[Any]] | None = None
) -> list[Result]:
    """Return [function(0), ..., function(count - 1)], of calls that may `meet`.

    Args:
        function: called once with each number, on threads of their own if there are several.
        count: how many calls.
        tell: if other processes' calls meet with these, gives all of them what each of them gives, in order.

    Returns:
        The results in order.

    Raises:
        RuntimeError: some calls meet more often than others.
    """
    strands = [Strand(function, i, alone=count == 1 and tell is None) for i in range(count)]
    try:
        total: Array | None = None
        while True:
            parts = each(lambda i, total=total: strands[i].resume(total), count)  # type: ignore[misc]
            waiting = [part for part, strand in zip(parts, strands, strict=True) if not strand.done]
            done = count - len(waiting)
            if tell is not None:
                told = tell((waiting, done))
                waiting, done = [part for own, _ in told for part in own], sum(n for _, n in told)
            if not waiting:
                return parts
            if done:
                raise RuntimeError("Some shards of a batch called meet() more often than others.")
            total = add_up(waiting)
    finally:
        for strand in strands:
            strand.abandon()


def add_up(parts: list[Any]) -> Array:
    """Return the sum of the shards' parts, as a new array."""
    total: Array = np.empty_like(parts[0])
    for i, part in enumerate(parts):
        if part.shape != total.shape or part.dtype != total.dtype:
            raise ValueError(
                f"meet() got different parts: {total.dtype} {total.shape}, {part.dtype} {part.shape}."
            )
        kernels.update.add_up(part.reshape(-1), total.reshape(-1), i == 0)
    return total


class Strand(Generic[Result]):
    """The call function(i), which can be suspended in `meet`.

    Args:
        function: what to call.
        i: its argument.
        alone: whether there is nobody to meet: then it needs no thread.
    """

    def __init__(self, function: Callable[[int], Result], i: int, alone: bool) -> None:
        self.function, self.i, self.alone = function, i, alone
        self.done = self.abandoned = self.started = False
        self.error: BaseException | None = None
        self.out: Any = None
        self.total: Array | None = None
        self.go, self.back, self.task = Gate(), Gate(), Task(self.body)

    def resume(self, total: Array | None) -> Any:
        """Let the call go on until it meets, and return its part, or until its end, and return its result."""
        if self.alone:
            return self.body()
        self.total, self.program = total, kernels.jit.recorder.program
        self.back.close()
        if not self.started:
            self.started = True
            start(self.task)
        self.go.open()
        self.back.wait()
        if self.error is not None:
            raise self.error
        return self.out

    def body(self) -> Any:
        """Call the function."""
        outer, _here.strand = getattr(_here, "strand", None), None if self.alone else self
        try:
            if not self.alone:
                self.wait_to_go()
            self.out = self.function(self.i)
            return self.out
        except BaseException as error:
            self.error = error  # which `resume` has to see as soon as it goes on
            raise
        finally:
            if not self.alone:
                kernels.jit.recorder.program = None
            _here.strand, self.done = outer, True
            self.back.open()

    def wait_for_total(self, part: Array) -> Array:
        """Suspend the call, and return what `resume` brings."""
        self.out = part
        self.go.close()
        self.back.open()
        self.wait_to_go()
        assert self.total is not None
        return self.total

    def wait_to_go(self) -> None:
        """Wait for `resume`, and record where that records."""
        if not self.abandoned:
            self.go.wait()
        if self.abandoned:
            raise Abandoned
        kernels.jit.recorder.program = self.program

    def abandon(self) -> None:
        """End the call, where it is suspended, and let go what it worked on."""
        self.abandoned = True
        self.go.open()
        self.task.finish()
        del self.task, self.function, self.out, self.total


_idle: list[queue.SimpleQueue[Task[Any]]] = []  # of threads that wait for a task


def start(task: Task[Any]) -> None:
    """Let a thread do a task: one that has done others, or a new one."""
    try:
        tasks = _idle.pop()
    except IndexError:
        tasks = queue.SimpleQueue()
        if not start_thread(work, "tinynet shard", tasks):
            raise RuntimeError(
                "A layer such as BatchNormalization, in which the shards of a batch meet, takes a thread for "
                "each of them at first, and the system starts no more threads. Allow more (ulimit -u, or the "
                "container's limits of processes and memory)."
            ) from None
    tasks.put(task)


def work(tasks: queue.SimpleQueue[Task[Any]]) -> None:
    """Do tasks as they come: what such a thread does."""
    while True:
        tasks.get()()
        _idle.append(tasks)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # the child does not have the threads
