"""Data that comes batch by batch."""

from __future__ import annotations

import itertools

import pytest

from tinynet import utils


class Three(utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return 10 * index


class Endless(utils.PyDataset):
    num_batches = None

    def __getitem__(self, index):
        return index


def test_a_dataset_gives_its_batches_once():
    assert list(Three()) == [0, 10, 20]
    assert list(Three()) == [0, 10, 20]
    assert Three().num_batches == 3


def test_data_without_an_end_go_on():
    assert list(itertools.islice(Endless(), 5)) == [0, 1, 2, 3, 4]


def test_the_arguments_are_kept():
    data = Three(workers=4, use_multiprocessing=True, max_queue_size=2)
    assert (data.workers, data.use_multiprocessing, data.max_queue_size) == (4, True, 2)
    assert (Three().workers, Three().use_multiprocessing, Three().max_queue_size) == (1, False, 10)


def test_a_class_need_not_call_super():
    class Own(Three):
        def __init__(self):
            pass

    assert (Own().workers, Own().use_multiprocessing, Own().max_queue_size) == (1, False, 10)
    assert list(Own()) == [0, 10, 20]


def test_nothing_happens_between_epochs_by_default():
    assert Three().on_epoch_begin() is None
    assert Three().on_epoch_end() is None


def test_what_is_not_defined_is_named():
    class Nothing(utils.PyDataset):
        pass

    with pytest.raises(NotImplementedError, match=r"Nothing does not define __getitem__"):
        Nothing()[0]
    with pytest.raises(NotImplementedError, match=r"Nothing does not define __len__"):
        list(Nothing())
    with pytest.raises(TypeError, match="worker"):
        Three(worker=2)


def test_sequence_is_the_same_class():
    assert utils.Sequence is utils.PyDataset
