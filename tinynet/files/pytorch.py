"""PyTorch's files, read as plain data: nothing in them is called, and no class is loaded.

A file is a zip archive with a pickle, `data.pkl`, and the bytes of each storage of numbers; or, before
PyTorch 1.6, five pickles in a row, and then the storages. Source: torch/serialization.py of PyTorch 2.13.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from numpy.typing import NDArray

from .opcodes import Name, Outside, Reader
from .pytorch_tensors import Storages, sizes_of, text_of
from .pytorch_tree import check_known, state_of

Array = NDArray[Any]

MAGIC = 0x1950A86A20F9469CFC6C  # which a file of the older kind begins with
LEGACY = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # this number as an opcode
MOST_RECORDS = 100_000
COUNT = struct.Struct("<q")
LOCAL_HEADER, NAME_SIZES = 30, struct.Struct("<HH")  # of a record in an archive


def is_pytorch(data: bytes) -> bool:
    """Return whether a file is such as PyTorch writes: an archive with data.pkl, or of the older kinds."""
    return data[2 : 2 + len(LEGACY)] == LEGACY or (data[:2] == b"PK" and b"/data.pkl" in data) or is_tar(data)


def is_tar(data: bytes) -> bool:
    """Return whether a file is what PyTorch wrote before version 0.2, which is not read."""
    return data[257:262] == b"ustar" and b"storages" in data[:2000]


def read_state_dict(data: bytes) -> dict[str, Array]:
    """Return the parameters in a file that `torch.save` wrote.

    Read are state dicts; checkpoints that hold one, beside other things; whole modules and TorchScript's
    archives, as far as their parameters lie in them as plain data. Nothing of the file is run.

    Args:
        data: the file's content.

    Returns:
        Arrays by PyTorch's names for them, without a leading "module.", in the file's order. They are
        read-only, mostly parts of data; BFloat16 comes as float32.

    Raises:
        ValueError: it is damaged, of another kind, or holds none or several networks, tensors of a kind that
            is not read, or anything but tensors and plain data.

    Example:
        >>> read_state_dict(b"")
        Traceback (most recent call last):
        ...
        ValueError: it is no file of PyTorch's
    """
    if is_tar(data):
        raise ValueError(
            "it is a tar archive, as PyTorch wrote before version 0.2: read it with PyTorch, and write its "
            "state dict by torch.save(net.state_dict(), path)"
        )
    try:
        if data[:2] == b"PK":
            content, storages = read_archive(data)
        elif data[2 : 2 + len(LEGACY)] == LEGACY:
            content, storages = read_pickles(data)
        else:
            raise ValueError("it is no file of PyTorch's")
        return state_of(content, storages)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"it is damaged: {error}") from error


def read_archive(data: bytes) -> tuple[Any, Storages]:
    """Return the pickle's content and the storages in a zip archive."""
    if data.count(b"PK\x01\x02") > MOST_RECORDS:
        raise ValueError(f"it has more than {MOST_RECORDS:,} records")
    try:
        with ZipFile(BytesIO(data)) as archive:
            records = {info.filename: info for info in archive.infolist()}
    except (BadZipFile, NotImplementedError, OSError, ValueError, IndexError) as error:
        raise ValueError(f"it is no whole zip archive: {error}") from error
    roots = [name.removesuffix("data.pkl") for name in records if name.endswith("/data.pkl")]
    if not roots:
        raise ValueError("it is a zip archive without data.pkl, which PyTorch's files have")
    root = min(roots, key=len)
    read = Records(data, records)
    reader = Notes(bytes(read(f"{root}data.pkl")))
    content = reader.read()
    check_known(reader.made)
    order = bytes(read(f"{root}byteorder")) if f"{root}byteorder" in records else b"little"
    if order not in (b"little", b"big"):
        raise ValueError(f"it has the byte order {order[:20]!r}")
    return content, Storages(lambda key: read(f"{root}data/{key}"), big=order == b"big")


class Records:
    """The records of a zip archive, none of which is compressed, because PyTorch compresses none.

    Args:
        data: the archive.
        records: by their names.
    """

    def __init__(self, data: bytes, records: dict[str, ZipInfo]) -> None:
        self.data, self.records, self.left = memoryview(data), records, len(data)

    def __call__(self, name: str) -> memoryview:
        """Return a record's bytes."""
        info = self.records.get(name)
        if info is None:
            raise ValueError(f"it has no record {name!r}")
        header = self.data[info.header_offset : info.header_offset + LOCAL_HEADER]
        if info.compress_type or info.flag_bits & 1 or info.header_offset < 0 or len(header) < LOCAL_HEADER:
            raise ValueError(f"its record {name!r} is damaged, or compressed, as PyTorch's are not")
        begin = info.header_offset + LOCAL_HEADER + sum(NAME_SIZES.unpack(header[26:]))
        found = self.data[begin : begin + info.file_size]
        self.left -= len(found)  # records that overlap would let a small file take long
        if len(found) < info.file_size or self.left < 0:
            raise ValueError(f"its record {name!r} is truncated, or lies where another one does")
        if info.CRC and zlib.crc32(found) != info.CRC:  # 0: PyTorch was told not to compute it
            raise ValueError(f"its record {name!r} is damaged: its checksum is wrong")
        return found


def read_pickles(data: bytes) -> tuple[Any, Storages]:
    """Return the content of a file of the older kind, and the storages behind it."""
    place, parts = 0, []
    for _ in range(5):  # the magic number, the version, the system, the content, the storages' keys
        reader = Notes(data, place)
        parts.append(reader.read())
        place = reader.place
        check_known(reader.made)
        if len(parts) == 4:
            outside = reader.outside
    magic, version, system, content, keys = parts
    if magic != MAGIC or version != 1001 or not isinstance(system, dict) or not isinstance(keys, list):
        raise ValueError("it does not begin as PyTorch's files do")
    if system.get("little_endian") is False:
        raise ValueError("it was written on a machine with the other order of bytes")
    sizes = sizes_of(outside)
    found: dict[str, memoryview] = {}
    for key in map(text_of, keys):
        count = COUNT.unpack(data[place : place + COUNT.size])[0]
        begin, place = place + COUNT.size, place + COUNT.size + count * sizes.get(key, 1)
        found[key] = memoryview(data)[begin:place]
    return content, Storages(lambda key: found.get(key, memoryview(b"")))


class Notes(Reader):
    """Reads a pickle of PyTorch's, which may say where a class's source lies."""

    def make(self, function: Any, arguments: Any) -> Any:
        """Return the note of a call; see `Reader.make`."""
        match function:
            case Outside(("module" | b"module", Name() as name, *_)):
                function = name
        return super().make(function, arguments)
