"""Sums of vectors in pairs, then in pairs of pairs: in an order that does not depend on who adds what.

The vectors are numbered from 0. A *node* (first, size) stands for the sum of those from `first` on; its
size is a power of two, of which first is a multiple, and what lies beyond the last vector is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Node = tuple[int, int]
Vector = TypeVar("Vector")


def top(count: int) -> Node:
    """Return the node of all vectors.

    Example:
        >>> top(5)
        (0, 8)
    """
    return 0, 1 << max(count - 1, 0).bit_length()


def nodes_of(part: range, count: int) -> list[Node]:
    """Return the fewest nodes that stand for some consecutive ones of so many vectors.

    Example:
        >>> nodes_of(range(3), 8), nodes_of(range(3, 8), 8)
        ([(0, 2), (2, 1)], [(3, 1), (4, 4)])
    """
    found: list[Node] = []
    first = part.start
    while first < part.stop:
        size = top(count)[1]
        while first % size or min(first + size, count) > part.stop:
            size //= 2
        found.append((first, size))
        first += size
    return found


def fold(
    node: Node, count: int, known: Callable[[Node], Vector | None], add: Callable[[Vector, Vector], Vector]
) -> Vector:
    """Return the sum that a node stands for.

    Args:
        node: which sum.
        count: how many vectors there are.
        known: returns the sums that are known, at least the vectors themselves or what they went into.
        add: returns the sum of two.

    Example:
        >>> fold(top(3), 3, lambda node: str(node[0]) if node[1] == 1 else None, lambda a, b: f"({a}+{b})")
        '((0+1)+2)'
    """
    found = known(node)
    if found is not None:
        return found
    first, half = node[0], node[1] // 2
    left = fold((first, half), count, known, add)
    if first + half >= count:
        return left
    return add(left, fold((first + half, half), count, known, add))
