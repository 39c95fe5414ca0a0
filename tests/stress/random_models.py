"""Models drawn at random, compared with references in NumPy while their arrays lie beside forbidden pages.

`python tests/stress/random_models.py 137` draws and compares the one of this seed.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import random
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from guard_pages import guarded
from random_layers import drawn_layer, same_shape

import tinynet
from tinynet import Model, Sequential, layers, optim
from tinynet.layers import workspace

# How much noise a reference is given, and how far off a result may be.
TOLERANCE = {"float32": (1e-6, 1e-4), "float64": (1e-15, 1e-9)}
RATE = 0.5  # of learning, from which gradients are found


def merged(inputs: list[Any], dy: Any, kind: type) -> tuple[Any, list[Any]]:
    """Return what a layer of two inputs gives, and its gradients."""
    a, b = inputs
    if kind is layers.Concatenate:
        return np.concatenate(inputs, -1), [dy[..., : a.shape[-1]], dy[..., a.shape[-1] :]]
    first = np.where(a >= b, 1, 0)
    return {
        layers.Add: lambda: (a + b, [dy, dy]),
        layers.Subtract: lambda: (a - b, [dy, -dy]),
        layers.Multiply: lambda: (a * b, [dy * b, dy * a]),
        layers.Average: lambda: ((a + b) / 2, [dy / 2, dy / 2]),
        layers.Maximum: lambda: (np.maximum(a, b), [dy * first, dy * (1 - first)]),
    }[kind]()


MERGES = [layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Concatenate]


class Call:
    """A layer that is called once: where its inputs are among the values, and its reference."""

    def __init__(self, layer: layers.Layer, reference: Callable[..., Any], places: list[int]) -> None:
        self.layer, self.reference, self.places = layer, reference, places

    def run(self, values: list[Any], dy: Any, training: bool = True) -> tuple[Any, list[Any], list[Any]]:
        """Return the output, and the gradients of the inputs and of the parameters."""
        inputs = [values[place] for place in self.places]
        if len(inputs) == 2:
            return *merged(inputs, dy, type(self.layer)), []
        if not training and isinstance(self.layer, layers.BatchNormalization):
            layer = self.layer
            normal = (inputs[0] - layer.moving_mean.value) / np.sqrt(
                layer.moving_variance.value + layer.epsilon
            )
            return normal * layer.gamma.value + layer.beta.value, [], []
        if not training and self.layer.varies:
            return inputs[0], [], []
        y, dx, gradients = self.reference(self.layer, inputs[0], dy)
        return y, [dx], gradients


def drawn_model(draw: random.Random, dtype: str) -> tuple[Any, list[Call]]:
    """Draw a model, and the calls of its layers, each of which takes values before it."""
    shape = tuple(draw.randint(1, 9) for _ in range(draw.choice([1, 2, 3, 3, 3])))
    numbers, calls = np.random.default_rng(draw.getrandbits(32)), []
    symbols = [layers.Input(shape, dtype=dtype)]

    def called(drawn: Any, places: list[int]) -> int:
        layer, reference = drawn
        inputs = [symbols[place] for place in places]
        symbols.append(layer(inputs[0] if len(inputs) == 1 else inputs))
        calls.append(Call(layer, reference, places))
        for parameter in layer.parameters:
            size = parameter.value.shape
            if parameter.name in ("bias", "gamma", "beta", "moving_mean", "alpha"):
                parameter.value[:] = numbers.normal(size=size)
            elif parameter.name == "moving_variance":
                parameter.value[:] = numbers.uniform(0.5, 2, size)
        return len(symbols) - 1

    place = 0
    for _ in range(draw.randint(1, 6)):
        if draw.random() < 0.2:
            count = draw.randint(1, 2)
            branches = [called(same_shape(draw, symbols[place].shape[1:]), [place]) for _ in range(count)]
            place = called((draw.choice(MERGES)(), None), [place, *branches][-2:])
        else:
            place = called(drawn_layer(draw, symbols[place].shape[1:]), [place])
    in_a_row = all(call.places == [number] for number, call in enumerate(calls))
    if in_a_row and draw.random() < 0.5:
        return Sequential([call.layer for call in calls], shape, dtype=dtype), calls
    return Model(symbols[0], symbols[-1]), calls


def forward(calls: list[Call], x: Any, training: bool, noise: Any) -> list[Any]:
    """Return all values that the reference computes, in float64."""
    values = [noise(x.astype(np.float64))]
    for call in calls:
        upstream = np.zeros((len(x), *call.layer.output_shape))
        values.append(noise(call.run(values, upstream, training)[0]))
    return values


def gradients_of(calls: list[Call], x: Any, target: Any, noise: Any) -> list[Any]:
    """Return the gradients of the mean squared error of all parameters, layer by layer."""
    values = forward(calls, x, True, noise)
    upstream: list[Any] = [0.0] * len(values)
    upstream[-1] = 2 * (values[-1] - target) / target.size
    found: list[list[Any]] = []
    for number in reversed(range(len(calls))):
        dy = np.broadcast_to(upstream[number + 1], values[number + 1].shape)
        _, down, gradients = calls[number].run(values, noise(dy))
        found.insert(0, gradients)
        for place, dx in zip(calls[number].places, down, strict=True):
            upstream[place] = upstream[place] + dx
    return [one for gradients in found for one in gradients]


def compare(
    what: str, results: list[Any], reference: Callable[..., list[Any]], dtype: str, size: float = 0.01
) -> None:
    """Compare with a reference; where that itself jumps or wavers with rounding, results may, too.

    Args:
        what: is compared.
        results: arrays.
        reference: returns what they should be, from a function that adds noise to what it computes with.
        dtype: of the results.
        size: of numbers whose differences may leave an error in results that are nearly zero.
    """
    noise, tolerance = TOLERANCE[dtype]
    with np.errstate(all="ignore"):
        for number, (result, expected) in enumerate(zip(results, reference(lambda a: a), strict=True)):
            if not np.isfinite(expected).all() or np.abs(expected).max(initial=0) > 1e6:
                return
            limit = tolerance * max(np.abs(expected).max(initial=0), size)
            if result.shape == expected.shape and np.abs(result - expected).max(initial=0) <= limit:
                continue
            chance, wavering = np.random.default_rng(0), np.full(np.shape(expected), limit)
            for _ in range(5):
                again = reference(lambda a, draw=chance: a * (1 + noise * draw.normal(size=a.shape)))[number]
                wavering = np.maximum(wavering, 10 * np.abs(again - expected).max(initial=0))
            error = np.abs(result - expected)
            assert (error <= wavering).all(), (
                f"{what} {number}: off by {error.max()} of {expected.reshape(-1)[:5]}"
            )


def check_layers(calls: list[Call], x: Any, draw: random.Random, dtype: str) -> None:
    """Compare each layer alone, whose parameters and gradients are arrays of their own."""
    with np.errstate(all="ignore"):
        values = [value.astype(dtype) for value in forward(calls, x, True, lambda a: a)]
    for number, call in enumerate(calls):
        if not np.isfinite(values[number + 1]).all():
            return
        inputs = [values[place] for place in call.places]
        dy = np.random.default_rng(draw.getrandbits(32)).normal(size=values[number + 1].shape).astype(dtype)
        y = call.layer.forward(inputs if len(inputs) == 2 else inputs[0], training=True)
        dx = call.layer.backward(dy)
        call.layer.step = 0
        gradients = [one.grad for one in call.layer.trainable_parameters()]
        results = [y, *(dx if len(inputs) == 2 else [dx]), *gradients]

        def reference(noise: Any, call: Call = call, dy: Any = dy) -> list[Any]:
            exact = [noise(value.astype(np.float64)) for value in values]
            y, down, found = call.run(exact, noise(dy.astype(np.float64)))
            return [y, *down, *found]

        compare(f"{call.layer}, alone", results, reference, dtype, size=1.0)


def check_model(model: Any, calls: list[Call], draw: random.Random, dtype: str) -> None:
    """Compare predictions, and what training steps change, each of them recorded and replayed."""
    shape, out = model.input_shape, model.output_shape
    model.compile(optim.SGD(RATE), "mse")
    parameters = [one for call in calls for one in call.layer.trainable_parameters()]
    sizes = [draw.choice([1, 2, 3, 5, 8, 9, 17, 33]) for _ in range(2)]
    for size in [sizes[0], *sizes, sizes[0]]:
        numbers = np.random.default_rng(draw.getrandbits(32))
        x, target = (numbers.normal(size=(size, *one)).astype(dtype) for one in (shape, out))
        predicted = [model.predict(x)]
        compare("prediction", predicted, lambda noise, x=x: forward(calls, x, False, noise)[-1:], dtype)
        before = [one.value.copy() for one in parameters]
        for call in calls:
            call.layer.step = model.steps_trained
        kept = model.get_weights()
        model.train_on_batch(x, target)
        after = [one.value.copy() for one in parameters]
        changes = [(a - b).astype(np.float64) / RATE for a, b in zip(before, after, strict=True)]
        model.set_weights(kept)
        for call in calls:
            call.layer.step = model.steps_trained - 1
        compare("gradient", changes, lambda noise, x=x, t=target: gradients_of(calls, x, t, noise), dtype)


def check(seed: int) -> None:
    """Draw a model, and compare it with its reference."""
    workspace.BLOCK_BYTES = 0  # so that each array of a training step has its own forbidden pages
    draw = random.Random(seed)
    dtype = draw.choice(["float32", "float64"])
    tinynet.set_num_threads(draw.randint(1, 3))
    with guarded(at_the_end=draw.random() < 0.6), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, calls = drawn_model(draw, dtype)
        size = draw.choice([1, 2, 3, 5, 8])
        x = np.random.default_rng(seed).normal(size=(size, *model.input_shape)).astype(dtype)
        check_layers(calls, x, draw, dtype)
        check_model(model, calls, draw, dtype)


if __name__ == "__main__":
    faulthandler.enable()
    first, count = int(sys.argv[1]), int((*sys.argv, 1)[2])
    status = 1
    try:
        for number in range(first, first + count):
            print(f"seed {number}", flush=True)
            check(number)
            gc.collect()
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)  # while what frees the arrays is there
