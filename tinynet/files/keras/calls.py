"""What the layers of a graph are called with, as all versions of Keras write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .values import mapping, plain, sequence, short, whole

CONSTANT = "_CONSTANT_VALUE"


class Reference(NamedTuple):
    """What a call of a layer gives: the layer's name, the number of the call, and of the value."""

    name: str
    call: int
    value: int


@dataclass
class Call:
    """What a layer is called with.

    Args:
        arguments: in order: references, and numbers and the like.
        keywords: by name.
    """

    arguments: list[Any]
    keywords: dict[str, Any]

    @property
    def inputs(self) -> list[Reference]:
        """The references among all arguments, in order."""
        return flat([*self.arguments, *self.keywords.values()])


def flat(value: Any) -> list[Reference]:
    """Return the references in lists of lists, in order."""
    if isinstance(value, Reference):
        return [value]
    if isinstance(value, Mapping):
        value = [*value.values()]
    return [one for part in value for one in flat(part)] if isinstance(value, list) else []


def is_reference(value: Any) -> bool:
    """Return whether a value is a reference of Keras 1 or 2: a name, two numbers, and maybe keywords."""
    return (
        isinstance(value, list)
        and 3 <= len(value) <= 4
        and isinstance(value[0], str)
        and all(isinstance(one, int) and not isinstance(one, bool) for one in value[1:3])
    )


def references(value: Any) -> list[Reference]:
    """Return references in any of Keras's spellings: one, a list, a list of lists, a dictionary.

    Example:
        >>> references(["a", 0, 0]) == references([["a", 0, 0]]) == references({"x": ["a", 0, 0]})
        True
    """
    return flat(_found(plain(value)))


def _found(value: Any) -> Any:
    """Return a value with `Reference` in the places of references."""
    if is_reference(value):
        return Reference(value[0], whole(value[1]), whole(value[2]))
    if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
        history = sequence(
            mapping(value.get("config"), "a symbol").get("keras_history"), "a symbol's history"
        )
        if not is_reference(history):
            raise ValueError(f"expected a layer's name, and two numbers; got {short(history)}")
        return _found(history[:3])
    if isinstance(value, Mapping):
        return {key: _found(one) for key, one in value.items()}
    return [_found(one) for one in value] if isinstance(value, list) else value


def read_calls(nodes: Any) -> list[Call]:
    """Return what a layer is called with.

    Args:
        nodes: its inbound_nodes, of Keras 1, 2 or 3; None for none.

    Example:
        >>> read_calls([[["a", 0, 0, {}]]])[0].inputs == read_calls([["a", 0, 0, {}]])[0].inputs
        True
    """
    return [_read_call(plain(node)) for node in sequence(nodes or [], "inbound_nodes")]


def _read_call(node: Any) -> Call:
    if isinstance(node, Mapping) and "args" in node:
        keywords = mapping(node.get("kwargs") or {}, "keywords")
        return Call(
            _found(sequence(node["args"], "arguments")), {key: _found(keywords[key]) for key in keywords}
        )
    if isinstance(node, Mapping):
        raise ValueError("a layer is called with a dictionary, which tinynet's do not take")
    node = sequence(node, "what a layer is called with")
    if is_reference(node) or node[:1] == [CONSTANT]:
        found, keywords = _read_one(node)
        return Call([found], keywords)
    every = [_read_one(one) for one in node]
    return Call(
        [[one for one, _ in every]], {key: value for _, words in every for key, value in words.items()}
    )


def _read_one(node: Any) -> tuple[Any, dict[str, Any]]:
    """Return a reference or a number of Keras 2's, and the keywords that are written beside it."""
    node = sequence(node, "what a layer is called with")
    if not is_reference(node) and node[:1] != [CONSTANT]:
        return _found(node), {}
    keywords = node[3] if len(node) > 3 else {}
    words = {key: _found(value) for key, value in mapping(keywords or {}, "keywords").items()}
    return (node[2] if node[0] == CONSTANT else _found(node[:3])), words
