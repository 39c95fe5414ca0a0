"""Files that were damaged, or made to do harm: one error, soon, and no large arrays."""

import contextlib
import random
import time
import tracemalloc

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx_cases import CASES  # noqa: E402
from onnx_files import graph_bytes, loaded, node, samples  # noqa: E402
from onnx_shape_cases import CASES as MORE  # noqa: E402
from test_onnx_reading import network  # noqa: E402

from tinynet.files.onnx import read_onnx  # noqa: E402

NUMBERS = [0, 1, -1, 2, 7, 255, 1_000_003, 2**20, 2**31 - 1, 2**31, 2**40, 10**12, 2**62, 2**63 - 1, -(2**63)]


def files():
    """Small files of all kinds."""
    made = [network()]
    for case in [*CASES, *MORE]:
        nodes = [onnx.parser.parse_node(text) for text in case.nodes.split("; ")]
        made.append(graph_bytes(nodes, {"x": ("N", *case.shape[1:])}, case.constants, opset=case.opset))
    return made


def with_other_bytes(data, draw):
    """A file in which bytes are others, missing or added."""
    data = bytearray(data)
    for _ in range(draw.randint(1, 6)):
        place, kind = draw.randrange(len(data)), draw.randrange(5)
        if kind < 2:
            data[place] = draw.randrange(256)
        elif kind == 2:
            del data[place : place + draw.randint(1, 9)]
        elif kind == 3:
            data[place:place] = draw.randbytes(draw.randint(1, 9))
        elif len(data) > 100:
            del data[max(place, 90) :]
    return bytes(data)


def with_other_numbers(data, draw):
    """A file in which attributes, shapes and names are others."""
    model = onnx.ModelProto.FromString(data)
    graph = model.graph
    names = [one.name for one in graph.initializer] + [name for one in graph.node for name in one.output]
    for _ in range(draw.randint(1, 4)):
        one, kind = draw.choice(graph.node), draw.randrange(6)
        if kind == 0 and one.attribute:
            attribute = draw.choice(one.attribute)
            if attribute.ints:
                attribute.ints[draw.randrange(len(attribute.ints))] = draw.choice(NUMBERS)
            else:
                attribute.i = draw.choice(NUMBERS)
        elif kind == 1 and graph.initializer:
            tensor = draw.choice(graph.initializer)
            if tensor.data_type == 7 and tensor.raw_data:
                array = onnx.numpy_helper.to_array(tensor).copy()
                array.reshape(-1)[draw.randrange(array.size)] = draw.choice(NUMBERS)
                tensor.raw_data = array.tobytes()
            elif tensor.dims:
                tensor.dims[draw.randrange(len(tensor.dims))] = draw.choice(NUMBERS)
        elif kind == 2 and one.input:
            one.input[draw.randrange(len(one.input))] = draw.choice([*names, "", "x"])
        elif kind == 3:
            one.op_type = draw.choice(graph.node).op_type
        elif kind == 4:
            sizes = graph.input[0].type.tensor_type.shape.dim
            sizes[draw.randrange(len(sizes))].dim_value = draw.choice(NUMBERS)
        else:
            one.input.append(draw.choice([*names, ""]))
    return model.SerializeToString()


def attack(count, seed):
    draw, made = random.Random(seed), files()
    read = 0
    for _ in range(count):
        change = draw.choice([with_other_bytes, with_other_numbers])
        data = change(draw.choice(made), draw)
        start = time.perf_counter()
        try:
            read_onnx(data)
            read += 1
        except ValueError:
            pass
        assert time.perf_counter() - start < 2
    return read


def test_damaged_files_raise_nothing_but_value_errors():
    assert 10 < attack(400, seed=1) < 390


@pytest.mark.parametrize(
    "operator", ["Gemm", "MatMul", "Add", "Conv", "BatchNormalization", "CastLike", "Concat"]
)
@pytest.mark.parametrize("inputs", [["x"], ["x", ""], ["", "x"], []])
def test_operators_without_some_of_their_inputs_raise_nothing_but_value_errors(operator, inputs):
    with contextlib.suppress(ValueError):
        read_onnx(graph_bytes([onnx.helper.make_node(operator, inputs, ["y"])], {"x": ("N", 4)}, {}))


def integers(*numbers):
    return np.array(numbers, np.int64)


