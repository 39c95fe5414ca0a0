"""A training step: a batch goes forward and backward in shards, and its gradient is finished in blocks.

Each shard goes through a replica of the layers that shares the parameters' values and owns its gradients. The
cut depends on the model and the batch, never on the number of threads, and the shards' gradients are summed
in a fixed order: the same seed gives the same bits on any number of threads.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..execution.meeting import together
from ..execution.parallel import cut
from ..execution.recording import Recorded, each
from ..layers import Layer, Parameter
from ..layers.flow import Flow, follow
from ..layers.parameter import runs_of
from ..layers.workspace import Room
from ..losses import Loss
from ..optim import Optimizer
from .blocks import Block, Piece, adjacent, blocks_of, join
from .replica import Replica

Array = NDArray[Any]
Shapes = tuple[tuple[int, ...], ...]

CACHE_BYTES = 2**20  # the activations of a shard should be about this large, to stay in a core's cache
MIN_SHARDS, MAX_SHARDS = 2, 32  # of a training batch: work for several cores, and few gradients to sum
MANY_SHARDS, SAMPLES = 8, 16  # more than so many must have so many samples each
FEW_SAMPLES = 32  # of a shard: as many shards as keep it above cost nothing
MAX_STEP_BYTES = 2**30  # of the arrays that a model's training steps, for all sizes of batches, keep


class Step:
    """The training step for batches of one size: it writes `parameter.grad`, and updates `parameter.value`.

    Args:
        steps: what the steps for all sizes have in common.
        flow: the layers' calls, up to the loss.
        samples: the size of the batches.
    """

    defers = True  # what is faster for the whole batch at once

    def __init__(self, steps: Steps, flow: Flow, samples: int) -> None:
        layers, loss, optimizer = flow.layers, steps.loss, steps.optimizer
        self.samples, (begin, self.shards) = samples, self.cut(flow, samples)
        self.shares = [(shard.stop - shard.start) / samples for shard in self.shards]
        self.flow, self.layers, self.loss, self.runs = flow, layers, loss, steps.runs
        self.blocks = blocks_of(layers, steps.parameters, steps.runs, self.defers)
        self.update = optimizer.update if optimizer is not None and optimizer.updates_blocks else None
        whole: list[dict[str, Array]] = []
        trains, rows = steps.trains_of(flow), self.shards[-1].stop if self.shards else 0
        self.room = Room(steps.memory)
        self.replicas = [
            Replica(flow, trains, begin + shard.start, shard, rows, whole, self.defers, self.room)
            for shard in self.shards
        ]
        self.losses = np.zeros((len(self.shards), 1))
        self.meets = any(part.meets for part in flow.parts())
        recordable = self.is_recordable(bool(steps.runs))
        self.outputs = Recorded(self.compute, recordable, flow.arrays())
        self.followed = [] if recordable else list(self.settings())

    def cut(self, flow: Flow, samples: int) -> tuple[int, list[slice]]:
        """Return the first of the samples that come here, and the shards that these are cut into.

        A power of two, so that cores, whose number is mostly one, are done at the same time.
        """
        wanted = math.ceil(samples * flow.bytes_per_sample / CACHE_BYTES)
        wanted = max(wanted, samples // FEW_SAMPLES, MIN_SHARDS)
        wanted = min(wanted, max(samples // SAMPLES, MANY_SHARDS), MAX_SHARDS)
        return 0, cut(samples, 2 ** (wanted.bit_length() - 1))

    def is_recordable(self, trains: bool) -> bool:
        """Return whether kernels do all of it; without parameters that train there is nothing to do."""
        return self.flow.only_kernels and self.loss.only_kernels and trains

    def __call__(
        self, inputs: Sequence[Array], targets: Array, step: int, weights: Array | None = None
    ) -> tuple[float, Array]:
        """Compute the gradients of the mean loss over a batch, and update.

        Args:
            inputs: (N, ...) each, what the layers take: contiguous arrays of their dtype.
            targets: (N, ...) their targets, checked.
            step: the number of the training step, for dropout.
            weights: (N,) how much each sample counts; default None, all alike.

        Returns:
            The mean loss without penalties on weights, and the layers' output.
        """
        arrays = self.begin(inputs, targets, step, weights)
        (outputs,) = self.outputs(*arrays)
        return math.fsum((self.losses[:, 0] * self.shares).tolist()), outputs

    def begin(self, inputs: Sequence[Array], targets: Array, step: int, weights: Array | None) -> list[Array]:
        """Return what `compute` takes, and let the replicas know the number of the step, and settings."""
        samples = self.samples
        if any(len(array) != samples for array in (*inputs, targets)):
            shapes = [array.shape for array in inputs]
            raise ValueError(f"Expected a batch of {samples}; got x {shapes} and targets {targets.shape}.")
        for replica in self.replicas:
            replica.step[0] = step
        self.follow_settings()
        shape = (samples, *self.flow.shapes[self.flow.outputs[0]])
        arrays = [*inputs, self.loss.prepared(targets, shape)]
        if weights is not None:
            arrays.append(self.loss.prepare_weights(weights, shape))
        return arrays

    def compute(self, *arrays: Array) -> list[list[Array]]:
        """Make the step, shard by shard and then block by block; return the shards' outputs.

        Args:
            arrays: the inputs, the targets, and, if samples have weights, these.
        """
        loop = together if self.meets else each
        outputs = loop(lambda i: self.forward_and_backward(i, arrays), len(self.shards))
        each(self.finish, len(self.blocks))
        return outputs

    def forward_and_backward(self, i: int, arrays: Sequence[Array]) -> list[Array]:
        """Compute the gradients of a shard, and return its output."""
        count = self.flow.inputs
        inputs, targets = arrays[:count], arrays[count]
        weights = arrays[count + 1] if len(arrays) > count + 1 else None
        shard, replica = self.shards[i], self.replicas[i]
        output = replica.forward([x[shard] for x in inputs])
        dy = np.empty_like(output)
        own = None if weights is None else weights[shard]
        self.loss.write(targets[shard], output, self.shares[i], dy, self.losses[i], own)
        replica.backward(dy)
        return [output]

    def finish(self, block: int) -> None:
        """Sum a block of the gradient over the shards, in order, and update while it is in the cache."""
        for piece in self.blocks[block].pieces:
            number = 0
            for i, k in piece.sources:
                layers = [replica.layers[i] for replica in self.replicas]
                if piece.whole:
                    number += self.add_whole(piece, layers, number)
                    continue
                for layer in layers:
                    gradient = layer.parameters[k].grad.reshape(-1)[piece.part]
                    kernels.update.add_up(gradient, piece.total, number == 0)
                    number += 1
        self.use(self.blocks[block])

    def use(self, block: Block) -> None:
        """Add the penalties' gradient to that of a block, and update."""
        for piece in block.pieces:
            if piece.penalty is not None:
                factors = float(piece.penalty.l1), float(piece.penalty.l2)
                kernels.penalties.add_gradient(piece.value, piece.total, *factors)
        if self.update:
            self.update(self.runs, block.run, block.part)

    def add_whole(self, piece: Piece, layers: Sequence[Layer], number: int) -> int:
        """Add rows of a gradient over the whole batch, from what a call's replicas remember.

        Args:
            piece: which rows.
            layers: the replicas.
            number: how many gradients have been added before.

        Returns:
            How many were added.
        """
        inputs, upstream = [layer.x for layer in layers], [layer.dy for layer in layers]
        if adjacent(inputs) and adjacent(upstream):  # as they are, if all layers use `empty`
            inputs, upstream = [join(inputs)], [join(upstream)]
        for i, (x, dy) in enumerate(zip(inputs, upstream, strict=True)):
            layers[0].batch_gradient(x, dy, piece.part, piece.total, number + i > 0)  # type: ignore[arg-type]
        return len(inputs)

    def settings(self) -> Iterator[tuple[Layer, dict[str, Any], list[Layer]]]:
        """Yield each part that is called in every step, what is set on it, and its replicas."""
        for k, part in enumerate(self.flow.parts()):
            if not part.calls_only_kernels:
                yield part, dict(vars(part)), [replica.parts[k] for replica in self.replicas]

    def follow_settings(self) -> None:
        """Let the replicas have what a person has set on a layer since the step before."""
        self.flow.follow()
        for part, known, replicas in self.followed:
            follow(part, known, replicas)

    @functools.cached_property
    def nbytes(self) -> int:
        """The size of the arrays that it works in, after the first step; other sizes share most of them."""
        gradients = [
            p.grad for replica in self.replicas for layer in replica.layers for p in layer.parameters
        ]
        return self.room.nbytes + sum(array.nbytes for array in gradients)


