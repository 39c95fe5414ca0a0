"""A training step that several processes make together: each trains on some of the batch's shards.

A batch is cut into the same shards however many ranks there are, the ranks take them in order, and their
gradients are added in pairs, and pairs of pairs: so the weights have the same bits on any number of ranks up
to eight, and each rank sends the sums of its own pairs.
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
from .pairwise import Node, fold, nodes_of, top
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
        self.sums = np.zeros((len(self.nodes[ranks.number]), self.size), self.dtype)
        self.finished = Recorded(self.finish_all, True, flow.arrays())

    def cut(self, flow: Flow, samples: int) -> tuple[int, list[slice]]:
        """Return the first of this rank's samples, and its shards; see `Step.cut`."""
        shards = cut(samples, SHARDS * math.ceil(self.ranks.size / SHARDS))
        self.count = len(shards)
        shares = [self.ranks.share(self.count, number) for number in range(self.ranks.size)]
        self.nodes = [nodes_of(share, self.count) for share in shares]  # of each rank
        self.first = shares[self.ranks.number].start
        own = [shards[i] for i in shares[self.ranks.number]]
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
        self.finished(self.sum_of_all())
        for array in self.running:
            self.ranks.follow_first(array)
        outputs = np.concatenate([array for _, _, found in told for array in found])
        return math.fsum(loss for _, losses, _ in told for loss in losses), outputs

    def compute(self, *arrays: Array) -> list[list[Array]]:
        """Compute the gradients of this rank's shards, add up its pairs, and return the shards' outputs."""
        part = functools.partial(self.forward_and_backward, arrays=arrays)
        if self.meets:
            outputs = together(part, len(self.shards), self.ranks.tell)
        else:
            outputs = each(part, len(self.shards))
        each(self.add_pairs, len(self.blocks))
        return outputs

    def add_pairs(self, block: int) -> None:
        """Write the sums that this rank can make of a block of the gradient to `sums`."""
        add = kernels.update.add_up
        for piece, place in self.places[block]:

            def gradient_of(node: Node, piece: Piece = piece) -> Array | None:
                if node[1] > 1 and node[0] + 1 < self.count:
                    return None
                layers = self.replicas[node[0] - self.first].layers
                first, *others = (
                    layers[i].parameters[k].grad.reshape(-1)[piece.part] for i, k in piece.sources
                )
                for other in others:  # a layer that is called more than once
                    add(other, first, False)
                return first

            def added(left: Array, right: Array) -> Array:
                add(right, left, False)
                return left

            for node, total in zip(self.nodes[self.ranks.number], self.sums, strict=True):
                add(fold(node, self.count, gradient_of, added), total[place], True)

    def sum_of_all(self) -> Array:
        """Return the gradient of the whole batch: each rank adds up a part of it."""
        nodes = [node for found in self.nodes for node in found]
        parts = self.ranks.exchange(self.sums, [len(found) for found in self.nodes])
        known = dict(zip(nodes, parts, strict=True))
        return self.ranks.join(fold(top(self.count), self.count, known.get, np.add), self.size)

    def finish_all(self, gradient: Array) -> list[list[Array]]:
        """Put the gradient where the optimizer looks for it, and update, block by block."""

        def finish(number: int) -> None:
            for piece, place in self.places[number]:
                kernels.update.add_up(gradient[place], piece.total, True)
            self.use(self.blocks[number])

        each(finish, len(self.blocks))
        return []
