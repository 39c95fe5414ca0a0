"""What `fit` prints while it trains."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from ..views import number
from ..waiting import hold_over_fork
from .notebook import Output, in_notebook

FORM = "{desc}: {percentage:3.0f}%|{bar}| {rate_fmt}, {remaining} left{postfix}"
WAITS = "compiling kernels"  # what the first step does, before anybody can tell how long the others take

# tqdm's own lock is shared with forked children, of which one that is killed while it prints would keep it.
_printing = threading.RLock()
hold_over_fork(_printing)


class Progress:
    """What `fit` prints: nothing (0), a progress bar and a line an epoch (1), or the line alone (2).

    A terminal's bar goes away after its epoch; in a notebook's one output a line takes its place.
    """

    def __init__(self, verbose: int | str, epochs: int) -> None:
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"fit: verbose must be 0, 1, 2 or 'auto'; got {verbose!r}.")
        notebook = verbose in ("auto", 1) and in_notebook()
        if verbose == "auto":
            terminal = sys.stderr is not None and sys.stderr.isatty()
            verbose = 1 if terminal or notebook else 2
        if verbose == 1 and sys.stderr is None and not notebook:  # a program without a console
            verbose = 2
        self.verbose, self.epochs = verbose, epochs
        self.output = Output() if notebook else None
        self.bar: Any = None
        self.waits = True  # for the first batch
        self.start = 0.0

    def begin(self, epoch: int, total: int | None, unit: str) -> None:
        """Announce an epoch of so many samples or batches."""
        self.start = time.perf_counter()
        title = f"Epoch {epoch + 1}/{self.epochs}"
        if self.output is not None:
            self.output.begin(title, total, unit, WAITS if self.waits else "")
        elif self.verbose == 1:
            from tqdm import tqdm

            kind = type("bar", (tqdm,), {"_lock": _printing})
            form = f"{{desc}}: {WAITS}" if self.waits else FORM
            self.bar = kind(total=total, desc=title, unit=unit, bar_format=form, leave=False)

    def update(self, count: int, logs: dict[str, float]) -> None:
        """Show a batch."""
        waited, self.waits = self.waits, False
        if self.output is not None:
            self.output.update(count, logs)
        elif self.bar is not None:
            self.bar.set_postfix({name: number(value) for name, value in logs.items()}, refresh=False)
            if waited:
                restart(self.bar, count)
            else:
                self.bar.update(count)

    def end(self, epoch: int, logs: dict[str, float] | None) -> None:
        """Take the bar away, and print an epoch's result, if it has one."""
        line = ""
        if logs:
            line = f"Epoch {epoch + 1}/{self.epochs} - {measured(self.start, logs)}"
        if self.output is not None:
            self.output.end(line)
            return
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        if self.verbose and line:
            print(line, flush=True)


def measured(start: float, logs: Mapping[str, float]) -> str:
    """Return how long it took since `start`, by `time.perf_counter`, and what came of it."""
    values = " - ".join(f"{name}: {number(value)}" for name, value in logs.items())
    return f"{time.perf_counter() - start:.1f} s - {values}"


def restart(bar: Any, count: int) -> None:
    """Count a bar's time from here: what is left takes as long as what comes now, not as the compiler."""
    bar.bar_format = FORM
    bar.initial = bar.n = bar.last_print_n = count
    bar.start_t = bar.last_print_t = time.time()
    bar.refresh()
