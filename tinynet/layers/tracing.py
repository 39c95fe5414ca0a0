"""From symbols to the layers that lead from some to others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .base import Layer
from .symbols import InputLayer, SymbolicCall, SymbolicTensor
from .wiring import Join, Wiring


class Traced(NamedTuple):
    """What leads from some symbols to others.

    Args:
        wiring: the layers, in the order that Keras has: those that are farthest from the outputs first; and
            how they call each other.
        input_layers: those that give the inputs.
        values: the symbols, in the order of their numbers; the inputs first.
    """

    wiring: Wiring
    input_layers: list[InputLayer]
    values: list[SymbolicTensor]


def symbols_of(what: str, given: Any) -> list[SymbolicTensor]:
    """Return one symbol or several as a list, or raise if something is none."""
    symbols = [*given] if isinstance(given, list | tuple) else [given]
    for symbol in symbols:
        if not isinstance(symbol, SymbolicTensor):
            raise TypeError(
                f"Model: {what} must be symbols, as tinynet.Input and layers called with them return; got "
                f"{symbol!r}."
            )
    if not symbols or (what == "inputs" and len({id(symbol) for symbol in symbols}) < len(symbols)):
        raise ValueError(f"Model: {what} must be one or more symbols, each of them once; got {given!r}.")
    return symbols


def trace(inputs: Sequence[SymbolicTensor], outputs: Sequence[SymbolicTensor]) -> Traced:
    """Return the layers between symbols, and how they call each other.

    Args:
        inputs: what is given. A symbol in the midst of a graph is taken for an input of its own.
        outputs: what is asked for.

    Raises:
        ValueError: the outputs depend on an input that is not given.
    """
    begins = {id(symbol): _input_call(symbol) for symbol in inputs}
    order, found = _visit(begins, outputs)
    for call in begins.values():
        if call not in order:
            order.insert(0, call)
            found[id(call.layer)] = -1
    layers = _by_depth(order, found, begins)
    places = {id(layer): place for place, layer in enumerate(layers)}
    values, joins = [*inputs], []
    numbers = {id(symbol): number for number, symbol in enumerate(values)}
    for call in order:
        if call not in begins.values():
            joins.append(Join(places[id(call.layer)], tuple(numbers[id(symbol)] for symbol in call.inputs)))
            numbers |= {id(symbol): len(values) + k for k, symbol in enumerate(call.outputs)}
            values += call.outputs
    wiring = Wiring(layers, joins, [numbers[id(symbol)] for symbol in outputs])
    return Traced(wiring, [begins[id(symbol)].layer for symbol in inputs], values)  # type: ignore[misc]


def _input_call(symbol: SymbolicTensor) -> SymbolicCall:
    """Return the call of the input layer that gives a symbol: its own, or a new one for any other symbol."""
    if isinstance(symbol.call.layer, InputLayer):
        return symbol.call
    layer = InputLayer(symbol.sample_shape)
    layer.build_sample(symbol.sizes[0], dtype=symbol.dtype)
    return SymbolicCall(layer, ())


def _visit(
    begins: dict[int, SymbolicCall], outputs: Sequence[SymbolicTensor]
) -> tuple[list[SymbolicCall], dict[int, int]]:
    """Return the calls that lead to the outputs, each after those it needs, and when each layer was found."""
    order: list[SymbolicCall] = []
    found: dict[int, int] = {}
    seen: set[int] = set()
    to_do = [(symbol, False) for symbol in reversed(outputs)]
    while to_do:  # without recursion, which deep networks would exhaust
        symbol, complete = to_do.pop()
        call = begins.get(id(symbol), symbol.call)
        if complete:
            order.append(call)
        elif id(call) not in seen:
            seen.add(id(call))
            found.setdefault(id(call.layer), len(found))
            to_do.append((symbol, True))
            if id(symbol) not in begins:
                if not call.inputs:
                    raise ValueError(
                        f"Model: the outputs depend on {symbol!r}, which is not among the inputs: add it; "
                        "or, if it is another model's Input, call that model with yours, model(inputs)."
                    )
                to_do += [(one, False) for one in reversed(call.inputs)]
    return order, found


def _by_depth(
    order: Sequence[SymbolicCall], found: dict[int, int], begins: dict[int, SymbolicCall]
) -> list[Layer]:
    """Return the layers of the calls, those with the longest way to an output first, each once."""
    depths: dict[int, int] = {}  # of calls and of layers, by their ids
    layers = {id(call.layer): call.layer for call in order}
    for call in reversed(order):
        depth = max(depths.get(id(call), 0), depths.get(id(call.layer), 0))
        depths[id(call)] = depths[id(call.layer)] = depth
        for symbol in call.inputs:
            before = begins.get(id(symbol), symbol.call)
            depths[id(before)] = max(depths.get(id(before), 0), depth + 1)
    return sorted(layers.values(), key=lambda layer: (-depths[id(layer)], found[id(layer)]))
