"""The variables of Keras's optimizers, in the orders of all its versions, and the state that they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tinynet import Sequential, layers, optim
from tinynet.files.keras.optimizers import inner_epsilon, momentum_product, state_from_keras, state_to_keras
from tinynet.models.storage.optimizer_state import optimizer_state, set_optimizer_state

pytestmark = pytest.mark.filterwarnings(  # Keras asks PyTorch in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

A, B = (2, 3), (3,)  # the shapes of the parameters


def numbered(*shapes):
    """Return an array of each shape, the first of which is full of 1, the second of 2, and so on."""
    return [np.full(shape, number + 1.0, np.float32) for number, shape in enumerate(shapes)]


def named(first, names, held):
    return [*first, *zip(names, held, strict=True)]


def zipped(*held):
    """Return variables as a .keras file has them: under numbers, which HDF5 sorts as text."""
    return sorted((str(number), np.asarray(array)) for number, array in enumerate(held))


COUNT, RATE = np.array(7), np.array(0.01, np.float32)
ONES = [np.zeros(1)] * 2  # what Keras 2 has where amsgrad is not wanted
FORMER = {"iterations": [("Adam/iterations:0", COUNT)], "none": []}

# variables, class, config, version, and the slots as the numbers that fill A and B of each.
CASES = {
    "keras 3 zip": (
        zipped(COUNT, RATE, *numbered(A, A, B, B)),
        "Adam",
        {},
        "3.5.0",
        {"m": (1, 3), "v": (2, 4)},
    ),
    "keras 3 zip, schedule": (
        zipped(COUNT, *numbered(A, A, B, B)),
        "Adam",
        {"learning_rate": {"class_name": "CosineDecay"}},
        "3.5.0",
        {"m": (1, 3), "v": (2, 4)},
    ),
    "keras 3 zip, amsgrad": (
        zipped(COUNT, RATE, *numbered(A, A, B, B, A, B)),
        "AdamW",
        {"amsgrad": True},
        "3.15.1",
        {"m": (1, 3), "v": (2, 4), "largest": (5, 6)},
    ),
    "keras 3 hdf5": (
        named(
            [("adam/iteration", COUNT), ("adam/learning_rate", RATE)],
            ["adam/a_momentum", "adam/a_velocity", "adam/b_momentum", "adam/b_velocity"],
            numbered(A, A, B, B),
        ),
        "Adam",
        {"learning_rate": 0.01},
        "3.3.3",
        {"m": (1, 3), "v": (2, 4)},
    ),
    "keras 3, averages and sums of gradients": (
        zipped(COUNT, RATE, *numbered(A, B, A, B, A, B)),
        "SGD",
        {"use_ema": True, "gradient_accumulation_steps": 2, "momentum": 0.9},
        "3.15.1",
        {"velocity": (5, 6)},
    ),
    "keras 3, SGD": (zipped(COUNT, RATE), "SGD", {"momentum": 0.0}, "3.15.1", {}),
    "keras 3.0, Nadam": (
        zipped(COUNT, RATE, np.float32(momentum_product({}, 7)), *numbered(A, A, B, B)),
        "Nadam",
        {"beta_1": 0.9},
        "3.0.5",
        {"m": (1, 3), "v": (2, 4)},
    ),
    "keras 3.10, Nadam": (
        zipped(COUNT, RATE, *numbered(A, A, B, B), np.float32(momentum_product({}, 7))),
        "Nadam",
        {"beta_1": 0.9},
        "3.10.0",
        {"m": (1, 3), "v": (2, 4)},
    ),
    "tf.keras 2.15 zip": (
        zipped(COUNT, *numbered(A, A, B, B)),
        "adam",
        {},
        "2.15.0",
        {"m": (1, 3), "v": (2, 4)},
    ),
    "tf.keras 2.15 hdf5": (
        named(
            [("iteration:0", COUNT)],
            ["Adam/m/a:0", "Adam/v/a:0", "Adam/m/b:0", "Adam/v/b:0"],
            numbered(A, A, B, B),
        ),
        "Custom>Adam",
        {"is_legacy_optimizer": False},
        "2.14.0",
        {"m": (1, 3), "v": (2, 4)},
    ),
    "tf.keras 2.15, SGD without momentum": (zipped(COUNT, *numbered(A, B)), "SGD", {}, "2.15.0", {}),
    "tf.keras 2.15, RMSprop": (
        zipped(COUNT, *numbered(A, B, A, B, A, B)),
        "RMSprop",
        {"momentum": 0.5, "centered": True},
        "2.13.1",
        {"v": (1, 2), "velocity": (3, 4), "mean": (5, 6)},
    ),
    "tf.keras 2.4": (
        named(
            [("Adam/iter:0", COUNT)],
            ["Adam/a/m:0", "Adam/b/m:0", "Adam/a/v:0", "Adam/b/v:0", "Adam/a/vhat:0", "Adam/b/vhat:0"],
            numbered(A, B, A, B, A, B),
        ),
        "Adam",
        {"amsgrad": True},
        "2.4.0",
        {"m": (1, 2), "v": (3, 4), "largest": (5, 6)},
    ),
    "tf.keras 2.0, SGD": ([("training/SGD/iter:0", COUNT)], "SGD", {"momentum": 0.0}, "2.2.4-tf", {}),
    "tf.keras 2.4, Adadelta": (
        named(
            [("Adadelta/iter:0", COUNT)],
            ["a/accum_grad:0", "b/accum_grad:0", "a/accum_var:0", "b/accum_var:0"],
            numbered(A, B, A, B),
        ),
        "Adadelta",
        {},
        "2.4.0",
        {"v": (1, 2), "moved": (3, 4)},
    ),
    "keras 2.3": (
        named(FORMER["iterations"], "abcdef", [*numbered(A, B, A, B), *ONES]),
        "Adam",
        {"amsgrad": False},
        "2.3.1",
        {"m": (1, 2), "v": (3, 4)},
    ),
    "keras 2.3, amsgrad": (
        named(FORMER["iterations"], "abcdef", numbered(A, B, A, B, A, B)),
        "Adam",
        {"amsgrad": True},
        "2.3.1",
        {"m": (1, 2), "v": (3, 4), "largest": (5, 6)},
    ),
    "keras 2.0, SGD": (named(FORMER["iterations"], "ab", numbered(A, B)), "SGD", {}, "2.0.8", {}),
    "keras 2.0, momentum": (
        named(FORMER["iterations"], "ab", numbered(A, B)),
        "SGD",
        {"momentum": 0.9},
        "2.0.8",
        {"velocity": (1, 2)},
    ),
    "keras 1.2": (
        named([("param_0", np.array(7.0))], "abcd", numbered(A, B, A, B)),
        "Adam",
        {},
        "1.2.2",
        {"m": (1, 2), "v": (3, 4)},
    ),
    "keras 2.3, Adamax": (
        named(FORMER["iterations"], "abcd", numbered(A, B, A, B)),
        "Adamax",
        {},
        "2.3.1",
        {"m": (1, 2), "u": (3, 4)},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_version_of_keras_has_its_order(case):
    variables, kind, config, version, wanted = CASES[case]
    state = state_from_keras(variables, kind, config, version)
    assert state.problem is None
    assert state.iterations == 7
    assert {name: tuple(array.flat[0] for array in held) for name, held in state.slots.items()} == wanted
    assert all([array.shape for array in held] == [A, B] for held in state.slots.values())


def test_where_steps_are_not_counted_they_begin_anew():
    state = state_from_keras([*zip("ab", numbered(A, B), strict=True)], "RMSprop", {}, "1.2.0")
    assert (state.iterations, [*state.slots], state.problem) == (0, ["v"], None)
    assert [array.shape for array in state.slots["v"]] == [A, B]


@pytest.mark.parametrize(
    ("variables", "kind", "config", "version", "problem"),
    [
        (zipped(COUNT, RATE, *numbered(A, B)), "Lion", {}, "3.5.0", "no optimizer 'Lion'"),
        (zipped(COUNT, RATE, *numbered(A, B, A, B)), "Adam", {}, "3.5.0", "4 arrays are not those"),
        (zipped(COUNT, RATE, *numbered(A, A, B)), "Adam", {}, "3.5.0", "3 arrays are not those"),
        (zipped(COUNT, RATE, *numbered(A, B)), "SGD", {}, "3.5.0", "2 arrays are not those"),
        (zipped(np.array(-1), RATE, *numbered(A, A)), "Adam", {}, "3.5.0", "damaged"),
        (zipped(np.array(np.nan), RATE, *numbered(A, A)), "Adam", {}, "3.5.0", "damaged"),
        (zipped(np.array(2**62), RATE, *numbered(A, A)), "Adam", {}, "3.5.0", "damaged"),
        (zipped(np.array(b"7"), RATE, *numbered(A, A)), "Adam", {}, "3.5.0", "damaged"),
        (zipped(COUNT, RATE), "Adam", {}, "3.5.0", "not in the file"),
        (zipped(COUNT, RATE, *numbered(A, A), np.float32(0.5)), "Nadam", {}, "3.15.0", "product of momenta"),
        (
            zipped(COUNT, RATE, *numbered(A, A), np.float32("nan")),
            "Nadam",
            {},
            "3.15.0",
            "product of momenta",
        ),
        ([*zip("abcd", numbered(A, B, A, B), strict=True)], "Adam", {}, "1.0.1", "how many steps"),
        ([("Nadam/iter:0", COUNT)], "Nadam", {}, "2.4.0", "250 times"),
    ],
)
def test_what_cannot_be_gone_on_from_is_said(variables, kind, config, version, problem):
    state = state_from_keras(variables, kind, config, version)
    assert state.problem is not None
    assert problem in state.problem
    assert not state.slots
    assert state.iterations == 0


def test_an_optimizer_that_never_trained_is_no_problem():
    for variables, version in (
        (zipped(0, RATE), "3.5.0"),
        ([], "2.3.1"),
        ([("Adam/iter:0", np.array(0))], "2.4.0"),
    ):
        assert state_from_keras(variables, "Adam", {}, version) == (0, {}, None)


NAMES = st.one_of(
    st.sampled_from(["0", "1", "12", "iter:0", "a/iteration:0", "Adam/m/a:0", "²"]), st.text(max_size=9)
)
ANY = arrays.arrays(
    st.sampled_from(["f4", "f8", "i8", "u1", "S2", "?", "c8", "f2"]),
    arrays.array_shapes(min_dims=0, max_side=2),
)
JSON = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just({}), st.just([])
)


@given(
    st.lists(st.tuples(NAMES, ANY), max_size=9),
    st.sampled_from(["SGD", "Adam", "RMSprop", "Nadam", "Custom>adadelta", "", ">"]),
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            (
                "momentum",
                "amsgrad",
                "centered",
                "beta_1",
                "use_ema",
                "learning_rate",
                "epsilon",
                "gradient_accumulation_steps",
            ),
            JSON,
        ),
    ),
    st.one_of(st.none(), st.sampled_from(["1.2.2", "2.3.1", "2.15.0", "3.15.1"]), st.text(max_size=5)),
)
def test_whatever_a_file_holds_the_answer_is_a_state(variables, kind, config, version):
    state = state_from_keras(variables, kind, config, version)
    assert state.iterations >= 0
    counts = {len(held) for held in state.slots.values()}
    assert len(counts) <= 1
    inner_epsilon(kind, config)


def test_epsilon_moved_into_the_root():
    assert inner_epsilon("RMSprop", {"rho": 0.9, "epsilon": None}) == pytest.approx(1e-14)
    assert inner_epsilon("RMSprop", {"epsilon": 1e-8}) == pytest.approx(1e-16)
    assert inner_epsilon("Adagrad", {"lr": 0.1}) == pytest.approx(1e-14)
    assert inner_epsilon("RMSprop", {"momentum": 0.9}) is None
    assert inner_epsilon("Custom>RMSprop", {"use_ema": False}) is None
    assert inner_epsilon("Adagrad", {}) is None
    assert inner_epsilon("Adam", {"lr": 0.1}) is None


def test_variables_of_a_zip_are_in_the_order_of_their_numbers():
    shapes = [(number,) for number in range(1, 12)]
    variables = zipped(COUNT, RATE, *numbered(*shapes))
    state = state_from_keras(variables, "SGD", {"momentum": 0.9}, "3.5.0")
    assert [array.shape for array in state.slots["velocity"]] == shapes


OPTIMIZERS = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.8, "nesterov": True}],
    "Adam": [{}, {"amsgrad": True, "beta_2": 0.5}],
    "AdamW": [{}],
    "RMSprop": [{}, {"momentum": 0.9}, {"centered": True}, {"centered": True, "momentum": 0.5}],
    "Adagrad": [{}, {"initial_accumulator_value": 0.0}],
    "Adadelta": [{"learning_rate": 1.0}],
    "Adamax": [{}],
    "Nadam": [{}],
}  # fmt: skip
EACH = [(kind, config) for kind, configs in OPTIMIZERS.items() for config in configs]


def networks(keras, kind, config):
    """Return the same network twice: Keras's and tinynet's."""
    theirs = keras.Sequential(
        [keras.layers.Input((5,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(3)]
    )
    theirs.compile(getattr(keras.optimizers, kind)(**config), "mse")
    ours = Sequential([layers.Dense(4, activation="tanh"), layers.Dense(3)], 5)
    ours.compile(getattr(optim, kind)(**config), "mse")
    return theirs, ours


def weights_of(theirs):
    return [weight.numpy() for weight in theirs.weights]


def check_close(theirs, ours, before):
    for one, other in zip(weights_of(theirs), ours.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)
    assert max(abs(a - b).max() for a, b in zip(before, ours.get_weights(), strict=True)) > 1e-4


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    return random.normal(size=(16, 5)).astype(np.float32), random.normal(size=(16, 3)).astype(np.float32)


@pytest.mark.parametrize(("kind", "config"), EACH)
def test_a_step_after_kerass_steps_agrees(keras, kind, config, batch):
    theirs, ours = networks(keras, kind, config)
    for _ in range(3):
        theirs.train_on_batch(*batch)
    before = weights_of(theirs)
    ours.set_weights(before)
    optimizer = theirs.optimizer
    for variables in (
        [(variable.path, variable.numpy()) for variable in optimizer.variables],
        zipped(*(variable.numpy() for variable in optimizer.variables)),
    ):
        state = state_from_keras(variables, kind, optimizer.get_config(), keras.__version__)
        assert state.problem is None
        assert state.iterations == 3
    set_optimizer_state(ours, state.iterations, state.slots)
    theirs.train_on_batch(*batch)
    ours.train_on_batch(*batch)
    check_close(theirs, ours, before)


@pytest.mark.parametrize(("kind", "config"), EACH)
def test_a_step_of_keras_after_ours_agrees(keras, kind, config, batch):
    theirs, ours = networks(keras, kind, config)
    for _ in range(3):
        ours.train_on_batch(*batch)
    before = ours.get_weights()
    theirs.set_weights(before)
    theirs.optimizer.build(theirs.trainable_variables)
    paths = [variable.path for variable in theirs.trainable_variables]
    variables = state_to_keras(kind, optim.serialize(ours.optimizer)["config"], *optimizer_state(ours), paths)
    names = [variable.path.partition("/")[2] for variable in theirs.optimizer.variables]
    assert [name for name, _ in variables][: len(names) - 1] == names[:-1]
    theirs.optimizer.set_weights([array for _, array in variables])
    theirs.train_on_batch(*batch)
    ours.train_on_batch(*batch)
    check_close(theirs, ours, before)
    back = state_from_keras(variables, kind, theirs.optimizer.get_config(), keras.__version__)
    assert back.iterations == 3
