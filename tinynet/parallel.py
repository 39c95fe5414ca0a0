"""Shards of a batch on threads: the one place that knows about threads.

A batch is cut into shards, and each shard goes forward and backward on a replica of the layers that
shares the parameters' values and owns its gradients. Kernels release the GIL, so the shards run at once.
The cut depends on the model and the batch, never on the number of threads, and the shards' gradients are
summed in a fixed order: the same seed gives the same bits on any number of threads.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .layers import Layer, Parameter
from .losses import Loss

Array = NDArray[Any]
Result = TypeVar("Result")

CACHE_BYTES = 2**20  # the activations of a shard should be about this large, to stay in a core's cache
MIN_SHARDS, MAX_SHARDS = 4, 8  # of a training batch: work for several cores, and few gradients to sum
MIN_SAMPLES = 8  # in a shard of a prediction: less is not worth a thread

_num_threads: int | None = None
_pool: ThreadPoolExecutor | None = None


def available_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many cores this process may use: its CPU affinity and its container's limit count.

    Args:
        cgroup: where Linux shows the limits of this process's container.

    Returns:
        At least 1.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
        cores = min(cores, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass  # no limit ("max"), or not a Linux with cgroup v2
    return max(cores, 1)


def get_num_threads() -> int:
    """Return the number of threads that tinynet uses.

    Returns:
        What `set_num_threads` set, else the environment variable TINYNET_NUM_THREADS, else the number of
        cores that this process may use.

    Raises:
        ValueError: TINYNET_NUM_THREADS is not a positive integer.

    Example:
        >>> get_num_threads() >= 1
        True
    """
    global _num_threads
    if _num_threads is None:
        text = os.environ.get("TINYNET_NUM_THREADS", "")
        if text and not (text.isdecimal() and int(text) > 0):
            raise ValueError(f"TINYNET_NUM_THREADS must be a positive integer; got {text!r}.")
        _num_threads = int(text) if text else available_cores()
    return _num_threads


def set_num_threads(threads: int) -> None:
    """Set the number of threads that tinynet uses; no result depends on it.

    Args:
        threads: at least 1.

    Raises:
        ValueError: threads is not a positive integer.

    Example:
        >>> before = get_num_threads()
        >>> set_num_threads(2)
        >>> get_num_threads()
        2
        >>> set_num_threads(before)
    """
    if not isinstance(threads, int | np.integer) or threads < 1:
        raise ValueError(f"set_num_threads: expected a positive integer; got {threads!r}.")
    global _num_threads
    _num_threads = int(threads)
    _forget_pool()


def _forget_pool() -> None:
    global _pool
    _pool = None  # its threads end when the last task that uses it does


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)  # a forked child has the pool but not its threads


def wait_for_all(futures: list[Future[None]]) -> None:
    """Wait until all are done, even if Ctrl-C is pressed meanwhile."""
    try:
        wait(futures)
    except BaseException:
        wait_for_all(futures)
        raise


def run(function: Callable[[int], Result], count: int) -> list[Result]:
    """Return [function(0), ..., function(count - 1)], computed on up to `get_num_threads()` threads.

    Args:
        function: called once with each number, from several threads, the calling one among them.
        count: how many calls.

    Returns:
        The results in order.
    """
    global _pool
    helpers = min(get_num_threads(), count) - 1
    if helpers < 1:
        return [function(i) for i in range(count)]
    pool = _pool
    if pool is None:
        pool = _pool = ThreadPoolExecutor(get_num_threads(), thread_name_prefix="tinynet")
    results: dict[int, Result] = {}
    numbers = iter(range(count))  # shared: a free thread takes the next number (atomic under the GIL)

    def work() -> None:
        for i in numbers:
            results[i] = function(i)

    futures = [pool.submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        # Nothing may still run when this returns; what has not begun is not waited for, because the pool's
        # threads may themselves be waiting for a run inside this one.
        begun = [future for future in futures if not future.cancel()]
        wait_for_all(begun)
    for future in begun:
        future.result()
    return [results[i] for i in range(count)]


def cut(samples: int, shards: int) -> list[slice]:
    """Cut samples into shards whose sizes differ by at most one.

    Args:
        samples: the number of samples, at least 1.
        shards: the number of shards wanted; there are never more than samples.

    Returns:
        The slices, in order.

    Example:
        >>> cut(10, 4)
        [slice(0, 3, None), slice(3, 6, None), slice(6, 8, None), slice(8, 10, None)]
    """
    shards = min(shards, samples)
    size, larger = divmod(samples, shards)
    starts = [i * size + min(i, larger) for i in range(shards + 1)]
    return [slice(begin, end) for begin, end in itertools.pairwise(starts)]


def bytes_per_sample(layers: Sequence[Layer]) -> int:
    """Return the size of all the layers' outputs for one sample."""
    return sum(math.prod(layer.output_shape or ()) * layer.dtype.itemsize for layer in layers)


