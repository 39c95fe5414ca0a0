"""Operators of ONNX that compute, with what they are called with, for comparisons with onnxruntime."""

from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """Nodes that compute y from x.

    Args:
        name: of the case.
        nodes: in ONNX's own text, with semicolons between them.
        shape: of x.
        constants: arrays by name.
        opset: the version of the operators.
    """

    name: str
    nodes: str
    shape: tuple[int, ...]
    constants: dict[str, Any]
    opset: int = 13


def case(name, nodes, shape, opset=13, **constants):
    return Case(name, nodes, shape, constants, opset)


def weights(*shape):
    """Random numbers of both signs, others for each shape."""
    return np.random.default_rng([7, *shape]).normal(size=shape).astype(np.float32)


def positive(*shape):
    return weights(*shape) ** 2 + np.float32(0.1)


def integers(*numbers):
    return np.array(numbers)


def floats(*numbers):
    return np.array(numbers, np.float32)


integer, number = np.int64, np.float32
IMAGE, ROWS = (3, 4, 9, 8), (5, 6)

CASES = [
    case("conv valid", "y = Conv (x, w, b)", IMAGE, w=weights(5, 4, 3, 2), b=weights(5)),
    case("conv without bias", "y = Conv (x, w)", IMAGE, w=weights(5, 4, 1, 1)),
    case("conv same", "y = Conv <pads = [1, 2, 1, 2]> (x, w)", IMAGE, w=weights(2, 4, 3, 5)),
    case(
        "conv same upper",
        'y = Conv <auto_pad = "SAME_UPPER", strides = [2, 3]> (x, w)',
        IMAGE, w=weights(2, 4, 4, 3),
    ),
    case(
        "conv same lower",
        'y = Conv <auto_pad = "SAME_LOWER", strides = [2, 2]> (x, w)',
        IMAGE, w=weights(2, 4, 4, 3),
    ),
    case(
        "conv auto valid",
        'y = Conv <auto_pad = "VALID", strides = [2, 2]> (x, w)',
        IMAGE, w=weights(2, 4, 4, 3),
    ),
    case(
        "conv strides, symmetric pads",
        "y = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (x, w)",
        IMAGE, w=weights(2, 4, 3, 3),
    ),
    case("conv uneven pads", "y = Conv <pads = [0, 3, 2, 1]> (x, w)", IMAGE, w=weights(2, 4, 3, 3)),
    case(
        "conv end pads",
        "y = Conv <pads = [0, 0, 1, 1], strides = [2, 2]> (x, w)",
        IMAGE, w=weights(2, 4, 3, 3),
    ),
    case(
        "conv dilated",
        "y = Conv <dilations = [2, 3], pads = [2, 3, 2, 3]> (x, w)",
        IMAGE, w=weights(2, 4, 3, 3),
    ),
    case(
        "conv dilated with strides",
        "y = Conv <dilations = [2, 2], pads = [2, 2, 2, 2], strides = [2, 3]> (x, w)",
        IMAGE, w=weights(2, 4, 3, 3),
    ),
    case(
        "conv depthwise",
        "y = Conv <group = 4, pads = [1, 1, 1, 1]> (x, w, b)",
        IMAGE, w=weights(4, 1, 3, 3), b=weights(4),
    ),
    case(
        "conv depthwise twice",
        "y = Conv <group = 4, strides = [2, 1]> (x, w)",
        IMAGE, w=weights(8, 1, 3, 3),
    ),
    case("conv in groups", "y = Conv <group = 2> (x, w, b)", IMAGE, w=weights(6, 2, 3, 3), b=weights(6)),
    case(
        "conv of sequences",
        "y = Conv <pads = [1, 1], strides = [1]> (x, w, b)",
        (3, 4, 9), w=weights(6, 4, 3), b=weights(6),
    ),
    case(
        "conv of sequences, causal",
        "y = Conv <dilations = [2], pads = [4, 0]> (x, w)",
        (3, 4, 9), w=weights(6, 4, 3),
    ),
    case(
        "conv of sequences, uneven",
        "y = Conv <pads = [3, 1], strides = [2]> (x, w)",
        (3, 4, 9), w=weights(6, 4, 3),
    ),
    case("conv of sequences, depthwise", "y = Conv <group = 4> (x, w)", (3, 4, 9), w=weights(4, 1, 3)),
    case(
        "conv and a bias apart",
        "a = Conv (x, w); y = Add (a, b)",
        IMAGE, w=weights(5, 4, 3, 3), b=weights(5, 1, 1),
    ),
    case(
        "conv whose result is taken twice",
        "a = Conv (x, w); b = Relu (a); y = Add (a, b)",
        IMAGE, w=weights(5, 4, 3, 3),
    ),
    case("max pool", "y = MaxPool <kernel_shape = [2, 3], strides = [2, 1]> (x)", IMAGE),
    case("max pool without strides", "y = MaxPool <kernel_shape = [2, 2]> (x)", IMAGE),
    case(
        "max pool same",
        'y = MaxPool <auto_pad = "SAME_UPPER", kernel_shape = [3, 3], strides = [2, 2]> (x)',
        IMAGE,
    ),
    case(
        "max pool same lower",
        'y = MaxPool <auto_pad = "SAME_LOWER", kernel_shape = [3, 3], strides = [2, 2]> (x)',
        IMAGE,
    ),
    case(
        "max pool padded",
        "y = MaxPool <kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]> (x)",
        IMAGE,
    ),
    case(
        "max pool padded, after relu",
        "r = Relu (x); y = MaxPool <kernel_shape = [4, 3], pads = [2, 1, 1, 1], strides = [2, 3]> (r)",
        IMAGE,
    ),
    case("max pool ceil", "y = MaxPool <ceil_mode = 1, kernel_shape = [2, 2], strides = [2, 3]> (x)", IMAGE),
    case("max pool of sequences", "y = MaxPool <kernel_shape = [3], strides = [2]> (x)", (3, 4, 9)),
    case("average pool", "y = AveragePool <kernel_shape = [2, 3], strides = [2, 2]> (x)", IMAGE),
    case(
        "average pool padded",
        "y = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]> (x)",
        IMAGE,
    ),
    case(
        "average pool, zeros count",
        ""
        "y = AveragePool <count_include_pad = 1, kernel_shape = [3, 3], pads = [1, 1, 1, 1], "
        "strides = [2, 2]> (x)",
        IMAGE,
    ),
    case(
        "average pool ceil",
        "y = AveragePool <ceil_mode = 1, kernel_shape = [2, 2], strides = [2, 3]> (x)",
        IMAGE, 19,
    ),
    case(
        "average pool same",
        'y = AveragePool <auto_pad = "SAME_UPPER", kernel_shape = [2, 2], strides = [2, 2]> (x)',
        IMAGE,
    ),
    case("global average pool", "y = GlobalAveragePool (x)", IMAGE),
    case("global max pool, flattened", "a = GlobalMaxPool (x); y = Flatten (a)", IMAGE),
    case("global average pool of sequences", "y = GlobalAveragePool (x)", (3, 4, 9)),
    case("mean of pixels", "y = ReduceMean <axes = [2, 3], keepdims = 0> (x)", IMAGE),
    case("mean of pixels, kept", "y = ReduceMean <axes = [-1, -2]> (x)", IMAGE),
    case("mean of pixels, axes as input", "y = ReduceMean (x, a)", IMAGE, 18, a=integers(2, 3)),
    case("mean of pixels, channels last", "y = ReduceMean <axes = [1, 2], keepdims = 0> (x)", IMAGE),
    case("mean of all", "y = ReduceMean <axes = [1, 2, 3], keepdims = 0> (x)", IMAGE),
    case("max of channels", "y = ReduceMax <axes = [1]> (x)", IMAGE),
    case("sum of rows", "y = ReduceSum <keepdims = 0> (x, a)", IMAGE, a=integers(3)),
    case("gemm", "y = Gemm (x, w, b)", ROWS, w=weights(6, 4), b=weights(4)),
    case(
        "gemm transposed",
        "y = Gemm <alpha = 0.5, beta = 2.0, transB = 1> (x, w, b)",
        ROWS, w=weights(4, 6), b=weights(1, 4),
    ),
    case("gemm without bias", "y = Gemm <transB = 1> (x, w)", ROWS, w=weights(4, 6)),
    case("gemm with one bias", "y = Gemm <transB = 1> (x, w, b)", ROWS, w=weights(4, 6), b=weights(1)),
    case("gemm and a computed bias", "y = Gemm <beta = 3.0> (x, w, x)", ROWS, w=weights(6, 6)),
    case("matmul", "a = MatMul (x, w); y = Add (a, b)", ROWS, w=weights(6, 4), b=weights(4)),
    case("matmul, bias first", "a = MatMul (x, w); y = Add (b, a)", ROWS, w=weights(6, 4), b=weights(1, 4)),
    case("matmul of steps", "y = MatMul (x, w)", (2, 3, 6), w=weights(6, 4)),
    case("matmul of images", "y = MatMul (x, w)", IMAGE, w=weights(8, 3)),
    case("matmul of a vector", "y = MatMul (x, w)", (2, 3, 6), w=weights(6)),
    case(
        "matmul, rows counted as samples",
        "a = Reshape (x, s); b = MatMul (a, w); d = Add (b, c); e = Relu (d); y = Reshape (e, t)",
        (2, 3, 6), s=integers(-1, 6), w=weights(6, 4), c=weights(4), t=integers(-1, 3, 4),
    ),
    case("flattened image", "a = Flatten (x); y = Gemm (a, w)", IMAGE, w=weights(288, 4)),
    case(
        "flattened convolution",
        "c = Conv (x, k); a = Flatten (c); r = Relu (a); y = Gemm (r, w)",
        IMAGE, k=weights(5, 4, 3, 3), w=weights(210, 4),
    ),
    case("flattened convolution alone", "c = Conv (x, k); y = Flatten (c)", IMAGE, k=weights(5, 4, 3, 3)),
    case(
        "flattened, normalized",
        "c = Conv (x, k); a = Flatten (c); r = BatchNormalization (a, g, b, m, v); y = Gemm (r, w)",
        IMAGE, k=weights(5, 4, 3, 3), w=weights(210, 4), g=weights(210), b=weights(210), m=weights(210),
        v=positive(210),
    ),
    case(
        "flattened, scaled by feature",
        "c = Conv (x, k); a = Flatten (c); r = Mul (a, g); y = Softmax (r)",
        IMAGE, k=weights(5, 4, 3, 3), g=weights(210),
    ),
    case(
        "flatten at another axis",
        "a = Flatten <axis = 3> (x); b = MatMul (a, w); y = Reshape (b, s)",
        IMAGE, w=weights(8, 5), s=integers(-1, 4, 9, 5),
    ),
    case(
        "batch normalization",
        "y = BatchNormalization <epsilon = 0.01> (x, g, b, m, v)",
        IMAGE, g=weights(4), b=weights(4), m=weights(4), v=positive(4),
    ),
    case(
        "batch normalization of rows",
        "y = BatchNormalization (x, g, b, m, v)",
        ROWS, g=weights(6), b=weights(6), m=weights(6), v=positive(6),
    ),
    case(
        "layer normalization",
        "y = LayerNormalization <axis = -1> (x, g, b)",
        IMAGE, 17, g=weights(8), b=weights(8),
    ),
    case(
        "layer normalization without beta",
        "y = LayerNormalization <epsilon = 0.1> (x, g)",
        ROWS, 17, g=weights(6),
    ),
    case("relu", "y = Relu (x)", IMAGE),
    case("relu6", "y = Clip (x, l, h)", IMAGE, l=number(0.0), h=number(1.0)),
    case("clip from below", "y = Clip (x, l)", IMAGE, l=number(-0.5)),
    case("clip from above", "y = Clip (x, , h)", IMAGE, h=number(0.25)),
    case("clip at both sides", "y = Clip <max = 0.5, min = -1.0> (x)", IMAGE, 6),
    case("leaky relu", "y = LeakyRelu <alpha = 0.2> (x)", IMAGE),
    case("leaky relu by default", "y = LeakyRelu (x)", IMAGE),
    case("prelu of channels", "y = PRelu (x, a)", IMAGE, a=weights(4, 1, 1)),
    case("prelu of one slope", "y = PRelu (x, a)", IMAGE, a=weights(1)),
    case("prelu of rows", "y = PRelu (x, a)", ROWS, a=weights(6)),
    case("prelu of elements", "y = PRelu (x, a)", IMAGE, a=weights(4, 9, 8)),
    case("elu", "y = Elu <alpha = 2.0> (x)", IMAGE),
    case("celu", "y = Celu <alpha = 2.0> (x)", IMAGE),
    case("selu", "y = Selu (x)", IMAGE),
    case("selu of other numbers", "y = Selu <alpha = 1.0, gamma = 2.0> (x)", IMAGE),
    case("sigmoid", "y = Sigmoid (x)", IMAGE),
    case("hard sigmoid", "y = HardSigmoid (x)", IMAGE),
    case("hard sigmoid of Keras 3", "y = HardSigmoid <alpha = 0.16666667> (x)", IMAGE),
    case("hard swish", "y = HardSwish (x)", IMAGE, 14),
    case("tanh", "y = Tanh (x)", IMAGE),
    case("softplus", "y = Softplus (x)", IMAGE),
    case("softsign", "y = Softsign (x)", IMAGE),
    case("thresholded relu", "y = ThresholdedRelu <alpha = 0.5> (x)", IMAGE),
    case("exp", "y = Exp (x)", IMAGE),
    case("gelu", "y = Gelu (x)", IMAGE, 20),
    case("gelu by tanh", 'y = Gelu <approximate = "tanh"> (x)', IMAGE, 20),
    case(
        "gelu by tanh, written out",
        "a = Pow (x, t); b = Mul (a, c); d = Add (x, b); e = Mul (d, r); f = Tanh (e); g = Add (f, o); "
        "i = Mul (x, h); y = Mul (i, g)",
        ROWS, t=number(3.0), c=number(0.044715), r=number(0.7978845608), o=number(1.0), h=number(0.5),
    ),
    case("square", "y = Pow (x, t)", ROWS, t=number(2.0)),
    case(
        "gelu as PyTorch writes it",
        "a = Div (x, r); b = Erf (a); c = Add (b, o); d = Mul (x, c); y = Mul (d, h)",
        ROWS, r=number(1.4142135), o=number(1.0), h=number(0.5),
    ),
    case(
        "gelu, halved before",
        "a = Mul (x, h); b = Div (x, r); c = Erf (b); d = Add (c, o); y = Mul (a, d)",
        ROWS, r=number(1.4142135), o=number(1.0), h=number(0.5),
    ),
    case(
        "gelu, halved inside",
        "b = Mul (x, r); c = Erf (b); d = Add (o, c); e = Mul (d, h); y = Mul (e, x)",
        ROWS, r=number(0.70710677), o=number(1.0), h=number(0.5),
    ),
    case("silu", "s = Sigmoid (x); y = Mul (x, s)", IMAGE),
    case("mish", "s = Softplus (x); t = Tanh (s); y = Mul (x, t)", IMAGE),
]  # fmt: skip
