"""Layers that train on a part of a batch, beside others that train on the other parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers.flow import Flow
from ..layers.workspace import Room, Workspace

Array = NDArray[Any]


class Replica:
    """Layers that train on one shard of each batch, and share the parameters' values with the model.

    Args:
        flow: the layers' calls, up to the loss.
        trains: which of all their parts are trainable.
        first: the number of the first of its samples in the batch, for dropout.
        shard: which samples of those that come here.
        samples: how many come here.
        whole: for each part, the arrays that it has for all of these; filled by the first replica.
        defers: whether what is faster for all of these at once is left to the end of the step.
        room: where the arrays lie.
    """

    def __init__(
        self,
        flow: Flow,
        trains: Sequence[bool],
        first: int,
        shard: slice,
        samples: int,
        whole: list[dict[str, Array]],
        defers: bool,
        room: Room,
    ) -> None:
        self.step, self.workspaces = np.zeros(1, np.int64), list[Workspace]()
        scratch: dict[str, Array] = {}

        def workspace() -> Workspace:
            if len(self.workspaces) == len(whole):
                whole.append({})
            self.workspaces.append(Workspace(whole[len(self.workspaces)], shard, samples, room, scratch))
            return self.workspaces[-1]

        self.flow = flow.mapped(lambda layer: layer.replica(self.step, workspace))
        self.layers = self.flow.layers
        self.parts = self.flow.parts()
        for part, trainable in zip(self.parts, trains, strict=True):
            part.remember(_first_sample=first, _trainable=trainable)
        self.wanted: set[int] = set()  # the values that depend on parameters that train
        for call in self.flow.calls:
            needed = not self.wanted.isdisjoint(call.inputs)
            if needed or call.layer.trainable_parameters():
                self.wanted.add(call.output)
            call.layer.remember(
                defers=defers and call.layer.batch_parameter is not None,
                needs_input_gradient=needed or not call.layer.is_ours,
            )

    def forward(self, inputs: Sequence[Array]) -> Array:
        """Return the layers' output for the shard."""
        for workspace in self.workspaces:
            workspace.given.clear()
        return self.flow.forward(inputs, training=True)[0]

    def backward(self, dy: Array) -> None:
        """Compute the parameters' gradients; what does not depend on parameters that train is left out."""
        self.flow.backward([dy], self.wanted)
