"""What `fit` prints while it trains."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from typing import Any

import numpy as np

from ..waiting import hold_over_fork

# tqdm's own lock is shared with forked children, of which one that is killed while it prints would keep it.
_printing = threading.RLock()
hold_over_fork(_printing)


class Progress:
    """What `fit` prints: nothing (0), a progress bar and a line an epoch (1), or the line alone (2)."""

    def __init__(self, verbose: int | str, epochs: int) -> None:
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"fit: verbose must be 0, 1, 2 or 'auto'; got {verbose!r}.")
        if verbose == "auto":
            terminal = sys.stderr is not None and sys.stderr.isatty()
            verbose = 1 if terminal or "ipykernel" in sys.modules else 2
        if verbose == 1 and sys.stderr is None:  # a program without a console
            verbose = 2
        self.verbose, self.epochs = verbose, epochs
        self.bar: Any = None
        self.start = 0.0

    def begin(self, epoch: int, total: int | None, unit: str) -> None:
        """Announce an epoch of so many samples or batches."""
        self.start = time.perf_counter()
        if self.verbose == 1:
            with warnings.catch_warnings():  # without ipywidgets a notebook gets the plain bar
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm
            kind = type("bar", (tqdm,), {"_lock": _printing})
            title = f"Epoch {epoch + 1}/{self.epochs}"
            form = "{desc}: {percentage:3.0f}%|{bar}| {rate_fmt}, {remaining} left{postfix}"
            self.bar = kind(total=total, desc=title, unit=unit, bar_format=form, leave=False)

    def update(self, count: int, logs: dict[str, float]) -> None:
        """Show a batch."""
        if self.bar is not None:
            self.bar.set_postfix({name: shown(value) for name, value in logs.items()}, refresh=False)
            self.bar.update(count)

    def end(self, epoch: int, logs: dict[str, float] | None) -> None:
        """Take the bar away, and print an epoch's result, if it has one."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        if self.verbose and logs:
            seconds = time.perf_counter() - self.start
            values = " - ".join(f"{name}: {shown(value)}" for name, value in logs.items())
            print(f"Epoch {epoch + 1}/{self.epochs} - {seconds:.1f} s - {values}", flush=True)


def shown(value: Any) -> str:
    """Return a number, or several, with four digits."""
    return f"{value:.4f}" if np.ndim(value) == 0 else np.array2string(np.asarray(value), precision=4)
