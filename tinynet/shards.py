"""Shards of a batch: how layers train and predict on several threads, and stay in the cores' caches.

A batch is cut into shards, and each shard goes forward and backward on a replica of the layers that shares
the parameters' values and owns its gradients. The cut depends on the model and the batch, never on the number
of threads, and the shards' gradients are summed in a fixed order: the same seed gives the same bits on any
number of threads.

The first batch of its size is recorded (see kernels/program.py): from then on a step runs as machine code,
without a line of Python. Layers, losses and optimizers that do more than call kernels run as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import kernels
from .layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LeakyReLU,
    MaxPool2D,
    Parameter,
    ReLU,
    Softmax,
)
from .layers.base import Workspace
from .layers.conv_pool import ConvPool
from .losses import Loss
from .parallel import cut, get_num_threads, run, run_programs

Array = NDArray[Any]

CACHE_BYTES = 2**20  # the activations of a shard should be about this large, to stay in a core's cache
MIN_SHARDS, MAX_SHARDS = 2, 8  # of a training batch: work for several cores, and few gradients to sum
BLOCK = 2**16  # elements of the flat vector that are finished, and updated, at a time: they fit a cache
ROWS_AT_ONCE = 168  # of a Dense kernel's gradient: a multiple of the tiles' rows, 14 or 6
MAX_SIZES = 4  # recordings are kept for so many sizes of batches
MAX_SAMPLES = 64  # in a shard of a prediction: they fit in a core's cache
MAX_BYTES = 2**24  # of all layers' outputs for a shard of a prediction, which a recording keeps


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


class Recording:
    """What a function did to arrays in kernels, to be done again to others of the same shapes.

    Args:
        function: does nothing but call kernels; it is called once.
        inputs: its arguments, contiguous arrays, which the program keeps.
    """

    def __init__(self, function: Callable[..., Any], *inputs: Array) -> None:
        self.program = kernels.program.Program()
        with self.program.recording():
            self.result = function(*inputs)
        self.places = [self.program.places_of(x) for x in inputs]

    def move_to(self, *inputs: Array) -> None:
        """Let the program work on these arrays from now on; the caller keeps them while it runs."""
        for x, places in zip(inputs, self.places, strict=True):
            address = x.ctypes.data
            for cells, place, offset in places:
                cells[place] = address + offset


def plan_of(*stages: Sequence[Recording]) -> kernels.program.Plan:
    """Return how to run recordings: stage after stage, those of a stage at the same time."""
    programs = [[recording.program for recording in stage] for stage in stages]
    return kernels.program.Plan([kernels.program.tables_of(stage) for stage in programs])


ONLY_KERNELS = {
    AveragePool2D, Conv2D, ConvPool, Dense, Dropout, Flatten, GlobalAveragePool2D, LeakyReLU, MaxPool2D, ReLU,
    Softmax,
}  # fmt: skip


def replays(layers: Sequence[Layer]) -> bool:
    """Return whether all that the layers do to arrays is done by kernels, so that they can be replayed."""
    activations = [getattr(layer, "activation_layer", None) for layer in layers]
    kinds = {type(layer) for layer in [*layers, *activations] if layer is not None}
    return kinds <= ONLY_KERNELS and all(getattr(layer, "method", "gather") == "gather" for layer in layers)


class Replica:
    """Layers that train on one shard of each batch, and share the parameters' values with the model.

    Args:
        layers: the model's layers up to the loss.
        shard: which samples of the batch.
        samples: the size of the batch.
        whole: for each layer, the arrays that it has for the whole batch.
    """

    def __init__(
        self, layers: Sequence[Layer], shard: slice, samples: int, whole: Sequence[dict[str, Array]]
    ) -> None:
        self.layers = [layer.replica() for layer in layers]
        self.step = np.zeros(1, np.int64)
        for layer, arrays in zip(self.layers, whole, strict=True):
            layer.first_sample, layer.step_cell = shard.start, self.step
            layer.workspace = Workspace(arrays, shard, samples)
            if type(layer) is Dense:
                layer.needs_kernel_gradient = False
        with_parameters = [i for i, layer in enumerate(self.layers) if layer.parameters]
        self.first = with_parameters[0] if with_parameters else len(self.layers)
        if with_parameters:
            self.layers[self.first].needs_input_gradient = False

    def forward(self, x: Array) -> Array:
        """Return the layers' output for the shard."""
        for layer in self.layers:
            layer.step = int(self.step[0])
            x = layer.forward(x, training=True)
        return x

    def backward(self, dy: Array) -> Array:
        """Compute the parameters' gradients; layers before the first one with parameters are left out."""
        for layer in reversed(self.layers[self.first :]):
            dy = layer.backward(dy)
        return dy


