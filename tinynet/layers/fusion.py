"""Layers that run as one with the layer after them: the same results, without the array in between."""

from __future__ import annotations

import copy
from collections import Counter

from .base import Layer
from .batch_normalization import BatchNormalization
from .channels import EitherFormat
from .conv2d import Conv2D
from .conv_norm import ConvNorm
from .conv_pool import ConvPool
from .dense import Dense
from .flow import Call, Flow
from .relu import ReLU


def fuse(flow: Flow) -> Flow:
    """Return a flow in which layers that can run as one do.

    Args:
        flow: calls of built layers.

    Returns:
        One that computes the same, on the same parameters. A layer whose output is used elsewhere, too, stays
        as it is.
    """
    consumers = Counter(flow.outputs)
    for call in flow.calls:
        consumers.update(call.inputs)
    made: dict[int, Call] = {}  # by what they give, in order
    for call in flow.calls:
        before = made.get(call.inputs[0]) if len(call.inputs) == 1 else None
        both = None
        if before is not None and consumers[before.output] == 1:
            both = pair(before.layer, call.layer)
        if before is not None and both is not None:
            del made[before.output]
            made[call.output] = Call(both, before.inputs, call.output)
        else:
            made[call.output] = call
    return flow.with_calls([*made.values()])


def pair(first: Layer, second: Layer) -> Layer | None:
    """Return one layer that does what two in a row do, or None if there is none."""
    if ConvPool.fits(first, second):
        return ConvPool(first, second)  # type: ignore[arg-type]
    if ConvNorm.fits(first, second):
        return ConvNorm(first, second)  # type: ignore[arg-type]
    if type(first) is ConvNorm:
        return first.joined(second)
    # No layer of one's own that derives from these, which may do more.
    if type(second) is ReLU and type(first) in (Conv2D, Dense):
        return with_relu(first, second)
    if type(second) is ReLU and type(first) is BatchNormalization:
        return first.with_relu(second)
    return None


def with_relu(layer: Layer, relu: Layer) -> Layer | None:
    """Return a layer without an activation as one with ReLU, which its kernel applies."""
    if layer.sublayers() or (isinstance(layer, EitherFormat) and layer.channels_first):
        return None
    both = copy.copy(layer)
    both.remember(
        activation_layer=relu,
        _sublayers={"activation": relu},
        output_shape=relu.output_shape,
        _original=layer,
    )
    return both
