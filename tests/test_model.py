from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinynet import Sequential, layers, optim


def every_layer(dtype="float32"):
    """A model with every kind of layer, on images of 10×10 with 2 channels."""
    return Sequential(
        [
            layers.Conv2D(5, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(6, 2, strides=2, method="im2col", use_bias=False),
            layers.LeakyReLU(0.1),
            layers.AveragePool2D(2, strides=1),
            layers.Conv2D(7, 1, activation=layers.Tanh()),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(6, activation="sigmoid"),
            layers.Sigmoid(),
            layers.Tanh(),
            layers.Dense(3),
            layers.Softmax(),
        ],
        (10, 10, 2),
        seed=0,
        dtype=dtype,
    )


def images(count, shape=(10, 10, 2), seed=0):
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32)


def test_a_model_is_built_at_once():
    model = Sequential([layers.Flatten(), layers.Dense(3, use_bias=False)], (2, 2))
    assert model.input_shape == (2, 2)
    assert model.output_shape == (3,)
    assert [layer.output_shape for layer in model.layers] == [(4,), (3,)]
    assert [parameter.value.shape for parameter in model.parameters] == [(4, 3)]


def test_an_integer_input_shape_means_features():
    assert Sequential([layers.Dense(3)], 4).input_shape == (4,)


def test_parameters_and_gradients_are_views_into_two_flat_vectors():
    model = every_layer()
    assert model.flat.value.size == sum(parameter.value.size for parameter in model.parameters)
    model.flat.value[:] = np.arange(model.flat.value.size)
    model.flat.grad[:] = -np.arange(model.flat.grad.size)
    values = np.concatenate([parameter.value.reshape(-1) for parameter in model.parameters])
    gradients = np.concatenate([parameter.grad.reshape(-1) for parameter in model.parameters])
    np.testing.assert_array_equal(values, np.arange(values.size))
    np.testing.assert_array_equal(gradients, -np.arange(values.size))


def test_training_keeps_the_parameters_views():
    model = Sequential([layers.Dense(2)], 3)
    model.compile("adam", "mse")
    model.fit(images(8, (3,)), images(8, (2,)), verbose=0)
    assert all(np.shares_memory(parameter.value, model.flat.value) for parameter in model.parameters)
    assert all(np.shares_memory(parameter.grad, model.flat.grad) for parameter in model.parameters)


def test_a_deep_copy_is_a_model_of_its_own():
    model = Sequential([layers.Dense(1)], 3)
    model.compile(optim.SGD(0.1), "mse")
    x, y = images(8, (3,)), images(8, (1,))
    model.train_on_batch(x, y)
    before = model.predict(x)
    twin = copy.deepcopy(model)
    twin.train_on_batch(x, y)
    np.testing.assert_array_equal(model.predict(x), before)
    assert np.abs(twin.predict(x) - before).max() > 0.01


def test_initial_weights_depend_on_the_seed_and_the_layer():
    first, same, other = (
        Sequential([layers.Dense(4), layers.Dense(4)], 4, seed=seed).flat.value for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[:16], first[20:36])


def test_layers_are_named_as_in_keras():
    model = every_layer()
    assert [layer.name for layer in model.layers[:6]] == [
        "conv2d", "max_pool2d", "dropout", "conv2d_1", "leaky_re_lu", "average_pool2d",
    ]  # fmt: skip
    assert [layer.name for layer in model.layers[6:]] == [
        "conv2d_2", "re_lu", "flatten", "dense", "sigmoid", "tanh", "dense_1", "softmax",
    ]  # fmt: skip


def test_summary_shows_layers_shapes_and_counts(capsys):
    Sequential(
        [
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ],
        (28, 28, 1),
        name="digits",
    ).summary()
    expected = """\
Model: "digits"
Layer (type)             Output Shape               Param #
-----------------------------------------------------------
conv2d (Conv2D)          (None, 28, 28, 32)             320
max_pool2d (MaxPool2D)   (None, 14, 14, 32)               0
flatten (Flatten)        (None, 6272)                     0
dense (Dense)            (None, 10)                  62,730
-----------------------------------------------------------
Total params: 63,050 (246.3 KiB)
"""
    assert capsys.readouterr().out == expected


def test_no_layers():
    with pytest.raises(ValueError, match="at least one layer"):
        layers.Chain([])
    with pytest.raises(ValueError, match="has no layers: add some first"):
        Sequential([], 3).predict(np.zeros((1, 3)))


def test_a_class_instead_of_a_layer():
    with pytest.raises(TypeError, match=r"layer 1 is .*ReLU.*write layers.ReLU\(\), with parentheses"):
        Sequential([layers.Dense(2), layers.ReLU], 3)


