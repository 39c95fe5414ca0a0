"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["atomic_write", "check_writable", "leave_writing_to_others", "write_new", "writes_files"]

LEFT_BEHIND = 3600  # seconds; in a folder that several machines share, their processes cannot be asked


_others_write: list[bool] = []


def leave_writing_to_others() -> None:
    """Write no file from now on: another process does the same, and writes it."""
    _others_write.append(True)


def writes_files() -> bool:
    """Return whether this process writes files."""
    return not _others_write


def atomic_write(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file in one step: a reader, or a crash, finds the old content or the new, never a mixture.

    Args:
        path: the file to create or replace, in a folder that exists. A symbolic link is followed.
        data: the whole content, in bytes.

    Raises:
        OSError: the file cannot be written (its subclass says why: no such folder, not permitted, disk
            full, ...). What was there before is unchanged.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     atomic_write(Path(folder, "greeting.txt"), b"hello")
        ...     print(Path(folder, "greeting.txt").read_text())
        hello
    """
    if not writes_files():
        return
    try:
        target = Path(path).resolve()
        mode = target.stat().st_mode if target.exists() else None
    except RuntimeError as error:
        raise OSError(f"cannot write the file: {error}") from None
    if target.is_symlink():  # a circle of links, where Python 3.13 does not raise
        raise OSError(errno.ELOOP, f"cannot write the file: {os.strerror(errno.ELOOP)}", str(path))
    if mode is not None and not stat.S_ISREG(mode):
        kind = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(kind, f"cannot write the file: {os.strerror(kind)}", str(path))
    # In the same folder, because a rename is only atomic within a file system; and not from tempfile, whose
    # files are private to their owner whatever the umask says.
    temporary = target.parent / f".tinynet-{os.getpid()}-{secrets.token_hex(8)}.tmp"
    try:
        try:
            _write_whole(temporary, data)
            if mode is not None:
                temporary.chmod(stat.S_IMODE(mode))
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:  # name the file that was asked for, not the temporary one
        raise OSError(error.errno, f"cannot write the file: {error.strerror}", str(path)) from None


def _write_whole(temporary: Path, data: bytes) -> None:
    """Write a file that gets its name, where the system can do so, when all of it is on the disk.

    So whoever is killed in the midst of it leaves nothing behind; only between naming and renaming the file,
    and that a later write removes.
    """
    _remove_left_behind(temporary.parent)
    if not _write_nameless(temporary, data):
        with temporary.open("xb") as file:
            _write_through(file, data)


def _write_nameless(temporary: Path, data: bytes) -> bool:
    """Write a file before it has its name; return whether this system, and this file system, can do so."""
    try:
        descriptor = os.open(temporary.parent, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except (AttributeError, OSError):
        return False
    with os.fdopen(descriptor, "wb") as file:
        _write_through(file, data)
        try:
            # With a folder's descriptor, which an absolute path does not need, link follows /proc's link.
            os.link(f"/proc/self/fd/{descriptor}", temporary, src_dir_fd=descriptor)
        except OSError:  # no /proc, as in some containers, or no links
            return False
    return True


def _write_through(file: BinaryIO, data: bytes) -> None:
    """Write data to the disk: else a power cut may keep the rename and lose the content."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def _remove_left_behind(folder: Path) -> None:
    """Remove what processes that are gone were writing in a folder, an hour ago or earlier."""
    for path in folder.glob(".tinynet-*-*.tmp"):
        with suppress(OSError, ValueError):  # somebody else was faster, or it is none of ours
            if path.stat().st_mtime < time.time() - LEFT_BEHIND and not _is_running(
                int(path.name.split("-")[1])
            ):
                path.unlink()


def _is_running(process: int) -> bool:
    """Return whether there may be a process of that number."""
    if sys.platform == "win32":  # where 0 is no question, but Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        pass
    return True


def check_writable(path: str | os.PathLike[str], size: int) -> None:
    """Raise now what `write_new` would raise of a place, and leave nothing there.

    Args:
        path: the file.
        size: of its content, in bytes.

    Raises:
        OSError: the file could not be written: no such folder can be made, not permitted, disk full, ...

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     check_writable(Path(folder, "new", "greeting.txt"), 5)
        ...     print([*Path(folder).iterdir()])
        []
    """
    if not writes_files():
        return
    target = Path(path)
    folder = next((parent for parent in target.absolute().parents if parent.exists()), target.parent)
    temporary = folder / f".tinynet-{os.getpid()}-{secrets.token_hex(8)}.tmp"
    try:
        try:
            with temporary.open("xb") as file:
                file.write(bytes(size))
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, f"cannot write the file: {error.strerror}", str(path)) from None


def write_new(path: str | os.PathLike[str], data: bytes, overwrite: bool = True) -> None:
    """Write a file as `atomic_write` does, in a folder that is made where it is missing.

    Args:
        path: the file.
        data: the whole content, in bytes.
        overwrite: whether an existing file is replaced; default True.

    Raises:
        FileExistsError: overwrite is False, and the file exists.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_new(Path(folder, "new", "greeting.txt"), b"hello", overwrite=False)
        ...     print(Path(folder, "new", "greeting.txt").read_text())
        hello
    """
    if not writes_files():
        return
    name = os.fspath(path)
    if not overwrite and os.path.lexists(name):
        raise FileExistsError(
            errno.EEXIST, "the file exists: give another path, or overwrite=True to replace it", name
        )
    if not Path(name).parent.exists():  # as Keras does
        Path(name).parent.mkdir(parents=True)
    atomic_write(path, data)
