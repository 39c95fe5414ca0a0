"""A layer is added by the steps of docs/design.md: a class, its kernels, a line, and a row of the table."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import test_layers
import test_program
from layer_cases import Case

import tinynet
from tinynet import Sequential, initializers, layers, load_model
from tinynet.kernels import elementwise, update

LAYERS = Path(tinynet.__file__).parent / "layers"


@dataclass(eq=False, repr=False)
class Offset(layers.Layer, only_kernels=True):
    """y = x + offset, with a number for each element of a sample."""

    initializer: str = "ones"

    def declare(self, input_shape, random):
        initialize = initializers.get(self.initializer)
        self.offset = self.add_parameter("offset", input_shape, initialize, random)
        return input_shape

    def forward(self, x, training=False):
        x = self.check_input(x)
        y = self.empty("y", x.shape, training)
        for sample, result in zip(x, y, strict=True):
            update.add_up(sample.reshape(-1), result.reshape(-1), True)
            update.add_up(self.offset.value.reshape(-1), result.reshape(-1), False)
        if training:
            self.x = x
        return y

    def backward(self, dy):
        _, dy = self.check_upstream(self.x, dy)
        elementwise.fill(self.offset.grad.reshape(-1), 0.0)
        for sample in dy:
            update.add_up(sample.reshape(-1), self.offset.grad.reshape(-1), False)
        return dy if self.needs_input_gradient else np.empty(0, self.dtype)


CASE = Case(Offset, (3, 2), lambda layer, x, dy: (x + layer.offset.value, dy, [dy.sum(axis=0)]))

TESTS = [
    test
    for module in (test_layers, test_program)
    for name, test in vars(module).items()
    if name.startswith("test_") and {"case", "build"} & inspect.signature(test).parameters.keys()
]


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__)
def test_the_tests_of_all_layers_run_over_a_new_one(test):
    values = {
        "case": CASE, "dtype": "float64", "samples": 3, "shape": CASE.shape, "build": CASE.build,
    }  # fmt: skip
    if test is not test_layers.test_repr_is_the_call_that_makes_the_layer:  # which looks in tinynet.layers
        test(**{name: values[name] for name in inspect.signature(test).parameters})


def test_there_are_such_tests():
    assert len(TESTS) > 15


def test_a_new_layer_trains_recorded_and_is_saved(tmp_path, blobs):
    x, y = blobs
    model = Sequential([Offset("zeros"), layers.Dense(3, "softmax"), Offset()], 2)
    model.compile("adam", "mse")
    targets = np.eye(3)[y]
    record = model.fit(x, targets, epochs=3, verbose=0).history["loss"]
    assert record[-1] < record[0]
    assert model.only_kernels
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(load_model(tmp_path / "model").predict(x), model.predict(x))


def test_layer_normalization_took_no_more_than_that():
    assert len((LAYERS / "layer_normalization.py").read_text(encoding="utf-8").splitlines()) <= 80
    package = LAYERS.parent
    named = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "LayerNormalization" in path.read_text(encoding="utf-8")
    }
    needed = {"layers/__init__.py", "layers/layer_normalization.py"}
    # What other libraries' files can say of it, too; without these, it is saved in tinynet's own alone.
    formats = {
        "exporting/onnx/operators.py", "exporting/tflite/operators.py", "files/keras/layers.py",
        "files/keras/layers_to_keras.py", "files/keras/layout.py", "files/keras/output_shapes.py",
        "models/storage/pytorch_layers.py",
    }  # fmt: skip
    # Where it is more than a row of a table: its axis in Keras, its epsilon in PyTorch, ONNX's operator.
    special = {
        "files/keras/reading.py", "files/onnx/normalization.py", "files/onnx/operators.py",
        "files/onnx/patterns.py", "models/storage/state_dict.py",
    }  # fmt: skip
    assert named == needed | formats | special | {"keras/names.py"}