@pytest.mark.parametrize("thing", [None, "relu", 3])
def test_something_that_is_no_layer(thing):
    with pytest.raises(TypeError, match="not a layer"):
        Sequential([thing], 3)


@pytest.mark.parametrize("seed", [-1, 0.5, "zero"])
def test_a_seed_is_a_natural_number(seed):
    with pytest.raises(ValueError, match="seed must be an integer"):
        Sequential([layers.ReLU()], 3, seed=seed)


def test_a_layer_used_twice():
    layer = layers.Dense(3)
    with pytest.raises(ValueError, match=r"layer 1, Dense, is used twice"):
        Sequential([layer, layer], 3)


def test_a_layer_of_another_model_is_shared():
    layer = layers.Dense(3)
    model, other = Sequential([layer], 3), Sequential([layer, layers.ReLU()], 3)
    assert model.parameters == other.parameters


def test_layers_can_be_used_again_after_a_model_that_could_not_be_built():
    first, second = layers.Flatten(), layers.Conv2D(3, 3)
    with pytest.raises(ValueError, match="conv2d"):
        Sequential([first, second], (8, 8, 1))
    assert Sequential([second, first], (8, 8, 1)).output_shape == (108,)


@pytest.mark.parametrize("activation", [layers.Tanh, layers.ReLU])
def test_one_activation_object_serves_several_layers(activation):
    def build(first, second):
        return Sequential([layers.Dense(3, first), layers.Dense(3, second), layers.Dense(2)], 3, seed=0)

    shared = activation()
    model, separate = build(shared, shared), build(activation(), activation())
    gradients = []
    for built in (model, separate):
        built.backward(np.ones_like(built.forward(images(4, (3,)), training=True)))
        gradients.append(built.flat.grad)
    np.testing.assert_array_equal(*gradients)


def test_one_activation_object_serves_layers_of_different_sizes():
    shared = layers.Tanh()
    model = Sequential([layers.Dense(3, shared), layers.Dense(4, shared)], 3)
    assert model.predict(images(2, (3,))).shape == (2, 4)


@pytest.mark.parametrize(
    ("layer", "input_shape", "message"),
    [
        (layers.Conv2D(2, 5), (3, 3, 1), r"Conv2D 'conv2d'.*\(5, 5\) is larger than its input \(3, 3\)"),
        (layers.Conv2D(2, 3), (28, 28), r"Conv2D 'conv2d'.*\(28, 28\).*\(28, 28, 1\)"),
        (layers.Dense(2), (0,), r"input_shape must be positive integers.*got \(0,\)"),
    ],
)
def test_a_layer_that_cannot_take_its_input_is_named(layer, input_shape, message):
    with pytest.raises(ValueError, match=message):
        Sequential([layer], input_shape)


def test_an_impossible_dtype():
    with pytest.raises(ValueError, match="'float32' or 'float64'"):
        Sequential([layers.Dense(2)], 3, dtype="float16")


@pytest.mark.parametrize(
    ("given", "samples"),
    [((28, 28), 1), ((28, 28, 1), 1), ((5, 28, 28), 5), ((5, 28, 28, 1), 5), ((1, 28, 28), 1),
     ((28, 28, 28), 28)],
)  # fmt: skip
def test_images_without_batch_or_channel_axis_are_taken(given, samples):
    model = Sequential([layers.Flatten(), layers.Dense(3)], (28, 28, 1))
    x = images(1, given)[0]
    predictions = model.predict(x)
    assert predictions.shape == (samples, 3)
    np.testing.assert_array_equal(predictions, model.predict(x.reshape(-1, 28, 28, 1)))


def test_a_single_sample_of_features_is_taken():
    assert Sequential([layers.Dense(3)], 4).predict([0.0, 1.0, 2.0, 3.0]).shape == (1, 3)


@pytest.mark.parametrize(
    "given", [(27, 28), (5, 27, 28), (5, 28, 28, 3), (5, 784), (784,), (), (1, 1, 28, 28, 1)]
)
def test_a_wrong_shape_names_the_layer_both_shapes_and_a_fix(given):
    model = Sequential([layers.Conv2D(2, 3)], (28, 28, 1))
    with pytest.raises(ValueError, match="Likely fix") as caught:
        model.predict(np.zeros(given))
    for part in ("'conv2d'", "(N, 28, 28, 1)", f"got {given}"):
        assert part in str(caught.value)


def test_the_fix_for_images_on_their_sides_is_a_transpose():
    with pytest.raises(ValueError, match=r"np\.transpose"):
        Sequential([layers.Conv2D(2, 3)], (20, 18, 1)).predict(np.zeros((5, 18, 20, 1)))


