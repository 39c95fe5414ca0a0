"""Where the state dict lies in what a PyTorch file holds: alone, in a checkpoint, or spread over modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from numpy.typing import NDArray

from .opcodes import Made, Name
from .pytorch_tensors import PARAMETER, TENSORS, Storages, is_tensor, tensor_of, text_of

Array = NDArray[Any]

# What pickles call to make plain data, beside tensors; nothing here does it.
PLAIN = {
    *(Name(module, name) for module in ("builtins", "__builtin__") for name in ("set", "frozenset", "slice")),
    *(Name(f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
    *(Name(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    Name("numpy", "dtype"), Name("_codecs", "encode"), Name("argparse", "Namespace"),
    Name("collections", "defaultdict"), Name("collections", "Counter"), Name("torch", "Size"),
    Name("torch", "device"), Name("torch.jit._pickle", "build_intlist"),
}  # fmt: skip
USUAL = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights")
WRAPPERS = ("module.", "_orig_mod.")  # what nn.DataParallel and torch.compile put before each name
MOST_MODULES, LONGEST_PATH = 10_000, 1000
SAVE = "torch.save(net.state_dict(), path)"


def check_known(made: Iterable[Made]) -> None:
    """Raise if a pickle calls anything that is no tensor, plain data, or module with parameters.

    Raises:
        ValueError: it does; the message has the name.
    """
    for note in made:
        known = note.function in TENSORS or note.function == PARAMETER or note.function in PLAIN
        if not known and not is_module(note):
            raise ValueError(
                f"it asks for {str(note.function)[:200]!r} to be called, which is no part of a state dict, "
                f"and was not done: if you trust the file, write its state dict alone with PyTorch, by {SAVE}"
            )


def is_module(value: Any) -> bool:
    """Return whether a note is that of an nn.Module, or of one that TorchScript wrote."""
    if not isinstance(value, Made) or not isinstance(value.state, dict):
        return False
    return "_modules" in value.state or value.function.module.split(".")[0] == "__torch__"


def is_state(value: Any) -> bool:
    """Return whether this is a state dict: names with tensors, and no dicts."""
    return (
        isinstance(value, dict)
        and any(map(is_tensor, value.values()))
        and all(is_tensor(one) or one is None or isinstance(one, int | float) for one in value.values())
    )


def state_of(content: Any, storages: Storages) -> dict[str, Array]:
    """Return the arrays of the state dict in what a file holds.

    Raises:
        ValueError: there is none, or there are several.
    """
    place = content
    for _ in range(3):  # a checkpoint may have it one or two dicts further down
        if is_state(place) or is_module(place):
            break
        place = inner(place)
    named = named_tensors(place) if is_module(place) else place.items()
    tensors = {text_of(name): value for name, value in named if is_tensor(value)}
    for wrapper in WRAPPERS * 2:
        if all(name.startswith(wrapper) for name in tensors):
            tensors = {name.removeprefix(wrapper): value for name, value in tensors.items()}
    return {name: tensor_of(name, value, storages) for name, value in tensors.items()}


def inner(checkpoint: Any) -> Any:
    """Return that part of a checkpoint which holds the state dict."""
    if not isinstance(checkpoint, dict):
        raise ValueError(f"it holds no state dict, such as {SAVE} writes")
    found = {key: value for key, value in checkpoint.items() if is_state(value) or is_module(value)}
    if not found:
        found = {key: value for key, value in checkpoint.items() if key in USUAL and isinstance(value, dict)}
    usual = [key for key in found if key in USUAL]
    if len(found) > 1 and len(usual) == 1:
        found = {usual[0]: found[usual[0]]}
    if len(found) > 1:
        names = ", ".join(repr(key) for key in [*found][:10])
        raise ValueError(f"it holds several networks, {names}: write one alone, by {SAVE}")
    if not found:
        names = ", ".join(repr(key)[:50] for key in [*checkpoint][:10])
        raise ValueError(f"it holds no state dict, such as {SAVE} writes, but a dict of {names or 'nothing'}")
    return next(iter(found.values()))


def named_tensors(module: Made) -> Iterator[tuple[str, Any]]:
    """Yield the parameters and buffers of a module and of those inside, as its state dict has them."""
    waiting, seen = [("", module)], 0
    while waiting:
        prefix, one = waiting.pop()
        seen += 1
        if seen > MOST_MODULES or len(prefix) > LONGEST_PATH:
            raise ValueError("its modules are too many, or lie too deep in each other")
        if not is_module(one):
            continue
        tensors, inside = parts(one.state)
        yield from ((f"{prefix}{text_of(name)}", value) for name, value in tensors)
        waiting += [(f"{prefix}{text_of(name)}.", value) for name, value in inside[::-1]]


def parts(state: dict[Any, Any]) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]]]:
    """Return the tensors and the modules in a module's attributes."""
    if "_modules" not in state:  # TorchScript's
        return [(k, v) for k, v in state.items() if is_tensor(v)], [
            (k, v) for k, v in state.items() if is_module(v)
        ]
    groups = [state.get(name) for name in ("_parameters", "_buffers", "_modules")]
    if not all(isinstance(group, dict | None) for group in groups):
        raise ValueError("its modules are damaged")
    parameters, buffers, modules = ([*(group or {}).items()] for group in groups)
    match state.get("_non_persistent_buffers_set"):  # a set is a list here, or, in older pickles, made of one
        case list(passing) | Made(_, (list(passing),)):
            buffers = [one for one in buffers if one[0] not in passing]
    return [*parameters, *buffers], modules
