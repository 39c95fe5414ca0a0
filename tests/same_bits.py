"""Trains small models and prints a hash of all their weights and predictions: the same one on every CPU.

python tests/same_bits.py
"""

from __future__ import annotations

import hashlib
import itertools
import sys
from collections.abc import Callable, Iterator

import numpy as np
from layer_cases import CASES, Case, case_name

from tinynet import Sequential, layers, optim

SMOOTH = (
    "elu",
    "exponential",
    "gelu",
    "mish",
    "selu",
    "silu",
    "softplus",
    "softsign",
    "hard_sigmoid",
    "log_softmax",
)
LOSSES = {  # and what their predictions and targets are
    "binary_crossentropy": "sigmoid",
    "categorical_crossentropy": "softmax",
    "cosine_similarity": "linear",
    "huber": "linear",
    "kl_divergence": "softmax",
    "log_cosh": "linear",
    "mean_squared_logarithmic_error": "relu",
    "poisson": "softplus",
    "squared_hinge": "tanh",
}
OPTIMIZERS: dict[str, Callable[[], optim.Optimizer]] = {
    "adadelta": lambda: optim.Adadelta(1.0),
    "adagrad": lambda: optim.Adagrad(0.1),
    "adamax": lambda: optim.Adamax(0.01),
    "adamw": lambda: optim.AdamW(optim.ExponentialDecay(0.01, 7, 0.9), 0.01, amsgrad=True),
    "nadam": lambda: optim.Nadam(optim.CosineDecay(0.01, 100)),
    "rmsprop": lambda: optim.RMSprop(0.01, centered=True),
    "sgd": lambda: optim.SGD(optim.PolynomialDecay(0.1, 50, 0.01, power=0.7), 0.9, nesterov=True),
}


def numbers(*shape: int) -> np.ndarray:
    """Return numbers between 0 and 1, of integers alone."""
    count = int(np.prod(shape))
    return (np.arange(count, dtype=np.int64) * 7919 % 1009 / 1009).reshape(shape)


def bits_of(model: Sequential, x: np.ndarray) -> list[bytes]:
    """Return the bits of a model's weights and predictions."""
    return [array.tobytes() for array in (*model.get_weights(), model.predict(x, verbose=0))]


