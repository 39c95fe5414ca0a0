"""Damaged files, many more than the tests beside their readers have: the readers alone, which are quick."""

from __future__ import annotations

import importlib

import pytest
from mutations import check_harmless, mutated
from rounds import rounds


@pytest.mark.parametrize("options", range(3))
@pytest.mark.parametrize("fill", ["small_model", "fill_with_everything"])
def test_damaged_hdf5_files(options, fill):
    pytest.importorskip("h5py")
    own = importlib.import_module("test_hdf5")
    content = own.file_bytes(getattr(own, fill), **own.OPTIONS[options])
    for seed in rounds(1):
        copies = mutated(content, 150 if fill == "small_model" else 20, seed, own.MARKS)
        check_harmless(lambda data: own.read_all(own.read_hdf5(data)), copies)


@pytest.mark.parametrize(
    "kind", ["hdf5", "zip", "zip's config", "zip's weights", "weights", "weights before 1"]
)
def test_damaged_files_of_keras(kind):
    pytest.importorskip("h5py")
    own = importlib.import_module("test_keras_reading")
    read, make = own.FILES[kind]
    for seed in rounds(2):
        check_harmless(read, mutated(make(), 100, seed, own.MARKS))


@pytest.mark.parametrize("name", ["test_pytorch", "test_torch_files"])
def test_damaged_files_of_pytorch(name):
    if name == "test_torch_files":
        pytest.importorskip("torch")
    own = importlib.import_module(name)
    for seed in rounds(4):
        own.attack(500, seed)


def test_damaged_onnx_files():
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    own = importlib.import_module("test_onnx_hostile")
    for seed in rounds(3):
        own.attack(300, seed)
