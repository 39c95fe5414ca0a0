"""Each operator against onnxruntime."""

import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx_cases import CASES  # noqa: E402
from onnx_files import check, graph_bytes, samples  # noqa: E402
from onnx_shape_cases import CASES as MORE  # noqa: E402


@pytest.mark.parametrize("case", [*CASES, *MORE], ids=lambda case: case.name)
def test_operator(case):
    nodes = [onnx.parser.parse_node(text) for text in case.nodes.split("; ")]
    batch = "N" if case.shape[0] > 1 else 1
    data = graph_bytes(nodes, {"x": (batch, *case.shape[1:])}, case.constants, opset=case.opset)
    check(data, samples(*case.shape))