def convolutional(dtype: type) -> list[bytes]:
    """Train a small convolutional network with the usual layers."""
    x, y = numbers(72, 12, 12, 2).astype(dtype), np.eye(5)[np.arange(72) * 3 % 5]
    model = Sequential(
        [
            layers.RandomRotation(0.1),
            layers.Conv2D(6, 3, activation="tanh"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(0.2),
            layers.SeparableConv2D(7, 3, padding="same", activation="sigmoid"),
            layers.LayerNormalization(),
            layers.AveragePooling2D(),
            layers.Flatten(),
            layers.Dense(9, activation="relu", kernel_initializer="he_normal"),
            layers.Dense(5, activation="softmax"),
        ],
        (12, 12, 2),
        seed=0,
        dtype=dtype,
    )
    model.compile(optim.Adam(0.01), "categorical_crossentropy")
    model.fit(x, y, batch_size=24, epochs=3, verbose=0)
    return bits_of(model, x)


def winograd(dtype: type) -> list[bytes]:
    """Train a small network whose convolutions multiply less, pooled and not, on images of an odd size."""
    x, y = numbers(24, 15, 13, 3).astype(dtype), np.arange(24) * 3 % 5
    model = Sequential(
        [
            layers.Conv2D(17, 3, padding="same", activation="relu"),
            layers.Conv2D(19, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, padding="same", activation="tanh"),
            layers.Conv2D(9, 3, activation="relu", method="winograd"),
            layers.Flatten(),
            layers.Dense(5, activation="softmax"),
        ],
        (15, 13, 3),
        seed=0,
        dtype=dtype,
    )
    uses = [one.uses_winograd for one in model.layers if isinstance(one, layers.Conv2D)]
    assert uses == [False, True, True, True]
    model.compile(optim.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    return [*bits_of(model, x), model.predict(x[:1], verbose=0).tobytes()]


def normalized(dtype: type) -> list[bytes]:
    """Train convolutions that normalization is a part of: a first layer, and others, some with pooling."""
    x, y = numbers(72, 12, 12, 2).astype(dtype), np.eye(5)[np.arange(72) * 3 % 5]
    model = Sequential([layers.Input((12, 12, 2))], seed=0, dtype=dtype)
    for filters, size, pools in ((19, 3, True), (17, 3, True), (6, 2, False), (5, 2, True)):
        model.add(layers.Conv2D(filters, size, padding="same"))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
        if pools:
            model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(5, activation="softmax"))
    model.compile(optim.Adam(0.01), "categorical_crossentropy")
    model.fit(x, y, batch_size=24, epochs=3, verbose=0)
    return bits_of(model, x)


def smooth(activation: str, loss: str, optimizer: str, dtype: type) -> list[bytes]:
    """Train a small network with an activation, a loss and an optimizer."""
    model = Sequential(
        [layers.Dense(6, activation=activation), layers.Dense(4, activation=LOSSES[loss])],
        (5,),
        seed=1,
        dtype=dtype,
    )
    x, y = numbers(40, 5).astype(dtype), numbers(40, 4)
    model.compile(OPTIMIZERS[optimizer](), loss)
    model.fit(x, y / y.sum(axis=1, keepdims=True), batch_size=16, epochs=4, verbose=0)
    return bits_of(model, x)


def layer(case: Case, dtype: type) -> list[bytes]:
    """Train a layer for a step: its output and the gradients."""
    made = case.make()
    shape = made.build(case.shape, seed=0, dtype=dtype)
    x, dy = numbers(case.samples, *case.shape) - 0.5, numbers(case.samples, *shape) - 0.3
    y = made.forward(x.astype(dtype), training=True)
    dx = made.backward(dy.astype(dtype))
    return [array.tobytes() for array in (y, dx, *(one.grad for one in made.parameters if one.trainable))]


def merging(kind: type, dtype: type) -> list[bytes]:
    """Merge two arrays, of which one is broadcast, and go back."""
    merge = kind()
    merge.build([(5, 67), (1, 1)], seed=0, dtype=dtype)
    parts = [numbers(3, 5, 67).astype(dtype), numbers(3, 1, 1).astype(dtype)]
    y = merge.forward(parts, training=True)
    return [array.tobytes() for array in (y, *merge.backward((numbers(3, 5, 67) - 0.3).astype(dtype)))]


def of_layers(dtype: type) -> Iterator[tuple[str, list[bytes]]]:
    """Yield the bits of every layer of the table of cases, and of those with several inputs."""
    for case in CASES:
        yield f"layer {case_name(case)}", layer(case, dtype)
    for kind in (layers.Average, layers.Maximum, layers.Multiply, layers.Subtract):
        yield f"layer {kind.__name__}", merging(kind, dtype)
    wide = layers.LayerNormalization()
    yield "layer wide", layer(Case(lambda: wide, (203,), None), dtype)


def of_models(dtype: type) -> Iterator[tuple[str, list[bytes]]]:
    """Yield the bits of trained models."""
    yield "convolutional", convolutional(dtype)
    yield "winograd", winograd(dtype)
    yield "normalized", normalized(dtype)
    for activation, loss in zip(SMOOTH, itertools.cycle(LOSSES), strict=False):
        yield f"{activation}, {loss}", smooth(activation, loss, "rmsprop", dtype)
    for optimizer in OPTIMIZERS:
        yield optimizer, smooth("silu", "categorical_crossentropy", optimizer, dtype)


def lines(*kinds: Callable[[type], Iterator[tuple[str, list[bytes]]]]) -> Iterator[str]:
    """Yield a line for each of what is hashed: the hash, and what it is of."""
    for kind in kinds:
        for dtype in (np.float32, np.float64):
            for name, bits in kind(dtype):
                yield f"{hashlib.sha256(b''.join(bits)).hexdigest()[:12]} {dtype.__name__} {name}"


if __name__ == "__main__":
    for line in lines(*(globals()[f"of_{kind}"] for kind in sys.argv[1:] or ["models", "layers"])):
        print(line, flush=True)
