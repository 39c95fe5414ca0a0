"""Forks, threads and signals that strike in the midst of something."""

from __future__ import annotations

import faulthandler
import os
import random
import signal
import sys
import threading

from processes import SEED


def in_child(function, seconds=20):
    """Return what a function returns, a string, in a forked child; raise if the child does not end well."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.dump_traceback_later(seconds, exit=True)
            os.write(writer, function().encode())
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0, f"A forked child ended with {status}."
    return text


def in_threads(function, count):
    """Call function(0), ..., function(count - 1) on threads that start together; return what was raised."""
    start, errors = threading.Barrier(count), []

    def work(i):
        start.wait()
        try:
            function(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


class Interruptions:
    """Calls a function in a signal handler, about a millisecond after it has returned again and again.

    Args:
        function: called in the midst of whatever the main thread does.
        most: after so many calls it is enough.
    """

    def __init__(self, function, most=200):
        self.function, self.left, self.calls, self.on = function, most, 0, False
        self.random = random.Random(SEED)
        self.error = None

    def handle(self, *_):
        if not self.on:  # the last signal came late
            return
        self.left -= 1
        try:
            self.function()
            self.calls += 1
        except BaseException as error:
            self.error = self.error or error
        self.arm()

    def arm(self):
        if self.left > 0:
            signal.setitimer(signal.ITIMER_REAL, self.random.uniform(2e-4, 2e-3))

    def __enter__(self):
        signal.signal(signal.SIGALRM, self.handle)
        self.on = True
        self.arm()
        return self

    def __exit__(self, *_):
        self.on = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        if self.error:
            raise self.error
