"""Names of layers, no two the same in one network."""

from __future__ import annotations

from .reading import Row


class Names:
    """The names that are taken in a network.

    Example:
        >>> names = Names()
        >>> names.of([("a", {})]), names.of([("a_turned", {}), ("a_turned", {})])
        ([('a', {})], [('a_turned', {}), ('a_turned_1', {})])
    """

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def of(self, row: Row) -> Row:
        """Return a row of layers, of which those whose name is taken get another one."""
        found = []
        for name, data in row:
            number, free = 0, name
            while free in self.taken:
                number += 1
                free = f"{name}_{number}"
            self.taken.add(free)
            found.append((free, data))
        return found
