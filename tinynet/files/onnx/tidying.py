"""What makes the layers of an ONNX graph those that people write: biases and activations in their layers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from .network import Call, Network

KERNELS = ("Dense", "Conv1D", "Conv2D", "DepthwiseConv2D")
GATES = {"sigmoid": "silu", "hard_sigmoid": "hard_silu"}
PARTS = {"Erf": "the error function elsewhere than in gelu", "Log": "logarithms elsewhere than of softmax"}
HALF = 0.5**0.5  # gelu(x) = x * (1 + erf(x * HALF)) / 2
ROOT = (2 / math.pi) ** 0.5


def tidy(network: Network, outputs: Sequence[int]) -> list[int]:
    """Join calls of a network that belong together, and drop those that nobody needs.

    Args:
        network: is changed; its calls are numbered anew.
        outputs: the numbers of the values that the network gives.

    Returns:
        The new numbers of these values.

    Raises:
        ValueError: something is left that is no layer.
    """
    found = _Calls(network, outputs)
    for join in (
        found.gate, found.join_logarithm, found.join_rescaling, found.join_bias, found.join_activation
    ):  # fmt: skip
        for number in found.numbers():
            join(number)
        found.drop_unused()  # so that `uses` are those that are left
    for call in network.calls:
        if call.kind in PARTS:
            raise ValueError(f"The graph computes {PARTS[call.kind]}, which no layer here does.")
    return found.outputs


class _Calls:
    """A network's calls while they are joined: a value may be replaced by another one."""

    def __init__(self, network: Network, outputs: Sequence[int]) -> None:
        self.network, self.outputs = network, [*outputs]
        self.first = len(network.inputs)
        self.replaced: dict[int, int] = {}
        self.uses: Counter[int] = Counter()
        self.drop_unused()

    def numbers(self) -> range:
        """Return the numbers of what the calls give."""
        return range(self.first, self.first + len(self.network.calls))

    def drop_unused(self) -> None:
        """Leave out the calls that no output needs, and number the others anew."""
        calls = self.network.calls
        needed, waiting = set(), [*self.outputs]
        while waiting:
            number = self.final(waiting.pop())
            if number not in needed:
                needed.add(number)
                maker = self.network.maker_of(number)
                waiting += [] if maker is None else maker.inputs
        kept = [number for number in self.numbers() if number in needed]
        places = {number: number for number in range(self.first)}
        places |= {number: self.first + place for place, number in enumerate(kept)}
        for number in kept:
            call = calls[number - self.first]
            call.inputs = [places[self.final(one)] for one in call.inputs]
        self.outputs = [places[self.final(one)] for one in self.outputs]
        self.network.calls = [calls[number - self.first] for number in kept]
        self.replaced = {}
        self.uses = Counter(number for call in self.network.calls for number in call.inputs)
        self.uses.update(self.outputs)

    def final(self, number: int) -> int:
        """Return what stands for a value now."""
        while number in self.replaced:
            number = self.replaced[number]
        return number

    def call(self, number: int) -> Call | None:
        """Return the call that gives a value."""
        return self.network.maker_of(self.final(number))

    def replace(self, number: int, other: int) -> None:
        """Let a value that only one call takes, or what that call gives, be another one's."""
        self.replaced[number] = other
        self.uses[other] += self.uses[number] - 1

    def join_rescaling(self, number: int) -> None:
        """Let x * scale, and then + offset, be one layer, and leave out what changes nothing."""
        call = self.call(number)
        if call is None or call.kind != "Rescaling" or self.final(number) != number:
            return
        scale, offset = _numbers(call)
        if np.all(scale == 1) and np.all(offset == 0):
            self.replace(number, self.final(call.inputs[0]))
            return
        before = self.call(call.inputs[0])
        if before is None or before.kind != "Rescaling" or self.uses[self.final(call.inputs[0])] != 1:
            return
        first, shift = _numbers(before)
        if np.all(scale == 1) and np.all(shift == 0):
            call.config = _rescaling(first, offset)
        elif np.all(offset == 0) and np.all(shift == 0):
            call.config = _rescaling(first.astype(np.float64) * scale, shift)
        else:
            return
        call.inputs = [self.final(before.inputs[0])]

    def join_bias(self, number: int) -> None:
        """Let a sum with a number for each filter be the bias of the layer before."""
        call = self.call(number)
        if call is None or call.kind != "Rescaling":
            return
        before, (scale, offset) = self.call(call.inputs[0]), _numbers(call)
        if before is None or before.kind not in KERNELS or self.uses[self.final(call.inputs[0])] != 1:
            return
        if not np.all(scale == 1) or before.config["use_bias"] or "activation" in before.config:
            return
        if offset.ndim and offset.size not in (1, offset.shape[-1]):
            return
        filters = before.shape[-1]
        before.weights.append(np.broadcast_to(offset.reshape(-1), (filters,)))
        before.config["use_bias"] = True
        self.replace(number, self.final(call.inputs[0]))

    def join_activation(self, number: int) -> None:
        """Let an activation be that of the layer before, if nobody else takes what that gives."""
        call = self.call(number)
        name = None if call is None else activation_of(call)
        if call is None or name is None or self.final(number) != number:
            return
        before = self.call(call.inputs[0])
        if before is None or before.kind not in KERNELS or self.uses[self.final(call.inputs[0])] != 1:
            return
        if "activation" not in before.config:
            bias = before.config.pop("use_bias")
            before.config |= {"activation": name, "use_bias": bias}
            self.replace(number, self.final(call.inputs[0]))

    def join_logarithm(self, number: int) -> None:
        """Let log(softmax(x)) be one layer."""
        call = self.call(number)
        before = None if call is None else self.call(call.inputs[0])
        if call is not None and call.kind == "Log" and before is not None and before.kind == "Softmax":
            call.config, call.inputs = {**before.config, "class": "LogSoftmax"}, [*before.inputs]

    def gate(self, number: int) -> None:
        """Let x * sigmoid(x) be silu, x * tanh(softplus(x)) mish, and x * (1 + erf(x / √2)) / 2 gelu."""
        call = self.call(number)
        if call is None or call.kind != "Multiply" or len(call.inputs) != 2:
            return
        for plain, other in (call.inputs, call.inputs[::-1]):
            gate = self.call(other)
            name = None if gate is None else gate.config.get("activation")
            if gate is None:
                continue
            inner = self.call(gate.inputs[0])
            if name in GATES and gate.inputs[0] == plain:
                call.config, call.inputs = {"class": "Activation", "activation": GATES[name]}, [plain]
                return
            softplus = inner is not None and inner.config.get("activation") == "softplus"
            if name == "tanh" and softplus and inner is not None and inner.inputs[0] == plain:
                call.config, call.inputs = {"class": "Activation", "activation": "mish"}, [plain]
                return
            if self._gelu(call, plain, other):
                return

    def _gelu(self, call: Call, plain: int, other: int) -> bool:
        """Let a product be gelu, and what is left of its scale another layer; return whether it is."""
        outer, scale, offset = self._affine(other)
        error = self.call(outer)
        if error is None or scale != offset or scale == 0:
            return False
        if error.config.get("activation") == "tanh":
            return self._gelu_approximate(call, error, plain, other, scale)
        if error.kind != "Erf":
            return False
        source, inside, shift = self._affine(error.inputs[0])
        mine, factor, none = self._affine(plain)
        if source != mine or shift or none or factor == 0:
            return False
        if abs(inside / factor - HALF) < 1e-4:
            mine, factor = plain, 1.0
        elif abs(inside - HALF) > 1e-4:
            return False
        total = 2 * factor * scale
        gate = self.call(other)
        if gate is None or self.uses[self.final(other)] != 1:
            return False
        gate.config, gate.inputs = {"class": "Activation", "activation": "gelu"}, [mine]
        call.config, call.inputs = _rescaling(np.asarray(round(total, 6)), np.asarray(0.0)), [other]
        return True

    def _gelu_approximate(self, call: Call, tanh: Call, plain: int, other: int, scale: float) -> bool:
        """Let x * (1 + tanh(√(2/π) * (x + 0.044715 * x³))) / 2 be gelu's approximation, as `_gelu`."""
        inner, inside, shift = self._affine(tanh.inputs[0])
        mine, factor, none = self._affine(plain)
        both, gate = self.call(inner), self.call(other)
        if both is None or both.kind != "Add" or shift or none or abs(inside - ROOT) > 1e-4 or gate is None:
            return False
        for x, cubic in (both.inputs, both.inputs[::-1]):
            cube, coefficient, more = self._affine(cubic)
            product = self.call(cube)
            if product is None or product.kind != "Multiply" or more or abs(coefficient - 0.044715) > 1e-6:
                continue
            square = next((self.call(one) for one in product.inputs if one != x), None)
            cubed = square is not None and square.kind == "Multiply" and square.inputs == [x, x]
            if x == mine and x in product.inputs and cubed and self.uses[self.final(other)] == 1:
                gate.config, gate.inputs = {"class": "Activation", "activation": "gelu_approximate"}, [x]
                total = np.asarray(round(2 * factor * scale, 6))
                call.config, call.inputs = _rescaling(total, np.asarray(0.0)), [other]
                return True
        return False

    def _affine(self, number: int) -> tuple[int, float, float]:
        """Return (x, scale, offset) for a value that is x * scale + offset, by numbers."""
        scale, offset = 1.0, 0.0
        while True:
            call = self.call(number)
            if call is None or call.kind != "Rescaling":
                return number, scale, offset
            factor, shift = _numbers(call)
            if factor.ndim or shift.ndim:
                return number, scale, offset
            scale, offset = scale * float(factor), offset + scale * float(shift)
            number = call.inputs[0]


def activation_of(call: Call) -> Any:
    """Return what a layer's `activation` is called that does the same as this one, or None."""
    config = {name: value for name, value in call.config.items() if name != "class"}
    if call.kind == "Activation":
        return config["activation"]
    if call.kind in ("ReLU", "ELU", "Softmax", "LogSoftmax") and not config:
        return {"ReLU": "relu", "ELU": "elu", "Softmax": "softmax", "LogSoftmax": "log_softmax"}[call.kind]
    if call.kind == "ReLU" and config == {"max_value": 6.0}:
        return "relu6"
    return call.config if call.kind in ("ReLU", "LeakyReLU", "ELU") else None


def _numbers(call: Call) -> tuple[Any, Any]:
    """Return a Rescaling's scale and offset as arrays."""
    return np.asarray(call.config["scale"]), np.asarray(call.config.get("offset", 0.0))


def _rescaling(scale: Any, offset: Any) -> dict[str, Any]:
    """Return a Rescaling."""
    config = {"class": "Rescaling", "scale": scale}
    return config | {"offset": offset} if np.any(offset != 0) else config
