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
