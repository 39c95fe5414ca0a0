"""Layers that models share: weights, optimizers, averages, callbacks, copies, files, what is trainable."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from blocks import LOSS, Held, Residual, check_steps, problem

from tinynet import Sequential, callbacks, layers, load_model, optim
from tinynet.layers import Chain, Dense, Dropout


def model_of(parts, shape=4, optimizer=None, dtype="float64", seed=0, **arguments):
    model = Sequential(parts, shape, seed, dtype, **arguments)
    model.compile(optimizer or optim.SGD(0.1), LOSS)
    return model


def parent(seed=0, optimizer=None, dtype="float64"):
    parts = [Dense(6, "relu"), Chain([Dropout(0.2), Dense(5, "tanh")]), layers.BatchNormalization(), Dense(3)]
    return model_of(parts, seed=seed, optimizer=optimizer, dtype=dtype)


def child_of(old, seed=1, optimizer=None):
    return model_of([*old.layers[:-1], Dense(26)], seed=seed, optimizer=optimizer, dtype=old.dtype)


def in_several_runs(optimizer=None):
    """Return two models that share layers; the second one's parameters lie in several pieces."""
    first = model_of([Dense(4), Dense(4), Dense(3)], seed=1)
    parts = [Dense(4), first.layers[1], layers.BatchNormalization(), first.layers[0], Dense(3)]
    return first, model_of(parts, seed=2, optimizer=optimizer)


def addresses(*models):
    arrays = [array for model in models for p in model.parameters for array in (p.value, p.grad)]
    return [array.ctypes.data for array in arrays]


def check_equal(ones, others):
    for one, other in zip(ones, others, strict=True):
        np.testing.assert_array_equal(one, other)


@dataclass(eq=False, repr=False)
class InDeclare(Held):
    """A block that makes what it is made of when it is built."""

    children: Any = ()

    def declare(self, input_shape, random):
        self.made = [Dense(4), layers.BatchNormalization()]
        return super().declare(input_shape, random)

    def order(self):
        return self.made


@dataclass(eq=False, repr=False)
class InPost(InDeclare):
    """A block that makes what it is made of at once."""

    def __post_init__(self):
        self.made = [Dense(4), layers.BatchNormalization()]

    def declare(self, input_shape, random):
        return Held.declare(self, input_shape, random)


# Weights


def test_a_new_head_on_the_layers_of_a_model():
    old = model_of([Dense(6, "relu"), Dense(5), Dense(3)])
    new = model_of([*old.layers[:-1], Dense(26)])
    x, y = problem(20)
    for trained in (new, old, new):
        for model in (old, new):
            model.predict(x)
        trained.fit(x, y, batch_size=8, verbose=0)
        for model in (old, new):
            check_equal([model.predict(x)], [model.forward(x)])
    assert new.layers[0].kernel is old.layers[0].kernel


