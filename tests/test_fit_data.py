"""What `fit`, `evaluate` and `predict` take: numbers of any type, tables, iterables over batches."""

from __future__ import annotations

import itertools
import warnings
import weakref

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from tinynet import Sequential, callbacks, layers, optim, utils
from tinynet.callbacks import LambdaCallback
from tinynet.training.class_weight import weights_of_classes
from tinynet.training.endless import is_endless


def model_of(seed=3, metrics=("accuracy",), dtype="float32", inputs=6):
    made = [layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")]
    model = Sequential(made, inputs, seed=seed, dtype=dtype)
    model.compile(optim.SGD(0.1), "sparse_categorical_crossentropy", [*metrics])
    return model


def problem(count=40, inputs=6, seed=0):
    random = np.random.default_rng(seed)
    return random.random((count, inputs), np.float32), random.integers(0, 3, count)


def weights_after(model, *arguments, **keywords):
    history = model.fit(*arguments, verbose=0, **keywords)
    return history.history, [parameter.value.copy() for parameter in model.parameters]


def assert_same(one, other):
    assert one[0] == other[0]
    for ours, theirs in zip(one[1], other[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def in_batches(x, y, size=8):
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


class Dataset:
    """A sequence of batches, as Keras's PyDataset is one."""

    def __init__(self, x, y, size=8):
        self.batches, self.asked, self.ended = in_batches(x, y, size), [], 0

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, i):
        self.asked.append(i)
        return self.batches[i]

    def on_epoch_end(self):
        self.ended += 1


def endless(x, y):
    while True:
        yield from in_batches(x, y)


# Numbers of all types


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64, np.float16, bool, "memmap", "reversed"])
def test_numbers_are_cast_batch_by_batch_to_the_same_bits(dtype, tmp_path):
    x, y = problem()
    whole = np.rint(x * 3)
    if dtype == "memmap":
        np.save(tmp_path / "x.npy", whole.astype(np.uint8))
        given = np.load(tmp_path / "x.npy", mmap_mode="r")
    elif dtype == "reversed":
        given = whole[::-1].copy()[::-1]
    else:
        given = whole.astype(dtype)
        whole = given.astype(np.float32)
    keywords = {"epochs": 3, "batch_size": 7, "validation_split": 0.25}
    one, other = model_of(), model_of()
    expected = np.ascontiguousarray(whole, np.float32)
    assert_same(weights_after(one, given, y, **keywords), weights_after(other, expected, y, **keywords))
    np.testing.assert_array_equal(one.predict(given), other.predict(expected))
    assert one.evaluate(given, y) == other.evaluate(expected, y)
    assert one.train_on_batch(given, y) == other.train_on_batch(expected, y)


def test_pixels_stay_uint8_in_memory(monkeypatch):
    from tinynet.training import data

    seen = []
    original = data.fitting
    monkeypatch.setattr(
        data, "fitting", lambda array, dtype: seen.append(array.shape[0]) or original(array, dtype)
    )
    monkeypatch.setattr(data, "CHUNK_BYTES", 6 * 4 * 9)
    x, y = problem(50)
    model = model_of()
    model.fit(
        (x * 90).astype(np.uint8), y, batch_size=8, verbose=0, validation_data=((x * 90).astype(np.uint8), y)
    )
    model.predict((x * 90).astype(np.uint8))
    assert max(seen) == 9


def test_a_chunk_goes_before_the_next_one_comes(monkeypatch):
    from tinynet.training import data

    made, most, original = [], [], data.fitting

    def fitting(array, dtype):
        most.append(sum(len(one()) for one in made if one() is not None))
        made.append(weakref.ref(new := original(array, dtype)))
        return new

    monkeypatch.setattr(data, "fitting", fitting)
    monkeypatch.setattr(data, "CHUNK_BYTES", 6 * 4 * 9)
    x, y = problem(50)
    x, model = (x * 90).astype(np.uint8), model_of()
    for use in (lambda: model.evaluate(x, y), lambda: model.predict(x)):
        made.clear()
        most.clear()
        use()
        assert len(made) == 6
        assert max(most) <= 9  # one is let go when the next one is there
    most.clear()
    model.fit(x, y, 8, verbose=0, validation_split=0.5)
    assert max(most) <= 16  # two batches of 25 samples


