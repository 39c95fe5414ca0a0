"""Training data: arrays, cut into batches, shuffled and augmented."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..data.batches import batches, train_validation_split
from ..execution.parallel import cut, get_num_threads
from ..execution.recording import each

Array = NDArray[Any]

CHUNK_BYTES = 2**23  # of what is converted at once
CHUNK_STEP = 256  # samples, whose multiples predictions cut in few different ways


class Batch(NamedTuple):
    """What a step trains on: arrays of a model's own type."""

    inputs: list[Array]
    targets: Array
    weights: Array | None = None


class Augment(Protocol):
    """What `fit(augment=...)` takes: changes training images at random, reproducibly.

    The result for a sample may depend on the seed, the epoch and the sample's index alone, because the
    function is called for parts of a batch, on several threads at once.
    """

    def __call__(self, images: Array, *, seed: int, epoch: int, indices: Array) -> Array:
        """Return changed copies of images (n, *input_shape); indices (n,) are their places in the data."""
        ...


def fitting(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return an array as layers take it: contiguous, of the model's dtype; itself, if it is so already."""
    if array.dtype != dtype or not array.flags.c_contiguous:
        with np.errstate(
            over="ignore"
        ):  # what is too large becomes infinite, and is refused by `check_finite`
            array = np.ascontiguousarray(array, dtype)
    return array if array.flags.writeable and array.flags.aligned else array.copy()


def are_fitting(arrays: Sequence[Array], dtype: np.dtype[Any]) -> bool:
    """Return whether arrays are as `fitting` makes them already."""
    return all([array.dtype == dtype and array.flags.carray for array in arrays])  # noqa: C419 (sooner done)


def check_finite(array: Array, first: int = 0) -> None:
    """Raise ValueError if an array of inputs, of which `first` samples are before, has NaN or infinity."""
    if not kernels.elementwise.all_finite(array.reshape(-1), np.empty(1, array.dtype)):
        row, *place = np.argwhere(~np.isfinite(array))[0].tolist()
        raise ValueError(
            f"x holds NaN or infinite values, the first at {(first + row, *place)}; clean the data first."
        )


@dataclass(frozen=True)
class Samples:
    """Checked arrays of types of their own, which become the model's batch by batch: pixels stay uint8.

    Args:
        inputs: (N, ...) each: integers or floats, also on disk.
        dtype: the model's.
        targets: (N, ...), checked by the loss; None for predictions.
        weights: (N,) of the samples, or None.
    """

    inputs: Sequence[Array]
    dtype: np.dtype[Any]
    targets: Array | None = None
    weights: Array | None = None

    def __len__(self) -> int:
        return len(self.inputs[0])

    def part(self, begin: int, end: int | None) -> Samples:
        """Return the samples from begin to end, as views."""
        cut = [None if array is None else array[begin:end] for array in (self.targets, self.weights)]
        return Samples([array[begin:end] for array in self.inputs], self.dtype, *cut)

    def split(self, share: float) -> tuple[Samples, Samples]:
        """Return all but the last share of the samples, and these."""
        count = np.arange(len(self))
        kept = len(train_validation_split(count, count, share)[0][0])
        return self.part(0, kept), self.part(kept, None)

    def chunks(self) -> list[Samples]:
        """Return the samples in parts to `convert` one after the other; in one, if that copies nothing."""
        if are_fitting(self.inputs, self.dtype):
            return [self]
        size = self.dtype.itemsize * sum(math.prod(array.shape[1:]) for array in self.inputs)
        most = max(CHUNK_BYTES // max(size, 1), 1)
        most -= most % CHUNK_STEP if most > CHUNK_STEP else 0
        return [self.part(begin, begin + most) for begin in range(0, len(self), most)]

    def convert(self) -> list[Array]:
        """Return the inputs as layers take them: themselves, if they are so already."""
        return [fitting(array, self.dtype) for array in self.inputs]

    def check_finite(self) -> None:
        """Raise ValueError if an input holds NaN or infinite values, or has them in the model's dtype."""
        for array in self.inputs:
            if array.dtype.kind == "f":
                first = 0
                for chunk in Samples([array], self.dtype).chunks():
                    (converted,) = chunk.convert()
                    check_finite(converted, first)
                    first += len(chunk)


class Batches:
    """Samples, batch by batch, in an order that follows from the seed and the epoch.

    Args:
        samples: inputs and targets.
        batch_size: samples in a batch; None for 32.
        shuffle: whether each epoch goes through the samples in another order.
        augment: changes the inputs of each batch, or None.
        seed: of the order and of what augment does.

    Raises:
        TypeError: augment is no function.
        ValueError: batch_size is not a positive integer, or augment is given and there are several inputs.
    """

    once = False  # there may be any number of epochs

    def __init__(
        self, samples: Samples, batch_size: int | None, shuffle: bool, augment: Augment | None, seed: int
    ) -> None:
        batch_size = 32 if batch_size is None else batch_size
        if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise ValueError(f"fit: batch_size must be a positive integer or None; got {batch_size!r}.")
        if augment is not None and (not callable(augment) or isinstance(augment, type)):
            raise TypeError(
                f"fit: augment must be an object such as Augmentation(), or a function; got {augment!r}."
            )
        if augment is not None and len(samples.inputs) > 1:
            raise ValueError("fit: augment is for models of one input; augment the inputs before fit.")
        self.samples, self.batch_size, self.shuffle = samples, int(batch_size), bool(shuffle)
        self.augment, self.seed = augment, seed
        self.steps = math.ceil(len(samples) / self.batch_size)

    def epoch(self, epoch: int, done: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, without the first ones, which were done before."""
        samples, weights = self.samples, self.samples.weights
        assert samples.targets is not None
        order = batches(len(samples), self.batch_size, shuffle=self.shuffle, seed=self.seed, epoch=epoch)
        for indices in itertools.islice(order, done, None):
            yield Batch(
                self.taken(indices, epoch),
                samples.targets[indices],
                None if weights is None else weights[indices],
            )

    def taken(self, indices: Array, epoch: int) -> list[Array]:
        """Return the inputs of a batch, augmented if that is wanted, on several threads."""
        if self.augment is None:
            return self.plain(indices)
        shards = cut(len(indices), get_num_threads())
        return [np.concatenate(each(lambda i: self.augmented(indices[shards[i]], epoch), len(shards)))]

    def plain(self, indices: Array) -> list[Array]:
        """Return the inputs of a batch as they are, in the model's dtype."""
        return [fitting(x.take(indices, axis=0), self.samples.dtype) for x in self.samples.inputs]

    def augmented(self, indices: Array, epoch: int) -> Array:
        """Return a part of a batch's inputs, augmented."""
        assert self.augment is not None
        (x,) = self.plain(indices)
        new = self.augment(x, seed=self.seed, epoch=epoch, indices=indices)
        if np.shape(new) != x.shape:
            raise ValueError(f"fit: augment must return images of shape {x.shape}; got {np.shape(new)}.")
        return new
