"""Normalization, merging, frozen and shared layers do what they do in Keras on PyTorch.

Keras reads `trainable` at every step there, and tinynet at `compile`: so where a model was compiled with
one value and another model with the other, Keras's scripts set it before each step.
"""

from __future__ import annotations

import itertools
import os
from types import SimpleNamespace

import numpy as np
import pytest

import tinynet

torch = pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("these tests need Keras's backend torch", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings(  # get_weights asks PyTorch in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

TOLERANCES = {"float32": 1e-4, "float64": 1e-9}
OPTIMIZERS = {
    "momentum": ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    "adam": ("Adam", {"learning_rate": 0.003, "beta_1": 0.5, "epsilon": 1e-16}),
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Keep PyTorch to one thread: several only wait for each other on arrays as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=TOLERANCES)
def dtype(request, monkeypatch):
    """Let Keras compute in this dtype, which for normalization and losses is otherwise float32 at most."""
    monkeypatch.setitem(keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


def check_close(actual, expected):
    """Compare arrays, relative to the largest element or to 1."""
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    tolerance = TOLERANCES[actual.dtype.name]
    np.testing.assert_allclose(
        actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max(initial=1)
    )


def check_weights(ours, theirs):
    """Compare all weights of two layers or models, and their names, in order."""
    assert [parameter.name for parameter in ours.parameters] == [weight.name for weight in theirs.weights]
    for value, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        check_close(value, expected)


def in_both(make, dtype):
    """Return what a function of layers and of a kind of `Sequential` makes in tinynet, and what in Keras."""

    def ours(layers, input_shape):
        return tinynet.Sequential(layers, input_shape, seed=1, dtype=dtype)

    def theirs(layers, input_shape):
        return keras.Sequential([keras.Input(input_shape), *layers])

    return make(tinynet.layers, ours), make(keras.layers, theirs)


def compile_one(model, optimizer, loss="sparse_categorical_crossentropy"):
    """Compile a model of one of the libraries with an optimizer of its own."""
    kind, settings = OPTIMIZERS[optimizer]
    library = tinynet.optim if isinstance(model, tinynet.Sequential) else keras.optimizers
    model.compile(getattr(library, kind)(**settings), loss)


NORMALIZATIONS = [
    ("BatchNormalization", {}),
    ("BatchNormalization", {"momentum": 0.7, "epsilon": 0.1}),
    ("BatchNormalization", {"center": False}),
    ("BatchNormalization", {"scale": False}),
    ("BatchNormalization", {"center": False, "scale": False}),
    ("LayerNormalization", {}),
    ("LayerNormalization", {"epsilon": 0.1}),
    ("LayerNormalization", {"center": False}),
    ("LayerNormalization", {"scale": False}),
]


@pytest.mark.parametrize("shape", [(5,), (4, 6, 3)], ids=str)
@pytest.mark.parametrize(("kind", "settings"), NORMALIZATIONS, ids=str)
def test_normalization(kind, settings, shape, dtype):
    random = np.random.default_rng(0)
    ours = getattr(tinynet.layers, kind)(**settings)
    theirs = getattr(keras.layers, kind)(**settings)
    ours.build(shape, dtype=dtype)
    theirs.build((None, *shape))
    check_weights(ours, theirs)  # as they are at first
    for parameter in ours.trainable_parameters():
        parameter.value = random.normal(size=shape[-1:])
    theirs.set_weights(ours.get_weights())
    for step in range(5):
        ours.trainable = theirs.trainable = step != 3
        size = (int(random.integers(2, 9)), *shape)
        x, dy = ((random.normal(size=size) * 3 + 1).astype(dtype) for _ in "xy")
        tensor = torch.tensor(x, requires_grad=True)
        expected = theirs(tensor, training=True)
        expected.backward(torch.tensor(dy))
        check_close(ours.forward(x, training=True), expected.detach().numpy())
        check_close(ours.backward(dy), tensor.grad.numpy())
        if theirs.trainable:  # or else they have no gradients
            variables = [weight.value for weight in theirs.trainable_weights]
            for parameter, variable in zip(ours.trainable_parameters(), variables, strict=True):
                check_close(parameter.grad, variable.grad.numpy())
                variable.grad = None
        check_weights(ours, theirs)  # the running statistics, too
        check_close(ours.forward(x), theirs(torch.tensor(x), training=False).detach().numpy())


def reader(layers, sequential):
    """Make a small CNN that tells ten letters apart."""
    row = [
        layers.Conv2D(4, 3, padding="same", use_bias=False),
        layers.BatchNormalization(momentum=0.8),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dense(12),
        layers.LayerNormalization(),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Dense(10, activation="softmax"),
    ]
    return sequential(row, (6, 5, 2))


def train(ours, theirs, steps, seed):
    """Train two models on the same batches of different sizes, and compare their losses."""
    random, dtype = np.random.default_rng(seed), ours.dtype.name
    for step in range(steps):
        size = (17, 8, 33, 17)[step % 4]
        x = (random.normal(size=(size, *ours.input_shape)) * 2 + 1).astype(dtype)
        y = random.integers(0, *ours.output_shape, size)
        theirs.reset_metrics()  # or else its loss is the mean over all steps
        loss = float(theirs.train_on_batch(x, y))
        assert ours.train_on_batch(x, y) == pytest.approx(loss, rel=TOLERANCES[dtype])


def changed(old, new):
    """Return which of some arrays are different."""
    return [not np.array_equal(a, b) for a, b in zip(old, new, strict=True)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("frozen", [[0], [1], [4, 5], [0, 1, 4, 5]], ids=str)
def test_trainable_is_read_by_compile(frozen, optimizer, dtype):
    ours, theirs = in_both(reader, dtype)
    theirs.set_weights(ours.get_weights())
    still = [i in frozen for i, layer in enumerate(ours.layers) for _ in layer.parameters]
    for position in frozen:
        ours.layers[position].trainable = theirs.layers[position].trainable = False
    for model in (ours, theirs):
        compile_one(model, optimizer)
    for position in frozen:
        ours.layers[position].trainable = True  # too late
    start = ours.get_weights()
    train(ours, theirs, 8, seed=0)
    check_weights(ours, theirs)
    assert changed(start, ours.get_weights()) == [not one for one in still]
    for position in frozen:
        theirs.layers[position].trainable = True
    for model in (ours, theirs):
        compile_one(model, optimizer)
    train(ours, theirs, 8, seed=1)
    check_weights(ours, theirs)
    assert all(changed(start, ours.get_weights()))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("frozen", [True, False])
def test_transfer_learning(frozen, optimizer, dtype):
    def make(layers, sequential):
        old = reader(layers, sequential)
        compile_one(old, optimizer)
        new = sequential([*old.layers[:-1], layers.Dense(26, activation="softmax")], (6, 5, 2))
        return SimpleNamespace(old=old, new=new)

    ours, theirs = in_both(make, dtype)
    theirs.old.set_weights(ours.old.get_weights())
    theirs.new.layers[-1].set_weights(ours.new.layers[-1].get_weights())
    check_weights(ours.new, theirs.new)
    train(ours.old, theirs.old, 5, seed=0)
    for models in (ours, theirs):
        for layer in models.old.layers[:-1]:
            layer.trainable = not frozen
        compile_one(models.new, optimizer)
    x = np.random.default_rng(1).normal(size=(9, 6, 5, 2)).astype(dtype)
    before = ours.old.predict(x)
    train(ours.new, theirs.new, 20, seed=2)
    assert np.array_equal(ours.old.predict(x), before) == frozen
    # The old models go on with the optimizers, and those layers trainable, that they were compiled with.
    for layer in theirs.old.layers:
        layer.trainable = True
    for steps in (0, 5):
        train(ours.old, theirs.old, steps, seed=3)
        for name in ("old", "new"):
            our_model, their_model = getattr(ours, name), getattr(theirs, name)
            check_weights(our_model, their_model)
            check_close(our_model.predict(x), their_model.predict_on_batch(x))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_two_optimizers_over_shared_layers_train_a_gan(optimizer, dtype):
    def make(layers, sequential):
        # A bias before a batch normalization would have a gradient of 0 but for rounding: there is none.
        generator = sequential(
            [
                layers.Dense(16, use_bias=False),
                layers.BatchNormalization(momentum=0.8),
                layers.LeakyReLU(negative_slope=0.2),
                layers.Dense(12),
                layers.LayerNormalization(),
                layers.Dense(7, activation="tanh"),
            ],
            (5,),
        )
        discriminator = sequential(
            [
                layers.Dense(16, use_bias=False),
                layers.BatchNormalization(momentum=0.9),
                layers.LeakyReLU(negative_slope=0.2),
                layers.Dense(1, activation="sigmoid"),
            ],
            (7,),
        )
        compile_one(discriminator, optimizer, "binary_crossentropy")
        discriminator.trainable = False
        gan = sequential([generator, discriminator], (5,))
        compile_one(gan, optimizer, "binary_crossentropy")
        return SimpleNamespace(generator=generator, discriminator=discriminator, gan=gan)

    ours, theirs = in_both(make, dtype)
    theirs.gan.set_weights(ours.gan.get_weights())
    check_weights(ours.discriminator, theirs.discriminator)  # which are shared
    of_discriminator = [False] * len(ours.generator.parameters) + [True] * len(ours.discriminator.parameters)
    random = np.random.default_rng(0)
    for step in range(20):
        size = (16, 9, 33)[step % 3]
        noise, more_noise = (random.normal(size=(size, 5)).astype(dtype) for _ in range(2))
        real = np.tanh(random.normal(size=(size, 7)) + 1).astype(dtype)
        ones, zeros = np.ones((size, 1), dtype), np.zeros((size, 1), dtype)
        fakes = ours.generator.predict(noise), theirs.generator.predict_on_batch(noise)
        check_close(*fakes)
        weights = [ours.gan.get_weights()]
        theirs.discriminator.trainable = True
        for models, fake in zip((ours, theirs), fakes, strict=True):
            if step % 2:  # as some do it, and as others do
                models.discriminator.train_on_batch(real, ones)
                models.discriminator.train_on_batch(fake, zeros)
            else:
                both = np.concatenate([real, fake]), np.concatenate([ones, zeros])
                models.discriminator.train_on_batch(*both)
        weights.append(ours.gan.get_weights())
        theirs.discriminator.trainable = False
        for models in (ours, theirs):
            models.gan.train_on_batch(more_noise, ones)
        weights.append(ours.gan.get_weights())
        assert changed(*weights[:2]) == of_discriminator
        assert changed(*weights[1:]) == [not one for one in of_discriminator]
    for name in ("generator", "discriminator", "gan"):
        check_weights(getattr(ours, name), getattr(theirs, name))
    check_close(ours.gan.predict(noise), theirs.gan.predict_on_batch(noise))


MERGES = ["Add", "Subtract", "Average", "Multiply", "Maximum", "Concatenate"]
MERGED_SHAPES = [
    [(3,)],
    [(3,), (3,)],
    [(3,)] * 3,
    [(4, 5, 3), (3,)],
    [(3,), (4, 5, 3)],
    [(4, 5, 3), (1, 1, 3)],
    [(4, 5, 3), (4, 5, 1), (1, 5, 3)],
    [(4, 1), (1, 5)],
    [(), (3,)],
    [(4, 2), (3,)],
    [(4, 3), (4, 2)],
    [(4, 3), (2, 3)],
]


def merged(library, kind, settings, shapes):
    """Return what such a layer gives for these shapes, or None if the library refuses them."""
    try:
        layer = getattr(library, kind)(**settings)
        if library is tinynet.layers:
            return layer.build(shapes) and layer
        layer([keras.Input(shape) for shape in shapes])
        return layer
    except (ValueError, IndexError):
        return None


@pytest.mark.parametrize(
    ("kind", "settings", "shapes"),
    [
        *((kind, {}, shapes) for kind in MERGES for shapes in MERGED_SHAPES),
        *(
            ("Concatenate", {"axis": axis}, shapes)
            for axis in (1, 2, 3, -2, -4)
            for shapes in MERGED_SHAPES
            if len(shapes[0]) > 1  # or else the axis may be the batch axis, or, for Keras, none at all
        ),
    ],
    ids=str,
)
def test_merging(kind, settings, shapes, dtype):
    ours, theirs = (merged(library, kind, settings, shapes) for library in (tinynet.layers, keras.layers))
    assert (ours is None) == (theirs is None)
    if ours is None:
        return
    ours.build(shapes, dtype=dtype)
    random = np.random.default_rng(0)
    x = [random.normal(size=(4, *shape)).astype(dtype) for shape in shapes]
    tensors = [torch.tensor(one, requires_grad=True) for one in x]
    expected = getattr(keras.layers, kind)(**settings)(tensors)
    dy = random.normal(size=tuple(expected.shape)).astype(dtype)
    expected.backward(torch.tensor(dy))
    check_close(ours.forward(x, training=True), expected.detach().numpy())
    for gradient, tensor in zip(ours.backward(dy), tensors, strict=True):
        check_close(gradient, tensor.grad.numpy())


@pytest.mark.parametrize("kind", MERGES)
def test_merging_refuses_what_keras_refuses(kind):
    x = [np.ones((1, 3), np.float32), np.ones((4, 3), np.float32)]
    layer = getattr(tinynet.layers, kind)()
    layer.build([(3,), (3,)])
    for wrong in (x, x[1]):  # other batch sizes, and no list
        with pytest.raises(ValueError, match=kind):
            layer.forward(wrong)
        with pytest.raises(ValueError, match=r"batch sizes|list of|matching shapes"):
            getattr(keras.layers, kind)()(wrong)


def random_graph(library, seed):
    """Return a model of a library, in which layers, some of them shared, are called at random."""
    random, layers = np.random.default_rng(seed), library.layers
    inputs = [library.Input((4,), name=f"input_{k}") for k in range(random.integers(1, 4))]
    shared = [layers.Dense(4, name=f"shared_{k}") for k in range(2)]
    symbols = [*inputs]
    for k in range(random.integers(6, 16)):
        kind = random.integers(4)
        taken = [symbols[i] for i in random.integers(0, len(symbols), 1 + random.integers(1, 3))]
        if kind == 0:
            symbols.append(layers.Dense(4, name=f"dense_{k}")(taken[0]))
        elif kind == 1:
            symbols.append(shared[random.integers(2)](taken[0]))
        elif kind == 2:
            symbols.append(layers.Add(name=f"add_{k}")(taken))
        else:
            joined = layers.Concatenate(name=f"join_{k}")(taken)
            symbols.append(layers.Dense(4, name=f"narrow_{k}")(joined))
    outputs = [symbols[i] for i in random.choice(len(symbols), random.integers(1, 4), replace=False)]
    outputs.append(layers.Add(name="all")([*inputs, symbols[-1]]))
    return library.Model(inputs, outputs if random.integers(2) else outputs[-1])


@pytest.mark.parametrize("seed", range(8))
def test_the_layers_of_a_graph_are_in_the_same_order(seed):
    ours, theirs = random_graph(tinynet, seed), random_graph(keras, seed)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [parameter.value.shape for parameter in ours.parameters] == [
        tuple(w.shape) for w in theirs.weights
    ]
    theirs.set_weights(ours.get_weights())
    x = [np.random.default_rng(seed).normal(size=(5, 4)).astype(np.float32) for _ in ours.inputs]
    found, expected = ours.predict(x if len(x) > 1 else x[0]), theirs(x if len(x) > 1 else x[0])
    if isinstance(expected, list):
        assert len(found) == len(expected)
    else:
        found, expected = [found], [expected]
    for actual, one in zip(found, expected, strict=True):
        check_close(actual, one.detach().numpy())


def test_layers_called_twice_have_the_same_places():
    def names(library, chosen):
        x = library.Input((4,), name="x")
        a, b, c = (library.layers.Dense(4, name=name) for name in "abc")
        ends = [a(b(x)), c(a(x)), b(c(x)), a(a(x)), c(x)]
        return [layer.name for layer in library.Model(x, [ends[i] for i in chosen]).layers]

    for chosen in itertools.permutations(range(5), 2):
        assert names(tinynet, chosen) == names(keras, chosen)


def test_a_model_begins_in_the_midst_of_a_graph_as_in_keras():
    def parts(library):
        x = library.Input((4,), name="x")
        hidden = library.layers.Dense(3, name="hidden")(x)
        more = library.layers.Dense(3, name="more")(hidden)
        y = library.layers.Add(name="sum")([hidden, more])
        return library.Model(hidden, y), library.Model(x, [more, hidden])

    for ours, theirs in zip(parts(tinynet), parts(keras), strict=True):
        assert [layer.name for layer in ours.layers[1:]] == [layer.name for layer in theirs.layers[1:]]
        assert len(ours.layers) == len(theirs.layers)


# What measures

RANDOM = np.random.default_rng(3)


@pytest.mark.parametrize("chosen", [[], ["accuracy"], ["mae", "accuracy", "mse"]], ids=str)
def test_results_have_the_form_that_they_have_in_keras(chosen, dtype):
    ours, theirs = in_both(reader, dtype)
    theirs.set_weights(ours.get_weights())
    for model, module in ((ours, tinynet.optim), (theirs, keras.optimizers)):
        model.compile(module.SGD(0.01), "categorical_crossentropy", metrics=chosen)
    x = RANDOM.normal(size=(20, *ours.input_shape)).astype(dtype)
    y = np.eye(*ours.output_shape, dtype=dtype)[RANDOM.integers(0, *ours.output_shape, 20)]
    calls = [
        ("evaluate", {"verbose": 0, "batch_size": 20}), ("test_on_batch", {}), ("train_on_batch", {}),
    ]  # fmt: skip
    for method, arguments in calls:
        for names in ({}, {"return_dict": True}):
            theirs.reset_metrics()
            one, other = (getattr(model, method)(x, y, **arguments, **names) for model in (ours, theirs))
            if names:
                assert set(one) == set(other) == {"loss", *chosen}
                assert one == pytest.approx({k: float(v) for k, v in other.items()}, rel=TOLERANCES[dtype])
            elif chosen:
                assert isinstance(one, list)
                assert type(other) is list
                assert one == pytest.approx([float(value) for value in other], rel=TOLERANCES[dtype])
            else:
                assert one == pytest.approx(float(other), rel=TOLERANCES[dtype])
