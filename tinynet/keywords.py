"""Keras's keywords: former ones are translated, those without an effect here taken, all others refused.

What the words are is in words.py.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import sys
import warnings
from abc import ABCMeta
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .words import (
    ANY,
    FORMER,
    FORMER_METRICS,
    FORMER_VALUES,
    METHODS,
    NONE_IS_DEFAULT,
    TAKEN,
    TAKEN_BY_METHODS,
)

Function = TypeVar("Function", bound=Callable[..., Any])


def warn(message: str, category: type[Warning] = DeprecationWarning) -> None:
    """Warn, as if by the line of the program that called tinynet."""
    package, level = str(Path(__file__).parent), 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith((package, "<string>")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def metric_of_today(name: str, known: Collection[str]) -> str | None:
    """Return what the history calls a metric that has a former name, with a warning; None if it has no such.

    Args:
        name: such as "val_acc".
        known: the names in the history.
    """
    before, _, metric = name.rpartition("val_")
    today = f"{'val_' if name != metric else ''}{FORMER_METRICS.get(metric, metric)}"
    if before or today == name or today not in known:
        return None
    warn(f"{name!r} is called {today!r} today, as model.compile was given it.")
    return today


def unknown_argument(owner: str, keyword: str, names: Sequence[str]) -> str:
    """Return an error message for an argument that there is not, with the likeliest one that there is."""
    likely = FORMER.get(keyword, keyword)
    closest = difflib.get_close_matches(likely, names, n=1)
    hint = f" Did you mean {closest[0]}=?" if closest else ""
    return f"{owner} has no argument {keyword!r}.{hint} Its arguments are {', '.join(names) or 'none'}."


def settled(
    owner: str,
    names: Collection[str],
    keywords: Mapping[str, Any],
    taken: Mapping[str, tuple[Any, str]] = TAKEN,
    extra: Collection[str] = (),
) -> dict[str, Any]:
    """Return keywords as an owner takes them, or raise.

    Args:
        owner: the class or function, for messages.
        names: the arguments that it has.
        keywords: what it was given.
        taken: arguments of Keras's that have no effect: `TAKEN`, or `TAKEN_BY_METHODS`.
        extra: further arguments, which the caller deals with.

    Returns:
        The keywords under today's names, without those that have no effect.

    Raises:
        TypeError: an argument is unknown, given twice, or not there.

    Example:
        >>> settled("Dense", ["units", "use_bias"], {"units": 3, "kernel_constraint": None})
        {'units': 3}
    """
    if "nb_row" in keywords and "nb_row" not in names and "kernel_size" in names:
        warn(f"{owner}: nb_row= and nb_col= are called kernel_size= today.")
        window = keywords["nb_row"], keywords.get("nb_col", keywords["nb_row"])
        keywords = {name: keywords[name] for name in keywords if name not in ("nb_row", "nb_col")}
        keywords["kernel_size"] = window
    found: dict[str, Any] = {}
    for given, value in keywords.items():
        known = given in names or given in extra
        name = given if known else FORMER.get(given, given)
        if name != given and (name in names or name in taken):
            if name in keywords:
                raise TypeError(
                    f"{owner} was given {name}= and {given}=, its former name: give {name}= alone."
                )
            warn(f"{owner}: {given}= is called {name}= today.")
            value = FORMER_VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value
        else:
            name = given
        if value is None and name in NONE_IS_DEFAULT:
            continue
        if name in names or name in extra:
            found[name] = value
        elif name in taken:
            check_taken(owner, name, value, *taken[name])
        else:
            raise TypeError(unknown_argument(owner, given, [*names]))
    return found


def check_taken(owner: str, name: str, value: Any, allowed: Any, reason: str) -> None:
    """Raise if an argument of Keras's that is not there has another value than those without effect."""
    if allowed is ANY:
        if reason:
            warn(f"{owner}: {name}= has no effect: {reason}.")
    elif not any(type(value) is type(one) and value == one for one in allowed):
        usual = " or ".join(repr(one) for one in allowed if not isinstance(one, list))
        raise TypeError(f"{owner}: {name}={value!r} is not there, only {usual}, because {reason}.")


def as_python(value: Any) -> Any:
    """Return a NumPy integer as Python's, also in a tuple or list: np.int8(100) × 3 would be 44."""
    if isinstance(value, np.integer):
        return int(value)
    if type(value) in (tuple, list) and any(isinstance(item, np.integer) for item in value):
        return type(value)(map(as_python, value))
    return value


@functools.cache
def parameters_of(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """Return the names of a function's arguments, but `self`; None if it takes any keyword."""
    if function is object.__init__:
        return ()
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(one.name for one in parameters if one.kind in kinds and one.name != "self")


def spoken(function: Function) -> Function:
    """Let a function or method take Keras's keywords, former ones too."""
    names = parameters_of(function)
    if names is None:
        return function
    known = frozenset(names)

    @functools.wraps(function)
    def taking(*arguments: Any, **keywords: Any) -> Any:
        if known.issuperset(keywords):
            return function(*arguments, **keywords)
        taken = TAKEN_BY_METHODS if is_method else TAKEN | TAKEN_BY_METHODS
        found = settled(function.__name__, names, keywords, taken)
        if is_method:  # a class of one's own may define the method anew
            return getattr(arguments[0], function.__name__)(*arguments[1:], **found)
        return function(*arguments, **found)

    is_method = next(iter(inspect.signature(function).parameters), "") == "self"
    return taking  # type: ignore[return-value]


class Spoken(type):
    """The class of classes whose keywords are Keras's, and in tinynet those of their `METHODS`, too.

    Attributes:
        late: keywords that are no arguments of `__init__`, but are given to the method `take` afterwards.
    """

    late: Collection[str] = ()

    def __new__(cls, name: str, bases: tuple[type, ...], given: dict[str, Any], **options: Any) -> Any:
        """Make a class, whose methods are `spoken`."""
        if str(given.get("__module__")).startswith("tinynet."):
            given |= {one: spoken(given[one]) for one in METHODS if inspect.isfunction(given.get(one))}
        return super().__new__(cls, name, bases, given, **options)

    if not TYPE_CHECKING:  # type checkers and editors look at __init__

        def __call__(cls, *arguments, **keywords):
            """Make an object, of keywords that are settled first."""
            arguments = tuple(map(as_python, arguments))
            keywords = {name: as_python(value) for name, value in keywords.items()}
            names = parameters_of(cls.__init__) if keywords else None
            if names is None:
                return super().__call__(*arguments, **keywords)
            late = [name for name in cls.late if name not in names]
            found = settled(cls.__name__, names, keywords, extra=late)
            taken = {name: found.pop(name) for name in late if name in found}
            made = super().__call__(*arguments, **found)
            for name, value in taken.items():
                made.take(name, value)
            return made

        @property
        def __signature__(cls):
            """What `inspect.signature` shows: that of __init__."""
            if cls.__init__ is object.__init__:
                return inspect.Signature()
            signature = inspect.signature(cls.__init__)
            return signature.replace(parameters=[*signature.parameters.values()][1:])


class SpokenABC(Spoken, ABCMeta):
    """The same for abstract classes."""
