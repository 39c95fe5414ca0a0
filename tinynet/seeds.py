"""The seeds of what was given none: another one each time, and the same ones in every process."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

MOST = 2**32  # NumPy's own generator takes no larger seed


# The seed that all follow from, and how many were taken. (No generator: Ctrl-C would end it for good.)
_sequence = [(0, itertools.count())]
_own = threading.local()  # its sequence, if a thread is in a `seeded` block


def next_seed() -> int:
    """Return the next seed of this process: the one that was set, 0 at first, and then others that follow."""
    seed, numbers = getattr(_own, "sequence", None) or _sequence[0]
    number = next(numbers)
    return (
        int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1) if number else seed
    )


def set_random_seed(seed: int) -> None:
    """Let all that is random from now on follow from one seed, as after `keras.utils.set_random_seed`.

    The next model that is given no seed takes this one, and those after it others that follow from it. In a
    process that never calls this, the first model's seed is 0. Python's `random` and NumPy's `np.random` get
    the seed, too.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    Raises:
        ValueError: another seed.

    Example:
        >>> from tinynet import Sequential, layers
        >>> def two():
        ...     return [Sequential([layers.Dense(1)], 1).get_weights()[0].item() for _ in range(2)]
        >>> set_random_seed(7)
        >>> first, second = two()
        >>> set_random_seed(7)
        >>> [first, second] == two(), first == second
        (True, False)
    """
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or not 0 <= seed < MOST:
        raise ValueError(f"set_random_seed: seed must be an integer from 0 to 2**32 - 1; got {seed!r}.")
    _sequence[0] = int(seed), itertools.count()
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002  (what scripts draw from)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let what this thread makes in a `with` block take its seeds from one, and all else as if nothing were.

    Args:
        seed: an integer from 0 to 2**32 - 1.
    """
    before = getattr(_own, "sequence", None)
    _own.sequence = int(seed), itertools.count()
    try:
        yield
    finally:
        _own.sequence = before
