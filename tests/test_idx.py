import gzip
import os
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinynet.data import read_idx, write_idx

DTYPES = [np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64]
WHOLE = bytes.fromhex("0000 0802 00000002 00000003") + bytes(range(6))  # uint8, shape (2, 3)


@st.composite
def arrays(draw: st.DrawFn) -> npt.NDArray[Any]:
    dtype = np.dtype(draw(st.sampled_from(DTYPES))).newbyteorder(draw(st.sampled_from("<>")))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=4))
    array = draw(hnp.arrays(dtype, shape))
    return array.T if draw(st.booleans()) else array


@given(array=arrays(), name=st.sampled_from(["plain", "packed.gz", "PACKED.GZ"]))
def test_round_trip(array: npt.NDArray[Any], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        write_idx(path, array)
        assert path.read_bytes().startswith(b"\x1f\x8b") == (name != "plain")
        back = read_idx(path)
        before = array.tobytes()
        assert back.dtype == array.dtype.newbyteorder("=")
        assert back.dtype.isnative
        assert back.shape == array.shape
        assert back.flags.owndata
        assert back.flags.writeable
        assert back.flags.c_contiguous
        assert back.astype(array.dtype).tobytes() == before  # bits, so that NaN counts


@pytest.mark.parametrize(
    ("array", "content"),
    [
        (np.array([1, 2], np.uint8), "0000 0801 00000002 01 02"),
        (np.array([[-1]], np.int8), "0000 0902 00000001 00000001 ff"),
        (np.array([258, -2], np.int16), "0000 0b01 00000002 0102 fffe"),
        (np.array(16909060, np.int32), "0000 0c00 01020304"),
        (np.array([1.5], np.float32), "0000 0d01 00000001 3fc00000"),
        (np.array([-2], np.float64), "0000 0e01 00000001 c000000000000000"),
        (np.zeros((0, 28), np.uint8), "0000 0802 00000000 0000001c"),
    ],
)
def test_bytes_on_disk(tmp_path: Path, array: npt.NDArray[Any], content: str) -> None:
    write_idx(tmp_path / "file", array)
    assert (tmp_path / "file").read_bytes() == bytes.fromhex(content)
    np.testing.assert_array_equal(read_idx(tmp_path / "file"), array, strict=True)


def test_highest_rank_of_numpy(tmp_path: Path) -> None:
    array = np.arange(3, dtype=np.int16).reshape((1,) * 63 + (3,))
    write_idx(tmp_path / "file", array)
    np.testing.assert_array_equal(read_idx(str(tmp_path / "file")), array, strict=True)


def test_non_contiguous(tmp_path: Path) -> None:
    array = np.arange(60, dtype=">i4").reshape(3, 4, 5)[::-1, ::2, 1::3]
    write_idx(tmp_path / "file", array)
    np.testing.assert_array_equal(read_idx(tmp_path / "file"), array)


def test_equal_arrays_give_equal_gzip_files(tmp_path: Path) -> None:
    write_idx(tmp_path / "a.gz", np.arange(9, dtype=np.uint8))
    content = (tmp_path / "a.gz").read_bytes()
    assert content[4:8] == b"\0\0\0\0"  # the time of writing
    assert gzip.decompress(content)[:4] == b"\0\0\x08\x01"


def test_gzip_is_recognised_by_content(tmp_path: Path) -> None:
    (tmp_path / "no-suffix").write_bytes(gzip.compress(WHOLE))
    (tmp_path / "plain.gz").write_bytes(WHOLE)
    for name in ("no-suffix", "plain.gz"):
        np.testing.assert_array_equal(read_idx(tmp_path / name), np.arange(6).reshape(2, 3))


@pytest.mark.parametrize("array", [[1, 2], np.zeros(2, bool), np.zeros(2, np.uint16), np.zeros(2, complex)])
def test_other_types_are_refused(tmp_path: Path, array: Any) -> None:
    with pytest.raises(TypeError, match=r"uint8, int8, int16, int32, float32, float64, got .* convert"):
        write_idx(tmp_path / "file", array)
    assert not list(tmp_path.iterdir())


def test_an_axis_beyond_four_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"at most 4294967295 .* split"):
        write_idx(tmp_path / "file", np.empty((2**32, 0), np.uint8))


