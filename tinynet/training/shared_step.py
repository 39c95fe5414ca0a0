"""A training step that several processes make together: each trains on some of the batch's shards.

A batch is cut into the same shards however many ranks there are, the ranks take them in order, and their
gradients are added in this order: so the weights have the same bits on any number of ranks up to eight.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..distributed import Ranks
from ..execution.meeting import together
from ..execution.parallel import cut
from ..execution.recording import Recorded, each
from ..layers.flow import Flow
from .blocks import Piece
from .step import Step, Steps

Array = NDArray[Any]

SHARDS = 8  # of a batch: as many ranks can share it without a change of bits


class SharedStep(Step):
    """The part of a training step that one rank makes.

    Args:
        ranks: the processes.
        steps: what the steps for all sizes have in common.
        flow: the layers' calls, up to the loss.
        samples: the size of the whole batches.
    """

    defers = False  # the whole batch is nowhere

    def __init__(self, ranks: Ranks, steps: Steps, flow: Flow, samples: int) -> None:
        self.ranks = ranks
        super().__init__(steps, flow, samples)
        self.dtype = np.result_type(*(run.value for run in self.runs)) if self.runs else np.dtype(float)
        self.places: list[list[tuple[Piece, slice]]] = []  # of the blocks' pieces in one vector
        self.size = 0
        for block in self.blocks:
            ends = np.cumsum([self.size, *(piece.total.size for piece in block.pieces)]).tolist()
            spans = [slice(*ends[k : k + 2]) for k in range(len(block.pieces))]
            self.places.append([*zip(block.pieces, spans, strict=True)])
            self.size = ends[-1]
        # What one of the shards, the first, changes for all, such as the running means of BatchNormalization.
        kept = {id(p): p for part in flow.parts() for p in part.own_parameters if not p.trainable}
        self.running = [parameter.value for parameter in kept.values()]
        self.finished = Recorded(self.finish_all, True, flow.arrays())

    def cut(self, flow: Flow, samples: int) -> tuple[int, list[slice]]:
        """Return the first of this rank's samples, and its shards; see `Step.cut`."""
        shards = cut(samples, SHARDS * math.ceil(self.ranks.size / SHARDS))
        self.count = len(shards)
        own = [shards[i] for i in self.ranks.share(len(shards))]
        self.rows = slice(own[0].start, own[-1].stop) if own else slice(0, 0)
        return self.rows.start, [
            slice(shard.start - self.rows.start, shard.stop - self.rows.start) for shard in own
        ]

    def is_recordable(self, trains: bool) -> bool:
        """Return whether kernels do all until the ranks meet; see `Step.is_recordable`."""
        return super().is_recordable(trains) and not self.meets and bool(self.shards)

    def __call__(
        self, inputs: Sequence[Array], targets: Array, step: int, weights: Array | None = None
    ) -> tuple[float, Array]:
        """Compute this rank's part, and update by the sum over all; see `Step`."""
        arrays = [array[self.rows] for array in self.begin(inputs, targets, step, weights)]
        found = self.outputs(*arrays)  # nothing, if there are fewer shards than ranks
        check = zlib.crc32(np.ascontiguousarray(targets).data)
        losses = (self.losses[:, 0] * self.shares).tolist()
        told = self.ranks.tell((check, losses, found))
        if len({check for check, _, _ in told}) > 1:
            raise ValueError(
                "fit: with distribute=True, all ranks must get the same batches, and their targets differ: "
                "let every rank load the same data, in the same order."
            )
        self.finished(self.ranks.sum_in_order(self.gradients(), self.count))
        for array in self.running:
            self.ranks.follow_first(array)
        outputs = np.concatenate([array for _, _, found in told for array in found])
        return math.fsum(loss for _, losses, _ in told for loss in losses), outputs

    def compute(self, *arrays: Array) -> list[list[Array]]:
        """Compute the gradients of this rank's shards, and return their outputs."""
        part = functools.partial(self.forward_and_backward, arrays=arrays)
        if self.meets:
            return together(part, len(self.shards), self.ranks.tell)
        return each(part, len(self.shards))

    def gradients(self) -> Array:
        """Return the gradient of each of this rank's shards, (shards, parameters)."""
        found = np.empty((len(self.shards), self.size), self.dtype)
        for vector, replica in zip(found, self.replicas, strict=True):
            for piece, place in (pair for pairs in self.places for pair in pairs):
                parts = [
                    replica.layers[i].parameters[k].grad.reshape(-1)[piece.part] for i, k in piece.sources
                ]
                vector[place] = sum(parts[1:], parts[0])
        return found

    def finish_all(self, gradient: Array) -> list[list[Array]]:
        """Put the gradient where the optimizer looks for it, and update, block by block."""

        def finish(number: int) -> None:
            for piece, place in self.places[number]:
                kernels.update.add_up(gradient[place], piece.total, True)
            self.use(self.blocks[number])

        each(finish, len(self.blocks))
        return []
