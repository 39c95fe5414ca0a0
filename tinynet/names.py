"""What to say when a name is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """Return an error message that lists the names there are, and the likeliest of them.

    Args:
        kind: what the name names, in the singular.
        name: the unknown name.
        known: the names there are.

    Returns:
        The message.

    Example:
        >>> unknown("fruit", "aple", ["apple", "plum"])
        "Unknown fruit 'aple'. Did you mean 'apple'? The names are apple, plum."
    """
    names = list(known)
    closest = difflib.get_close_matches(str(name), names, n=1)
    hint = f" Did you mean {closest[0]!r}?" if closest else ""
    return f"Unknown {kind} {name!r}.{hint} The names are {', '.join(names)}."