@pytest.mark.parametrize("row", [3, 30, 49])
def test_an_error_tells_the_sample_whatever_chunk_it_is_in(row, monkeypatch):
    from tinynet.training import data

    monkeypatch.setattr(data, "CHUNK_BYTES", 6 * 4 * 9)
    x, y = problem(50)
    x, model = x.astype(np.float64), model_of()
    x[row, 2] = np.nan
    for use in (lambda: model.fit(x, y, verbose=0), lambda: model.evaluate(x, y), lambda: model.predict(x)):
        with pytest.raises(ValueError, match=rf"NaN or infinite.*\({row}, 2\)"):
            use()


def test_chunks_of_any_size_predict_the_same(monkeypatch):
    from tinynet.training import data

    x, model = (problem(50)[0] * 9).astype(int), model_of()
    expected = model.predict(x)
    for rows in (1, 7, 49, 50, 51):
        monkeypatch.setattr(data, "CHUNK_BYTES", 6 * 4 * rows)
        np.testing.assert_array_equal(model.predict(x), expected)


def test_numbers_that_are_too_large_for_the_model_are_refused_before_training():
    x, y = problem()
    x = x.astype(np.float64)
    x[30, 2] = 1e300
    model = model_of()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"NaN or infinite.*\(30, 2\)"):
        model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_one_warning_where_raw_pixels_go_in():
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (20, 6, 6, 1)), random.integers(0, 3, 20)
    for given in (x.astype(np.uint8), x, x.astype(np.float32)):
        model = Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")], (6, 6, 1))
        model.compile("sgd", "sparse_categorical_crossentropy")
        with pytest.warns(UserWarning, match=r"raw pixels, up to 255.*x / 255") as caught:
            model.fit(given, y, verbose=0)
        assert [warning.filename for warning in caught] == [__file__]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(given, y, verbose=0)


@pytest.mark.parametrize("kind", ["generator", "sequence"])
def test_one_warning_where_batches_hold_raw_pixels(kind):
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (8, 6, 6, 1)).astype(np.float32), random.integers(0, 3, 8)

    class Batches(utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return self.x[4 * index :][:4], y[4 * index :][:4]

    for images, count in ((x, 1), (x / 255, 0)):
        model = Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")], (6, 6, 1))
        model.compile("sgd", "sparse_categorical_crossentropy")
        data = Batches()
        data.x = images
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(2):
                model.fit((data[i] for i in range(2)) if kind == "generator" else data, verbose=0)
        found = [("raw pixels" in str(one.message), one.filename) for one in caught]
        assert found == [(True, __file__)] * count


def test_no_warning_of_pixels_where_there_are_none_or_something_scales_them():
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (20, 6, 6, 1)).astype(np.uint8), random.integers(0, 3, 20)
    tables = random.integers(0, 200, (20, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Sequential(
            [layers.BatchNormalization(), layers.Flatten(), layers.Dense(3, activation="softmax")]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y, verbose=0)
        model_of().fit(tables, y, verbose=0)
        model = Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")], (6, 6, 1))
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x / 255, y, verbose=0)
        model.fit(x > 100, y, verbose=0)
        model = Sequential(
            [layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3, activation="softmax")]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y, verbose=0)


def test_tables():
    pandas = pytest.importorskip("pandas")
    x, y = problem()
    names = [f"c{i}" for i in range(6)]
    frame = pandas.DataFrame(x, columns=names)
    one, other = model_of(), model_of()
    assert_same(weights_after(one, frame, pandas.Series(y), epochs=2), weights_after(other, x, y, epochs=2))
    np.testing.assert_array_equal(one.predict(frame), other.predict(x))
    mixed = frame.assign(c0=(x[:, 0] > 0.5), c1=np.arange(40), c2=pandas.Series(x[:, 2], dtype=object))
    assert one.predict(mixed).shape == (40, 3)
    with pytest.raises(
        TypeError, match=r"x must hold numbers; these columns have none: c3.*classes into 0, 1"
    ):
        one.fit(frame.assign(c3="red"), y, verbose=0)
    with pytest.raises(TypeError, match=r"y must hold numbers.*Turn text into numbers"):
        one.fit(frame, pandas.Series(list("abcd") * 10), verbose=0)


