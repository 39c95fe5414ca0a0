"""What the tests of export's formats share: models of all kinds, and their weights."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tinynet import Input, Model, Sequential, layers


def shaken(model, seed=0):
    """Return a model with other numbers in all weights, also in those that begin as zeros and ones."""
    random = np.random.default_rng(seed)
    for name, parameter in model.named_parameters().items():
        shape = parameter.value.shape
        values = random.normal(size=shape)
        if name.endswith("variance"):
            parameter.value[...] = np.abs(values) + 0.1
        elif len(shape) > 1:
            parameter.value[...] = values / np.sqrt(np.prod(shape[:-1]))
        else:
            parameter.value[...] = values / 2 + 0.5
    return model


MERGING = ["Add", "Average", "Maximum", "Multiply", "Subtract"]
MERGED = [  # shapes of samples that they take
    [(3,), (3,)],
    [(4, 3, 2), (2,)],  # where the batch must not meet the rows
    [(2,), (4, 3, 2)],
    [(4, 1, 2), (1, 3, 2)],
    [(5, 1), (1,)],
    [(2, 3, 2, 2), (2, 2)],
    [(3, 2), (3, 2), (2,)],
    [(3, 2)],
]
SIZES = st.integers(1, 9)
ROWS = st.lists(
    st.one_of(
        st.builds(
            layers.Conv2D,
            st.sampled_from([1, 3, 8]),
            st.tuples(st.integers(1, 3), st.integers(1, 3)),
            st.tuples(st.integers(1, 2), st.integers(1, 3)),
            st.sampled_from(["same", "valid"]),
            activation=st.sampled_from([None, "relu", "tanh", "sigmoid", "leaky_relu", "softmax"]),
            use_bias=st.booleans(),
        ),
        st.builds(
            layers.SeparableConv2D,
            st.sampled_from([1, 3]),
            st.tuples(st.integers(1, 3), st.integers(1, 3)),
            padding=st.sampled_from(["same", "valid"]),
            dilation_rate=st.integers(1, 2),
            depth_multiplier=st.integers(1, 2),
        ),
        st.builds(
            layers.DepthwiseConv2D,
            st.integers(1, 3),
            st.integers(1, 2),
            st.sampled_from(["same", "valid"]),
            st.integers(1, 2),
            activation=st.sampled_from([None, "relu6"]),
        ),
        st.builds(layers.MaxPool2D, st.integers(1, 3), st.integers(1, 3), st.sampled_from(["same", "valid"])),
        st.builds(
            layers.AveragePool2D, st.integers(1, 3), st.integers(1, 3), st.sampled_from(["same", "valid"])
        ),
        st.builds(layers.BatchNormalization, center=st.booleans(), scale=st.booleans()),
        st.builds(layers.Dropout, st.just(0.5)),
        st.builds(layers.ReLU),
        st.builds(layers.Rescaling, st.sampled_from([1.0, 0.5]), st.sampled_from([0.0, -1.0])),
        st.builds(layers.LayerNormalization),
        st.builds(layers.ZeroPadding2D, st.integers(0, 2)),
        st.builds(
            layers.UpSampling2D, st.integers(1, 3), interpolation=st.sampled_from(["nearest", "bilinear"])
        ),
        st.builds(layers.Resizing, SIZES, SIZES, st.sampled_from(["nearest", "bilinear"])),
        st.builds(layers.Permute, st.permutations([1, 2, 3])),
    ),
    max_size=4,
)
HEADS = st.lists(
    st.one_of(
        st.builds(layers.Dense, SIZES, st.sampled_from([None, "relu", "softmax"]), st.booleans()),
        st.builds(layers.BatchNormalization),
        st.builds(layers.Activation, st.sampled_from(["relu", "tanh", "linear"])),
    ),
    max_size=3,
)
ENDS = st.sampled_from([layers.Flatten, layers.GlobalAveragePool2D, layers.GlobalMaxPool2D])


def graph():
    """Return a model with a model inside, a layer that is called for two sizes, an output in the midst."""
    left, right = Input((6, 5, 2), name="left"), Input((7, 4, 2), name="right")
    image = Input((6, 5, 2))
    y = layers.Conv2D(3, 3, padding="same")(image)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    inner = Model(image, layers.Add()([y, layers.Conv2D(3, 1)(image)]))
    shared = layers.Conv2D(4, 2, activation="relu")
    first = layers.GlobalAveragePool2D()(shared(inner(left)))
    linear = layers.Conv2D(3, 2)(right)
    second = layers.GlobalMaxPool2D()(shared(layers.ReLU()(linear)))
    both = layers.Dense(5, activation="softmax")(layers.Concatenate()([first, second]))
    return shaken(Model([left, right], [both, linear, first]))


class Double(layers.ReLU):
    """A layer of one's own."""

    def forward(self, x, training=False):
        return 2 * super().forward(x, training)


class Halved(Sequential):
    """A model of one's own."""

    def forward(self, x, training=False):
        return super().forward(x, training) / 2
