"""Layers give what they give in Keras on PyTorch, forward and backward, from Keras's own arguments."""

from __future__ import annotations

import inspect
import os

import numpy as np
import pytest

from tinynet import layers

torch = pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("these tests need Keras's backend torch", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings(  # get_weights asks PyTorch in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

# What every layer of Keras writes besides its own arguments, or has no meaning here.
GENERAL = {"name", "trainable", "dtype", "lora_rank", "lora_alpha", "quantization_config"}

POOLS = [
    {},
    {"pool_size": 3},
    {"pool_size": (3, 2), "strides": (2, 1)},
    {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": (2, 3), "strides": 4, "padding": "same"},
]

CONVOLUTIONS = [
    {},
    {"strides": (2, 1), "padding": "same", "activation": "relu"},
    {"dilation_rate": (2, 1), "padding": "same"},
    {"dilation_rate": 2, "groups": 2, "use_bias": False},
    {"groups": 4, "strides": 2, "padding": "same", "activation": "tanh"},
]

DEPTHWISE = [
    {},
    {"strides": 2, "padding": "same", "activation": "relu"},
    {"dilation_rate": (2, 1), "padding": "same", "depth_multiplier": 2},
    {"depth_multiplier": 3, "use_bias": False},
]

ROWS = [
    {},
    {"padding": "causal", "activation": "relu"},
    {"strides": 2, "padding": "same"},
    {"strides": 3, "padding": "causal", "use_bias": False},
    {"dilation_rate": 2, "padding": "causal", "groups": 2},
]

LAYERS = [
    *(("Conv1D", {"filters": 4, "kernel_size": 3, **a}, (8, 2)) for a in ROWS),
    *(("MaxPooling1D", a, (7, 3)) for a in ({}, {"pool_size": 3, "strides": 2, "padding": "same"})),
    *(("AveragePooling1D", {"pool_size": 3, **a}, (9, 2)) for a in ({}, {"strides": 2, "padding": "same"})),
    *((f"Global{k}Pooling1D", a, (5, 3)) for k in ("Max", "Average") for a in ({}, {"keepdims": True})),
    *(("DepthwiseConv2D", {"kernel_size": (3, 2), **a}, (7, 8, 4)) for a in DEPTHWISE),
    *(("SeparableConv2D", {"filters": 5, "kernel_size": (3, 2), **a}, (7, 8, 4)) for a in DEPTHWISE),
    *(("Conv2D", {"filters": 8, "kernel_size": (3, 2), **a}, (7, 8, 4)) for a in CONVOLUTIONS),
    *(
        (kind, {**arguments, "data_format": "channels_first"}, (4, 7, 8))
        for kind, arguments in (
            ("Conv2D", {"filters": 3, "kernel_size": (3, 2), "activation": "relu"}),
            (
                "Conv2D",
                {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "sigmoid"},
            ),
            ("MaxPooling2D", {}),
            ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}),
            ("AveragePooling2D", {"pool_size": 3, "strides": 2}),
            ("Flatten", {}),
        )
    ),
    ("Dense", {"units": 3}, (4,)),
    ("Dense", {"units": 3, "activation": "softmax"}, (2, 3, 4)),
    ("Dense", {"units": 5, "activation": "relu", "use_bias": False}, (1, 7, 2)),
    *(("MaxPooling2D", a, (7, 8, 3)) for a in POOLS),
    # Of odd padding, Keras counts repeated edges on PyTorch, and nothing on its other backends, as here.
    *(("AveragePooling2D", {"pool_size": 2, **a}, (7, 8, 3)) for a in POOLS[:-2]),
    ("AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, (7, 9, 3)),
    *((f"Global{k}Pooling2D", a, (5, 4, 3)) for k in ("Max", "Average") for a in ({}, {"keepdims": True})),
    ("Rescaling", {"scale": 1 / 255}, (3, 4, 2)),
    ("Rescaling", {"scale": 2, "offset": -1.5}, (7,)),
    ("Rescaling", {"scale": [1, 2], "offset": [[0], [3], [4]]}, (5, 3, 2)),
    ("Normalization", {"mean": 3, "variance": 2}, (3, 4, 2)),
    ("Normalization", {"mean": [1, 2], "variance": [3, 0]}, (3, 4, 2)),
    ("Normalization", {"axis": None, "mean": 3, "variance": 2, "invert": True}, (4,)),
    ("Normalization", {"axis": (1, 3), "mean": [[1, 2], [3, 4]], "variance": [[5, 6], [7, 8]]}, (2, 3, 2)),
    ("Normalization", {"axis": (1, 3), "mean": [1, 2], "variance": [5, 6]}, (3, 3, 2)),
    ("Dropout", {"rate": 0.0, "noise_shape": (None, 1, 1, None)}, (3, 4, 2)),
    ("SpatialDropout2D", {"rate": 0.0, "seed": 1}, (3, 4, 2)),
    ("SpatialDropout1D", {"rate": 0.0}, (4, 2)),
    ("Flatten", {}, (3, 4, 2)),
    ("Reshape", {"target_shape": (4, -1)}, (3, 4, 2)),
    ("Permute", {"dims": (2, 3, 1)}, (3, 4, 2)),
    ("ZeroPadding2D", {}, (3, 4, 2)),
    ("ZeroPadding2D", {"padding": (2, (1, 0))}, (3, 4, 2)),
    ("Cropping2D", {}, (3, 4, 2)),
    ("Cropping2D", {"cropping": ((1, 0), (1, 2))}, (3, 4, 2)),
    ("UpSampling2D", {}, (3, 4, 2)),
    ("UpSampling2D", {"size": (3, 1)}, (3, 4, 2)),
    *(
        ("UpSampling2D", {"size": size, "interpolation": "bilinear"}, (3, 5, 2))
        for size in (2, (3, 1), (1, 4))
    ),
    *(
        ("Resizing", {"height": height, "width": width, "interpolation": interpolation}, (9, 10, 2))
        for interpolation in ("bilinear", "nearest")
        for height, width in ((4, 3), (9, 10), (18, 5), (31, 23), (1, 1))
    ),
]


def both(kind, arguments, shape):
    """Return tinynet's layer, made from the configuration that Keras's writes, and Keras's, built."""
    theirs = getattr(keras.layers, kind)(**arguments)
    config = {name: value for name, value in theirs.get_config().items() if name not in GENERAL}
    ours = getattr(layers, kind)(**config)
    ours.build(shape)
    theirs.build((None, *shape))
    random = np.random.default_rng(2)
    if ours.parameters:
        ours.set_weights([random.normal(size=value.shape) for value in ours.get_weights()])
        theirs.set_weights(ours.get_weights())
    return ours, theirs


def check_close(actual, expected):
    np.testing.assert_allclose(
        actual, expected, rtol=1e-4, atol=1e-5 * max(np.abs(expected).max(initial=1), 1)
    )


@pytest.mark.parametrize(("kind", "arguments", "shape"), LAYERS, ids=str)
def test_layers_do_what_they_do_in_keras(kind, arguments, shape):
    ours, theirs = both(kind, arguments, shape)
    random = np.random.default_rng(0)
    x = random.normal(size=(4, *shape)).astype(np.float32)
    assert (None, *ours.output_shape) == tuple(theirs.compute_output_shape((None, *shape)))
    tensor = torch.tensor(x, requires_grad=True)
    expected = theirs(tensor, training=True)
    dy = random.normal(size=tuple(expected.shape)).astype(np.float32)
    expected.backward(torch.tensor(dy))
    check_close(ours.forward(x, training=True), expected.detach().numpy())
    check_close(ours.backward(dy), tensor.grad.numpy())
    assert [p.value.shape for p in ours.parameters] == [tuple(w.shape) for w in theirs.weights]
    for parameter, weight in zip(ours.trainable_parameters(), theirs.trainable_weights, strict=True):
        assert parameter.name == weight.name
        check_close(parameter.grad, weight.value.grad.numpy())
    check_close(ours.forward(x), theirs(x, training=False).detach().numpy())


# Of ranges with one number in them, Keras draws the same.
FIXED = [
    ("RandomRotation", {"factor": (0.1, 0.1)}),
    ("RandomRotation", {"factor": (-0.3, -0.3), "fill_mode": "wrap"}),
    ("RandomRotation", {"factor": (0.2, 0.2), "fill_mode": "constant", "fill_value": 3.0}),
    ("RandomRotation", {"factor": (0.07, 0.07), "fill_mode": "nearest", "interpolation": "nearest"}),
    ("RandomTranslation", {"height_factor": (0.13, 0.13), "width_factor": (-0.31, -0.31)}),
    (
        "RandomTranslation",
        {"height_factor": (0.6, 0.6), "width_factor": (0.9, 0.9), "fill_mode": "constant"},
    ),
    ("RandomZoom", {"height_factor": (0.3, 0.3), "fill_mode": "constant"}),
    ("RandomZoom", {"height_factor": (-0.4, -0.4), "width_factor": (0.7, 0.7)}),
    ("RandomZoom", {"height_factor": (0.7, 0.7), "width_factor": (0.2, 0.2), "fill_mode": "wrap"}),
]


@pytest.mark.parametrize(("kind", "arguments"), FIXED, ids=str)
def test_transforms_do_what_they_do_in_keras(kind, arguments):
    ours, theirs = both(kind, arguments, (7, 6, 3))
    x = np.random.default_rng(0).normal(size=(4, 7, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True).numpy(), atol=1e-4)
    np.testing.assert_array_equal(ours(x), x)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("Dropout", {"rate": 0.3}),
        ("SpatialDropout2D", {"rate": 0.3}),
        ("RandomFlip", {}),
        ("RandomRotation", {"factor": 0.1}),
        ("RandomTranslation", {"height_factor": 0.1, "width_factor": 0.2}),
        ("RandomZoom", {"height_factor": 0.1}),
    ],
)
def test_random_layers_take_keras_s_arguments(kind, arguments):
    both(kind, arguments, (7, 6, 3))
    test_arguments_have_keras_s_names_order_and_defaults(kind)