def test_a_frozen_layer_stays_as_it_is():
    model = model_of([Dense(6), Dense(3)])
    model.layers[0].trainable = False
    model.compile(optim.SGD(0.1), LOSS)
    before = [p.value.copy() for p in model.parameters]
    model.fit(*problem(20), batch_size=8, verbose=0)
    for i, parameter in enumerate(model.parameters):
        assert np.array_equal(parameter.value, before[i]) == (i < 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_one_model_changes_the_other_s_predictions(dtype):
    old = parent(dtype=dtype)
    new = child_of(old)
    x, y = problem(40)
    for model in (old, new):
        check_equal([model.predict(x)], [model.forward(x)])
    for trained, other in [(new, old), (old, new), (new, old)]:
        before = other.predict(x)
        trained.fit(x, y, batch_size=16, epochs=2, verbose=0)
        assert not np.array_equal(other.predict(x), before)
        for model in (old, new):
            for part in (x, x[:1], x[:7]):
                check_equal([model.predict(part)], [model.forward(part)])
    assert new.layers[:-1] == old.layers[:-1]
    assert new.parameters[:-2] == old.parameters[:-2]


def test_models_that_share_train_as_by_hand_in_turns():
    old = model_of([Dense(6, "relu"), Chain([Dropout(0.2), Dense(5)]), Residual(5, 0.3), Dense(3)])
    new = model_of([Held([old.layers[2], Dropout(0.5)]), Dense(4), Dense(3)], 5)
    check_steps(old, *problem())
    check_steps(new, *problem(features=5))
    check_steps(old, *problem(seed=1))
    check_steps(new, *problem(12, features=5))
    check_steps(old, *problem(seed=2))


def test_layers_of_a_block_of_another_model_can_be_shared():
    old = model_of([Held([Dense(4), Residual(4, 0.5)]), Dense(3)])
    new = model_of([Chain([old.layers[0].children[1], Dense(5)]), Dense(3)], seed=1)
    for _ in range(2):
        check_steps(old, *problem())
        check_steps(new, *problem())
        check_equal([old.predict(problem()[0])], [old.forward(problem()[0])])


def test_a_model_may_be_a_layer_of_several_models_and_train_itself():
    inner = model_of([Dense(4, "tanh"), Dropout(0.3)], seed=1)
    models = [inner, model_of([inner, Dense(3)], seed=2), model_of([Held([inner]), Dense(3)], seed=3)]
    x, y = problem()
    for _ in range(2):
        for model in models:
            check_steps(model, x, y)
            for other in models:
                check_equal([other.predict(x)], [other.forward(x)])


def test_new_layers_get_their_weights_from_seed_and_place():
    new = child_of(parent(), seed=8)
    alone = Dense(26)
    alone.build(5, (8, 3), "float64")
    check_equal(new.layers[-1].get_weights(), alone.get_weights())


def test_parameters_never_move(tmp_path):
    old = parent(optimizer=optim.SGD(0.1, momentum=0.9, clipnorm=1.0))
    start = addresses(old)
    new = child_of(old, optimizer=optim.Adam())
    both = addresses(old, new)
    x, y = problem(20)
    stop = callbacks.EarlyStopping("loss", restore_best_weights=True, patience=5)
    for model in (old, new):
        model.predict(x)
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, ema_momentum=0.9, callbacks=[stop])
        model.compile(optim.AdamW(), LOSS)
        model.train_on_batch(x, y)
        model.evaluate(x, y)
        model.set_weights(model.get_weights())
        model.layers[0].set_weights(model.layers[0].get_weights())
        model.layers[0].kernel.value = np.ones((4, 6))
        model.layers[0].kernel.value += 1
        model.save(tmp_path / "m")
        load_model(tmp_path / "m")
        copy.deepcopy(model).fit(x, y, verbose=0)
        pickle.dumps(model)
        model.summary()
        model.trainable = False
        model.trainable = True
    Sequential([new.layers[0], Dense(2)], 4, dtype="float64")
    assert addresses(old) == start
    assert addresses(old, new) == both


def test_a_model_that_could_not_be_built_leaves_the_shared_layers_alone():
    old = parent()
    start, names, weights = addresses(old), list(old.named_parameters()), old.get_weights()
    for bad in (layers.Conv2D(2, 3), Held([Dense(3), layers.MaxPool2D()])):
        with pytest.raises(ValueError, match="input_shape"):
            Sequential([*old.layers[:-1], bad], 4, dtype="float64")
    assert addresses(old) == start
    assert list(old.named_parameters()) == names
    check_equal(old.get_weights(), weights)
    check_steps(old, *problem())


def test_a_convolution_may_have_a_pooling_after_it_in_one_model_only():
    shape, random = (8, 8, 2), np.random.default_rng(0)
    parts = [layers.Conv2D(4, 3, activation="relu"), layers.MaxPool2D(2), layers.Flatten(), Dense(3)]
    pooled = model_of(parts, shape)
    plain = model_of([parts[0], layers.Flatten(), Dense(3)], shape)
    nested = model_of([Chain([Held([parts[0]]), parts[1]]), layers.Flatten(), Dense(3)], shape)
    x, y = random.normal(size=(9, *shape)), random.integers(0, 3, 9)
    for _ in range(2):
        for model in (pooled, plain, nested):
            check_steps(model, x, y, steps=1)
        for model in (pooled, plain, nested):
            check_equal([model.predict(x)], [model.forward(x)])


