"""How long the attacks last, and how one that succeeded is repeated.

`TINYNET_STRESS=15 python -m pytest -m stress` makes 15 times as many rounds as CI does. Each round has a
seed, which a failure names; `TINYNET_STRESS_SEED` is the first one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

FACTOR = float(os.environ.get("TINYNET_STRESS", "1"))
FIRST = int(os.environ.get("TINYNET_STRESS_SEED", "0"))
last: list[int] = []  # the seed of the round that was begun last, if any


def rounds(count: int) -> Iterator[int]:
    """Yield the seeds of so many rounds, or of more or fewer where the environment says so."""
    for seed in range(FIRST, FIRST + math.ceil(count * FACTOR)):
        last[:] = [seed]
        yield seed
