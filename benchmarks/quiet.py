"""Tell whether the machine was quiet enough for a measurement to be believed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LEAST_SHARE = 0.88  # of the best rate of matrix products in the run; alone on a machine it varies by a tenth
MOST_OTHERS = 0.1  # of all cores' time, that others may take
PAUSE = 0.5  # seconds in which nothing of ours runs


@dataclass(frozen=True)
class Moment:
    """What the machine was like when nothing was measured.

    Args:
        sgemm: GFLOP/s of matrix products.
        others: the share of all cores' time that others took in a pause; 0 where the system does not tell.
        load: the system's load of the last minute, ours included.
    """

    sgemm: float
    others: float
    load: float


def core_time() -> tuple[int, int]:
    """Return how long all cores have been idle, and all of their time, as Linux counts them."""
    try:
        ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except OSError:
        return 0, 0
    return ticks[3] + ticks[4], sum(ticks)


def share_of_others(pause: float = PAUSE) -> float:
    """Return the share of all cores' time that is not idle during a pause."""
    idle, every = core_time()
    time.sleep(pause)
    idle_after, every_after = core_time()
    return 1 - (idle_after - idle) / (every_after - every) if every_after > every else 0.0


def reasons(moments: Iterable[Moment], best: float) -> list[str]:
    """Return why what was measured between these moments is not to be believed; nothing if it is.

    Args:
        moments: before and after.
        best: GFLOP/s that matrix products reach here when it is quiet.
    """
    moments = list(moments)
    least = min((moment.sgemm for moment in moments), default=best) / best
    others = max((moment.others for moment in moments), default=0.0)
    found = []
    if least < LEAST_SHARE:
        found.append(f"matrix products at {least:.0%} of their best rate")
    if others > MOST_OTHERS:
        found.append(f"others took {others:.0%} of the processor")
    return found