def bind(layers: Sequence[Layer], values: Array, gradients: Array) -> None:
    """Make the layers' parameters views into two flat vectors, in the layers' order.

    Args:
        layers: layers that are built.
        values: (size,) all parameters' values; the layers' parameters become views of it.
        gradients: (size,) their gradients, likewise.
    """
    begin = 0
    for parameter in (parameter for layer in layers for parameter in layer.parameters):
        shape, end = parameter.value.shape, begin + parameter.value.size
        parameter.bind(values[begin:end].reshape(shape), gradients[begin:end].reshape(shape))
        begin = end


class Replica:
    """Layers that train on one shard of each batch.

    Args:
        layers: the model's layers up to the loss.
        values: the model's flat vector of parameters, which the replica shares.
    """

    def __init__(self, layers: Sequence[Layer], values: Array) -> None:
        self.layers = [layer.replica() for layer in layers]
        self.gradient = np.zeros_like(values)
        bind(self.layers, values, self.gradient)
        with_parameters = [i for i, layer in enumerate(self.layers) if layer.parameters]
        self.first = with_parameters[0] if with_parameters else len(self.layers)
        if with_parameters:
            self.layers[self.first].needs_input_gradient = False

    def forward(self, x: Array, step: int, first_sample: int) -> Array:
        """Return the layers' output for a shard that starts at sample `first_sample` of the batch."""
        for layer in self.layers:
            layer.step, layer.first_sample = step, first_sample
            x = layer.forward(x, training=True)
        return x

    def backward(self, dy: Array) -> None:
        """Set `gradient`; layers before the first one with parameters are left out."""
        for layer in reversed(self.layers[self.first :]):
            dy = layer.backward(dy)


class Replicas:
    """As many replicas of a model's layers as a batch needs.

    Args:
        layers: the model's layers up to the loss.
        flat: the model's one flat parameter: shared values, and where the summed gradient goes.
        loss: what to differentiate.
    """

    def __init__(self, layers: Sequence[Layer], flat: Parameter, loss: Loss) -> None:
        self.layers, self.flat, self.loss = layers, flat, loss
        self.replicas: list[Replica] = []

    def __getstate__(self) -> dict[str, Any]:
        """Leave the replicas out of copies and pickles: they are views of the original, and made anew."""
        return vars(self) | {"replicas": []}

    def gradient(
        self, take: Callable[[slice], tuple[Array, Array]], samples: int, step: int
    ) -> tuple[float, list[Array]]:
        """Compute the gradient of the mean loss over a batch, into the flat parameter's `grad`.

        Args:
            take: returns inputs and targets of a slice of the batch; called on the shards' threads.
            samples: the size of the batch.
            step: the number of the training step, for dropout.

        Returns:
            The mean loss, and the layers' output for each shard.
        """
        wanted = math.ceil(samples * bytes_per_sample(self.layers) / CACHE_BYTES)
        shards = cut(samples, min(max(wanted, MIN_SHARDS), MAX_SHARDS))
        while len(self.replicas) < len(shards):
            self.replicas.append(Replica(self.layers, self.flat.value))

        def forward_and_backward(i: int) -> tuple[float, Array]:
            x, y = take(shards[i])
            share = len(x) / samples
            output = self.replicas[i].forward(x, step, shards[i].start)
            loss, dy = self.loss.value_and_gradient(output, y)
            self.replicas[i].backward(dy * share)
            return loss * share, output

        results = run(forward_and_backward, len(shards))
        self.sum_gradients(len(shards))
        return math.fsum(loss for loss, _ in results), [output for _, output in results]

    def sum_gradients(self, shards: int) -> None:
        """Sum the shards' gradients in order; threads share the vector, not the shards."""
        total = self.flat.grad
        blocks = cut(total.size, MAX_SHARDS) if total.size else []

        @np.errstate(over="ignore", invalid="ignore")  # of training that diverges
        def sum_block(i: int) -> None:
            block = blocks[i]
            np.copyto(total[block], self.replicas[0].gradient[block])
            for replica in self.replicas[1:shards]:
                total[block] += replica.gradient[block]

        run(sum_block, len(blocks))


def infer(layers: Sequence[Layer], x: Array) -> Array:
    """Return the layers' output for a batch, shard by shard on threads, remembering nothing.

    Args:
        layers: the layers, in order.
        x: (N, *input_shape), N at least 1.

    Returns:
        (N, *output_shape).
    """
    samples = len(x)
    fitting = max(CACHE_BYTES // max(bytes_per_sample(layers), 1), MIN_SAMPLES)
    size = min(fitting, max(math.ceil(samples / MIN_SHARDS), MIN_SAMPLES))
    shards = cut(samples, math.ceil(samples / size))

    def forward(i: int) -> Array:
        y = x[shards[i]]
        for layer in layers:
            y = layer.forward(y)
        return y

    outputs = run(forward, len(shards))
    y = outputs[0] if len(outputs) == 1 else np.concatenate(outputs)
    return y.copy() if np.may_share_memory(y, x) else y  # what a caller writes to y must not reach x
