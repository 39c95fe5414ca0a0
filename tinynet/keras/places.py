"""How the modules of this folder hand on what the core has, and answer for what it has not."""

from __future__ import annotations

import difflib
import opcode
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, get_origin

from ..keywords import warn
from . import former
from .absent import MODULES, reason_of
from .names import NAMES

ROOT = __package__  # tinynet.keras


def hand_on(module: str, *cores: Any) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """Return what a module of this folder needs: `__all__`, `__getattr__` and `__dir__`.

    Args:
        module: its `__name__`.
        cores: where its names are had from, the first that has one; what they call otherwise than Keras, and
            what they have besides, is left out.
    """
    place = module.removeprefix(ROOT).lstrip(".")
    aliases, old = former.ALIASES.get(place, {}), former.NAMES.get(place, {})
    known = {name: core for core in reversed(cores) for name in dir(core) if is_handed_on(core, name)}
    found = {name: aliases.get(name, name) for name in NAMES[place].split()}
    found = {name: target if name not in known else name for name, target in found.items()}
    names = [name for name, target in found.items() if target in known]

    def get(name: str) -> Any:
        if name in names:
            return getattr(known[found[name]], found[name])
        if old.get(name) in names:
            warn(f"{module}.{name} is called {old[name]} today.")
            return get(old[name])
        return missing(module, name, names)

    return names, get, lambda: names


def is_handed_on(core: Any, name: str) -> bool:
    """Return whether a name is that of a class, a function or the like, not of a file or a type for hints."""
    value = vars(core).get(name)
    return not isinstance(value, ModuleType) and get_origin(value) is None


def missing(module: str, name: str, names: list[str]) -> Any:
    """Say that a module has no such name, and why; called by its `__getattr__`.

    A name of Keras's may be imported, as many scripts do with what they never use: then it raises when used.

    Args:
        module: its `__name__`.
        name: what was asked for.
        names: those that there are.

    Raises:
        AttributeError: always, where an attribute was asked for.
        ImportError: where a name that Keras has not is imported.
    """
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    ours = module.startswith(ROOT)
    place = module.removeprefix(ROOT).lstrip(".") if ours else module.replace("tinynet", "tf", 1)
    reason = reason_of(f"{place}.{name}".lstrip("."))
    is_keras = bool(reason) or name in NAMES.get(place, "").split()
    message = f"{module} has no {name}"
    if reason:
        message += f": {reason}."
    else:
        closest = difflib.get_close_matches(name, names, n=1)
        message += ", which Keras has." if is_keras else "."
        message += f" Did you mean {closest[0]}?" if closest else ""
        message += f" It has {', '.join(names)}." if names and len(names) < 50 else ""
    frame = sys._getframe(2)
    if opcode.opname[frame.f_code.co_code[frame.f_lasti]] != "IMPORT_FROM" or frame.f_lasti < 0:
        raise AttributeError(message)
    if not is_keras:
        raise ImportError(message, name=module)
    warn(f"{message} It was imported, and raises where it is used.", UserWarning)
    return AbsentKind(name, (Absent,), {"message": message, "__module__": module})


class AbsentKind(type):
    """The class of what is imported and not there."""

    message: str

    def __call__(cls, *_: object, **__: object) -> Any:
        """Raise: a function or a class is used."""
        raise NotImplementedError(cls.message)

    def __getattr__(cls, name: str) -> Any:
        """Raise: an attribute is used."""
        raise AttributeError(cls.message)


class Absent(metaclass=AbsentKind):
    """What a name of Keras's is that was imported, but that tinynet has not."""

    message = ""

    def __init_subclass__(cls, **_: object) -> None:
        """Raise: a class of one's own derives from it."""
        if Absent not in cls.__bases__:
            raise NotImplementedError(cls.message)


class AbsentModule(ModuleType):
    """A module of Keras's in which there is nothing here."""

    def __getattr__(self, name: str) -> Any:
        """Say so."""
        return missing(self.__name__, name, [])


def open_places() -> None:
    """Let all modules of Keras's be imported: those of old are today's, under their former names."""
    root = sys.modules[ROOT]
    places = {
        old: sys.modules[f"{ROOT}.{new}" if new else ROOT]
        for new, places in former.PLACES.items()
        for old in (*places, *([f"src.{new}"] if new else ["src"]))
    }
    places |= {name: AbsentModule(f"{ROOT}.{name}", reason_of(name)) for name in MODULES}
    for place, module in sorted(places.items()):
        sys.modules[f"{ROOT}.{place}"] = module
        above, _, name = place.rpartition(".")
        parent = sys.modules[f"{ROOT}.{above}"] if above else root
        if parent.__name__ == f"{ROOT}.{above}".rstrip(".") and name not in vars(parent):
            setattr(parent, name, module)
