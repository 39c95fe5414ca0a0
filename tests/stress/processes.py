"""Attacks in fresh processes, because what they look for depends on chance, and may crash or hang."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from rounds import FIRST, rounds

import tinynet

SEED = FIRST  # in the process of a round: its seed
FOLDERS = [Path(tinynet.__file__).parents[1], Path(__file__).parent, Path(__file__).parents[1]]


def in_fresh_processes(runs, seconds=90, cold=False, imported=True):
    """Let the body of a test run so many rounds, each in its own process, which must end well in that time.

    Args:
        runs: how many rounds.
        seconds: a limit against hanging for each round.
        cold: whether the kernels are compiled anew in each process.
        imported: whether Numba and the kernels' modules are imported, though not compiled, before the body.
    """

    def decorate(body):
        @functools.wraps(body)
        def test(**arguments):
            code = (
                f"import processes, {body.__module__} as test\n" + "processes.import_kernels()\n" * imported
            )
            code += f"test.{body.__name__}.__wrapped__(**{arguments!r})"
            for seed in rounds(runs):
                failure = failure_of(code, seed, seconds, cold)
                if failure:
                    pytest.fail(f"seed {seed}: {failure}", pytrace=False)

        return pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")(test)

    return decorate


def environment(**more):
    """Return the environment of a process that imports tinynet and the tests; `more` are other variables."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, FOLDERS)), **more}


def failure_of(code, seed, seconds, cold=False):
    """Run code in a fresh process; return what went wrong, or ""."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-W", "ignore::DeprecationWarning", "-c", code],
            env=environment(**({"NUMBA_CACHE_DIR": folder} if cold else {}), TINYNET_STRESS_SEED=str(seed)),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
            what = "" if code == 0 else f"exit code {code}" if code > 0 else signal.Signals(-code).name
        except subprocess.TimeoutExpired:
            what = f"no end within {seconds} s"
            process.send_signal(signal.SIGABRT)  # shows where it hangs
            time.sleep(1)
        finally:
            kill_family(process)
        output.seek(0)
        text = output.read().partition("\nExtension modules")[0]
        return what and f"{what}\n{text[-2500:]}"


def kill_family(process):
    """Kill what is left of a process and its children, which are a session of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def import_kernels():
    for module in pkgutil.iter_modules(tinynet.kernels.__path__):
        importlib.import_module(f"tinynet.kernels.{module.name}")
    for module in ("numpy.random", "numpy.ma"):  # NumPy and Numba import them when they first need them
        importlib.import_module(module)


def resident():
    """The memory that this process holds, in bytes; on Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