def test_a_softmax_layer_at_the_end_of_one_model_may_be_in_the_middle_of_another():
    old = Sequential([Dense(5), Dense(4, "softmax")], 4, dtype="float64")
    old.compile(optim.SGD(0.1))
    new = model_of([*old.layers, Dense(3)], seed=1)
    x, y = problem()
    for _ in range(2):
        check_steps(new, x, y)
        before = old.evaluate(x, y)
        assert before == pytest.approx(-np.mean(np.log(old.predict(x)[np.arange(9), y])), rel=1e-9)
        assert old.train_on_batch(x, y) == pytest.approx(before, rel=1e-12)
        assert old.evaluate(x, y) < before
        for model in (old, new):
            check_equal([model.predict(x)], [model.forward(x)])


# Optimizers


def sgd_by_hand(values, gradients, velocity, rate, momentum, clips):
    norms = [np.sqrt(np.sum(gradient**2)) for gradient in gradients]
    if "global_clipnorm" in clips:
        norms = [np.sqrt(sum(norm**2 for norm in norms))] * len(norms)
    for i, (gradient, norm) in enumerate(zip(gradients, norms, strict=True)):
        velocity[i] = momentum * velocity[i] - rate * min(1.0, *(c / norm for c in clips.values())) * gradient
        values[i] = values[i] + velocity[i]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(
    "clips", [{"clipnorm": 100.0}, {"clipnorm": 0.05}, {"global_clipnorm": 0.05}, {"global_clipnorm": 100.0}]
)
def test_momentum_and_clipping_over_several_runs_are_those_by_hand(momentum, clips):
    first, second = in_several_runs(optim.SGD(0.1, momentum=momentum, **clips))
    assert len(second.trainer.steps.runs) > 2
    trained = [parameter for parameter in second.parameters if parameter.trainable]
    values, velocity = [p.value.copy() for p in trained], [np.zeros(p.value.shape) for p in trained]
    for seed in range(4):
        x, y = problem(11, seed)
        _, dy = LOSS.value_and_gradient(y, copy.deepcopy(second).forward(x, training=True))
        by_hand = copy.deepcopy(second)
        by_hand.forward(x, training=True)
        by_hand.backward(dy)
        gradients = [p.grad.copy() for p in by_hand.parameters if p.trainable]
        sgd_by_hand(values, gradients, velocity, 0.1, momentum, clips)
        second.train_on_batch(x, y)
        for parameter, value in zip(trained, values, strict=True):
            np.testing.assert_allclose(parameter.value, value, rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(first.predict(x), first.forward(x))


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: optim.Adam(0.01),
        lambda: optim.AdamW(0.01, clipnorm=0.1),
        lambda: optim.SGD(optim.CosineDecay(0.1, 5), momentum=0.5, nesterov=True, weight_decay=0.1),
    ],
)
def test_several_runs_give_the_numbers_of_one(optimizer):
    _, shared = in_several_runs(optimizer())
    alone = copy.deepcopy(shared)  # lies side by side
    assert len(alone.trainer.steps.runs) == 1 < len(shared.trainer.steps.runs)
    for seed in range(4):
        x, y = problem(11, seed)
        ones, others = shared.train_on_batch(x, y), alone.train_on_batch(x, y)
        assert ones == pytest.approx(others, rel=1e-12)
        for one, other in zip(shared.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)  # Adam divides by what rounding left


def test_each_model_has_an_optimizer_of_its_own():
    old = parent(optimizer=optim.Adam())
    with pytest.raises(ValueError, match="belongs to another model"):
        child_of(old, optimizer=old.optimizer)
    with pytest.raises(ValueError, match="belongs to another model"):
        child_of(old, optimizer=copy.deepcopy(old).optimizer)


def test_flat_of_a_model_in_several_pieces_says_so():
    first, second = in_several_runs()
    assert first.flat.value.size == sum(p.value.size for p in first.parameters)
    with pytest.raises(AttributeError, match="several pieces"):
        _ = second.flat


