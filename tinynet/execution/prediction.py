"""Predictions: a function of arrays, shard by shard on threads, and for any number of threads at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from .parallel import cut, get_num_threads
from .recording import Recorded, each

Array = NDArray[Any]

MAX_SAMPLES = 42  # in a shard of a prediction: they fit in a core's cache, and into whole tiles of any CPU
SHARDS = 4  # for each thread, that are recorded together
MAX_SHARD_BYTES = 2**24  # of all layers' outputs for a shard of a prediction, which a recording keeps


class Prediction:
    """A function of a batch of samples, cut into shards.

    A sample's result must not depend on the shard that it is in, so the cut may follow the threads.

    Args:
        function: of arrays (n, ...), a list; returns a list of arrays (n, ...).
        bytes_per_sample: of what it works on.
        only_kernels: whether it does nothing to arrays but call kernels.
        lasting: arrays that it works on and that are there anyway, such as the weights.
    """

    def __init__(
        self,
        function: Callable[[list[Array]], list[Array]],
        bytes_per_sample: int,
        only_kernels: bool,
        lasting: Sequence[Array],
    ) -> None:
        self.function = function
        self.most = min(MAX_SAMPLES, max(MAX_SHARD_BYTES // max(bytes_per_sample, 1), 1))
        self.recorded = Recorded(self.compute, only_kernels, lasting)

    def __call__(self, inputs: Sequence[Array], refuse: Callable[[Array], None] | None = None) -> list[Array]:
        """Return the function's results for a batch, a few shards at a time.

        Args:
            inputs: (N, ...) each, N at least 1, contiguous.
            refuse: is called with each input, and raises, if some of their numbers are NaN or infinite.

        Returns:
            New arrays (N, ...).
        """
        samples, most = len(inputs[0]), SHARDS * get_num_threads() * self.most
        if samples <= most:
            *results, finite = self.recorded(*inputs)
        else:
            parts = [
                self.recorded(*(x[begin : begin + most] for x in inputs)) for begin in range(0, samples, most)
            ]
            *results, finite = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        if refuse is not None and 0 in finite.tolist():
            for x in inputs:
                refuse(x)
        return results

    def compute(self, *inputs: Array) -> list[list[Array]]:
        """Return the results for each shard, and after them 1 for each input that is finite, else 0."""
        samples, count, threads = len(inputs[0]), len(inputs), get_num_threads()
        shards = cut(samples, threads * math.ceil(samples / (threads * self.most)))

        def shard(number: int) -> list[Array]:
            parts, finite = [x[shards[number]] for x in inputs], np.empty(count, inputs[0].dtype)
            for i, part in enumerate(parts):
                kernels.elementwise.all_finite(part.reshape(-1), finite[i : i + 1])
            return [*self.function(parts), finite]

        return each(shard, len(shards))
