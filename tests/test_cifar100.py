"""`datasets.cifar100`, with a small fake set in every format; nothing leaves this computer."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tarfile

import numpy as np
import pytest
from test_datasets import Python2

from tinynet.data import fetching
from tinynet.datasets import cifar100
from tinynet.datasets.cifar import PIXELS

SIZES = {"train": 6, "test": 4}
RANDOM = np.random.default_rng(0)
ROWS = {
    name: np.column_stack(
        [
            RANDOM.integers(0, 20, size),
            RANDOM.integers(0, 100, size),
            RANDOM.integers(0, 256, (size, PIXELS)),
        ]
    ).astype(np.uint8)
    for name, size in SIZES.items()
}
BINARY = {f"{name}.bin": rows.tobytes() for name, rows in ROWS.items()}


def published(name, rows):
    """Return a file as Python 2 pickled it."""
    content = {
        b"batch_label": name.encode(),
        b"coarse_labels": rows[:, 0].tolist(),
        b"fine_labels": rows[:, 1].tolist(),
        b"data": np.ascontiguousarray(rows[:, 2:]),
    }
    file = io.BytesIO()
    Python2(file, 2).dump(content)
    return file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


PYTHON = {name: published(name, rows) for name, rows in ROWS.items()}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("TINYNET_DATA", str(tmp_path / "user"))
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")
    monkeypatch.setattr(cifar100, "SAMPLES", SIZES)

    def no_network(url, *_):
        raise OSError(f"no network for {url}")

    monkeypatch.setattr(fetching, "download", no_network)
    return tmp_path


def packed(folder, files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def check(loaded, column):
    for (x, y), rows in zip(loaded, ROWS.values(), strict=True):
        assert x.dtype == y.dtype == np.uint8
        np.testing.assert_array_equal(x, rows[:, 2:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        np.testing.assert_array_equal(y, rows[:, column : column + 1])


PLACED = {
    "user/cifar-100-binary": BINARY,
    "user": PYTHON,
    "cache/cifar100/cifar-100-binary": BINARY,
    "home/.keras/datasets/cifar-100-python-target/cifar-100-python": PYTHON,
    "home/.keras/datasets/cifar-100-python": PYTHON,
    "user/": {"cifar-100-binary.tar.gz": packed("cifar-100-binary", BINARY)},
    "home/.keras/datasets": {"cifar-100-python.tar.gz": packed("cifar-100-python", PYTHON)},
    "home/.keras/datasets/": {"cifar-100-python-target_archive": packed("cifar-100-python", PYTHON)},
}


@pytest.mark.parametrize("folder", PLACED)
def test_every_form_and_folder(home, folder):
    (home / folder).mkdir(parents=True)
    for name, content in PLACED[folder].items():
        (home / folder / name).write_bytes(content)
    check(cifar100.load_data(), 1)
    check(cifar100.load_data("coarse"), 0)
    check(cifar100.load_data(label_mode="fine"), 1)


def test_keras_reads_the_same_files(home):
    pytest.importorskip("torch")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    pytest.importorskip("keras")
    from keras.src.datasets.cifar import load_batch

    (home / "train").write_bytes(PYTHON["train"])
    pixels, labels = load_batch(home / "train", label_key="fine_labels")
    np.testing.assert_array_equal(pixels.reshape(6, -1), ROWS["train"][:, 2:])
    assert labels == ROWS["train"][:, 1].tolist()


def test_it_is_fetched_once(home, monkeypatch):
    archive = packed("cifar-100-binary", BINARY)
    monkeypatch.setattr(cifar100, "SHA256", hashlib.sha256(archive).hexdigest())
    with pytest.raises(ConnectionError, match=r"CIFAR-100 was found nowhere(.|\n)*TINYNET_DATA"):
        cifar100.load_data()
    monkeypatch.setattr(fetching, "download", lambda *_: archive)
    check(cifar100.load_data(), 1)
    monkeypatch.setattr(fetching, "download", None)
    check(cifar100.load_data("coarse"), 0)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            {"train.bin": b"short", "test.bin": BINARY["test.bin"]},
            "train is no file of CIFAR-100: expected 18444",
        ),
        ({"train": PYTHON["train"], "test": pickle.dumps([1], 2)}, "test is no file.*expected a dict"),
        ({"train": PYTHON["test"], "test": PYTHON["test"]}, r"got \(4, 3072\) and \(4,\)"),
        ({"train": pickle.dumps({"labels": [1]}, 2), "test": PYTHON["test"]}, "no list of fine_labels"),
        ({"train.bin": b"\xff" * len(BINARY["train.bin"]), "test.bin": b""}, "from 0 to 99, got .* to 255"),
    ],
)
def test_damaged_files_are_told_and_the_next_place_is_tried(home, files, reason):
    (home / "user").mkdir()
    for name, content in files.items():
        (home / "user" / name).write_bytes(content)
    with pytest.raises(ConnectionError, match=reason):
        cifar100.load_data()


def test_another_mode_is_refused():
    with pytest.raises(ValueError, match="label_mode must be 'fine' or 'coarse'; got 'medium'"):
        cifar100.load_data("medium")