# Averages and callbacks


def test_the_moving_average_of_several_runs_is_the_one_by_hand():
    _, model = in_several_runs()
    trained = [p for p in model.parameters if p.trainable]
    averages, seen = [p.value.copy() for p in trained], []

    def after_step(batch, logs):
        seen.append(1)
        share = min(0.8, len(seen) / (len(seen) + 9))
        for average, parameter in zip(averages, trained, strict=True):
            average += (parameter.value - average) * (1 - share)

    x, y = problem(30)
    validated = []
    model.fit(
        x, y, batch_size=8, epochs=2, verbose=0, ema_momentum=0.8,
        callbacks=[
            callbacks.LambdaCallback(
                on_train_batch_end=after_step,
                on_epoch_end=lambda epoch, logs: validated.append([p.value.copy() for p in trained]),
            )
        ],
    )  # fmt: skip
    assert len(seen) == 8
    for parameter, average, last in zip(trained, averages, validated[-1], strict=True):
        np.testing.assert_allclose(parameter.value, average, rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(parameter.value, last)
    np.testing.assert_array_equal(model.predict(x), model.forward(x))


@pytest.mark.filterwarnings("ignore:fit. the training has diverged")
def test_early_stopping_restores_all_weights_of_the_best_epoch():
    _, model = in_several_runs(optim.SGD(5.0))  # diverges
    x, y = problem(30)
    weights = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    stop = callbacks.EarlyStopping("loss", patience=3, restore_best_weights=True)
    history = model.fit(x, y, batch_size=8, epochs=30, verbose=0, callbacks=[keep, stop]).history["loss"]
    best = weights[int(np.nanargmin(history))]
    assert len(history) > 3
    check_equal(model.get_weights(), best)  # the running means, too
    np.testing.assert_array_equal(model.predict(x), model.forward(x))


def test_a_checkpoint_of_a_model_that_shares_holds_all_of_it(tmp_path):
    _, model = in_several_runs()
    x, y = problem(30)
    save = callbacks.ModelCheckpoint(tmp_path / "best", "val_loss", save_best_only=True)
    history = model.fit(x, y, epochs=2, validation_split=0.2, verbose=0, callbacks=[save]).history
    assert history["val_loss"][1] < history["val_loss"][0]
    check_equal(load_model(tmp_path / "best").get_weights(), model.get_weights())


# Copies


COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda thing: pickle.loads(pickle.dumps(thing))}
each_copy = pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)


@each_copy
@pytest.mark.parametrize("which", [0, 1])
def test_a_copy_of_one_of_the_models_goes_on_by_itself(copied, which):
    old = parent(optimizer=optim.SGD(0.1, momentum=0.9))
    models = [old, child_of(old, optimizer=optim.Adam())]
    x, y = problem(20)
    for model in models:
        model.fit(x, y, batch_size=8, verbose=0)
    again = copied(models[which])
    before = [model.get_weights() for model in models]
    histories = again.fit(x, y, batch_size=8, epochs=2, verbose=0).history
    for model, weights in zip(models, before, strict=True):
        check_equal(model.get_weights(), weights)
    assert models[which].fit(x, y, batch_size=8, epochs=2, verbose=0).history == histories
    check_equal(again.get_weights(), models[which].get_weights())
    check_equal([again.predict(x)], [again.forward(x)])


@each_copy
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("make", [lambda o: [p := parent(optimizer=o()), child_of(p, optimizer=o())],
                                  lambda o: [*in_several_runs(o())]])  # fmt: skip
