"""What a notebook shows of a training: one output that changes, and in the end holds a line an epoch."""

from __future__ import annotations

import importlib
import sys
import time
from typing import Any

from ..views import escaped, number, track

OFTEN = 0.1  # seconds between two changes
MOST_LINES = 20  # of the latest epochs


def in_notebook() -> bool:
    """Return whether this process runs the cells of a notebook."""
    if "ipykernel" not in sys.modules or "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None


def shorten(interrupt: KeyboardInterrupt, line: str) -> None:
    """Let IPython show a line instead of a traceback; all others see the exception as it is.

    It ends the cell, so that those below do not run, and a script, whose shell must see why it ended: a class
    of its own would not do (CPython ends itself by SIGINT for `KeyboardInterrupt` alone).
    """
    vars(interrupt)["_render_traceback_"] = lambda: [line]


class Output:
    """The output: lines of the epochs that are over, and a bar for the one that goes on."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.title = self.unit = self.waits = ""
        self.total: int | None = None
        self.done = self.first = 0
        self.started = self.shown = 0.0
        self.handle: Any = None

    def begin(self, title: str, total: int | None, unit: str, waits: str) -> None:
        """Show the bar of an epoch, with what is waited for."""
        self.title, self.total, self.unit, self.waits = title, total, unit, waits
        self.done, self.first, self.started = 0, 0, time.perf_counter()
        self.show({})

    def update(self, count: int, logs: dict[str, float]) -> None:
        """Count samples, and show them now and then."""
        self.done += count
        if self.waits:  # what is left takes as long as what comes now, not as the compiler
            self.waits, self.first, self.started = "", self.done, time.perf_counter()
        if time.perf_counter() - self.shown > OFTEN:
            self.show(logs)

    def end(self, line: str) -> None:
        """Put a line in the place of the bar; none where there is no result."""
        self.lines += [line] if line else []
        self.title = ""
        self.show({})

    def pace(self) -> list[str]:
        """Return how fast it goes, and how long it will, as far as that is known."""
        seconds, done = time.perf_counter() - self.started, self.done - self.first
        if not done or seconds <= 0:
            return []
        pace = [f"{done / seconds:,.0f} {self.unit.strip()}/s"]
        if self.total:
            minutes, rest = divmod(round((self.total - self.done) * seconds / done), 60)
            pace.append(f"{minutes:02}:{rest:02} left")
        return pace

    def show(self, logs: dict[str, float]) -> None:
        """Show all of it."""
        lines: list[str] = self.lines[-MOST_LINES:]
        if hidden := len(self.lines) - len(lines):
            lines = [f"({hidden} epochs before)", *lines]
        rows: list[str] = [escaped(line) for line in lines]
        if self.title:
            share = self.done / self.total if self.total else 0.0
            done = f"{share:.0%}" if self.total else f"{self.done:,} {self.unit.strip()}"
            said = [self.waits or done, *self.pace()]
            said += [f"{name}: {number(value)}" for name, value in logs.items()]
            lines.append(f"{self.title}: {', '.join(said)}")
            rows.append(f"{track(share)} {escaped(lines[-1])}")
        page = "".join(f"<div>{row}</div>" for row in rows)
        style = "font:12px/1.5 ui-monospace,monospace;white-space:nowrap;overflow-x:auto"
        data = {"text/plain": "\n".join(lines), "text/html": f'<div style="{style}">{page}</div>'}
        self.shown = time.perf_counter()
        if self.handle is None:
            display = importlib.import_module("IPython.display").display
            self.handle = display(data, raw=True, display_id=True)
        else:
            self.handle.update(data, raw=True)
