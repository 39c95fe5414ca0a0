"""What a model's classes are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def checked_names(owner: str, names: Any, shape: Any = None) -> tuple[str, ...]:
    """Return the names of classes as texts, or raise.

    Args:
        owner: what they were given as, for the error.
        names: a list of texts, all different, in the order of the model's outputs; whole numbers, such as
            `range(10)`, stand for their texts. A model of one output, which says yes or no, has two: first
            what its 0 means.
        shape: of a sample of the model's output; None where that is not known.

    Raises:
        TypeError: it is no list of texts.
        ValueError: two are equal, or there are not as many as the model has classes.

    Example:
        >>> checked_names("labels", range(3), (3,))
        ('0', '1', '2')
    """
    if not isinstance(names, Sequence) or isinstance(names, str | bytes):
        raise TypeError(
            f"{owner}: expected a list of texts, one for each of the model's outputs in their order; got "
            f"{names!r}."
        )
    for name in names:
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise TypeError(f"{owner}: expected texts (or whole numbers); got {name!r} among them.")
    texts = tuple(map(str, names))
    twice = next((text for place, text in enumerate(texts) if text in texts[:place]), None)
    if twice is not None:
        raise ValueError(f"{owner}: {twice!r} is there twice; classes need different names.")
    count = classes_in(shape)
    if count is not None and len(texts) != count:
        outputs = "one output, which says yes or no," if count == 2 and 2 not in shape else f"{count} outputs"
        raise ValueError(
            f"{owner}: the model has {outputs} and needs {count} names; got {len(texts)}: "
            f"{', '.join(texts[:5])}{', ...' if len(texts) > 5 else ''}."
        )
    return texts


def classes_in(shape: Any) -> int | None:
    """Return how many classes an output of a shape tells apart; None where it is no row of numbers.

    Args:
        shape: of a sample of a model's output: (classes,), with further axes of 1 or not; one number alone
            tells two classes apart.
    """
    if not isinstance(shape, tuple) or not all(isinstance(size, int) for size in shape):
        return None
    sizes = [size for size in shape if size != 1]
    if len(sizes) > 1:
        return None
    return sizes[0] if sizes else 2
