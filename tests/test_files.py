import os
import sys
import threading
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