def test_copies_of_both_models_share_as_the_originals_do(copied, order, make):
    models = make(lambda: optim.SGD(0.1, momentum=0.9))[::order]
    x, y = problem(20)
    for model in models:
        model.fit(x, y, batch_size=8, verbose=0)
    again = copied(models)
    shared = set(map(id, models[0].parameters)) & set(map(id, models[1].parameters))
    assert len(set(map(id, again[0].parameters)) & set(map(id, again[1].parameters))) == len(shared) > 0
    for _ in range(2):
        for i in range(2):
            both = [pair[i].fit(x, y, batch_size=8, verbose=0).history for pair in (models, again)]
            np.testing.assert_allclose(both[0]["loss"], both[1]["loss"], rtol=1e-12)
            for j in range(2):
                for one, other in zip(models[j].get_weights(), again[j].get_weights(), strict=True):
                    np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)
                check_equal([again[j].predict(x)], [again[j].forward(x)])


def test_a_copy_of_a_layer_is_a_layer_of_its_own():
    old = parent()
    new = model_of([copy.deepcopy(old.layers[0]), Dense(3)])
    check_equal(new.layers[0].get_weights(), old.layers[0].get_weights())
    before = old.get_weights()
    new.fit(*problem(20), verbose=0)
    check_equal(old.get_weights(), before)


# What does not fit


@pytest.mark.parametrize(
    "around", [lambda layer: layer, lambda layer: Chain([layer]), lambda layer: Held([layer])]
)
def test_a_shared_layer_of_another_shape_or_dtype_is_an_error_that_says_so(around):
    old = parent(dtype="float32")
    with pytest.raises(ValueError, match=r"Dense 'dense' is shared.*\(4,\).*\(5,\).*make a new layer"):
        Sequential([around(old.layers[0]), Dense(3)], 5)
    with pytest.raises(ValueError, match=r"Dense 'dense' is shared.*float32.*float64.*make a new layer"):
        Sequential([around(old.layers[0]), Dense(3)], 4, dtype="float64")
    with pytest.raises(ValueError, match=r"BatchNormalization.*is shared.*\(5,\).*\(4,\)"):
        Sequential([around(old.layers[2])], 4)
    assert Sequential([around(old.layers[0]), Dense(3)], 4).output_shape == (3,)


def test_a_shared_layer_cannot_be_built_again():
    old = parent()
    for layer in [*old.layers, old.layers[1].layers[1]]:
        with pytest.raises(RuntimeError, match="part of a model"):
            layer.build(4)


# What is trainable


def frozen_values(model, wanted):
    return [p.value.copy() for name, p in model.named_parameters().items() if name.startswith(wanted)]


