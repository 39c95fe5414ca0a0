import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx_files import check, graph_bytes, loaded, node, samples  # noqa: E402

from tinynet.files.onnx import read_onnx  # noqa: E402


def network(**options):
    """A small network as PyTorch writes it."""
    constants = {
        "conv1.weight": samples(4, 1, 3, 3, seed=1), "conv1.bias": samples(4, seed=2),
        "fc1.weight": samples(10, 4 * 4 * 4, seed=3), "fc1.bias": samples(10, seed=4),
        "shape": np.array([-1, 64]),
    }  # fmt: skip
    nodes = [
        node("Conv", "x conv1.weight conv1.bias", "a", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Relu", "a", "b"),
        node("MaxPool", "b", "c", kernel_shape=[2, 2], strides=[2, 2]),
        node("Reshape", "c shape", "d"),
        node("Gemm", "d fc1.weight fc1.bias", "e", transB=1),
        node("Softmax", "e", "y", axis=1),
    ]
    nodes = nodes[::-1] if options.pop("backwards", False) else nodes
    return graph_bytes(nodes, {"x": ("N", 1, 8, 8)}, constants, **options)


def test_layers_are_natural():
    model = check(network(), samples(5, 1, 8, 8))
    assert [repr(layer) for layer in model.layers] == [
        "Reshape(target_shape=(8, 8, 1))",
        "Conv2D(filters=4, kernel_size=3, padding='same', activation='relu')",
        "MaxPool2D()",
        "Flatten()",
        "Dense(units=10, activation='softmax')",
    ]
    assert [layer.name for layer in model.layers] == ["reshape", "conv1", "max_pool2d", "flatten", "fc1"]
    np.testing.assert_array_equal(
        model.layers[1].kernel.value, samples(4, 1, 3, 3, seed=1).transpose(2, 3, 1, 0)
    )


def test_constants_may_be_inputs_and_nodes_in_any_order():
    check(network(listed=True, opset=8, ir=3), samples(2, 1, 8, 8))
    model = loaded(network())
    other = loaded(network(backwards=True))
    x = samples(2, 1, 8, 8)
    np.testing.assert_array_equal(model.predict(x), other.predict(x))


def test_a_file_that_is_none_is_refused():
    for data in (b"", b"PK\3\4", b"\x08\x07", network()[:-500]):
        with pytest.raises(ValueError, match="ONNX file"):
            read_onnx(data)


def test_an_unknown_operator_is_named():
    data = graph_bytes([node("Sin", "x", "y", name="wave")], {"x": ("N", 3)})
    with pytest.raises(ValueError, match="node 'wave' is a Sin: no layer here does what it does"):
        read_onnx(data)


def test_names_come_from_weights_and_nodes():
    constants = {
        "StatefulPartitionedCall/net/conv2d_7/Conv2D/ReadVariableOp:0": samples(2, 1, 3, 3),
        "head.0.weight": samples(5, 72, seed=1), "W": samples(5, 5, seed=2),
        "onnx::MatMul_12": samples(5, 2, seed=3),
    }  # fmt: skip
    nodes = [
        node("Conv", "x StatefulPartitionedCall/net/conv2d_7/Conv2D/ReadVariableOp:0", "a", name="Conv_0"),
        node("Flatten", "a", "b", name="Flatten_1"),
        node("Gemm", "b head.0.weight", "c", transB=1, name="Gemm_2"),
        node("Tanh", "c", "d", name="/block/activation/Tanh"),
        node("MatMul", "d W", "e", name="dense_4"),
        node("MatMul", "e onnx::MatMul_12", "y", name="/block/last/MatMul"),
    ]
    model = loaded(graph_bytes(nodes, {"x": ("N", 1, 8, 8)}, constants))
    names = [layer.name for layer in model.layers]
    assert names == ["reshape", "conv2d_7", "flatten", "head_0", "dense_4", "last"]


def test_patterns_join_the_layer_before():
    constants = {"k": samples(3, 3, seed=1), "w": samples(3, 3), "h": np.float32(0.5)}
    nodes = [
        node("MatMul", "x w", "a"), node("Sigmoid", "a", "b"), node("Mul", "a b", "c"),
        node("Mul", "c h", "d"), node("MatMul", "d k", "e"), node("Softmax", "e", "f"), node("Log", "f", "y"),
    ]  # fmt: skip
    model = check(graph_bytes(nodes, {"x": ("N", 3)}, constants), samples(4, 3))
    kinds = [(type(layer).__name__, getattr(layer, "activation", None)) for layer in model.layers]
    assert kinds == [("Dense", "silu"), ("Rescaling", None), ("Dense", "log_softmax")]


def test_layers_that_share_weights_are_one():
    constants = {"fc.weight": samples(3, 3), "fc.bias": samples(3, seed=1)}
    nodes = [
        node("Gemm", "x fc.weight fc.bias", "a"), node("Relu", "a", "b"),
        node("Gemm", "b fc.weight fc.bias", "c"), node("Relu", "c", "y"),
    ]  # fmt: skip
    model = check(graph_bytes(nodes, {"x": ("N", 3)}, constants), samples(4, 3))
    assert [layer.name for layer in model.layers] == ["x", "fc"]


def test_several_inputs_and_outputs():
    nodes = [
        node("Conv", "x w", "a"), node("GlobalMaxPool", "a", "b"), node("Flatten", "b", "c"),
        node("Concat", "c z", "d", axis=1), node("Identity", "d", "y"), node("Sigmoid", "a", "v"),
    ]  # fmt: skip
    data = graph_bytes(nodes, {"x": ("N", 2, 5, 6), "z": ("N", 3)}, {"w": samples(4, 2, 3, 3)}, outputs="y v")
    model = check(data, samples(5, 2, 5, 6), samples(5, 3, seed=1))
    assert model.input_shape == ((2, 5, 6), (3,))


def test_an_output_twice_and_an_input_as_output():
    nodes = [node("Relu", "x", "a"), node("Identity", "a", "y"), node("Identity", "x", "v")]
    data = graph_bytes(nodes, {"x": ("N", 3)}, outputs="y a v")
    x = samples(4, 3)
    for found, wanted in zip(loaded(data).predict(x), (np.maximum(x, 0), np.maximum(x, 0), x), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_batch_that_the_file_fixes_may_be_any():
    for batch, shape in ((1, [1, 16]), (4, [4, 16]), (4, [4, -1]), (1, [-1, 16]), (None, [0, 16])):
        nodes = [node("Reshape", "x s", "a"), node("MatMul", "a w", "y")]
        data = graph_bytes(nodes, {"x": (batch, 2, 2, 4)}, {"s": np.array(shape), "w": samples(16, 3)})
        x = samples(7, 2, 2, 4)
        found = loaded(data).predict(x)
        np.testing.assert_allclose(found, x.reshape(7, 16) @ samples(16, 3), rtol=1e-4, atol=1e-5)


def test_a_sample_without_a_batch():
    nodes = [
        node("Reshape", "x s", "a"), node("Slice", "a b e i", "c"), node("Reshape", "c t", "d"),
        node("AveragePool", "d", "f", kernel_shape=[2, 2], strides=[2, 2]), node("Flatten", "f", "y"),
    ]  # fmt: skip
    constants = {
        "s": np.array([6, 6, 4]), "b": np.array([3]), "e": np.array([4]), "i": np.array([2]),
        "t": np.array([1, 1, 6, 6]),
    }  # fmt: skip
    model = loaded(graph_bytes(nodes, {"x": (144,)}, constants))
    x = samples(2, 144)
    wanted = x.reshape(2, 6, 6, 4)[..., 3].reshape(2, 3, 2, 3, 2).mean((2, 4)).reshape(2, 9)
    np.testing.assert_allclose(model.predict(x), wanted, rtol=1e-5, atol=1e-6)


def test_images_of_any_size():
    nodes = [
        node("Conv", "x w", "a", pads=[1, 1, 1, 1], strides=[2, 2]), node("Relu", "a", "b"),
        node("GlobalAveragePool", "b", "c"), node("Flatten", "c", "y"),
    ]  # fmt: skip
    model = loaded(graph_bytes(nodes, {"x": ("N", 3, "H", "W")}, {"w": samples(4, 3, 3, 3)}))
    assert model.input_shape == (3, None, None)
    for height, width in ((8, 9), (11, 6)):
        fixed = graph_bytes(nodes, {"x": ("N", 3, height, width)}, {"w": samples(4, 3, 3, 3)})
        x = samples(2, 3, height, width)
        np.testing.assert_allclose(model.predict(x), loaded(fixed).predict(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("attributes", "numbers", "message"),
    [
        ({"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
         {"sizes": [1, 3, 3, 3]}, "it takes the nearest pixel as 'asymmetric' and 'floor' say"),
        ({"mode": "nearest"}, {"sizes": [1, 3, 3, 3]}, "as 'half_pixel' and 'round_prefer_floor' say"),
        ({"mode": "linear", "coordinate_transformation_mode": "align_corners"}, {"sizes": [1, 3, 9, 6]},
         "it interpolates as 'align_corners' says, and layers here between the centres"),
        ({"mode": "linear"}, {"scales": [1, 1, 0.4, 1]}, "interpolates as 'half_pixel' says"),  # 6 × 0.4
        ({"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}, {"sizes": [1, 3, 1, 6]},
         "it interpolates as 'pytorch_half_pixel' says"),
        ({"mode": "linear", "antialias": 1}, {"sizes": [1, 3, 3, 6]}, "it smooths images that become"),
        ({"mode": "linear", "keep_aspect_ratio_policy": "not_larger"}, {"sizes": [1, 3, 3, 6]},
         "it keeps the proportions"),
        ({"mode": "cubic"}, {"sizes": [1, 3, 3, 6]}, "its mode is 'cubic'"),
        ({"mode": "linear"}, {"sizes": [1, 6, 6, 6]}, "it gives batches or channels another size"),
        ({"mode": "linear"}, {"scales": [2, 1, 1, 1]}, "it gives batches or channels another size"),
        ({"mode": "linear"}, {"sizes": [3, 3]}, "it gives 2 sizes or scales for"),
        ({"mode": "linear"}, {"sizes": [1, 3, 2**40, 1]}, r"would have the shape \(1099511627776, 1, 3\)"),
        ({"mode": "linear"}, {"sizes": [1, 3, 0, 1]}, r"would have the shape \(0, 1, 3\)"),
    ],
)  # fmt: skip
def test_images_that_are_resized_otherwise_are_refused(attributes, numbers, message):
    scales, sizes = np.array(numbers.get("scales", []), "f4"), np.array(numbers.get("sizes", []), "i8")
    inputs, constants = ("x  scales", {"scales": scales}) if scales.size else ("x   sizes", {"sizes": sizes})
    nodes = [node("Resize", inputs, "y", **attributes)]
    with pytest.raises(ValueError, match=message):
        read_onnx(graph_bytes(nodes, {"x": (1, 3, 6, 6)}, constants, opset=18))


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_images_of_any_size_become_those_of_one(mode):
    nodes = [
        node("Resize", "x   s", "a", mode=mode, nearest_mode="round_prefer_ceil"),
        node("Relu", "a", "y"),
    ]
    constants = {"s": np.array([1, 3, 9, 5])}
    model = loaded(graph_bytes(nodes, {"x": (1, 3, "H", "W")}, constants))
    assert [type(layer).__name__ for layer in model.layers if layer.output_shape][1] == "Resizing"
    for size in ((9, 5), (14, 4), (5, 30)):
        x = samples(1, 3, *size)
        fixed = loaded(graph_bytes(nodes, {"x": (1, 3, *size)}, constants))  # as test_onnx_operators has it
        np.testing.assert_array_equal(model.predict(x), fixed.predict(x))


@pytest.mark.parametrize(
    ("inputs", "numbers", "message"),
    [
        ("x   s", np.array([1, 3, 9, 5]), "'round_prefer_floor' say, of images of any size"),
        ("x  s", np.array([1, 1, 2, 1.5], "f4"), r"larger by \[2.0, 1.5\], which are no whole"),
    ],
)
def test_images_of_any_size_that_are_resized_otherwise_are_refused(inputs, numbers, message):
    data = graph_bytes([node("Resize", inputs, "y", mode="nearest")], {"x": (1, 3, "H", "W")}, {"s": numbers})
    with pytest.raises(ValueError, match=message):
        read_onnx(data)


@pytest.mark.parametrize("window", [1, 2])  # of 67 and 33 or 66 and 33, which stand for sizes of any parity
def test_sizes_that_follow_from_an_image_of_any_size_are_no_constants(window):
    nodes = [
        node("MaxPool", "x", "a", kernel_shape=[window, window]), node("Shape", "a", "s"),
        node("MaxPool", "a", "b", kernel_shape=[2, 2], strides=[2, 2]),
        node("Resize", "b   s", "y", mode="linear"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="to sizes that follow from theirs"):
        read_onnx(graph_bytes(nodes, {"x": ("N", 3, "H", "W")}))
    x = samples(2, 3, 7, 9)
    check(graph_bytes(nodes, {"x": ("N", 3, 7, 9)}), x)


def test_weights_of_other_types():
    for dtype in (np.float16, np.float64):
        wide = samples(3, 2).astype(dtype)
        tensor = onnx.numpy_helper.from_array(wide, "w")
        model = onnx.ModelProto.FromString(graph_bytes([node("MatMul", "x w", "y")], {"x": ("N", 3)}))
        model.graph.initializer.append(tensor)
        kernel = loaded(model.SerializeToString()).layers[0].kernel.value
        np.testing.assert_array_equal(kernel, wide.astype(np.float32))
    tensor = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [3, 2], [1, 2, 3, 4, 5, 6])  # not raw
    del model.graph.initializer[:]
    model.graph.initializer.append(tensor)
    found = loaded(model.SerializeToString()).predict([[1.0, 10.0, 100.0]])
    np.testing.assert_array_equal(found, [[531, 642]])


def test_a_model_of_doubles_and_one_of_bytes():
    data = graph_bytes([node("Exp", "x", "y")], {"x": (("N", 2), "float64")})
    assert loaded(data).dtype == np.float64
    nodes = [node("Cast", "x", "a", to=1), node("Div", "a b", "y")]
    data = graph_bytes(nodes, {"x": (("N", 2), "uint8")}, {"b": np.float32(255)})
    np.testing.assert_allclose(loaded(data).predict(np.array([[0, 255]], np.uint8)), [[0, 1]], rtol=1e-6)


def test_labels_are_left_out():
    nodes = [node("MatMul", "x w", "y"), node("ArgMax", "y", "label", axis=1)]
    constants = {"w": samples(3, 4)}
    data = graph_bytes(nodes, {"x": ("N", 3)}, constants, outputs="label y")
    assert loaded(data).output_shape == (4,)
    assert "outputs 'label' of the ONNX file are labels" in read_onnx(data).notes[0]
    with pytest.raises(ValueError, match=r"gives labels alone, 'label', .* take ArgMax off"):
        read_onnx(graph_bytes(nodes, {"x": ("N", 3)}, constants, outputs="label"))


def test_a_convolution_worked_by_hand():
    kernel = np.array([[[[1, 0], [0, 10]]]], np.float32)
    data = graph_bytes([node("Conv", "x w b", "y", strides=[1, 2])], {"x": ("N", 1, 2, 4)},
                       {"w": kernel, "b": np.array([0.5], np.float32)})  # fmt: skip
    found = loaded(data).predict(np.arange(8.0).reshape(1, 1, 2, 4))
    np.testing.assert_array_equal(found, [[[[50.5, 72.5]]]])


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("MatMul", "x x", "y")], "MatMul: it takes computed values where layers have weights"),
        ([node("Transpose", "x", "y", perm=[1, 0])], "does not leave the samples first"),
        ([node("Softmax", "x", "y", axis=0)], "it goes over the samples of a batch"),
        ([node("Div", "x x", "y")], "it divides one value by another"),
        ([node("Log", "x", "y")], "logarithms elsewhere than of softmax"),
        ([node("LSTM", "x", "y", name="memory")], "The node 'memory' is a LSTM: no layer here does"),
        ([node("Conv", "x  ", "y")], "do not fit each other"),
        ([node("Relu", "x x", "y")], "it takes computed values where layers have weights"),
        ([node("Concat", "x c", "y", axis=1)], "it puts constants beside values"),
        ([node("Cast", "x", "y", to=7)], "it rounds numbers to integers"),
    ],
)
def test_refusals_name_the_node_and_the_reason(nodes, message):
    data = graph_bytes(nodes, {"x": ("N", 3)}, {"c": samples(1, 3)})
    with pytest.raises(ValueError, match=message):
        read_onnx(data)