class Steps:
    """Training steps for batches of any size, of which those used last are kept.

    Args:
        flow_of: returns the layers' calls, up to the loss, for inputs of these shapes; of those that the
            model was built for, without an argument.
        parameters: those of the layers' parameters that train.
        loss: what to minimise.
        optimizer: updates the parameters; None to compute gradients only.
    """

    def __init__(
        self,
        flow_of: Callable[..., Flow],
        parameters: Sequence[Parameter],
        loss: Loss,
        optimizer: Optimizer | None = None,
    ) -> None:
        self.flow_of, self.parameters, self.loss, self.optimizer = flow_of, parameters, loss, optimizer
        self.trains = {part.origin: part.trainable for part in flow_of().parts()}
        self.runs = runs_of(parameters)
        self.kind: Callable[[Steps, Flow, int], Step] = Step
        self.sizes: dict[Shapes, Step] = {}  # that used last at the end
        self.memory: list[Array] = []  # in which the steps of all sizes lay their arrays, over one another's
        self.layout: object = None

    def trains_of(self, flow: Flow) -> list[bool]:
        """Return which parts of the calls' layers train: what that was when the steps were made."""
        return [self.trains.get(part.origin, True) for part in flow.parts()]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the steps out of copies and pickles: they are views of the original, and made anew."""
        return vars(self) | {"sizes": {}, "runs": [], "memory": []}

    def __call__(
        self, inputs: Sequence[Array], targets: Array, number: int, weights: Array | None = None
    ) -> tuple[float, Array]:
        """Make a step; see `Step`."""
        optimizer, shapes = self.optimizer, tuple(x.shape for x in inputs)
        if optimizer is not None:
            optimizer.begin(self.runs)
            if self.layout != optimizer.layout():  # it was built anew, or clips now
                self.sizes, self.layout = {}, optimizer.layout()
        step = self.sizes.pop(shapes, None)
        if step is None:
            step = self.kind(self, self.flow_of([shape[1:] for shape in shapes]), len(targets))
        self.sizes[shapes] = step
        penalty = self.penalty()  # before the update
        loss, outputs = step(inputs, targets, number, weights)
        if optimizer is not None:
            if not optimizer.updates_blocks:
                optimizer.update_all(self.runs, each)
            optimizer.end()
            for parameter in self.parameters:
                if parameter.constraint is not None:
                    parameter.value = parameter.constraint(parameter.value)
        self.forget()
        return loss + penalty, outputs

    def make(self, kind: Callable[[Steps, Flow, int], Step]) -> None:
        """Make steps of another kind from now on."""
        self.kind, self.sizes = kind, {}

    def penalty(self) -> float:
        """Return what the regularizers of the parameters that train add to the loss."""
        found = [(parameter.regularizer, parameter.value) for parameter in self.parameters]
        return math.fsum(regularizer(value) for regularizer, value in found if regularizer is not None)

    def forget(self) -> None:
        """Let the sizes go that were not used for the longest time, if there are too many."""
        while len(self.sizes) > 1 and sum(step.nbytes for step in self.sizes.values()) > MAX_STEP_BYTES:
            del self.sizes[next(iter(self.sizes))]
            self.memory = []