@pytest.mark.parametrize(
    ("freeze", "paths"),
    [
        (lambda m: [m.layers[0]], ["dense/"]),
        (lambda m: [m.layers[1]], ["chain/"]),
        (lambda m: [m.layers[1].layers[1]], ["chain/dense/"]),
        (lambda m: [m.layers[2]], ["batch_normalization/"]),
        (lambda m: [m.layers[3].first], ["residual/first/"]),
        (lambda m: [m.layers[3]], ["residual/"]),
        (lambda m: m.layers[:2], ["dense/", "chain/"]),
    ],
)
@pytest.mark.parametrize("optimizer", [lambda: optim.SGD(0.1), lambda: optim.AdamW(0.1, clipnorm=0.1)])
def test_frozen_layers_do_not_change_and_all_others_do(freeze, paths, optimizer):
    parts = [
        Dense(6, "relu"), Chain([Dropout(0.2), Dense(5)]), layers.BatchNormalization(), Residual(5), Dense(3),
    ]  # fmt: skip
    model = model_of(parts)
    for layer in freeze(model):
        layer.trainable = False
        assert not any(part.trainable for _, part in layer.parts())
    model.compile(optimizer(), LOSS)
    before = {name: p.value.copy() for name, p in model.named_parameters().items()}
    x, y = problem(30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    for name, parameter in model.named_parameters().items():
        still = np.array_equal(parameter.value, before[name])
        assert still == any(name.startswith(path) for path in paths), name
    np.testing.assert_array_equal(model.predict(x), model.forward(x))


@pytest.mark.parametrize("place", [lambda m: m, lambda m: m.layers[0], lambda m: m.layers[1].layers[1]])
def test_a_change_of_trainable_after_compile_has_no_effect_and_warns_at_fit(place):
    model, same = parent(), parent()
    x, y = problem(20)
    place(model).trainable = False
    with pytest.warns(UserWarning, match=r"`trainable`.*compile again"):
        model.fit(x, y, batch_size=8, verbose=0)
    same.fit(x, y, batch_size=8, verbose=0)
    check_equal(model.get_weights(), same.get_weights())
    model.compile(optim.SGD(0.1), LOSS)
    before = frozen_values(model, "chain")
    model.fit(x, y, batch_size=8, verbose=0)
    if place(model) is not model.layers[0]:
        check_equal(frozen_values(model, "chain"), before)


def test_only_the_models_compiled_afterwards_leave_a_frozen_layer_alone():
    old = parent()
    old.layers[0].trainable = False
    new = child_of(old)
    before = frozen_values(old, "dense/")
    new.fit(*problem(20), verbose=0)
    check_equal(frozen_values(old, "dense/"), before)
    with pytest.warns(UserWarning, match="trainable"):
        old.fit(*problem(20), verbose=0)
    assert not np.array_equal(frozen_values(old, "dense/")[0], before[0])


@pytest.mark.parametrize("optimizer", [lambda: optim.SGD(0.1), lambda: optim.Adam(0.1, clipnorm=1.0)])
def test_a_model_with_nothing_trainable_has_logs_and_stays(optimizer, tmp_path):
    model = parent()
    model.trainable = False
    model.compile(optimizer(), LOSS, ["accuracy"])
    before = model.get_weights()
    x, y = problem(20)
    history = model.fit(x, y, batch_size=8, epochs=2, verbose=0, ema_momentum=0.5).history
    assert set(history) == {"loss", "accuracy"}
    assert np.isfinite(history["loss"]).all()
    check_equal(model.get_weights(), before)
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert again.trainable_parameters() == []
    assert not any(part.trainable for _, part in again.parts() if part.own_parameters)
    again.fit(x, y, verbose=0)
    check_equal(again.get_weights(), before)
    copy.deepcopy(model).fit(x, y, verbose=0)


@pytest.mark.parametrize("make", [lambda: InPost(), lambda: InDeclare(), lambda: Held([InDeclare()])])
@pytest.mark.parametrize("saved", [False, True])
def test_a_block_that_was_frozen_before_it_was_built_does_not_change(tmp_path, make, saved):
    block = make()
    block.trainable = False
    model = model_of([Dense(4), block, Dense(3)])
    if saved:
        model.save(tmp_path / "m")
        model = load_model(tmp_path / "m")
    before = model.layers[1].get_weights()
    model.fit(*problem(30), batch_size=8, verbose=0)
    check_equal(model.layers[1].get_weights(), before)  # the running means, too


@pytest.mark.parametrize("value", [0, 1, None, "no"])
def test_trainable_is_true_or_false(value):
    model = parent()
    for thing in (model, model.layers[0], model.layers[1], Residual(3)):
        with pytest.raises(TypeError, match="trainable must be True or False"):
            thing.trainable = value
        assert thing.trainable is True


def test_summary_counts_what_is_trainable(capsys):
    model = parent()
    model.layers[1].layers[1].trainable = False
    model.summary()
    counts = [line for line in capsys.readouterr().out.splitlines() if "params" in line]
    assert [line.split(" (")[0] for line in counts] == [
        "Total params: 103", "Trainable params: 58", "Non-trainable params: 45",
    ]  # fmt: skip


# Names and files


def test_layers_of_two_parents_with_equal_names():
    one, other = model_of([Dense(4, "tanh"), Dense(3)], seed=1), model_of([Dense(4), Dense(3)], seed=2)
    both = model_of([one.layers[0], other.layers[0], Chain([one.layers[1]])], seed=3)
    assert list(both.named_parameters()) == [
        "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias",
        "chain/dense_1/kernel", "chain/dense_1/bias",
    ]  # fmt: skip
    assert [layer.name for layer in other.layers] == ["dense", "dense_1"]
    x, y = problem(20)
    for model in (both, one, other, both):
        model.fit(x, y, batch_size=8, verbose=0)
        for each in (both, one, other):
            check_equal([each.predict(x)], [each.forward(x)])


@pytest.mark.parametrize("which", [0, 1, 2])
def test_models_with_shared_layers_survive_files(tmp_path, which):
    one, other = parent(seed=1), parent(seed=2)
    parts = [one.layers[0], Chain([other.layers[1], Held([one.layers[2]])]), other.layers[3]]
    models = [one, other, model_of(parts, seed=3)]
    x, y = problem(20)
    for model in models:
        model.fit(x, y, batch_size=8, verbose=0)
    models[which].save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert list(again.named_parameters()) == list(models[which].named_parameters())
    check_equal(again.get_weights(), models[which].get_weights())
    check_equal([again.predict(x)], [models[which].predict(x)])
    ones, others = (m.fit(x, y, batch_size=8, verbose=0).history["loss"] for m in (again, models[which]))
    # but for the seeds of shared dropout layers, which follow from the parent's
    if which < 2:
        np.testing.assert_allclose(ones, others, rtol=1e-12)


def test_equal_names_of_new_layers_are_still_an_error():
    one, other = Dense(4), Dense(4)
    one.name = other.name = "same"
    with pytest.raises(ValueError, match="'same'"):
        Sequential([one, other], 4)


def test_gradcheck_of_a_model_of_two_parents_with_equal_names():
    from tinynet.gradcheck import gradcheck

    one, other = model_of([Dense(4)], seed=1), model_of([Dense(4)], seed=2)
    assert len(gradcheck(model_of([one.layers[0], other.layers[0]]), problem()[0])) == 5


# Threads


def test_threads_predict_while_another_trains_a_model_that_shares():
    old = parent(dtype="float32")
    new = child_of(old)
    x, y = problem(64)
    expected, stop, errors = old.predict(x).shape, threading.Event(), []

    def predict(size):
        try:
            while not stop.is_set():
                result = old.predict(x[:size])
                assert result.shape == (size, *expected[1:])
                assert np.isfinite(result).all()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=predict, args=(size,)) for size in (1, 7, 64)]
    for thread in threads:
        thread.start()
    new.fit(x, y, batch_size=16, epochs=5, verbose=0)
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    same = parent(dtype="float32")
    alone = child_of(same)
    alone.fit(x, y, batch_size=16, epochs=5, verbose=0)
    check_equal(new.get_weights(), alone.get_weights())
    for model in (old, new):
        check_equal([model.predict(x)], [model.forward(x)])


