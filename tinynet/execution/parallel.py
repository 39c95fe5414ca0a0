"""Threads: the one place that knows about them.

There are two ways to use them: `run` calls a Python function with one number after another, and
`run_programs` runs lists of kernel calls that were recorded, without the GIL. In both, what is computed does
not depend on the number of threads.
"""

from __future__ import annotations

import itertools
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..waiting import Task, start_thread
from .cores import share_of_cores

Array = NDArray[Any]
Result = TypeVar("Result")

PATIENCE = 40_000  # looks of an idle helper, about a millisecond, before it goes to sleep
SOON = 0.002  # seconds: who was asleep for no longer might as well have looked on

_num_threads: int | None = None
_tasks: queue.SimpleQueue[Task[None] | None] = queue.SimpleQueue()  # for the helpers; None ends one
_helpers: list[None] = []  # one for each thread that does tasks
_crews: dict[str, Crew] = {}  # none, or one "crew"


def get_num_threads() -> int:
    """Return the number of threads that tinynet uses.

    Returns:
        What `set_num_threads` set, else the environment variable TINYNET_NUM_THREADS, else the number of
        cores that this process may use, and no more than OMP_NUM_THREADS, by which joblib and Dask share the
        cores among their processes.

    Raises:
        ValueError: TINYNET_NUM_THREADS is not a positive integer.

    Example:
        >>> get_num_threads() >= 1
        True
    """
    global _num_threads
    if _num_threads is None:
        text = os.environ.get("TINYNET_NUM_THREADS", "")
        if text and not (text.isdecimal() and int(text) > 0):
            raise ValueError(f"TINYNET_NUM_THREADS must be a positive integer; got {text!r}.")
        _num_threads = int(text) if text else share_of_cores()
    return _num_threads


def set_num_threads(threads: int) -> None:
    """Set the number of threads that tinynet uses; no result depends on it.

    Args:
        threads: at least 1.

    Raises:
        ValueError: threads is not a positive integer.

    Example:
        >>> before = get_num_threads()
        >>> set_num_threads(2)
        >>> get_num_threads()
        2
        >>> set_num_threads(before)
    """
    if not isinstance(threads, int | np.integer) or threads < 1:
        raise ValueError(f"set_num_threads: expected a positive integer; got {threads!r}.")
    global _num_threads
    _num_threads = int(threads)
    crew = _crews.pop("crew", None)
    if crew is not None:
        crew.stop()
    old, helpers = _tasks, [*_helpers]
    _forget_threads()
    for _ in helpers:
        old.put(None)


