"""ONNX's operators, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import (
    arithmetic,
    choosing,
    convolutions,
    dense,
    elementwise,
    normalization,
    pooling,
    resizing,
    shapes,
    slicing,
    transposed,
)
from .folding import fold
from .graph import Node, NodeError
from .naming import layer_name
from .network import Network
from .values import Value

Function = Callable[..., Any]

# Each takes a network, a node, and the node's inputs: a value, then constants; None where one is missing.
OPERATORS: dict[str, Function] = {
    "Abs": choosing.absolute,
    "AveragePool": pooling.pool,
    "BatchNormalization": normalization.batch_normalization,
    "Cast": elementwise.cast,
    "CastLike": lambda network, node, value, like: value,
    "Celu": elementwise.celu,
    "Clip": elementwise.clip,
    "Concat": slicing.concat,
    "Conv": convolutions.convolution,
    "ConvTranspose": transposed.transposed_convolution,
    "Div": choosing.divide,
    "DepthToSpace": slicing.depth_to_space,
    "Dropout": elementwise.dropout,
    "Elu": elementwise.elu,
    "Expand": shapes.expand,
    "Flatten": shapes.flatten,
    "Gather": slicing.gather,
    "Gelu": elementwise.gelu,
    "Gemm": dense.gemm,
    "GlobalAveragePool": pooling.global_pool,
    "GlobalMaxPool": pooling.global_pool,
    "HardSigmoid": elementwise.hard_sigmoid,
    "Identity": shapes.identity,
    "LayerNormalization": normalization.layer_normalization,
    "LeakyRelu": elementwise.leaky_relu,
    "LogSoftmax": elementwise.softmax,
    "MatMul": dense.matmul,
    "MaxPool": pooling.pool,
    "Min": choosing.smallest,
    "Neg": lambda network, node, value: arithmetic.rescale(
        network, node, value, -arithmetic.ONE, arithmetic.ZERO
    ),
    "PRelu": elementwise.prelu,
    "Pad": slicing.pad,
    "ReduceMax": pooling.reduce,
    "ReduceMean": pooling.reduce,
    "ReduceSum": pooling.reduce,
    "Pow": arithmetic.power,
    "Reshape": shapes.reshape,
    "Resize": resizing.resize,
    "Selu": elementwise.selu,
    "Shape": shapes.shape,
    "Slice": slicing.slice_of,
    "Softmax": elementwise.softmax,
    "Split": slicing.split,
    "Squeeze": shapes.squeeze,
    "ThresholdedRelu": elementwise.thresholded_relu,
    "Transpose": shapes.transpose,
    "Unsqueeze": shapes.unsqueeze,
    "Upsample": resizing.resize,
    "Where": choosing.where,
    **dict.fromkeys(choosing.COMPARISONS, choosing.compare),
    **dict.fromkeys(elementwise.PLAIN, elementwise.plain),
    **dict.fromkeys(("Add", "Max", "Mean", "Mul", "Sub", "Sum"), arithmetic.arithmetic),
}
# Which may take several values, or a constant first.
SEVERAL = ("Add", "Concat", "Div", "Max", "Mean", "Min", "Mul", "Sub", "Sum", "Where", *choosing.COMPARISONS)
LABELS = ("ArgMax", "ArrayFeatureExtractor", "LabelEncoder", "TopK", "Binarizer")
LABEL = object()  # what stands for labels, which no layer gives
MISSING = object()  # and for what a node gives besides, such as the places of the largest elements


MISFITS = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, MemoryError)


def translated(network: Network, node: Node, values: dict[str, Any]) -> None:
    """Add what a node gives to the values: constants, or values of the network.

    Raises:
        ValueError: no layer can do what the node does.
    """
    inputs: list[Any] = [values[name] if name else None for name in node.inputs]
    while inputs and inputs[-1] is None:
        inputs.pop()
    if any(one is MISSING for one in inputs):
        node.refuse("it takes what another node gives besides its first output, and no layer here gives that")
    if node.operator != "Where" and any(isinstance(one, choosing.Comparison) for one in inputs):
        node.refuse("it takes what a comparison gives, and layers here give numbers alone")
    if node.operator in LABELS or any(one is LABEL for one in inputs):
        values.update(dict.fromkeys(node.outputs, LABEL))
        return
    if node.domain == "ai.onnx.ml" and node.operator == "ZipMap":  # a dictionary of what the array holds
        values[node.outputs[0]] = inputs[0]
        return
    if not any(isinstance(one, Value | choosing.Comparison) for one in inputs):
        constant = fold(node, inputs)
        if constant is None:
            node.refuse("it is none of the operators that can be computed when a file is read")
        values[node.outputs[0]] = constant
        if node.operator in ("Sqrt", "Max"):
            square = inputs[0] if node.operator == "Sqrt" else network.roots.get(node.inputs[0])
            if square is not None:
                network.roots[node.outputs[0]] = square
        return
    function = OPERATORS.get(node.operator) if node.domain in ("", "com.microsoft") else None
    if (node.domain, node.operator) == ("ai.onnx.ml", "Scaler"):
        function = arithmetic.scaler
    if function is None:
        node.refuse("no layer here does what it does")
    if node.operator == "MatMul" and not isinstance(inputs[0], Value):
        function = dense.matmul_from_the_left
    elif node.operator not in SEVERAL:
        _check(node, inputs)
    weight = next(
        (name for name, one in zip(node.inputs[1:], inputs[1:], strict=False) if one is not None), ""
    )
    named = Node(**{**vars(node), "name": layer_name(node.name, weight)})
    named.title = node.name or node.title
    try:
        found = function(network, named, *inputs)
    except NodeError:
        raise
    except MISFITS as error:  # of inputs that are left out, or too many, and numbers that fit nothing
        node.refuse(f"its {len(inputs)} inputs and its attributes do not fit each other ({error})")
    results = [*found] if isinstance(found, list) else [found]
    results += [MISSING] * (len(node.outputs) - len(results))
    values.update(zip(node.outputs, results, strict=False))


def _check(node: Node, inputs: list[Any]) -> None:
    """Raise if a node takes a value where layers have weights, or a constant where they take a value."""
    first, *others = inputs
    if not isinstance(first, Value):
        node.refuse("its first input is a constant, and what it takes beside is computed")
    of_gemm = node.operator == "Gemm" and bool(others) and not isinstance(others[0], Value)
    is_taken = node.operator == "CastLike" or of_gemm
    if any(isinstance(one, Value) for one in others) and not is_taken:
        node.refuse("it takes computed values where layers have weights that they learn")


def note_of_labels(names: list[str]) -> str:
    """Return what to say of outputs that a model does not give."""
    return (
        f"The outputs {', '.join(map(repr, names))} of the ONNX file are labels, which no layer gives: the "
        "model gives the others alone. np.argmax finds the labels."
    )
