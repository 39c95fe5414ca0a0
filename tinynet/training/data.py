"""Training data: arrays, cut into batches, shuffled and augmented."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..data.batches import batches
from ..execution.parallel import cut, get_num_threads
from ..execution.recording import each

Array = NDArray[Any]


class Augment(Protocol):
    """What `fit(augment=...)` takes: changes training images at random, reproducibly.

    The result for a sample may depend on the seed, the epoch and the sample's index alone, because the
    function is called for parts of a batch, on several threads at once.
    """

    def __call__(self, images: Array, *, seed: int, epoch: int, indices: Array) -> Array:
        """Return changed copies of images (n, *input_shape); indices (n,) are their places in the data."""
        ...


class Batches:
    """Inputs and targets, batch by batch, in an order that follows from the seed and the epoch.

    Args:
        inputs: (N, ...) each, checked.
        targets: (N, ...), checked.
        batch_size: samples in a batch.
        shuffle: whether each epoch goes through the samples in another order.
        augment: changes the inputs of each batch, or None.
        seed: of the order and of what augment does.

    Raises:
        TypeError: augment is no function.
        ValueError: batch_size is not a positive integer, or augment is given and there are several inputs.
    """

    def __init__(
        self,
        inputs: Sequence[Array],
        targets: Array,
        batch_size: int,
        shuffle: bool,
        augment: Augment | None,
        seed: int,
    ) -> None:
        if not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise ValueError(f"fit: batch_size must be a positive integer; got {batch_size!r}.")
        if augment is not None and (not callable(augment) or isinstance(augment, type)):
            raise TypeError(
                f"fit: augment must be an object such as Augmentation(), or a function; got {augment!r}."
            )
        if augment is not None and len(inputs) > 1:
            raise ValueError("fit: augment is for models of one input; augment the inputs before fit.")
        self.inputs, self.targets, self.batch_size, self.shuffle = inputs, targets, batch_size, shuffle
        self.augment, self.seed = augment, seed

    def epoch(self, epoch: int) -> Iterator[tuple[list[Array], Array]]:
        """Yield the inputs and the targets of each batch of an epoch."""
        order = batches(len(self.targets), self.batch_size, shuffle=self.shuffle, seed=self.seed, epoch=epoch)
        for indices in order:
            yield self.taken(indices, epoch), self.targets[indices]

    def taken(self, indices: Array, epoch: int) -> list[Array]:
        """Return the inputs of a batch, augmented if that is wanted, on several threads."""
        if self.augment is None:
            return [x.take(indices, axis=0) for x in self.inputs]
        shards = cut(len(indices), get_num_threads())
        return [np.concatenate(each(lambda i: self.augmented(indices[shards[i]], epoch), len(shards)))]

    def augmented(self, indices: Array, epoch: int) -> Array:
        """Return a part of a batch's inputs, augmented."""
        assert self.augment is not None
        x = self.inputs[0].take(indices, axis=0)
        new = self.augment(x, seed=self.seed, epoch=epoch, indices=indices)
        if np.shape(new) != x.shape:
            raise ValueError(f"fit: augment must return images of shape {x.shape}; got {np.shape(new)}.")
        return new
