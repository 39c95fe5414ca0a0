"""Models that go to Keras and come back, or the other way round, and train on as if they had not."""

from __future__ import annotations

import numpy as np
import pytest
from keras_writing_cases import FORMATS, OPTIMIZERS, check_close, opened, trained

import tinynet
from tinynet import optim
from tinynet.models.storage.optimizer_state import optimizer_state
from tinynet.models.storage.saving import describe

pytestmark = pytest.mark.filterwarnings(  # Keras asks PyTorch in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
)


def check_same(first, second):
    """Check that two models have the same weights and the same optimizer's state, to the bit."""
    (steps, slots), (others, other_slots) = optimizer_state(first), optimizer_state(second)
    assert steps == others
    assert {*slots} == {*other_slots}
    pairs = [(first.get_weights(), second.get_weights())]
    pairs += [(slots[name], other_slots[name]) for name in slots]
    for ours, theirs in pairs:
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("suffix", [*FORMATS, "safetensors"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_file_of_ours_goes_on_to_the_same_bits(optimizer, suffix, tmp_path):
    model, batch = trained(optimizer)
    path = tmp_path / f"model.{suffix}"
    model.save(path)
    other = tinynet.load_model(path)
    check_same(model, other)
    for one in (model, other):
        one.train_on_batch(*batch)
    check_same(model, other)
    assert optimizer_state(other)[0] == 4


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_step_after_a_file_of_kerass_agrees(keras, optimizer, tmp_path):
    model, batch = trained(optimizer)
    theirs = opened(keras, describe(model), tmp_path, "keras")
    for _ in range(2):
        theirs.train_on_batch(*batch)
    paths = [tmp_path / f"theirs.{suffix}" for suffix in FORMATS]
    for path in paths:
        theirs.save(path)
    predictions = theirs.predict(batch[0], verbose=0)
    models = [tinynet.load_model(path) for path in paths]
    before = models[0].get_weights()
    for ours in models:
        assert optimizer_state(ours)[0] == 5
        check_close(theirs, ours, 0)
        np.testing.assert_allclose(predictions, ours.predict(batch[0]), atol=1e-5)
    theirs.train_on_batch(*batch)
    for ours in models:
        ours.train_on_batch(*batch)
        check_close(theirs, ours)
    assert sum((a != b).any() for a, b in zip(models[0].get_weights(), before, strict=True)) >= 20


@pytest.mark.parametrize(
    "optimizer", [optim.Adam, optim.Nadam, lambda: optim.RMSprop(centered=True, momentum=0.9)]
)
def test_keras_opens_and_writes_a_file_and_no_bit_is_lost(keras, optimizer, tmp_path):
    model, _ = trained(optimizer)
    theirs = opened(keras, describe(model), tmp_path, "keras")
    theirs.save(tmp_path / "theirs.keras")
    back = tinynet.load_model(tmp_path / "theirs.keras")
    check_same(model, back)
    back.save(tmp_path / "again.safetensors")
    check_same(model, tinynet.load_model(tmp_path / "again.safetensors"))