# Iterables over batches


def test_every_iterable_over_batches_trains_as_the_arrays_do():
    x, y = problem()
    expected = weights_after(model_of(), x, y, batch_size=8, epochs=3, shuffle=False, validation_data=(x, y))
    for given, keywords in [
        (Dataset(x, y), {"shuffle": False}),
        (endless(x, y), {"steps_per_epoch": 5}),
        (iter(in_batches(x, y) * 3), {"steps_per_epoch": 5}),
        (itertools.cycle(in_batches(x, y)), {"steps_per_epoch": 5}),
        (Loader(x, y), {}),
        (Dataset(x.astype(np.float64), y), {"shuffle": False}),
    ]:
        got = weights_after(model_of(), given, epochs=3, validation_data=(x, y), **keywords)
        assert_same(expected, got)


class Loader:
    """Yields lists, as a PyTorch DataLoader does, and can begin again."""

    def __init__(self, x, y):
        self.batches = in_batches(x, y)

    def __iter__(self):
        return iter([list(batch) for batch in self.batches])


def test_a_pytorch_loader():
    torch = pytest.importorskip("torch")
    x, y = problem()
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y)), batch_size=8
    )
    expected = weights_after(model_of(), x, y, batch_size=8, epochs=2, shuffle=False)
    model = model_of()
    assert_same(expected, weights_after(model, loader, epochs=2))
    np.testing.assert_array_equal(model.predict(loader), model.predict(x))
    assert model.evaluate(loader) == pytest.approx(model.evaluate(x, y))


