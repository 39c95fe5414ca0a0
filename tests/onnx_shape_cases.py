"""Operators of ONNX that move axes, merge values, and the like; see onnx_cases.py."""

from onnx_cases import IMAGE, ROWS, case, floats, integer, integers, number, positive, weights

CASES = [
    case("transposed conv", "y = ConvTranspose (x, w, b)", IMAGE, w=weights(4, 3, 3, 2), b=weights(3)),
    case(
        "transposed conv with strides", "y = ConvTranspose <strides = [2, 3], pads = [1, 0, 0, 1]> (x, w)",
        IMAGE, w=weights(4, 3, 3, 4),
    ),
    case(
        "transposed conv as in PyTorch",
        "y = ConvTranspose <strides = [2, 2], pads = [1, 1, 1, 1], output_padding = [1, 1]> (x, w)",
        IMAGE, w=weights(4, 3, 3, 3),
    ),
    case(
        "transposed conv that crops", "y = ConvTranspose <pads = [3, 3, 3, 3]> (x, w)",
        IMAGE, w=weights(4, 3, 3, 3),
    ),
    case(
        "transposed conv in groups", "y = ConvTranspose <group = 2, dilations = [2, 2]> (x, w)",
        IMAGE, w=weights(4, 3, 3, 3),
    ),
    case(
        "transposed conv same", 'y = ConvTranspose <auto_pad = "SAME_UPPER", strides = [2, 2]> (x, w)',
        IMAGE, w=weights(4, 3, 3, 3),
    ),
    case(
        "transposed conv of sequences", "y = ConvTranspose <strides = [3]> (x, w)",
        (3, 4, 9), w=weights(4, 2, 4),
    ),
    case(
        "larger or leaking", "c = Greater (x, t); a = Mul (x, s); y = Where (c, x, a)",
        ROWS, t=number(0.0), s=number(0.2),
    ),
    case(
        "zero below", "c = LessOrEqual (x, t); y = Where (c, z, x)", ROWS, 16, t=number(0.5), z=number(0.0)
    ),
    case(
        "softplus as PyTorch writes it", "a = Softplus (x); c = Less (t, x); y = Where (c, x, a)",
        ROWS, t=number(20.0),
    ),
    case("absolute", "y = Abs (x)", ROWS),
    case("softsign, written out", "a = Abs (x); b = Add (a, o); y = Div (x, b)", ROWS, o=number(1.0)),
    case("relu, then smaller than a constant", "a = Relu (x); y = Min (a, o)", ROWS, o=number(1.0)),
    case("matmul from the left", "y = MatMul (w, x)", (2, 6, 3), w=weights(4, 6)),
    case("softmax", "y = Softmax (x)", ROWS),
    case("softmax of channels", "y = Softmax <axis = 1> (x)", IMAGE),
    case("softmax of columns", "y = Softmax <axis = 3> (x)", IMAGE),
    case("softmax of all, before opset 13", "y = Softmax (x)", IMAGE, 11),
    case("softmax of an image, before opset 13", "y = Softmax <axis = 2> (x)", IMAGE, 11),
    case(
        "softmax of all, channels last",
        "c = Conv (x, k); y = Softmax <axis = 1> (c)",
        IMAGE, 11, k=weights(5, 4, 3, 3),
    ),
    case("log softmax", "y = LogSoftmax <axis = 1> (x)", ROWS),
    case("log of softmax", "a = Softmax <axis = 1> (x); y = Log (a)", ROWS),
    case("flatten of a single sample", "y = Flatten <axis = 0> (x)", (1, 4, 2)),
    case("dropout", "y = Dropout (x)", ROWS),
    case("dropout with a mask", "y, m = Dropout (x, r)", ROWS, r=number(0.25)),
    case("identity", "y = Identity (x)", ROWS),
    case("transpose", "y = Transpose <perm = [0, 3, 1, 2]> (x)", IMAGE),
    case(
        "transpose twice",
        "a = Transpose <perm = [0, 3, 1, 2]> (x); b = Relu (a); "
        "y = Transpose <perm = [0, 2, 3, 1]> (b)",
        IMAGE,
    ),
    case("reshape", "y = Reshape (x, s)", IMAGE, s=integers(0, 6, -1, 2)),
    case(
        "reshape after transpose",
        "a = Transpose <perm = [0, 3, 1, 2]> (x); y = Reshape (a, s)",
        IMAGE, s=integers(-1, 16, 18),
    ),
    case(
        "reshape to an image",
        "a = Reshape (x, s); y = Conv (a, w)",
        (2, 64), s=integers(-1, 4, 4, 4), w=weights(3, 4, 2, 2),
    ),
    case(
        "squeeze and unsqueeze",
        "a = Unsqueeze <axes = [1, 3]> (x); y = Squeeze <axes = [3]> (a)",
        ROWS, 11,
    ),
    case(
        "unsqueeze, then conv",
        "b = Unsqueeze (x, a); y = Conv (b, w)",
        (2, 8, 8), a=integers(1), w=weights(3, 1, 2, 2),
    ),
    case(
        "concat of channels",
        "a = Conv (x, w); y = Concat <axis = 1> (a, x, a)",
        IMAGE, w=weights(3, 4, 1, 1),
    ),
    case("concat of rows", "a = Relu (x); y = Concat <axis = -1> (a, x)", ROWS),
    case("concat of columns", "a = Relu (x); y = Concat <axis = 3> (a, x)", IMAGE),
    case(
        "concat of flattened",
        "a = Conv (x, w); b = Flatten (a); c = Flatten (x); d = Concat <axis = 1> (b, c); "
        "y = MatMul (d, k)",
        IMAGE, w=weights(3, 4, 1, 1), k=weights(504, 2),
    ),
    case("cast", "y = Cast <to = 1> (x)", ROWS),
    case("pad", "y = Pad (x, p)", IMAGE, p=integers(0, 0, 1, 2, 0, 0, 3, 0)),
    case("pad of channels", "y = Pad (x, p)", IMAGE, p=integers(0, 1, 0, 0, 0, 2, 0, 0)),
    case("pad of all axes", "y = Pad (x, p)", IMAGE, p=integers(0, 1, 2, 3, 0, 3, 2, 1)),
    case("pad by attributes", "y = Pad <pads = [0, 0, 1, 1, 0, 0, 1, 1]> (x)", IMAGE, 10),
    case("pad that crops", "y = Pad (x, p)", IMAGE, p=integers(0, 0, -1, 2, 0, 0, 3, -1)),
    case("pad of rows", "y = Pad (x, p)", ROWS, p=integers(0, 1, 0, 2)),
    case(
        "pad, then conv",
        "a = Pad (x, p); y = Conv (a, w)",
        IMAGE, p=integers(0, 0, 1, 1, 0, 0, 1, 1), w=weights(3, 4, 3, 3),
    ),
    case(
        "rescaling",
        "b = Div (x, a); c = Sub (b, m); y = Div (c, s)",
        IMAGE, a=number(255.0), m=weights(4, 1, 1), s=positive(1, 4, 1, 1),
    ),
    case("scaled by element", "y = Mul (x, a)", IMAGE, a=weights(4, 9, 8)),
    case("scaled by column", "y = Add (a, x)", IMAGE, a=weights(8)),
    case("a constant minus x", "y = Sub (a, x)", ROWS, a=number(1.0)),
    case("negative", "y = Neg (x)", ROWS),
    case("sum of two", "a = Conv (x, w); y = Add (a, x)", IMAGE, w=weights(4, 4, 1, 1)),
    case("sum of three", "a = Relu (x); b = Tanh (x); y = Sum (a, x, b)", IMAGE),
    case("product of two", "a = Conv (x, w); y = Mul (a, x)", IMAGE, w=weights(4, 4, 1, 1)),
    case("difference", "a = Conv (x, w); y = Sub (a, x)", IMAGE, w=weights(4, 4, 1, 1)),
    case("larger one", "a = Conv (x, w); y = Max (a, x)", IMAGE, w=weights(4, 4, 1, 1)),
    case("smaller one", "a = Tanh (x); y = Min (a, x)", IMAGE),
    case("larger than a constant", "y = Max (x, a)", IMAGE, a=number(0.5)),
    case("smaller than a constant", "y = Min (x, a)", IMAGE, a=number(0.5)),
    case("mean of two", "a = Tanh (x); y = Mean (a, x)", IMAGE),
    case(
        "squeeze and excitation",
        "a = GlobalAveragePool (x); b = Conv (a, w); c = Sigmoid (b); y = Mul (x, c)",
        IMAGE, w=weights(4, 4, 1, 1),
    ),
    case(
        "excitation by rows",
        "a = ReduceMean <axes = [2, 3], keepdims = 0> (x); b = MatMul (a, w); c = Reshape (b, s); "
        "y = Mul (c, x)",
        IMAGE, w=weights(4, 4), s=integers(-1, 4, 1, 1),
    ),
    case(
        "upsample",
        ''
        'y = Resize <coordinate_transformation_mode = "asymmetric", mode = "nearest", '
        'nearest_mode = "floor"> (x, , s)',
        IMAGE, s=floats(1.0, 1.0, 2.0, 3.0),
    ),
    case(
        "upsample as PyTorch before",
        'y = Upsample <mode = "nearest"> (x, s)',
        IMAGE, 9, s=floats(1.0, 1.0, 2.0, 2.0),
    ),
    case(
        "resize of centres",
        'y = Resize <coordinate_transformation_mode = "half_pixel", mode = "linear"> (x, , s)',
        IMAGE, s=floats(1.0, 1.0, 2.0, 2.0),
    ),
    case(
        "resize to sizes",
        ''
        'y = Resize <coordinate_transformation_mode = "asymmetric", mode = "nearest", '
        'nearest_mode = "floor"> (x, , , s)',
        (1, 4, 9, 8), s=integers(1, 4, 18, 16),
    ),
    case(
        "resize to any sizes",
        'y = Resize <coordinate_transformation_mode = "pytorch_half_pixel", mode = "linear"> (x, , , s)',
        (1, 4, 9, 8), s=integers(1, 4, 7, 17),
    ),
    case(
        "resize to smaller images",
        'y = Resize <coordinate_transformation_mode = "half_pixel", mode = "linear"> (x, , s)',
        (2, 4, 10, 8), s=floats(1.0, 1.0, 0.3, 0.75),
    ),
    case(
        "resize of some axes",
        'y = Resize <axes = [3, 2], mode = "nearest", nearest_mode = "round_prefer_ceil"> (x, , , s)',
        (2, 4, 9, 8), 18, s=integers(11, 5),
    ),
    case(
        "resize where no two pixels are equally near",
        'y = Resize <mode = "nearest"> (x, , , s)',
        (1, 4, 9, 5), s=integers(1, 4, 5, 7),
    ),
    case(
        "resize that takes corners of one pixel",
        'y = Resize <coordinate_transformation_mode = "align_corners", mode = "linear"> (x, , , s)',
        (1, 4, 1, 6), s=integers(1, 4, 7, 6),
    ),
    case(
        "slice",
        "y = Slice (x, s, e, a)",
        IMAGE, s=integers(1, -4), e=integers(3, 1000000000), a=integers(1, 3),
    ),
    case("slice by attributes", "y = Slice <axes = [2], ends = [-1], starts = [1]> (x)", IMAGE, 9),
    case("slice of rows", "y = Slice (x, s, e, a)", ROWS, s=integers(2), e=integers(5), a=integers(1)),
    case("split", "a, b = Split <axis = 1> (x); y = Sub (a, b)", IMAGE),
    case(
        "split of rows",
        "a, b = Split <axis = 1> (x, s); y = Concat <axis = 1> (b, a)",
        ROWS, s=integers(2, 4),
    ),
    case("gather of one", "y = Gather <axis = 2> (x, i)", IMAGE, i=integer(3)),
    case("gather of some", "y = Gather <axis = 1> (x, i)", IMAGE, i=integers(1, 2)),
    case("depth to space", "y = DepthToSpace <blocksize = 2> (x)", IMAGE),
    case("depth to space, crossed", 'y = DepthToSpace <blocksize = 2, mode = "CRD"> (x)', IMAGE),
]  # fmt: skip