@pytest.mark.parametrize("axis", [-1, None, (1,), (1, 3), (-3, -2, -1)], ids=str)
@pytest.mark.parametrize("whole", [True, False])
def test_normalization_adapts_as_in_keras(axis, whole):
    data = np.random.default_rng(0).normal(3, 5, (24, 4, 2, 3)).astype(np.float32)
    ours, theirs = layers.Normalization(axis), keras.layers.Normalization(axis)
    ours.adapt(data if whole else [data[:5], data[5:7], data[7:]])
    theirs.adapt(data)
    for value, weight in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert value.shape == weight.shape
        check_close(value, weight)
    check_close(ours(data), theirs(data).detach().numpy())


# What is an argument of Keras's and not of tinynet's; what tinynet has besides comes after Keras's.
NOT_HERE = {"kwargs"} | GENERAL


@pytest.mark.parametrize("kind", sorted({kind for kind, _, _ in LAYERS}))
def test_arguments_have_keras_s_names_order_and_defaults(kind):
    theirs = inspect.signature(getattr(keras.layers, kind).__init__).parameters
    ours = inspect.signature(getattr(layers, kind)).parameters
    wanted = [name for name in theirs if name not in {"self", "name"} | NOT_HERE]
    assert [*ours][: len(wanted)] == wanted
    for name in wanted:
        default = theirs[name].default
        while isinstance(default, tuple) and len({*default}) == 1:
            default = default[0]  # (2, 2) is 2
        if default is not inspect.Parameter.empty:
            assert ours[name].default == default, name


@pytest.mark.parametrize("kind", [kind for kind, arguments, _ in LAYERS if not arguments])
def test_channels_first_is_refused(kind):
    refuses = kind not in ("Flatten", "MaxPooling2D")
    if refuses and "data_format" in inspect.signature(getattr(layers, kind)).parameters:
        with pytest.raises(ValueError, match=r"data_format must be 'channels_last'.*'channels_first'"):
            getattr(layers, kind)(data_format="channels_first")