def test_a_sequence_is_shuffled_by_batches_in_another_order_each_epoch():
    x, y = problem()
    orders = []
    for _ in range(2):
        data, model = Dataset(x, y), model_of()
        model.fit(data, epochs=3, verbose=0)
        orders.append(data.asked)
        assert data.ended == 3
    assert orders[0] == orders[1]
    epochs = [orders[0][i : i + 5] for i in (0, 5, 10)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert epochs[0] != epochs[1] or epochs[1] != epochs[2]


def test_batches_bring_their_weights():
    x, y = problem()
    weights = np.linspace(0, 2, 40).astype(np.float32)
    batches = [(x[i : i + 8], y[i : i + 8], weights[i : i + 8]) for i in range(0, 40, 8)]
    expected = weights_after(model_of(), x, y, batch_size=8, shuffle=False, sample_weight=weights)
    assert_same(expected, weights_after(model_of(), iter(batches)))


def test_a_model_is_built_by_the_first_batch_which_is_trained_on_too():
    x, y = problem()
    for data in (iter(in_batches(x, y)), Dataset(x, y), Loader(x, y)):
        model = Sequential([layers.Dense(3, activation="softmax")], seed=1)
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(data, verbose=0, shuffle=False)
        assert model.steps_trained == 5


def test_evaluate_and_predict_take_iterables():
    x, y = problem()
    model = model_of()
    assert model.evaluate(iter(in_batches(x, y))) == pytest.approx(model.evaluate(x, y))
    assert model.evaluate(endless(x, y), steps=2) == pytest.approx(model.evaluate(x[:16], y[:16]))
    assert model.evaluate(x, y, steps=1, batch_size=5) == model.evaluate(x[:5], y[:5])
    np.testing.assert_array_equal(model.predict(Dataset(x, y)), model.predict(x))
    np.testing.assert_array_equal(model.predict(batch for batch, _ in in_batches(x, y)), model.predict(x))
    np.testing.assert_array_equal(model.predict(endless(x, y), steps=3), model.predict(x[:24]))
    np.testing.assert_array_equal(model.predict(x, steps=2, batch_size=5), model.predict(x[:10]))


def test_steps_without_a_batch_size_go_through_all_samples_as_in_keras():
    x, y = problem()
    model = model_of()
    assert model.evaluate(x, y, steps=1) == model.evaluate(x, y)
    np.testing.assert_array_equal(model.predict(x, steps=1), model.predict(x))
    data, steps = {"validation_data": (x, y)}, {"steps_per_epoch": 3, "validation_steps": 1}
    one = model_of().fit(x, y, **data, **steps, shuffle=False, verbose=0).history
    other = model_of().fit(x, y, **data, batch_size=14, shuffle=False, verbose=0).history  # 40 / 3, up
    assert one == other


def test_class_weights_are_for_training_alone():
    x, y = problem()
    keywords = {"class_weight": {0: 5.0, 1: 0.1}, "shuffle": False, "verbose": 0}
    split = model_of().fit(x, y, validation_split=0.25, **keywords).history
    given = model_of().fit(x[:30], y[:30], validation_data=(x[30:], y[30:]), **keywords).history
    assert split == given


def test_a_list_of_the_only_array_is_that_array():
    x, y = problem()
    weights = np.linspace(0, 2, len(y))
    plain, listed = model_of(), model_of()
    first = plain.fit(x, y, sample_weight=weights, validation_data=(x, y), verbose=0).history
    assert (
        first == listed.fit([x], (y,), sample_weight=[weights], validation_data=([x], [y]), verbose=0).history
    )
    assert plain.evaluate([x], [y]) == plain.evaluate(x, y)
    np.testing.assert_array_equal(plain.predict([x]), plain.predict(x))
    np.testing.assert_array_equal(plain.predict([x[0]]), plain.predict(x[:1]))  # one sample, not one input
    unbuilt = Sequential([layers.Dense(3)])
    assert unbuilt.predict([x]).shape == (len(x), 3)


def test_validation_on_an_iterable():
    x, y = problem()
    history = model_of().fit(x, y, validation_data=Dataset(x, y), epochs=2, verbose=0).history
    assert history["val_loss"] == pytest.approx(
        model_of().fit(x, y, validation_data=(x, y), epochs=2, verbose=0).history["val_loss"]
    )
    short = model_of().fit(x, y, validation_data=endless(x, y), validation_steps=2, verbose=0).history
    arrays = model_of().fit(
        x, y, validation_data=(x, y), validation_steps=2, validation_batch_size=8, verbose=0
    )
    assert short["val_loss"] == pytest.approx(arrays.history["val_loss"])


# Where an epoch ends


@pytest.mark.parametrize(
    ("steps", "epochs", "expected"),
    [
        (2, 4, [[0, 1], [2, 3], [4], [0, 1]]),
        (3, 3, [[0, 1, 2], [3, 4], [0, 1, 2]]),
        (5, 2, [[0, 1, 2, 3, 4]] * 2),
        (9, 2, [[0, 1, 2, 3, 4]] * 2),
        (1, 6, [[0], [1], [2], [3], [4], [0]]),
    ],
)
@pytest.mark.filterwarnings("ignore:fit. the data was over")
def test_steps_per_epoch_go_on_where_the_last_epoch_ended(steps, epochs, expected):
    x, y = problem()
    seen = []
    for data in (Dataset(x, y), Loader(x, y), (x, y)):
        model, taken = model_of(), []
        watch = LambdaCallback(
            on_epoch_begin=lambda epoch, logs, taken=taken: taken.append([]),
            on_train_batch_end=lambda batch, logs, taken=taken: taken[-1].append(batch),
        )
        arrays = isinstance(data, tuple)
        keywords = {"steps_per_epoch": steps, "epochs": epochs, "shuffle": False, "callbacks": [watch]}
        model.fit(*(data if arrays else [data]), batch_size=8 if arrays else None, verbose=0, **keywords)
        assert list(map(len, taken)) == list(map(len, expected))
        seen.append(model.get_weights()[0])
        if isinstance(data, Dataset):
            assert data.asked == list(itertools.chain(*expected))
    np.testing.assert_array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])


def test_data_that_is_over_before_the_steps_of_an_epoch_is_a_warning():
    x, y = problem()
    with pytest.warns(UserWarning, match=r"over after 5 of the 9 batches.*the next epoch begins") as caught:
        assert model_of().fit(x, y, batch_size=8, steps_per_epoch=9, epochs=2, verbose=0).epoch == [0, 1]
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"over after 1 of the 4 batches.*training ends"):
        history = model_of().fit(iter(in_batches(x, y)), steps_per_epoch=4, epochs=3, verbose=0)
    assert history.epoch == [0, 1]
    with pytest.warns(UserWarning, match=r"over after 0 of the 5 batches.*training ends"):
        history = model_of().fit(iter(in_batches(x, y)), steps_per_epoch=5, epochs=3, verbose=0)
    assert history.epoch == [0]