def test_two_models_that_share_layers_train_one_at_a_time():
    old = Sequential([Dense(4, "tanh"), Dense(3)], 5)
    new = Sequential([old.layers[0], Dense(2)], 5)
    alien = Sequential([Dense(2)], 5)
    for model in (old, new, alien):
        model.compile("sgd", "mse")
    x, refused, done = np.ones((4, 5)), [], []

    def attempt(model, outputs):
        try:
            model.train_on_batch(x, np.ones((4, outputs)))
            done.append(model)
        except RuntimeError as error:
            refused.append(str(error))

    def during(epoch, logs):
        worker = threading.Thread(target=lambda: [attempt(new, 2), attempt(alien, 2)])
        worker.start()
        worker.join()
        attempt(new, 2)  # this thread may: it does nothing else meanwhile

    old.fit(x, np.ones((4, 3)), verbose=0, callbacks=[callbacks.LambdaCallback(on_epoch_end=during)])
    assert len(refused) == 1
    assert "one that it shares layers with" in refused[0]
    assert done == [alien, new]


def test_a_model_is_not_compiled_while_it_is_trained():
    model, refused = Sequential([Dense(2)], 5), []
    model.compile("sgd", "mse")

    def during(epoch, logs):
        with pytest.raises(RuntimeError, match="being trained already"):
            model.compile("adam", "mse")
        refused.append(1)

    stop = callbacks.LambdaCallback(on_epoch_end=during)
    model.fit(np.ones((4, 5)), np.ones((4, 2)), verbose=0, callbacks=[stop])
    assert refused == [1]
