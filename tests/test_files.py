import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tinynet.files import atomic_write


def only(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_creates_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write(path, b"old and long")
    atomic_write(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert only(tmp_path) == ["file"]


@pytest.fixture(params=["as it is", "without O_TMPFILE", "without /proc"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems with and without files that have no name, and with such files that cannot get one."""

    def refuse(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    if request.param == "without O_TMPFILE":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif request.param == "without /proc":
        monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("system")
def test_every_system_writes_files(tmp_path: Path) -> None:
    for content in (b"old and long", b"new"):
        atomic_write(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
        assert only(tmp_path) == ["file"]


def test_no_process_of_windows_gets_a_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_: object) -> None:
        pytest.fail("0 is Ctrl-C on Windows")

    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    monkeypatch.setattr(os, "kill", kill)
    monkeypatch.setattr(sys, "platform", "win32")
    path = tmp_path / ".tinynet-1-a.tmp"
    path.touch()
    os.utime(path, (1, 1))
    atomic_write(tmp_path / "file", b"data")
    assert only(tmp_path) == [path.name, "file"]


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_failure_keeps_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise error

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(step, fail)
    with pytest.raises(type(error)) as caught:
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert only(tmp_path) == ["file"]
    if isinstance(error, OSError):
        assert "No space left" in str(caught.value)
        assert str(path) in str(caught.value)


WRITER = """
import itertools, sys
from tinynet.files import atomic_write
for number in itertools.count():
    atomic_write(sys.argv[1], bytes([number % 256]) * 10**6)
    if number == 0:  # which has removed what the one before left
        print("begun", flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs files without a name")
def test_who_is_killed_while_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    left: list[Path] = []
    for kill in range(8):
        command = [sys.executable, "-c", WRITER, str(tmp_path / "file")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 + 0.003 * kill)
        process.kill()
        process.wait()
        process.stdout.close()
        assert len(set((tmp_path / "file").read_bytes())) == 1
        left = [path for path in tmp_path.iterdir() if path.name != "file"]
    assert len(left) <= 1  # who is killed in the microseconds between giving it a name and renaming it


@pytest.mark.parametrize("nameless", [True, False])
def test_what_a_dead_process_left_behind_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nameless: bool
) -> None:
    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    old, new = time.time() - 2 * 3600, time.time()
    cases = {f"{dead.pid}-a": old, f"{dead.pid}-b": new, f"{os.getpid()}-c": old, "none-d": old}
    for name, age in cases.items():
        path = tmp_path / f".tinynet-{name}.tmp"
        path.touch()
        os.utime(path, (age, age))
    atomic_write(tmp_path / "file", b"data")
    left = [name.removeprefix(".tinynet-").removesuffix(".tmp") for name in only(tmp_path)]
    assert {*left} == {*cases, "file"} - {f"{dead.pid}-a"}


@pytest.mark.parametrize(
    ("place", "error"),
    [("missing/file", FileNotFoundError), ("plain/file", NotADirectoryError), ("folder", IsADirectoryError)],
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other errors for these")
def test_error_names_the_file_that_was_asked_for(tmp_path: Path, place: str, error: type[OSError]) -> None:
    (tmp_path / "plain").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(error, match="cannot write the file") as caught:
        atomic_write(tmp_path / place, b"data")
    assert caught.value.filename == str(tmp_path / place)
    assert ".tmp" not in str(caught.value)
    assert only(tmp_path) == ["folder", "plain"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links and permission bits")
def test_follows_links_and_obeys_the_umask(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to(real)
    before = os.umask(0o027)
    try:
        atomic_write(link, b"data")
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert real.read_bytes() == b"data"
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses to replace a file that is being read")
def test_a_reader_never_sees_a_mixture(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([value]) * 300_000 for value in range(4)]
    atomic_write(path, contents[0])

    def write(content: bytes) -> None:
        for _ in range(10):
            atomic_write(path, content)

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert path.read_bytes() in contents
    for writer in writers:
        writer.join()
    assert only(tmp_path) == ["file"]
