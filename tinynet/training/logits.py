"""Softmax and cross-entropy, sigmoid and binary cross-entropy: where the two cancel, they become one."""

from __future__ import annotations

from copy import copy
from typing import Any

from ..layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePool2D, Layer, Sigmoid, Softmax
from ..layers.activation import LAYERS, ActivatedLayer
from ..layers.elementwise import Elementwise
from ..layers.flow import Call, Flow
from ..layers.pool2d import Pool2D
from ..losses import Loss

CANCELLED: dict[str, type[Layer]] = {"softmax": Softmax, "sigmoid": Sigmoid}


def split_at_logits(flow: Flow, loss: Loss) -> tuple[Flow, Layer | None, Loss]:
    """Take a last softmax or sigmoid out of the layers and into the loss, where the two cancel.

    The gradient of cross-entropy with respect to the logits is probabilities - targets: exact and never
    NaN, where the two steps on their own would divide by a probability that has underflowed to 0.

    Args:
        flow: the calls of a model's layers.
        loss: its loss.

    Returns:
        The calls that compute the logits, the last activation, and the loss of logits; or the calls, None
        and the loss as they are, where there is nothing to take out. A loss with from_logits=True takes the
        activation's input, too, as in Keras on TensorFlow: the activation is not applied twice.
    """
    if not loss.cancels:
        return flow, None, loss
    call = flow.maker(flow.outputs[0])
    if call is None:
        return flow, None, loss
    last = call.layer
    activation: Layer | None = last
    if isinstance(last, ActivatedLayer):  # a class of one's own may do something after its activation
        activation = last.activation_layer if type(last) in (Dense, Conv2D) else None
    cancelled = type(activation) is CANCELLED[loss.cancels]  # and no class of one's own, here as there
    if isinstance(activation, Softmax) and not activation.is_last:
        cancelled = False
    if not cancelled or flow.layers == [activation]:
        return flow, None, loss
    if activation is last:
        before = [other for other in flow.calls if other is not call]
        return flow.with_calls(before, call.inputs), activation, loss.of_logits()
    linear = copy(last)
    linear.remember(activation_layer=None, _sublayers={}, _original=last)
    calls = [Call(linear, call.inputs, call.output) if other is call else other for other in flow.calls]
    return flow.with_calls(calls), activation, loss.of_logits()


def doubt(flow: Flow, loss: Any) -> str:
    """Return what is odd about a cross-entropy and what a model ends in, or "".

    Args:
        flow: the calls of a model's layers.
        loss: its loss.
    """
    if not loss.cancels:
        return ""
    wanted, kind = CANCELLED[loss.cancels], type(loss).__name__
    # What the outputs can be is decided by the last layer that computes something new.
    moving = Flatten | Dropout | Pool2D | GlobalAveragePool2D
    call = flow.maker(flow.outputs[0])
    while call is not None and isinstance(call.layer, moving) and flow.maker(call.inputs[0]):
        call = flow.maker(call.inputs[0])
    if call is None:
        return ""
    last = call.layer
    activation = last.activation_layer if isinstance(last, ActivatedLayer) else last
    if loss.from_logits and isinstance(activation, wanted):
        return (
            f"{kind}(from_logits=True) applies {loss.cancels} itself, and the model ends in {last!r}, which "
            "applies it too: it is applied once. Leave one of them out."
        )
    decides = isinstance(last, ActivatedLayer) or type(last) in LAYERS  # and no user's own layer
    fits = isinstance(activation, Softmax | Sigmoid) or (
        wanted is Sigmoid and isinstance(activation, Elementwise) and activation.function == "hard_sigmoid"
    )
    if decides and not loss.from_logits and not fits:
        return (
            f"{kind} takes probabilities, and the model ends in {last!r}, which does not give them, so that "
            f"it may learn nothing: end it with activation={loss.cancels!r}, or use {kind}(from_logits=True)."
        )
    return ""
