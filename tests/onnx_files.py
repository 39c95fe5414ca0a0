"""ONNX files for tests: graphs of a few nodes, what onnxruntime computes, and what tinynet makes of them."""

import numpy as np
import pytest

from tinynet import Model, Sequential
from tinynet.files.onnx import read_onnx

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402  # after it is known to be there

TYPES = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "uint8": TensorProto.UINT8}


def node(operator, inputs, outputs, **attributes):
    """A node; the inputs and outputs are names with spaces between them."""
    return helper.make_node(operator, inputs.split(" "), outputs.split(" "), **attributes)


def graph_bytes(nodes, inputs, constants=(), outputs="y", opset=13, name="graph", listed=False, ir=8):
    """The content of an ONNX file.

    Args:
        nodes: as `node` returns them.
        inputs: the shapes by name, with "N" for the batch; or (shape, dtype).
        constants: arrays by name.
        outputs: their names, with spaces between them.
        listed: whether constants are inputs, too.
    """
    constants = dict(constants)
    ports = []
    for title, said in inputs.items():
        shape, dtype = said if isinstance(said[0], tuple) else (said, "float32")
        ports.append(helper.make_tensor_value_info(title, TYPES[dtype], shape))
    tensors = [numpy_helper.from_array(np.asarray(array), title) for title, array in constants.items()]
    if listed:
        ports += [helper.make_tensor_value_info(one.name, one.data_type, one.dims) for one in tensors]
    results = [helper.make_tensor_value_info(title, TensorProto.FLOAT, None) for title in outputs.split(" ")]
    graph = helper.make_graph(nodes, name, ports, results, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    return model.SerializeToString()


def loaded(data, folder=None):
    """The model in a file, with its weights."""
    description = read_onnx(data, folder)
    kind = Sequential if description.config["class"] == "Sequential" else Model
    model = kind.from_config(description.config)
    parts = dict(model.parts())
    missing = {id(parameter) for parameter in model.parameters}
    for path, arrays in description.weights.items():
        wanted = [*parts[path].trainable_weights, *parts[path].non_trainable_weights]
        assert [one.value.shape for one in wanted] == [array.shape for array in arrays]
        for parameter, array in zip(wanted, arrays, strict=True):
            parameter.value = array
            missing.discard(id(parameter))
    assert not missing
    return model


def reference(data, *inputs):
    """What onnxruntime computes."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session.run(None, {one.name: x for one, x in zip(session.get_inputs(), inputs, strict=False)})


def samples(*shape, seed=0):
    """Random numbers of both signs."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def check(data, *inputs, tolerance=1e-5, folder=None):
    """Compare a model with onnxruntime, and return it."""
    model = loaded(data, folder)
    found = model.predict(inputs[0] if len(inputs) == 1 else [*inputs])
    found = found if isinstance(found, list) else [found]
    for mine, theirs in zip(found, reference(data, *inputs), strict=True):
        mine = (
            mine[:, 0] if theirs.ndim == 1 and mine.shape[1:] == (1,) else mine
        )  # samples have an axis here
        assert mine.shape == theirs.shape
        largest = np.abs(theirs).max() + 1e-3
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance * largest)
    return model