@dataclass(frozen=True)
class Piece:
    """Consecutive elements of one parameter.

    Args:
        layer, parameter: which of the layers, and which of its parameters.
        part: which of the parameter's rows (its first axis), or elements if it is no Dense kernel.
        place: where they are in the model's flat vector.
    """

    layer: int
    parameter: int
    part: slice
    place: slice


def blocks_of(layers: Sequence[Layer]) -> list[list[Piece]]:
    """Cut all parameters into blocks: what one thread finishes the gradients of, and updates, at a time.

    Args:
        layers: layers that are built.

    Returns:
        The blocks, each of consecutive pieces, of about BLOCK elements together.
    """
    blocks: list[list[Piece]] = []
    begin, room = 0, 0
    for i, layer in enumerate(layers):
        for k, parameter in enumerate(layer.parameters):
            size = parameter.value.size
            row = parameter.value.shape[1] if type(layer) is Dense and parameter.value.ndim == 2 else 1
            step = max(BLOCK // row // ROWS_AT_ONCE, 1) * ROWS_AT_ONCE
            for first in range(0, size // row, step):
                part = slice(first, min(first + step, size // row))
                piece = Piece(i, k, part, slice(begin + part.start * row, begin + part.stop * row))
                if room <= 0:
                    blocks.append([])
                    room = BLOCK
                blocks[-1].append(piece)
                room -= (part.stop - part.start) * row
            begin += size
    return blocks


class Replicas:
    """As many replicas of a model's layers as a batch needs.

    Args:
        layers: the model's layers up to the loss.
        flat: the model's one flat parameter: shared values, and where the whole batch's gradient goes.
        loss: what to differentiate.
        update: called with each slice of the flat vector as soon as its gradient is there, on the thread in
            whose cache it is; it does nothing but call kernels. Default: None.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        flat: Parameter,
        loss: Loss,
        update: Callable[[slice], None] | None = None,
    ) -> None:
        self.layers, self.flat, self.loss, self.update = layers, flat, loss, update
        self.blocks = blocks_of(layers)
        self.can_replay = replays(layers) and loss.only_kernels and bool(flat.value.size)
        self.batches: dict[int, Batch] = {}  # for each size

    def __getstate__(self) -> dict[str, Any]:
        """Leave the replicas out of copies and pickles: they are views of the original, and made anew."""
        return vars(self) | {"batches": {}}

    def gradient(
        self, take: Callable[[slice], tuple[Array, Array]], samples: int, step: int, busy: bool = True
    ) -> tuple[float, list[Array]]:
        """Compute the gradient of the mean loss over a batch, into the flat parameter's `grad`, and update.

        Args:
            take: returns inputs and targets of a slice of the batch.
            samples: the size of the batch.
            step: the number of the training step, for dropout.
            busy: whether `take` does so much that threads should share it; default True.

        Returns:
            The mean loss, and the layers' output for each shard.
        """
        wanted = math.ceil(samples * bytes_per_sample(self.layers) / CACHE_BYTES)
        shards = cut(samples, min(max(wanted, MIN_SHARDS), MAX_SHARDS))
        if samples not in self.batches:
            if len(self.batches) >= MAX_SIZES:
                del self.batches[next(iter(self.batches))]  # the oldest
            self.batches[samples] = Batch(self, shards)
        batch = self.batches[samples]
        if busy:
            parts = run(lambda i: take(shards[i]), len(shards))
            x, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        else:
            x, y = take(slice(0, samples))
        for replica in batch.replicas:
            replica.step[0] = step
        return batch.replay(x, y) if self.can_replay else batch.compute(x, y)


class Batch:
    """The training step for batches of one size.

    Args:
        owner: what they have in common.
        shards: how the batch is cut.
    """

    def __init__(self, owner: Replicas, shards: Sequence[slice]) -> None:
        self.owner = owner
        samples = shards[-1].stop
        self.shards, self.shares = shards, [(shard.stop - shard.start) / samples for shard in shards]
        whole: list[dict[str, Array]] = [{} for _ in owner.layers]
        self.replicas = [Replica(owner.layers, shard, samples, whole) for shard in shards]
        self.losses = np.zeros((len(shards), 1))
        self.recordings: list[Recording] = []  # of the shards, and
        self.finishing: list[Recording] = []  # of the blocks: both empty until the first step
        self.plan: kernels.program.Plan | None = None

    def compute(self, x: Array, y: Array) -> tuple[float, list[Array]]:
        """Make the step by calling the layers."""

        def forward_and_backward(i: int) -> tuple[float, Array]:
            output = self.replicas[i].forward(x[self.shards[i]])
            loss, dy = self.owner.loss.value_and_gradient(output, y[self.shards[i]], checked=True)
            self.replicas[i].backward(dy * self.shares[i])
            return loss * self.shares[i], output

        results = run(forward_and_backward, len(self.shards))
        run(self.finish, len(self.owner.blocks))
        return math.fsum(loss for loss, _ in results), [output for _, output in results]

    def replay(self, x: Array, y: Array) -> tuple[float, list[Array]]:
        """Make the step by running programs, which the first step records."""
        x = self.owner.layers[0].check_input(x)
        labels = np.ascontiguousarray(y, np.int64).reshape(len(y), -1)
        if len(x) != len(labels) or len(x) != self.shards[-1].stop:
            raise ValueError(f"Expected a batch of {self.shards[-1].stop}; got x {x.shape} and y {y.shape}.")
        if not self.recordings:
            self.record(x, labels)
        else:
            for recording, shard in zip(self.recordings, self.shards, strict=True):
                recording.move_to(x[shard], labels[shard])
            for finishing in self.finishing:
                finishing.move_to(x)
            assert self.plan is not None
            run_programs(self.plan)
        loss = math.fsum((self.losses[:, 0] * self.shares).tolist())
        return loss, [recording.result for recording in self.recordings]

    def record(self, x: Array, labels: Array) -> None:
        """Make the step on one thread, and keep its programs."""
        x, labels = x.copy(), labels.copy()  # what a program keeps are not the caller's arrays

        def forward_and_backward(i: int, x: Array, labels: Array) -> Array:
            output = self.replicas[i].forward(x)
            dy = np.empty_like(output)
            self.owner.loss.call_kernel(output, labels, self.shares[i], dy, self.losses[i])
            self.replicas[i].backward(dy)
            return output

        recordings = [
            Recording(partial(forward_and_backward, i), x[shard], labels[shard])
            for i, shard in enumerate(self.shards)
        ]
        # The gradient of the first kernel needs x, too.
        self.finishing = [Recording(lambda x, i=i: self.finish(i), x) for i in range(len(self.owner.blocks))]
        self.plan = plan_of(recordings, self.finishing)
        self.recordings = recordings

    def finish(self, block: int) -> None:
        """Compute a block of the gradient, and update it."""
        pieces = self.owner.blocks[block]
        for piece in pieces:
            self.sum_shards(piece)
        if self.owner.update:
            self.owner.update(slice(pieces[0].place.start, pieces[-1].place.stop))

    def sum_shards(self, piece: Piece) -> None:
        """Compute a piece of the batch's gradient from the shards, in their order."""
        total = self.owner.flat.grad[piece.place]
        layers = [replica.layers[piece.layer] for replica in self.replicas]
        first = layers[0]
        if type(first) is Dense and piece.parameter == 0:
            inputs: list[Any] = [layer.x for layer in layers]
            gradients: list[Any] = [layer.dy for layer in layers]
            if adjacent(inputs) and adjacent(gradients):  # as they are, unless a layer does not use `empty`
                inputs, gradients = [join(inputs)], [join(gradients)]
            for i, (x, dy) in enumerate(zip(inputs, gradients, strict=True)):
                first.kernel_gradient(x, dy, piece.part, total, accumulate=i > 0)
            return
        for i, layer in enumerate(layers):
            gradient = layer.parameters[piece.parameter].grad.reshape(-1)[piece.part]
            kernels.update.add_up(gradient, total, i == 0)


def adjacent(arrays: Sequence[Any]) -> bool:
    """Return whether arrays lie one after the other in memory."""
    ends = [array.ctypes.data + array.nbytes for array in arrays]
    return all(array.ctypes.data == end for array, end in zip(arrays[1:], ends, strict=False))


def join(arrays: Sequence[Any]) -> Array:
    """Return adjacent arrays as one, of all their rows."""
    rows = sum(len(array) for array in arrays)
    return np.lib.stride_tricks.as_strided(arrays[0], (rows, *arrays[0].shape[1:]))


class Inference:
    """Layers that predict: shard by shard on threads, and for any number of threads at once.

    A sample's result does not depend on the shard that it is in, so here the cut may follow the threads.

    Args:
        layers: the layers, in order.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        # A layer that returns its input, or a view of it, leaves nothing to replay.
        computes = any(type(layer) not in (Flatten, Dropout) for layer in self.layers)
        self.can_replay = computes and replays(self.layers)
        self.most = min(MAX_SAMPLES, max(MAX_BYTES // max(bytes_per_sample(self.layers), 1), 1))
        self.idle: dict[int, list[Recording]] = {}  # for each size of a shard, those that no thread uses now

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was recorded out of copies and pickles."""
        return vars(self) | {"idle": {}}

    def __call__(self, x: Array) -> Array:
        """Return the layers' output for a batch.

        Args:
            x: (N, *input_shape), N at least 1, contiguous.

        Returns:
            (N, *output_shape), a new array.
        """
        threads, samples = get_num_threads(), len(x)
        size = min(math.ceil(samples / threads), self.most)
        shards = [slice(begin, min(begin + size, samples)) for begin in range(0, samples, size)]
        if not self.can_replay:
            return np.concatenate(run(lambda i: self.forward(x[shards[i]]), len(shards)))
        outputs: list[Array] = []
        for first in range(0, len(shards), 2 * threads):
            outputs += self.replay([x[shard] for shard in shards[first : first + 2 * threads]])
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def forward(self, x: Array) -> Array:
        """Return the layers' output."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def replay(self, parts: Sequence[Array]) -> list[Array]:
        """Return the layers' output for each part, as new arrays."""
        parts = [self.layers[0].as_array(part) for part in parts]
        recordings = [self.recording(part) for part in parts]
        run_programs(recordings[0].program.plan if len(recordings) == 1 else plan_of(recordings))
        outputs = [recording.result.copy() for recording in recordings]
        for recording, part in zip(recordings, parts, strict=True):
            self.idle.setdefault(len(part), []).append(recording)
        return outputs

    def recording(self, x: Array) -> Recording:
        """Return a recording that no thread uses, and that will work on x."""
        if len(self.idle) >= MAX_SIZES and len(x) not in self.idle:
            self.idle = {}
        try:
            recording = self.idle.setdefault(len(x), []).pop()
        except IndexError:
            recording = Recording(self.forward, x.copy())  # what it keeps is not the caller's array
        recording.move_to(x)
        return recording
