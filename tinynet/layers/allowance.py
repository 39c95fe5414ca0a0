"""How many weights layers may have together while a model is built of what a stranger's file says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_left: ContextVar[list[int] | None] = ContextVar("weights that may still be made", default=None)


@contextmanager
def at_most(weights: int) -> Iterator[None]:
    """Let no more than so many weights be made within, in all layers together."""
    token = _left.set([weights])
    try:
        yield
    finally:
        _left.reset(token)


def ask(weights: int) -> bool:
    """Return whether so many weights may be made, and count them."""
    left = _left.get()
    if left is None:
        return True
    left[0] -= weights
    return left[0] >= 0
