"""What a peer can be asked: to build a network with given weights, to predict, and to train it.

A peer works in the way that is fastest for it among those that its documentation shows. No file here imports
a framework before the process that uses it has begun.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from common import Array
from networks import Conv, Drop, Flat, Full, Network, Norm, Pool, Scale


@dataclass(frozen=True)
class Training:
    """How a network is trained, with Adam.

    Args:
        rates: the learning rates step by step; default: always Adam's usual 0.001.
        seed: of what is random.
        smoothing: the share of each label that is spread over all classes.
    """

    rates: Array | None = None
    seed: int = 0
    smoothing: float = 0.0


USUAL = Training()


class Peer(ABC):
    """A framework with one network at a time. Making it imports the framework."""

    methods: tuple[str, ...] = ("train", "predict")
    version = ""

    @classmethod
    def does(cls, network: Network, method: str) -> bool:
        """Return whether it can "train" the network, or "predict" with it, in a way of its own."""
        return method in cls.methods

    @abstractmethod
    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network, to be trained so."""

    @abstractmethod
    def predict(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities."""

    def train(self, x: Array, y: Array, batch_size: int, epochs: int = 1, shuffle: bool = False) -> float:
        """Train with cross-entropy on every image once an epoch, and return the last epoch's mean loss."""
        raise NotImplementedError(f"{type(self).__name__} does not train.")


def in_batches(function: Callable[[Array], Array], x: Array, batch_size: int) -> Array:
    """Return function's results for one batch after the other, as one array."""
    if len(x) <= batch_size:
        return function(x)
    return np.concatenate([function(x[i : i + batch_size]) for i in range(0, len(x), batch_size)])


def layers_of(network: Network, layers: Any) -> list[Any]:
    """Return the network's layers, made from a module in which they have Keras's names."""
    made: list[Any] = []
    for layer in network.layers:
        match layer:
            case Scale():
                made.append(layers.Rescaling(1 / 255))
            case Conv(filters, size, strides, activation):
                made.append(layers.Conv2D(filters, size, strides, padding="same", activation=activation))
            case Norm(epsilon, momentum):
                made += [layers.BatchNormalization(epsilon=epsilon, momentum=momentum), layers.ReLU()]
            case Pool():
                made.append(layers.MaxPool2D())
            case Drop(rate):
                made.append(layers.Dropout(rate))
            case Flat():
                made.append(layers.Flatten())
            case Full(units, activation):
                made.append(layers.Dense(units, activation=activation))
    return made
