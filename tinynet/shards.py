"""Shards of a batch: how layers train and predict on several threads, and stay in the cores' caches.

A batch is cut into shards, and each shard goes forward and backward on a replica of the layers that shares
the parameters' values and owns its gradients. The cut depends on the model and the batch, never on the number
of threads, and the shards' gradients are summed in a fixed order: the same seed gives the same bits on any
number of threads.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import kernels
from .layers import Layer, Parameter
from .layers.parameter import runs_of
from .layers.tree import SETTINGS, members
from .layers.workspace import Workspace
from .losses import Loss
from .meeting import together
from .optim import BLOCK, Optimizer
from .parallel import cut, get_num_threads
from .recording import Recorded, each

Array = NDArray[Any]

CACHE_BYTES = 2**20  # the activations of a shard should be about this large, to stay in a core's cache
MIN_SHARDS, MAX_SHARDS = 2, 8  # of a training batch: work for several cores, and few gradients to sum
ROWS_AT_ONCE = 168  # of a Dense kernel's gradient: a multiple of the tiles' rows, 14 or 6
MAX_STEP_BYTES = 2**30  # of the arrays that a model's training steps, for all sizes of batches, keep
MAX_SAMPLES = 64  # in a shard of a prediction: they fit in a core's cache
MAX_SHARD_BYTES = 2**24  # of all layers' outputs for a shard of a prediction, which a recording keeps


def bytes_per_sample(layers: Sequence[Layer]) -> int:
    """Return the size of all the layers' outputs for one sample."""
    return sum(math.prod(layer.output_shape or ()) * layer.dtype.itemsize for layer in layers)


def only_kernels(layers: Sequence[Layer]) -> bool:
    """Return whether all that the layers do to arrays is done by kernels."""
    return all(layer.only_kernels for layer in layers)


class Replica:
    """Layers that train on one shard of each batch, and share the parameters' values with the model.

    Args:
        layers: a row of layers, up to the loss.
        trains: which of all their parts are trainable.
        shard: which samples of the batch.
        samples: the size of the batch.
        whole: for each part, the arrays that it has for the whole batch; filled by the first replica.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        trains: Sequence[bool],
        shard: slice,
        samples: int,
        whole: list[dict[str, Array]],
    ) -> None:
        self.step, self.workspaces = np.zeros(1, np.int64), list[Workspace]()

        def workspace() -> Workspace:
            if len(self.workspaces) == len(whole):
                whole.append({})
            self.workspaces.append(Workspace(whole[len(self.workspaces)], shard, samples))
            return self.workspaces[-1]

        self.layers = [layer.replica(self.step, workspace) for layer in layers]
        self.parts = [part for layer in self.layers for _, part in layer.parts()]
        for part, trainable in zip(self.parts, trains, strict=True):
            part.remember(first_sample=shard.start, _trainable=trainable)
        for layer in self.layers:
            layer.remember(defers=layer.batch_parameter is not None)
        with_gradients = [i for i, layer in enumerate(self.layers) if layer.trainable_parameters()]
        self.first = with_gradients[0] if with_gradients else len(self.layers)
        for layer in self.layers[self.first : self.first + 1]:
            layer.remember(needs_input_gradient=not layer.is_ours)

    def forward(self, x: Array) -> Array:
        """Return the layers' output for the shard."""
        for workspace in self.workspaces:
            workspace.given.clear()
        for layer in self.layers:
            x = layer.forward(x, training=True)
        return x

    def backward(self, dy: Array) -> None:
        """Compute the parameters' gradients; layers before the first one that trains are left out."""
        for layer in reversed(self.layers[self.first :]):
            dy = layer.backward(dy)


@dataclass(frozen=True)
class Piece:
    """Consecutive elements of one parameter.

    Args:
        layer, parameter: which of the layers, and which of its parameters.
        part: which of its elements; its rows (the first axis) if the gradient is of the whole batch.
        total: where the gradient goes.
        whole: whether it is one of the whole batch.
    """

    layer: int
    parameter: int
    part: slice
    total: Array
    whole: bool


@dataclass
class Block:
    """What one thread finishes the gradients of, and updates, at a time: consecutive elements of one run.

    Args:
        run: which of the runs of parameters.
        part: which of its elements.
        pieces: what they are made of.
    """

    run: int
    part: slice
    pieces: list[Piece]