def test_initial_epoch():
    x, y = problem()
    model = model_of()
    assert model.fit(x, y, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]
    assert model.fit(x, y, epochs=2, initial_epoch=2, verbose=0).epoch == []


@pytest.mark.parametrize(("frequency", "expected"), [(1, 4), (2, 2), (3, 1), ([1, 4], 2), ([9], 0)])
def test_validation_freq(frequency, expected):
    x, y = problem()
    history = model_of().fit(x, y, epochs=4, validation_data=(x, y), validation_freq=frequency, verbose=0)
    assert len(history.history["loss"]) == 4
    assert len(history.history.get("val_loss", [])) == expected


def generator():
    while True:
        yield problem(8)


def generator_of_loops():
    while True:
        for i in range(5):
            yield problem(8, seed=i)


def generator_that_goes_on_after_errors():
    while True:
        try:
            yield problem(8)
        finally:
            pass


class Again:
    def __iter__(self):
        while True:
            yield problem(8)


class Always:
    def __iter__(self):
        return self

    def __next__(self):
        return problem(8)


class Unending(utils.PyDataset):
    num_batches = None

    def __getitem__(self, i):
        return problem(8)


ENDLESS = [
    Unending, generator, generator_of_loops, generator_that_goes_on_after_errors, Again, Always,
    lambda: itertools.cycle([problem(8)]), lambda: itertools.repeat(problem(8)),
    lambda: zip(itertools.count(), generator()), lambda: map(list, generator()),
    lambda: (batch for batch in generator()),
]  # fmt: skip


@pytest.mark.parametrize("make", ENDLESS)
def test_data_without_end_is_refused_at_once(make):
    model = model_of()
    with pytest.raises(ValueError, match=r"fit: x yields batches without end.*give steps_per_epoch="):
        model.fit(make(), verbose=0)
    with pytest.raises(ValueError, match=r"evaluate: x yields batches without end.*give steps="):
        model.evaluate(make())
    with pytest.raises(ValueError, match=r"predict: x yields batches without end"):
        model.predict(make())
    with pytest.raises(ValueError, match=r"without end"):
        model.fit(*problem(), validation_data=make(), verbose=0)
    assert model.steps_trained == 0


def until_it_is_told():
    while True:
        if (yield 1):
            break


def until_an_error():
    while True:
        try:
            yield 1
        except ValueError:
            return


def five():
    number = 0
    while True:
        if number == 5:
            return
        number += 1
        yield number


class HandsOn:
    def __init__(self):
        self.rest = iter([1])

    def __iter__(self):
        return self

    def __next__(self):
        return self.another()

    def another(self):
        return next(self.rest)


class Stops(HandsOn):
    def another(self):
        raise StopIteration


ENDING = [
    until_it_is_told, until_an_error, five, HandsOn, Stops, lambda: iter([1]), lambda: itertools.repeat(1, 2),
    lambda: zip(generator(), [1], strict=False), lambda: itertools.islice(generator(), 2),
    lambda: map(int, [1]), lambda: (i for i in [1]), lambda: enumerate([1]),
]  # fmt: skip


@pytest.mark.parametrize("make", ENDING)
def test_what_may_have_an_end_is_taken_for_that(make):
    assert not is_endless(make())


