"""What to say of names: that one is not known, or the first few of many."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

MOST_LISTED = 5


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


def listed(names: Sequence[str], between: str = ", ") -> str:
    """Return names, or sentences, as text for an error message: the first few of many.

    Args:
        names: all of them.
        between: what stands between two; default a comma.

    Example:
        >>> listed(["a", "b"]), listed([*"abcdefg"], "; ")
        ('a, b', 'a; b; c; d; e and 2 more')
    """
    rest = len(names) - MOST_LISTED
    return between.join(names[:MOST_LISTED]) + (f" and {rest} more" if rest > 0 else "")