HUGE = 10**12
BOMBS = {
    "padding": ([node("Pad", "x p", "y")], {"p": integers(0, 0, HUGE, 0, 0, 0, 0, 0)}),
    "padding that a layer could have": (
        [node("Pad", "x p", "y")], {"p": integers(0, 0, 9000, 9000, 0, 0, 0, 0)}
    ),
    "padded convolution": (
        [node("Conv", "x w", "y", pads=[2**20, 2**20, 0, 0])], {"w": np.ones((1, 1, 2, 2), "f4")}
    ),
    "constant of a shape": (
        [node("ConstantOfShape", "s", "c"), node("Add", "x c", "y")], {"s": integers(HUGE)}
    ),
    "many constants of a shape": (
        [node("ConstantOfShape", "s", "c"), node("Tile", "c s", "d"), node("Add", "x d", "y")],
        {"s": integers(60_000)},
    ),
    "expanded constant": ([node("Expand", "c s", "d"), node("Add", "x d", "y")],
                          {"c": np.ones(1, "f4"), "s": integers(HUGE, 8)}),
    "expanded value": ([node("Expand", "x s", "y")], {"s": integers(1, HUGE, 8, 8)}),
    "range": ([node("Range", "a b c", "d"), node("Add", "x d", "y")],
              {"a": np.float32(0), "b": np.float32(1e30), "c": np.float32(1e-30)}),
    "larger image": (
        [node("Resize", "x  s", "y", mode="nearest", coordinate_transformation_mode="asymmetric",
              nearest_mode="floor")], {"s": np.array([1, 1, 4e4, 4e4], "f4")}
    ),
    "gather": ([node("Gather", "c i", "d"), node("Add", "x d", "y")],
               {"c": np.ones((1, 9000), "f4"), "i": np.zeros(9000, np.int64)}),
    "broadcast constants": ([node("Add", "a b", "d"), node("Add", "x d", "y")],
                            {"a": np.ones((9000, 1), "f4"), "b": np.ones((1, 9000), "f4")}),
    "doubled again and again": (
        [node("Concat", "x x", "a0", axis=1),
         *(node("Concat", f"a{i} a{i}", f"a{i + 1}", axis=1) for i in range(60)),
         node("Relu", "a60", "y")], {}
    ),
    "the same weights again and again": (
        [node("MatMul", "x w", "a0"), *(node("MatMul", f"a{i} w", f"a{i + 1}") for i in range(60)),
         *(node("Relu", f"a{i}", f"b{i}") for i in range(60)), node("Relu", "a60", "y")],
        {"w": np.ones((8, 8), "f4")}
    ),
    "a layer too many": ([node("Relu", "x", "a0"), *(node("Tanh", f"a{i}", f"a{i + 1}") for i in range(5000)),
                          node("Relu", "a5000", "y")], {}),
    "division": ([node("Div", "a b", "c"), node("Reshape", "x c", "y")],
                 {"a": integers(1, 1), "b": integers(0, 0)}),
    "power": ([node("Pow", "x p", "y")], {"p": np.float32(1e9)}),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_nothing(name):
    nodes, constants = BOMBS[name]
    data = graph_bytes(nodes, {"x": ("N", 1, 8, 8)}, constants)
    tracemalloc.start()
    try:
        if name == "the same weights again and again":
            loaded(data)
        else:
            with pytest.raises(ValueError, match=r"node|graph"):
                read_onnx(data)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    start = time.perf_counter()
    with contextlib.suppress(ValueError):
        read_onnx(data)
    assert time.perf_counter() - start < 2


def test_a_circle_is_refused():
    data = graph_bytes(
        [node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")], {"x": ("N", 3)}
    )
    with pytest.raises(ValueError, match="it needs its own output"):
        read_onnx(data)


def test_values_that_nothing_or_two_nodes_compute_are_refused():
    with pytest.raises(ValueError, match="computed by nothing"):
        read_onnx(graph_bytes([node("Add", "x b", "y")], {"x": ("N", 3)}))
    with pytest.raises(ValueError, match="Nothing computes the output 'y'"):
        read_onnx(graph_bytes([node("Relu", "x", "z")], {"x": ("N", 3)}))
    with pytest.raises(ValueError, match="Two nodes compute the value 'y'"):
        read_onnx(graph_bytes([node("Relu", "x", "y"), node("Tanh", "x", "y")], {"x": ("N", 3)}))


def external(path, array, **said):
    """A graph whose weights are in another file."""
    tensor = onnx.numpy_helper.from_array(array, "w")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": path, **said}.items():
        tensor.external_data.add(key=key, value=str(value))
    model = onnx.ModelProto.FromString(graph_bytes([node("MatMul", "x w", "y")], {"x": ("N", 3)}))
    model.graph.initializer.append(tensor)
    return model.SerializeToString()


def test_weights_in_another_file(tmp_path):
    array = samples(3, 2)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "weights.bin").write_bytes(b"1234" + array.tobytes())
    model = loaded(external("sub/weights.bin", array, offset=4, length=24), tmp_path)
    np.testing.assert_array_equal(model.layers[0].kernel.value, array)


def test_files_elsewhere_are_not_read(tmp_path):
    array, inside, outside = samples(3, 2), tmp_path / "model", tmp_path / "secret"
    inside.mkdir()
    outside.write_bytes(array.tobytes())
    (inside / "link").symlink_to(outside)
    (inside / "short").write_bytes(array.tobytes()[:-1])
    for path in ("../secret", str(outside), "link", "short", "nothing", ".", "/dev/zero", "\0"):
        with pytest.raises(ValueError, match="'w' is in another file"):
            read_onnx(external(path, array), inside)
    for said in ({"offset": -1}, {"offset": 10**18}, {"length": 10**12}, {"offset": "x"}):
        with pytest.raises(ValueError, match="'w' is in another file"):
            read_onnx(external("short", array, **said), inside)
    with pytest.raises(ValueError, match="read the model from its folder"):
        read_onnx(external("short", array))