def share_cores(processes: int) -> None:
    """Use a part of the cores, as one of so many processes; not where somebody has chosen a number."""
    cores = share_of_cores()
    if get_num_threads() == cores and not os.environ.get("TINYNET_NUM_THREADS"):
        set_num_threads(max(cores // processes, 1))


def _forget_threads() -> None:
    global _tasks, _helpers
    _tasks, _helpers = queue.SimpleQueue(), []
    _crews.clear()


if hasattr(os, "register_at_fork"):
    # A forked child has the objects but not their threads.
    os.register_at_fork(after_in_child=_forget_threads)


def _help(tasks: queue.SimpleQueue[Task[None] | None]) -> None:
    """Do tasks as they come: what a helper does."""
    while (task := tasks.get()) is not None:
        task()


def run(function: Callable[[int], Result], count: int) -> list[Result]:
    """Return [function(0), ..., function(count - 1)], computed on up to `get_num_threads()` threads.

    Args:
        function: called once with each number, from several threads, the calling one among them.
        count: how many calls.

    Returns:
        The results in order.
    """
    helpers = min(get_num_threads(), count) - 1
    if helpers > 0:
        started = _helpers  # of which a signal handler may make another list in between
        while len(started) < get_num_threads() - 1:
            started.append(None)
            if not start_thread(_help, "tinynet helper", _tasks):
                started.pop()
                break
        helpers = min(helpers, len(started))
    if helpers < 1:
        return [function(i) for i in range(count)]
    results: dict[int, Result] = {}
    numbers = iter(range(count))  # shared: a free thread takes the next number (atomic under the GIL)

    def work() -> None:
        for i in numbers:
            results[i] = function(i)

    tasks = [Task(work) for _ in range(helpers)]
    try:
        for task in tasks:
            _tasks.put(task)
        work()
    finally:
        # Nothing may still run when this returns; what has not begun never will, because the helpers may
        # themselves be waiting for a run inside this one.
        for task in tasks:
            task.finish()
    for task in tasks:
        if task.error is not None:
            raise task.error
    return [results[i] for i in range(count)]


class Crew:
    """Threads that run programs of kernels, for one caller at a time; see kernels/program.py.

    Between two runs they look out for the next one for a while, and then sleep: to wake a thread takes longer
    than many a program. Where the last run came after a long sleep, the next is not looked out for at all: a
    process that predicts now and then spends nothing on it.

    Args:
        helpers: how many threads there are besides the caller's.
    """

    def __init__(self, helpers: int) -> None:
        program = kernels.program
        self.queue = np.zeros(program.PLACES, np.int64)
        self.leading, self.waking = threading.Lock(), threading.Condition()
        self.sleeping = 0
        self.serve, self.lead, self.run_stages = program.serve, program.lead, program.run_stages
        self.serve(self.queue, 0, 0)  # compile, or load, before there are threads
        self.wanted, self.helpers = helpers, 0  # and how many there are

    def start(self) -> None:
        """Let the helpers begin."""
        while self.helpers < self.wanted and start_thread(self.help, "tinynet"):
            self.helpers += 1

    def help(self) -> None:
        """Serve: what each helper does."""
        rest = PATIENCE
        while True:
            self.serve(self.queue, PATIENCE, rest)
            with self.waking:
                if self.queue[kernels.program.STOPPED]:
                    return
                self.sleeping += 1
                start = time.monotonic()
                self.waking.wait()
                rest = PATIENCE if time.monotonic() < start + SOON else 1
                self.sleeping -= 1

    def wake(self, count: int) -> None:
        """Wake so many helpers, if so many sleep."""
        with self.waking:
            self.waking.notify(count)

    def stop(self) -> None:
        """Let the helpers end."""
        self.queue[kernels.program.STOPPED] = 1
        with self.waking:  # all, also those that `start` has not counted yet
            self.waking.notify_all()

    def run(self, plan: kernels.program.Plan) -> None:
        """Run programs; see `run_programs`."""
        if plan.shares and self.leading.acquire(blocking=False):
            try:
                awake = self.helpers - self.sleeping
                if self.sleeping and plan.most - 1 > awake:
                    self.wake(plan.most - 1 - awake)
                status = self.lead(self.queue, plan.stages)
            finally:
                self.leading.release()
        else:  # there is nothing to share, or another thread leads and the helpers are busy
            status = self.run_stages(plan.stages)
        if status:
            raise MemoryError("A kernel failed; most likely there is no memory left.")


def run_programs(plan: kernels.program.Plan) -> None:
    """Run programs of kernels on up to `get_num_threads()` threads, without the GIL.

    Args:
        plan: the programs, stage after stage; those of a stage are run in any order, on any thread.

    Raises:
        MemoryError: there is no memory left.
    """
    crew = _crews.get("crew")
    if crew is None:
        # Without a lock, which a signal handler could meet: the first one that is there is everybody's.
        new = Crew(get_num_threads() - 1)
        crew = _crews.setdefault("crew", new)
        if crew is new:
            crew.start()
    crew.run(plan)


def cut(samples: int, shards: int) -> list[slice]:
    """Cut samples into shards whose sizes differ by at most one.

    Args:
        samples: the number of samples, at least 1.
        shards: the number of shards wanted; there are never more than samples.

    Returns:
        The slices, in order.

    Example:
        >>> cut(10, 4)
        [slice(0, 3, None), slice(3, 6, None), slice(6, 8, None), slice(8, 10, None)]
    """
    shards = min(shards, samples)
    size, larger = divmod(samples, shards)
    starts = [i * size + min(i, larger) for i in range(shards + 1)]
    return [slice(begin, end) for begin, end in itertools.pairwise(starts)]