def test_the_fix_for_flat_images_is_a_reshape():
    with pytest.raises(ValueError, match=r"x\.reshape\(-1, 28, 28, 1\)"):
        Sequential([layers.Conv2D(2, 3)], (28, 28, 1)).predict(np.zeros((5, 784)))


def test_the_fix_for_channels_first_is_no_reshape():
    # A reshape would give an array that fits, with the pixels of the channels mixed up.
    with pytest.raises(ValueError, match=r"transpose|moveaxis"):
        Sequential([layers.Conv2D(2, 3)], (28, 28, 3)).predict(np.zeros((5, 3, 28, 28)))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array(["a", 0.5], object), "x must hold numbers .*could not convert"),
        (["a", "b"], "x must be an array of numbers; got dtype <U1"),
        (np.zeros(2, complex), "x must be an array of numbers; got dtype complex"),
        (None, "x must be an array of numbers; got None"),
        ("ab", "got str"),
        ({1.0, 2.0}, "got set"),
    ],
)
def test_things_that_are_no_numbers(x, message):
    with pytest.raises(TypeError, match=message):
        Sequential([layers.ReLU()], 2).predict(x)


def test_ragged_lists():
    with pytest.raises(
        ValueError, match="x must be an array of numbers, and its parts have different shapes"
    ):
        Sequential([layers.ReLU()], 2).predict([[1.0, 2.0], [1.0]])


@pytest.mark.parametrize("shape", [(0,), (0, 2), (5, 0)])
def test_empty_input(shape):
    with pytest.raises(ValueError, match="x is empty") as caught:
        Sequential([layers.ReLU()], 2).predict(np.empty(shape))
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0), (1, 2), (3, 1)])
def test_values_that_are_not_finite_are_refused_with_their_place(value, place):
    x = np.zeros((4, 3))
    x[place] = value
    with pytest.raises(ValueError, match="NaN or infinite") as caught:
        Sequential([layers.ReLU()], 3).predict(x)
    assert f"first at {place}" in str(caught.value)


def test_a_float64_too_large_for_float32_is_refused_like_infinity():
    with pytest.raises(ValueError, match=r"infinite.*\(0, 1\)"):
        Sequential([layers.ReLU()], 2).predict(np.array([[0.0, 1e300]]))


def test_any_layout_and_float_type_of_input_is_taken():
    model = Sequential([layers.Dense(2)], 3)
    x = images(4, (3,))
    expected = model.predict(x)
    for given in (x.astype(np.float64), np.asfortranarray(x), x.tolist(), x[::-1][::-1]):
        np.testing.assert_array_equal(model.predict(given), expected)
    assert model.predict(x.astype(np.float16)).dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"loss": "sparse_categorical_crossentrop"},
            ValueError,
            "Did you mean 'sparse_categorical_crossentropy'",
        ),
        ({"loss": 3}, TypeError, "loss"),
        ({"optimizer": "adm"}, ValueError, "Did you mean 'adam'"),
        ({"optimizer": optim.Adam}, TypeError, "optimizer"),
        ({"metrics": ["acuracy"]}, ValueError, "Did you mean 'accuracy'"),
        ({"metrics": 3}, TypeError, "list"),
    ],
)
def test_compile_refuses_what_it_does_not_know(arguments, error, message):
    with pytest.raises(error, match=message):
        Sequential([layers.Dense(2)], 3).compile(**arguments)


def test_compile_is_needed_before_training():
    model = Sequential([layers.Dense(2)], 3)
    x, y = np.zeros((4, 3)), np.zeros(4, int)
    for method in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(RuntimeError, match=r"call model\.compile\("):
            method(x, y)
    for name in ("optimizer", "loss"):
        with pytest.raises(RuntimeError, match="compile"):
            getattr(model, name)


def test_compiling_again_starts_with_a_fresh_optimizer():
    x, y = images(8, (3,)), images(8, (2,))
    trained, fresh = Sequential([layers.Dense(2)], 3), Sequential([layers.Dense(2)], 3)
    optimizer = optim.Adam(0.1)
    trained.compile(optimizer, "mse")
    trained.train_on_batch(x, y)
    trained.compile(optimizer, "mse")
    fresh.flat.value[:] = trained.flat.value
    fresh.compile(optim.Adam(0.1), "mse")
    for model in (trained, fresh):
        model.train_on_batch(x, y)
    np.testing.assert_array_equal(trained.flat.value, fresh.flat.value)


def test_forward_is_predict():
    model, x = every_layer(), images(9)
    np.testing.assert_array_equal(model.forward(x), model.predict(x))