def blocks_of(layers: Sequence[Layer], runs: Sequence[Parameter]) -> list[Block]:
    """Cut the parameters that train into blocks of about BLOCK elements.

    Args:
        layers: a row of layers that are built.
        runs: those of their parameters that train, joined where they lie side by side.
    """
    blocks: list[Block] = []
    for i, layer in enumerate(layers):
        for k, parameter in enumerate(layer.parameters):
            found = [n for n, run in enumerate(runs) if np.may_share_memory(run.grad, parameter.grad)]
            if not found or not parameter.value.size:
                continue
            size, whole = parameter.value.size, parameter is layer.batch_parameter
            row = parameter.value[0].size if whole else 1
            step = max(BLOCK // row // ROWS_AT_ONCE, 1) * ROWS_AT_ONCE
            gradients = parameter.grad.reshape(-1)
            begin = (gradients.ctypes.data - runs[found[0]].grad.ctypes.data) // gradients.itemsize
            for first in range(0, size // row, step):
                part = slice(first, min(first + step, size // row))
                start, stop = begin + part.start * row, begin + part.stop * row
                last = blocks[-1] if blocks else None
                if last is None or last.run != found[0] or last.part.stop - last.part.start >= BLOCK:
                    blocks.append(last := Block(found[0], slice(start, start), []))
                last.part = slice(last.part.start, stop)
                last.pieces.append(Piece(i, k, part, gradients[start - begin : stop - begin], whole))
    return blocks


class Step:
    """The training step for batches of one size: it writes `parameter.grad`, and updates `parameter.value`.

    Args:
        steps: what the steps for all sizes have in common.
        samples: the size of the batches.
    """

    def __init__(self, steps: Steps, samples: int) -> None:
        layers, loss, optimizer = steps.layers, steps.loss, steps.optimizer
        wanted = math.ceil(samples * bytes_per_sample(layers) / CACHE_BYTES)
        self.shards = cut(samples, min(max(wanted, MIN_SHARDS), MAX_SHARDS))
        self.shares = [(shard.stop - shard.start) / samples for shard in self.shards]
        self.layers, self.loss, self.runs = layers, loss, steps.runs
        self.blocks = blocks_of(layers, steps.runs)
        self.update = optimizer.update if optimizer is not None and optimizer.updates_blocks else None
        whole: list[dict[str, Array]] = []
        self.replicas = [Replica(layers, steps.trains, shard, samples, whole) for shard in self.shards]
        self.losses = np.zeros((len(self.shards), 1))
        self.meets = any(part.meets for layer in layers for _, part in layer.parts())
        lasting = [array for layer in layers for p in layer.parameters for array in (p.value, p.grad)]
        # Without parameters there is nothing to compute.
        recordable = only_kernels(layers) and loss.only_kernels and bool(steps.runs)
        self.outputs = Recorded(self.compute, recordable, lasting)
        self.followed = [] if recordable else list(self.settings())

    def __call__(self, x: Array, targets: Array, step: int) -> tuple[float, Array]:
        """Compute the gradients of the mean loss over a batch, and update.

        Args:
            x: (N, *input_shape) inputs.
            targets: (N, ...) their targets, checked.
            step: the number of the training step, for dropout.

        Returns:
            The mean loss, and the layers' output.
        """
        samples = self.shards[-1].stop
        if len(x) != samples or len(targets) != samples:
            raise ValueError(f"Expected a batch of {samples}; got x {x.shape} and targets {targets.shape}.")
        for replica in self.replicas:
            replica.step[0] = step
        self.follow_settings()
        outputs = self.outputs(self.layers[0].check_input(x), self.loss.prepare(targets))
        return math.fsum((self.losses[:, 0] * self.shares).tolist()), outputs

    def compute(self, x: Array, targets: Array) -> list[Array]:
        """Make the step, shard by shard and then block by block; return the shards' outputs."""
        loop = together if self.meets else each
        outputs = loop(lambda i: self.forward_and_backward(i, x, targets), len(self.shards))
        each(self.finish, len(self.blocks))
        return outputs

    def forward_and_backward(self, i: int, x: Array, targets: Array) -> Array:
        """Compute the gradients of a shard, and return its output."""
        shard, replica = self.shards[i], self.replicas[i]
        output = replica.forward(x[shard])
        dy = np.empty_like(output)
        self.loss.write(output, targets[shard], self.shares[i], dy, self.losses[i])
        replica.backward(dy)
        return output

    def finish(self, block: int) -> None:
        """Sum a block of the gradient over the shards, in order, and update while it is in the cache."""
        for piece in self.blocks[block].pieces:
            layers = [replica.layers[piece.layer] for replica in self.replicas]
            if piece.whole:
                inputs, upstream = [layer.x for layer in layers], [layer.dy for layer in layers]
                if adjacent(inputs) and adjacent(upstream):  # as they are, if all layers use `empty`
                    inputs, upstream = [join(inputs)], [join(upstream)]
                for i, (x, dy) in enumerate(zip(inputs, upstream, strict=True)):
                    layers[0].batch_gradient(x, dy, piece.part, piece.total, i > 0)  # type: ignore[arg-type]
            else:
                for i, layer in enumerate(layers):
                    gradient = layer.parameters[piece.parameter].grad.reshape(-1)[piece.part]
                    kernels.update.add_up(gradient, piece.total, i == 0)
        if self.update:
            self.update(self.runs, self.blocks[block].run, self.blocks[block].part)

    def settings(self) -> Iterator[tuple[Layer, dict[str, Any], list[Layer]]]:
        """Yield each part that is called in every step, what is set on it, and its replicas."""
        parts = [part for layer in self.layers for _, part in layer.parts()]
        for k, part in enumerate(parts):
            if not part.calls_only_kernels:
                yield part, dict(vars(part)), [replica.parts[k] for replica in self.replicas]

    def follow_settings(self) -> None:
        """Let the replicas have what a person has set on a layer since the step before."""
        for part, known, replicas in self.followed:
            now = vars(part)
            for name in [name for name in known if name not in now]:
                del known[name]
                for replica in replicas:
                    vars(replica).pop(name, None)
            for name, value in now.items():
                if name not in known or known[name] is not value:
                    known[name] = value
                    if name not in SETTINGS and next(members(value), None) is None:
                        for replica in replicas:
                            replica.remember(**{name: value})

    @functools.cached_property
    def nbytes(self) -> int:
        """The size of the arrays that are kept from step to step, after the first."""
        spaces = [space for replica in self.replicas for space in replica.workspaces]
        arrays = {id(whole): whole for space in spaces for whole in space.whole.values()}
        own = [array for space in spaces for array in space.kept.values() if array.base is None]
        gradients = [
            p.grad for replica in self.replicas for layer in replica.layers for p in layer.parameters
        ]
        return sum(array.nbytes for array in [*arrays.values(), *own, *gradients])


class Steps:
    """Training steps for batches of any size, of which those used last are kept.

    Args:
        layers: a row of layers, up to the loss.
        parameters: those of their parameters that train.
        loss: what to minimise.
        optimizer: updates the parameters; None to compute gradients only.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        parameters: Sequence[Parameter],
        loss: Loss,
        optimizer: Optimizer | None = None,
    ) -> None:
        self.layers, self.parameters, self.loss, self.optimizer = layers, parameters, loss, optimizer
        self.trains = [part.trainable for layer in layers for _, part in layer.parts()]
        self.runs = runs_of(parameters)
        self.sizes: dict[int, Step] = {}  # that used last at the end
        self.layout: object = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the steps out of copies and pickles: they are views of the original, and made anew."""
        return vars(self) | {"sizes": {}, "runs": []}

    def __call__(self, x: Array, targets: Array, number: int) -> tuple[float, Array]:
        """Make a step; see `Step`."""
        optimizer, samples = self.optimizer, len(targets)
        if optimizer is not None:
            optimizer.begin(self.runs)
            if self.layout != optimizer.layout():  # it was built anew, or clips now
                self.sizes, self.layout = {}, optimizer.layout()
        step = self.sizes.pop(samples, None) or Step(self, samples)
        self.sizes[samples] = step
        result = step(x, targets, number)
        if optimizer is not None:
            if not optimizer.updates_blocks:
                optimizer.update_all(self.runs, each)
            optimizer.end()
        self.forget()
        return result

    def forget(self) -> None:
        """Let the sizes go that were not used for the longest time, if there are too many."""
        while len(self.sizes) > 1 and sum(step.nbytes for step in self.sizes.values()) > MAX_STEP_BYTES:
            del self.sizes[next(iter(self.sizes))]


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
        layers: a row of layers.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        self.most = min(MAX_SAMPLES, max(MAX_SHARD_BYTES // max(bytes_per_sample(self.layers), 1), 1))
        lasting = [parameter.value for layer in layers for parameter in layer.parameters]
        self.predict = Recorded(self.compute, only_kernels(self.layers), lasting)

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was recorded out of copies and pickles."""
        return {"layers": self.layers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin anew."""
        Inference.__init__(self, state["layers"])

    def __call__(self, x: Array) -> Array:
        """Return the layers' output for a batch, a few shards at a time.

        Args:
            x: (N, *input_shape), N at least 1, contiguous.

        Returns:
            (N, *output_shape), a new array.
        """
        x, most = self.layers[0].as_array(x), 2 * get_num_threads() * self.most
        outputs = [self.predict(x[begin : begin + most]) for begin in range(0, len(x), most)]
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def compute(self, x: Array) -> list[Array]:
        """Return the layers' output for each shard."""
        shards = cut(len(x), max(get_num_threads(), math.ceil(len(x) / self.most)))
        return each(lambda i: self.forward(x[shards[i]]), len(shards))

    def forward(self, x: Array) -> Array:
        """Return the layers' output for a shard."""
        for layer in self.layers:
            x = layer.forward(x)
        return x
