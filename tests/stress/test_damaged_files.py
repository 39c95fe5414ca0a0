"""Damaged files of every kind, which tinynet wrote: they are read, or refused by one error, and soon."""

from __future__ import annotations

import contextlib
import io
import math
import warnings

import numpy as np
import pytest
from mutations import check_harmless, mutated
from PIL import Image
from rounds import rounds
from state_dicts import saved

import tinynet
from tinynet import Sequential, data, layers

COPIES = 60  # in each round
MARKS = [
    b"TREE", b"SNOD", b"HEAP", b"GCOL", b"PK", b"class", b"config", b"name", b"kernel", b"shape", b"offsets",
    b"units", b"filters", b"pool", b"IHDR", b"IDAT", b"\xff\xc0", b"\xff\xda", b"\xff\xc4", b"WEBP", b"VP8",
    b"II*",
]  # fmt: skip


def network():
    made = Sequential(
        [
            layers.Conv2D(3, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(5, activation="tanh"),
            layers.Dense(2, activation="softmax"),
        ],
        (6, 6, 2),
        seed=1,
    )
    made.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    made.fit(np.ones((4, 6, 6, 2), np.float32), [0, 1, 0, 1], verbose=0)
    return made


def torch_state(model):
    """What PyTorch would keep of a network of these layers: the order of its axes is another one."""
    arrays = {}
    for number, layer in enumerate(model.layers):
        for own, parameter in layer.named_parameters().items():
            name = {"kernel": "weight", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
                    "moving_variance": "running_var"}.get(own, own)  # fmt: skip
            arrays[f"{number}.{name}"] = np.ascontiguousarray(parameter.value.T)
    return arrays


def content_of(model, folder, name):
    """The bytes of a file of this name, as tinynet writes it."""
    path = folder / name
    if name.startswith("weights"):
        model.save_weights(path)
    elif name.endswith(".onnx"):
        model.export(path)
    else:
        model.save(path)
    return path.read_bytes()


@contextlib.contextmanager
def naming(path):
    """Check that an error names the file."""
    try:
        yield
    except ValueError as error:
        if path.name not in str(error):
            raise AssertionError(f"does not name its file: {error}") from error
        raise


def check(read, content, multiple=60, longest=2.0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read(content)
    for seed in rounds(2):
        check_harmless(read, mutated(content, COPIES, seed, MARKS), multiple, longest)


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.safetensors", "model.onnx"])
def test_damaged_models_are_refused_or_predict(name, tmp_path):
    if name.endswith(".onnx"):
        pytest.importorskip("onnx")
    content, path = content_of(network(), tmp_path, name), tmp_path / f"damaged-{name}"

    def read(copy):
        path.write_bytes(copy)
        with naming(path):
            found = tinynet.load_model(path)
        if found.input_shape and math.prod(found.input_shape) < 10_000:
            with np.errstate(all="ignore"):
                found.predict(np.ones((2, *found.input_shape), np.float32))

    check(read, content, multiple=200)


@pytest.mark.parametrize(
    "name", ["weights.weights.h5", "weights.safetensors", "model.keras", "new.pt", "old.pt"]
)
def test_damaged_weights_change_all_or_nothing(name, tmp_path):
    model, path = network(), tmp_path / f"damaged-{name}"
    before = [value.copy() for value in model.get_weights()]
    if name.endswith(".pt"):
        content = saved(torch_state(model), legacy=name == "old.pt")
    else:
        content = content_of(model, tmp_path, name)

    def read(copy):
        path.write_bytes(copy)
        whole = False
        try:
            with naming(path):
                model.load_weights(path)
            whole = True
        finally:
            if not whole:
                for value, own in zip(model.get_weights(), before, strict=True):
                    np.testing.assert_array_equal(value, own)
            model.set_weights(before)

    check(read, content)


@pytest.mark.parametrize("name", ["images.idx", "images.idx.gz"])
def test_damaged_idx_files_are_refused(name, tmp_path):
    path = tmp_path / name
    data.write_idx(path, np.arange(3000, dtype=np.int16).reshape(3, 20, 50))
    content = path.read_bytes()

    def read(copy):
        path.write_bytes(copy)
        assert data.read_idx(path).nbytes <= 1032 * len(copy)

    check(
        read, content, multiple=3000 if name.endswith(".gz") else 10
    )  # of zeros, gzip packs a thousand into one


PICTURES = [
    ("PNG", "L", {}), ("PNG", "RGBA", {}), ("PNG", "P", {}), ("PNG", "I;16", {}), ("JPEG", "RGB", {}),
    ("JPEG", "L", {"progressive": True}), ("GIF", "P", {}), ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "L", {}), ("BMP", "RGB", {}), ("BMP", "1", {}), ("WEBP", "RGBA", {}),
    ("WEBP", "RGB", {"lossless": True}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "mode", "options"), PICTURES, ids=str)
def test_damaged_pictures_are_read_or_refused(kind, mode, options):
    pixels = np.full((60, 50), 255, np.uint8)
    pixels[10:50, 22:28] = 0
    pixels[:, :5] = np.arange(5) * 50
    picture, file = Image.fromarray(pixels), io.BytesIO()
    (Image.fromarray(pixels.astype(np.uint16) * 257) if mode == "I;16" else picture.convert(mode)).save(
        file, kind, **options
    )

    def read(content):
        tinynet.predict_image(content)
        tinynet.read_number(content)
        tinynet.images.load_img(io.BytesIO(content))

    # They are kept packed; and Pillow looks at each of 65,536 colours that a BMP file says it has.
    check(read, file.getvalue(), multiple=20_000, longest=20.0)