PACKED = gzip.compress(bytes.fromhex("0000 0801 00000400") + np.random.default_rng(0).bytes(1024), mtime=0)
DAMAGED = bytearray(PACKED)
DAMAGED[500] ^= 255
BAD = {
    "empty": (b"", "at least 4 bytes, got 0"),
    "three bytes": (WHOLE[:3], "at least 4 bytes, got 3"),
    "no sizes": (WHOLE[:4], "header of 12 bytes for rank 2, got 4"),
    "half a header": (WHOLE[:11], "header of 12 bytes for rank 2, got 11"),
    "truncated": (WHOLE[:-1], r"expected 18 bytes for uint8 of shape \(2, 3\), got 17: it is truncated"),
    "header only": (WHOLE[:12], "expected 18 bytes .* got 12: it is truncated"),
    "oversized": (WHOLE + b"\0", "expected 18 bytes .* got 19: it is too long"),
    "oversized scalar": (
        bytes.fromhex("0000 0800 05 06"),
        r"expected 5 bytes for uint8 of shape \(\), got 6",
    ),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(20), "expected an idx file .* got 89 50 4e 47: it is another"),
    "little-endian": (b"\x02\x08\0\0" + WHOLE[4:], "expected an idx file .* got 02 08 00 00"),
    "first byte": (b"\1" + WHOLE[1:], "expected an idx file .* got 01 00 08 02"),
    "unknown type": (b"\0\0\x0a\x01" + WHOLE[4:], "expected an idx file .* got 00 00 0a 01"),
    "web page": (b"<!DOCTYPE html><html></html>", "expected an idx file"),
    "exabytes": (bytes.fromhex("0000 0e03") + b"\xff" * 12, "expected 633825.* bytes .* truncated"),
    "rank 255": (bytes.fromhex("0000 08ff") + b"\0\0\0\1" * 255 + b"7", "NumPy can hold, got .* rank 255"),
    "rank 255, truncated": (
        bytes.fromhex("0000 08ff") + bytes(9),
        "header of 1024 bytes for rank 255, got 13",
    ),
    "long empty axes": (
        bytes.fromhex("0000 0e04 00000000") + b"\xff" * 12,
        "NumPy can hold",
    ),
    "gzip, cut in its header": (PACKED[:6], "truncated or corrupt"),
    "gzip, cut in its data": (PACKED[:600], "truncated or corrupt"),
    "gzip, cut in its checksum": (PACKED[:-4], "truncated or corrupt"),
    "gzip, damaged": (bytes(DAMAGED), "truncated or corrupt"),
    "gzip, another method": (PACKED[:10] + b"\xff" * 20, "truncated or corrupt"),
    "gzip, rubbish behind": (PACKED + b"rubbish", "truncated or corrupt"),
    "gzip of nothing": (gzip.compress(b""), "at least 4 bytes, got 0"),
    "gzip of a truncated file": (gzip.compress(WHOLE[:-1]), "got 17: it is truncated"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_give_one_clear_error(tmp_path: Path, case: str) -> None:
    content, message = BAD[case]
    path = tmp_path / "digits.idx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"digits.idx: .*{message}") as caught:
        read_idx(path)
    assert any(advice in str(caught.value) for advice in ("fetch", "check", "store it"))


@given(
    content=st.binary(max_size=40),
    start=st.sampled_from([b"", b"\0\0", b"\0\0\x08", b"\0\0\x08\x01", b"\x1f\x8b"]),
)
def test_any_bytes_give_an_array_or_a_value_error(content: bytes, start: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(start + content)
        array, message = None, ""
        try:
            array = read_idx(path)
        except ValueError as error:
            message = str(error)
        if array is None:
            assert message.startswith(f"{path}: expected ")
        else:
            write_idx(path, array)
            np.testing.assert_array_equal(read_idx(path), array)


def test_a_damaged_header_allocates_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes.fromhex("0000 0801 3fffffff") + bytes(10))  # asks for 1 GB
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="truncated"):
            read_idx(tmp_path / "file")
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def _packed(start: bytes, zeros: int) -> bytes:
    """A gzip file of some bytes and many zeros, quickly."""
    member = gzip.compress(bytes(2**20), mtime=0)
    return gzip.compress(start, mtime=0) + member * (zeros // 2**20)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("0000 0801 00000400", "expected 1032 bytes in it, as its header says, got more: it is too long"),
        (
            "0000 0803 00010000 00010000 00000002",
            "at most 100 times .* header that says 8589934608; .* gunzip",
        ),
        ("0000 0e03 ffffffff ffffffff ffffffff", "header that says 6338"),
        ("ffff 0801", "expected an idx file"),
    ],
)
def test_a_small_file_that_unpacks_to_much_is_refused_by_its_header(
    tmp_path: Path, header: str, message: str
) -> None:
    path = tmp_path / "bomb.idx.gz"
    path.write_bytes(_packed(bytes.fromhex(header), 2**28))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


def test_a_header_that_asks_for_more_than_can_come_takes_no_memory_for_it(tmp_path: Path) -> None:
    path = tmp_path / "short.idx.gz"
    path.write_bytes(gzip.compress(bytes.fromhex("0000 0801 3ffffff0") + bytes(1000)))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"expected 1073741816 bytes .* got 1008: it is trun"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_a_file_that_packs_well_is_read(tmp_path: Path) -> None:
    array = np.zeros((3, 1000, 1000), np.uint8)
    write_idx(tmp_path / "zeros.gz", array)
    np.testing.assert_array_equal(read_idx(tmp_path / "zeros.gz"), array)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_idx(tmp_path / "nowhere")


def test_gzip_members_in_sequence_are_one_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(gzip.compress(WHOLE[:5]) + gzip.compress(WHOLE[5:]))
    assert read_idx(tmp_path / "file").shape == (2, 3)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without end")
def test_what_may_have_no_end_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # into which nobody writes
    for path in (Path("/dev/zero"), tmp_path / "pipe"):
        with pytest.raises(ValueError, match=f"{path}: expected a file, got a pipe or a device"):
            read_idx(path)
