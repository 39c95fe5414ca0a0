"""Waiting for other threads in ways that neither Ctrl-C, a signal handler nor a fork can break."""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
Call = tuple[int, int, FrameType]  # its process, thread and frame
Place = dict[str, Call]  # the "holder", if there is one


class Gate:
    """What one thread waits at until another one opens it.

    To wait is safe from Ctrl-C: the exception is raised once the gate is open, and to wait again does no
    harm.
    """

    def __init__(self) -> None:
        self.is_open, self.lock = False, threading.Lock()
        self.lock.acquire()

    def open(self) -> None:
        """Let those who wait go on."""
        self.is_open = True
        with contextlib.suppress(RuntimeError):  # it is free already
            self.lock.release()

    def close(self) -> None:
        """Make the next ones wait."""
        self.is_open = False
        self.lock.acquire(blocking=False)

    def wait(self) -> None:
        """Return when the gate is open."""
        error: BaseException | None = None
        while not self.is_open:
            try:
                self.lock.acquire()
            except BaseException as raised:  # by a signal handler
                error = raised
            if self.is_open:
                self.open()  # a handler may wait at this gate in the midst of this wait
        if error is not None:
            raise error


class Task(Generic[Result]):
    """A call that another thread makes.

    Args:
        function: what to call; what was set for the thread that makes the task, such as np.errstate, holds
            there.
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self.function, self.context = function, contextvars.copy_context()
        self.begun = self.cancelled = False
        self.error: BaseException | None = None
        self.ended = Gate()

    def __call__(self) -> None:
        """Call the function, unless nobody wants it any more: what the other thread does."""
        self.begun = True
        try:
            if not self.cancelled:
                self.result = self.context.run(self.function)
        except BaseException as error:
            self.error = error
        finally:
            self.ended.open()

    def finish(self) -> None:
        """Wait until the call has ended; if it has not begun, it never will."""
        self.cancelled = True
        if self.begun:
            self.ended.wait()


_told: list[bool] = []  # whether it was said that threads cannot be started


def start_thread(function: Callable[..., None], name: str, *arguments: Any) -> bool:
    """Start a thread that the end of the process need not wait for.

    Args:
        function: what the thread calls, with the arguments.
        name: what the thread is called.
        arguments: what the function gets.

    Returns:
        Whether it was started. The first time that the system refuses one, this is said by a warning.
    """
    try:
        threading.Thread(target=function, name=name, args=arguments, daemon=True).start()
    except (RuntimeError, MemoryError) as error:
        if not _told:
            _told.append(True)
            warnings.warn(
                f"A thread could not be started ({error}): tinynet goes on with the threads that there are. "
                "The system or the container allows no more threads or no more memory; TINYNET_NUM_THREADS "
                "sets how many are wanted.",
                RuntimeWarning,
                stacklevel=2,
            )
        return False
    return True


_apart: list[Task[Any]] = []  # what the main thread waits for


def apart(function: Callable[[], Result]) -> Result:
    """Return function(), called where no signal handler can come in between.

    Python runs signal handlers on the main thread, between any two instructions. What must not be left half
    done, or meet itself, is done by another thread, for which the main thread waits even if Ctrl-C is
    pressed.
    """
    if threading.current_thread() is not threading.main_thread():
        return function()
    task = Task(function)
    _apart.append(task)
    try:
        if not start_thread(task, "tinynet apart"):
            task()
        task.ended.wait()
    finally:
        task.finish()
        _apart.remove(task)
    if task.error is not None:
        raise task.error
    return task.result


_locks: list[AbstractContextManager[Any]] = []
_held: list[AbstractContextManager[Any]] = []  # while a fork is under way


def hold_over_fork(*locks: AbstractContextManager[Any]) -> None:
    """Let the thread that forks hold these locks meanwhile, so that no other thread has them in the child.

    Args:
        locks: reentrant; a thread that holds one of them may take those that come later, here or in later
            calls.
    """
    _locks.extend(locks)


def _before_fork() -> None:
    if threading.current_thread() is threading.main_thread():
        for task in [*_apart]:  # the child has the main thread, which waits for it, but no other
            if task.begun:
                task.ended.wait()
    for lock in _locks:  # and those that another thread adds, while this one waits for the first: importing
        lock.__enter__()
        _held.append(lock)


def _after_fork() -> None:
    while _held:
        _held.pop().__exit__(None, None, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


class Alone:
    """A place for one call at a time: `with alone:` raises at once if another one is there, of any thread.

    A call that has ended without leaving, as Ctrl-C or a fork may leave it, is not there any more.

    Args:
        message: what the error says.
        shared: places that others have a part in; of these, calls of the same thread may share one.
    """

    def __init__(self, message: str, shared: Sequence[Place] = ()) -> None:
        self.message = message
        self.places: list[tuple[Place, bool]] = [({}, False), *((place, True) for place in shared)]

    def __getstate__(self) -> dict[str, Any]:
        """Let a copy be another place, of its own."""
        return {"message": self.message, "places": [({}, False)]}

    def __enter__(self) -> None:
        me, taken = (os.getpid(), threading.get_ident(), sys._getframe(1)), list[Place]()
        for place, again in self.places:
            while (holder := place.setdefault("holder", me)) is not me:
                if again and holder[:2] == me[:2]:
                    break
                if is_running(holder):
                    for other in taken:
                        other.clear()
                    raise RuntimeError(self.message)
                place.pop("holder", None)
            else:
                taken.append(place)

    def __exit__(self, *_: object) -> None:
        for place, _again in self.places:
            holder = place.get("holder")
            if holder is not None and holder[2] is sys._getframe(1):
                place.clear()


def is_running(call: Call) -> bool:
    """Return whether a call has not ended."""
    process, thread, wanted = call
    frame = sys._current_frames().get(thread) if process == os.getpid() else None
    while frame is not None and frame is not wanted:
        frame = frame.f_back
    return frame is not None