def test_backward_agrees_with_finite_differences():
    model = every_layer("float64")
    x = images(3).astype(np.float64)
    upstream = np.random.default_rng(1).normal(size=(3, 3))

    def value():
        model.layers[2].step = 0  # the dropout drops the same elements every time
        return float(np.sum(model.forward(x, training=True) * upstream))

    value()
    dx = model.backward(upstream)
    gradient, step = model.flat.grad.copy(), 1e-6
    random = np.random.default_rng(2)
    for array, analytic in ((model.flat.value, gradient), (x.reshape(-1), dx.reshape(-1))):
        assert np.abs(analytic).max() > 0
        for place in random.permutation(array.size)[:60]:
            original = array[place]
            array[place] = original + step
            above = value()
            array[place] = original - step
            below = value()
            array[place] = original
            assert (above - below) / (2 * step) == pytest.approx(analytic[place], rel=1e-5, abs=1e-9)


def test_backward_needs_a_training_forward():
    model = Sequential([layers.Dense(2)], 3)
    model.forward(np.zeros((4, 3)))
    with pytest.raises(RuntimeError, match=r"Sequential 'sequential'.*forward\(x, training=True\)"):
        model.backward(np.zeros((4, 2)))


def test_forward_and_backward_leave_their_arguments_alone():
    model, x, dy = every_layer(), images(4), images(4, (3,))
    x.flags.writeable = dy.flags.writeable = False
    model.forward(x, training=True)
    model.backward(dy)
    model.predict(x)


@pytest.mark.parametrize("kind", [layers.ReLU, layers.LeakyReLU, layers.Sigmoid, layers.Tanh, layers.Softmax])
def test_a_prediction_is_not_written_into_its_input(kind):
    x = images(4, (3,))
    before = x.copy()
    Sequential([kind()], 3).predict(x)
    np.testing.assert_array_equal(x, before)


def test_a_prediction_does_not_depend_on_the_other_samples():
    model, x = every_layer(), images(1000)
    together = model.predict(x)
    for begin, end in [(0, 1), (999, 1000), (500, 501), (3, 5), (7, 40), (100, 613)]:
        np.testing.assert_array_equal(model.predict(x[begin:end]), together[begin:end])


def remembered(model):
    """Everything that the layers hold: which objects, and what is in the arrays."""
    inner = [layer.activation_layer for layer in model.layers if getattr(layer, "activation_layer", None)]
    return [
        {name: (id(value), np.asarray(value).tobytes()) for name, value in vars(layer).items()}
        for layer in [*model.layers, *inner]
    ] + [model.flat.value.tobytes(), model.flat.grad.tobytes()]


@pytest.mark.parametrize("trained", [False, True])
def test_prediction_writes_nothing_on_the_layers(trained):
    model = every_layer()
    if trained:
        model.compile()
        model.train_on_batch(images(9), np.arange(9) % 3)
        model.forward(images(3), training=True)
    before = remembered(model)
    model.predict(images(40))
    assert remembered(model) == before


@pytest.mark.parametrize("threads", [1, 4])
def test_eight_threads_predict_the_same_as_one(set_threads, threads):
    set_threads(threads)
    model = every_layer()
    inputs = [images(count, seed=count) for count in (1, 2, 17, 64, 100, 3, 33, 8)]
    expected = [model.predict(x) for x in inputs]
    start = threading.Barrier(8)

    def predict(x):
        start.wait(30)
        return [model.predict(x) for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(predict, inputs))
    for alone, again in zip(expected, answers, strict=True):
        for answer in again:
            np.testing.assert_array_equal(answer, alone)


def test_predicting_while_another_model_trains(set_threads):
    set_threads(2)
    x, y = images(40), np.arange(40) % 3

    def train():
        model = every_layer()
        model.compile(optim.SGD(0.1))
        model.fit(x, y, batch_size=16, epochs=3, verbose=0)
        return model.flat.value

    alone, model = train(), every_layer()
    expected = model.predict(x)
    with ThreadPoolExecutor(1) as pool:
        training, answers = pool.submit(train), []
        while not training.done() or not answers:
            answers.append(model.predict(x))
    np.testing.assert_array_equal(training.result(), alone)
    for answer in answers:
        np.testing.assert_array_equal(answer, expected)


def test_initial_weights_do_not_repeat_the_numbers_of_default_rng():
    # Data that a user draws with the model's seed must not be correlated with the weights.
    for seed in (0, 1):
        model = Sequential([layers.Dense(3, kernel_initializer="he_normal"), layers.Dense(2)], 4, seed=seed)
        drawn = np.random.default_rng(seed).normal(size=12)
        assert abs(np.corrcoef(model.parameters[0].value.reshape(-1), drawn)[0, 1]) < 0.99


def test_a_prediction_is_not_the_user_s_array():
    x = np.ones((2, 2, 2, 1), np.float32)
    Sequential([layers.Flatten()], (2, 2, 1)).predict(x)[:] = 5
    np.testing.assert_array_equal(x, 1)