def test_an_iterator_is_good_for_one_epoch():
    x, y = problem()
    model_of().fit(iter(in_batches(x, y)), verbose=0)
    with pytest.raises(ValueError, match=r"over after one epoch, and epochs=2.*steps_per_epoch"):
        model_of().fit(iter(in_batches(x, y)), epochs=2, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((Dataset(*problem()), problem()[1]), {}, "iterable over batches.*leave y out"),
        ((Dataset(*problem()),), {"sample_weight": [1.0]}, "leave sample_weight out"),
        ((Dataset(*problem()),), {"validation_split": 0.2}, "validation_split is for arrays"),
        ((Dataset(*problem()),), {"steps_per_epoch": 0}, "steps_per_epoch must be a positive"),
        ((iter([]),), {}, "yields no batches"),
        ((iter([(1, 2, 3, 4)]),), {}, r"A batch must be x, \(x, y\).*4 parts"),
        ((iter([problem()[0]]),), {}, "y is missing"),
        ((problem()[0],), {}, "fit: y is missing"),
        (problem(), {"initial_epoch": -1}, "initial_epoch must be an integer of at least 0"),
        (problem(), {"validation_data": 3}, "validation_data must be a pair"),
        (problem(), {"validation_data": problem()[:1]}, "validation_data must be a pair"),
        (problem(), {"validation_freq": 0}, "validation_freq must be"),
        (problem(), {"validation_data": problem(), "validation_steps": -1}, "validation_steps must be"),
        (problem(), {"class_weight": {0: 1.0}, "sample_weight": np.ones(40)}, "not both"),
        (problem(), {"class_weight": {0.5: 1.0}}, "class_weight must give classes.*0.5: 1.0"),
        (problem(), {"class_weight": {"cat": 1.0}}, "class_weight must give classes.*'cat': 1.0"),
        (problem(), {"class_weight": {0: "x"}}, "class_weight must give classes.*0: 'x'"),
        (problem(), {"sample_weight": np.ones(39)}, r"sample weights of shape \(40,\).*not \(39,\)"),
        (problem(), {"sample_weight": np.full(40, np.nan)}, "NaN or infinite"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_on_is_one_clear_error(arguments, keywords, message):
    model = model_of()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.fit(*arguments, verbose=0, **keywords)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


# Weights of classes


def test_class_weights_are_sample_weights():
    x, y = problem()
    weights = np.where(y == 1, 3.0, np.where(y == 2, 0.5, 1.0))
    one = weights_after(model_of(), x, y, class_weight={1: 3.0, 2.0: 0.5}, epochs=2, batch_size=8)
    assert_same(one, weights_after(model_of(), x, y, sample_weight=weights, epochs=2, batch_size=8))
    stream = weights_after(model_of(), Dataset(x, y), class_weight={1: 3, 2: 0.5}, epochs=2, shuffle=False)
    arrays = weights_after(
        model_of(), x, y, class_weight={1: 3, 2: 0.5}, epochs=2, shuffle=False, batch_size=8
    )
    assert_same(stream, arrays)


@hypothesis.settings(max_examples=50)
@hypothesis.given(
    st.lists(st.integers(0, 4), min_size=1, max_size=9),
    st.dictionaries(st.integers(0, 4), st.floats(-9, 9)),
    st.sampled_from(["labels", "column", "one-hot", "floats"]),
)
def test_class_weights_of_all_kinds_of_targets(labels, weights, kind):
    y = np.array(labels)
    targets = {"labels": y, "column": y[:, None], "one-hot": np.eye(5)[y], "floats": y.astype(float)}[kind]
    got = weights_of_classes(targets, weights, np.dtype("float64"), "fit")
    assert got.tolist() == [weights.get(label, 1.0) for label in labels]


def test_weights_are_validated_with_their_samples():
    x, y = problem()
    weights = np.linspace(0, 2, 40)
    history = model_of().fit(x, y, validation_data=(x, y, weights), verbose=0).history
    model = model_of()
    model.fit(x, y, verbose=0)
    assert history["val_loss"] == [pytest.approx(model.evaluate(x, y, sample_weight=weights)[0])]
    split = model_of().fit(x, y, validation_split=0.25, sample_weight=weights, verbose=0).history
    other = model_of()
    other.fit(x[:30], y[:30], sample_weight=weights[:30], verbose=0)
    assert split["val_loss"] == [pytest.approx(other.evaluate(x[30:], y[30:], sample_weight=weights[30:])[0])]


@pytest.mark.parametrize("steps", [4.25, np.float64(4.25)])
def test_a_fraction_of_a_step_counts_as_one(steps):
    x, y = problem()
    data = itertools.cycle(in_batches(x, y))
    seen = []
    count = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    with pytest.warns(UserWarning, match=r"steps_per_epoch=.*4\.25.* counts as 5"):
        model_of().fit(data, steps_per_epoch=steps, epochs=2, verbose=0, callbacks=[count])
    assert seen == [0, 1, 2, 3, 4] * 2
    for wrong in (-0.5, 0.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="must be a positive integer or None"):
            model_of().fit(data, steps_per_epoch=wrong, verbose=0)
