from __future__ import annotations

import gc
import io
import itertools
import struct
import sys
import zlib

import numpy as np
import pytest
from mutations import check_harmless, mutated

from tinynet.files.hdf5 import Group, read_hdf5

h5py = pytest.importorskip("h5py")

MARKS = [
    b"TREE",
    b"SNOD",
    b"HEAP",
    b"GCOL",
    b"OHDR",
    b"OCHK",
    b"FRHP",
    b"FHDB",
    b"FHIB",
    b"BTHD",
    b"BTLF",
    b"FAHD",
]


def file_bytes(fill, **options):
    """The content of an HDF5 file that a function fills."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        fill(file)
    return buffer.getvalue()


def read_all(group, depth=0):
    """What a group holds, as nested dicts, with attributes."""
    if depth > 20:
        raise ValueError("groups in groups without end")
    held = {name: group[name] for name in group}
    return {
        "attributes": group.attributes,
        **{name: read_all(one, depth + 1) if isinstance(one, Group) else one for name, one in held.items()},
    }


def texts(values):
    return [value.decode() if isinstance(value, bytes) else value for value in np.ravel(values)]


def check_equal(theirs, ours):
    """Check that h5py and tinynet read the same."""
    assert list(theirs) == list(ours)
    assert len(theirs) == len(ours)
    assert set(theirs.attrs) == set(ours.attributes)
    for name, value in theirs.attrs.items():
        found = ours.attributes[name]
        if isinstance(found, str | list):
            assert texts(value) == ([found] if isinstance(found, str) else found)
        else:
            np.testing.assert_array_equal(np.zeros(0) if isinstance(value, h5py.Empty) else value, found)
    for name in theirs:
        if isinstance(theirs[name], h5py.Group):
            check_equal(theirs[name], ours[name])
        elif theirs[name].dtype.kind in "SO":
            assert texts(theirs[name][()]) == list(ours[name].ravel())
        else:
            value = theirs[name][()]
            assert value.shape == ours[name].shape
            assert value.dtype.newbyteorder("=") == ours[name].dtype
            np.testing.assert_array_equal(value, ours[name])
            assert not ours[name].flags.writeable


def fill_with_everything(file):
    """Every kind of attribute and array that Keras or people's programs write."""
    random = np.random.default_rng(0)
    file.attrs["text"] = "héllo"
    file.attrs["nothing"] = ""
    file.attrs["fixed"] = np.bytes_("abc")
    file.attrs["names"] = np.array(["a", "bb", "ccc"], "S")
    file.attrs["texts"] = ["x", "yy", ""]
    file.attrs["long"] = "x" * 60_000
    file.attrs["long fixed"] = np.bytes_("y" * 30_000)
    file.attrs["number"], file.attrs["float"], file.attrs["bool"] = 3, 2.5, True
    file.attrs["numbers"] = np.arange(6).reshape(2, 3)
    file.attrs["bools"] = np.array([True, False])
    file.attrs["big-endian"] = np.arange(4, dtype=">i8")
    file.attrs["empty"], file.attrs["null"] = [], h5py.Empty("f4")
    for number in range(20):
        file.create_group(f"groups/{19 - number}").attrs["number"] = number
    many = file.create_group("many")
    for number in range(100):
        many[f"{number * 37 % 100}"] = np.float32(number)
        many.attrs[f"{number}"] = np.full(2 * number, number)
    for dtype in ["f2", "f4", "f8", "i1", "i4", "i8", "u1", "u2", ">f4", ">f8", ">i2", "?", "S5"]:
        for shape in [(), (0,), (3,), (2, 3, 4), (0, 5)]:
            file[f"arrays/{np.dtype(dtype).name}{shape}{dtype[0]}"] = (9 * random.normal(size=shape)).astype(
                dtype
            )
    file["texts"], file["text"] = ["a", "bbb", ""], "text"
    filters = [
        {}, {"compression": "gzip"}, {"compression": "gzip", "shuffle": True},
        {"fletcher32": True, "shuffle": True}, {"fletcher32": True, "compression": "gzip"},
    ]  # fmt: skip
    for (shape, length), (number, how) in itertools.product(
        [((5,), 2), ((40,), 1), ((17, 33), 7), ((4, 5, 6), 9)], enumerate(filters)
    ):
        chunks = tuple(min(length, size) for size in shape)
        for dtype in ["f4", ">f8", "?"]:
            data = random.normal(size=shape).astype(dtype)
            file.create_dataset(
                f"chunks/{shape}{number}{np.dtype(dtype).name}", data=data, chunks=chunks, **how
            )
    file.create_dataset("chunks/pages", data=random.normal(size=1500), chunks=(1,), compression="gzip")
    by_hand(file, "compact", lambda how: how.set_layout(h5py.h5d.COMPACT))
    by_hand(file, "early", lambda how: (how.set_chunk((3,)), how.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)))


def by_hand(file, name, setting):
    """Write a dataset with what only the lower interface has."""
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    setting(how)
    space = h5py.h5s.create_simple((7,))
    dataset = h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_FLOAT, space, how)
    dataset.write(space, space, np.arange(7, dtype=np.float32))


@pytest.mark.parametrize("track_order", [False, True])
@pytest.mark.parametrize("libver", ["earliest", "v108", "v110", "latest"])
@pytest.mark.parametrize("userblock_size", [0, 1024])
def test_every_dialect_is_read_as_by_h5py(libver, track_order, userblock_size):
    data = file_bytes(
        fill_with_everything, libver=libver, track_order=track_order, userblock_size=userblock_size
    )
    with h5py.File(io.BytesIO(data)) as theirs:
        check_equal(theirs, read_hdf5(data))


def test_attributes_of_many_bytes_and_huge_ones_lie_in_heaps():
    def fill(file):
        for number in range(3000):
            file.attrs[f"{number}"] = "x" * (number % 300)
            file.attrs[f"fixed {number}"] = np.bytes_("x" * (1 + number % 300))
        file.attrs["huge"] = np.arange(100_000)

    data = file_bytes(fill, libver="latest")
    assert data.count(b"FHIB") > 0
    with h5py.File(io.BytesIO(data)) as theirs:
        check_equal(theirs, read_hdf5(data))


def test_a_file_goes_when_nothing_of_it_is_held():
    data = file_bytes(small_model)
    gc.disable()
    try:
        before = sys.getrefcount(data)
        read_all(read_hdf5(data))
        assert sys.getrefcount(data) == before
    finally:
        gc.enable()


def test_paths_names_and_missing_things():
    data = file_bytes(lambda file: file.create_dataset("a/b/c", data=np.arange(3)))
    file = read_hdf5(data)
    assert "a/b/c" in file
    assert "a/b/c/d" not in file
    assert "a/x" not in file
    np.testing.assert_array_equal(file["a/b/c"], file["a"]["b"]["/c"])
    with pytest.raises(ValueError, match="there is no 'x' among"):
        file["a/x"]
    with pytest.raises(ValueError, match="'c' is an array"):
        file["a/b/c/d"]


def test_links_to_other_places_and_files_are_left_out():
    def fill(file):
        file["here"] = 1
        file["soft"], file["external"] = h5py.SoftLink("/here"), h5py.ExternalLink("other.h5", "/x")

    assert [*read_hdf5(file_bytes(fill))] == ["here"]
    assert [*read_hdf5(file_bytes(fill, libver="latest"))] == ["here"]


def test_arrays_outside_of_the_file_are_refused(tmp_path):
    (tmp_path / "numbers").write_bytes(bytes(400))
    outside = [(str(tmp_path / "numbers"), 0, 400)]
    data = file_bytes(lambda file: file.create_dataset("x", (100,), "f4", external=outside))
    with pytest.raises(ValueError, match="does not lie in the file"):
        read_hdf5(data)["x"]


def test_bfloat16_as_keras_writes_it_becomes_float32():
    def fill(file):
        halves = (np.array([1.0, -2.5, 3.140625], np.float32).view(np.uint32) >> 16).astype("<u2")
        file.create_dataset("x", data=halves.view("V2")).attrs["dtype"] = "bfloat16"
        file["other"] = halves.view("V2")

    file = read_hdf5(file_bytes(fill))
    assert file["x"].dtype == np.float32
    assert file["x"].tolist() == [1.0, -2.5, 3.140625]
    assert file["other"].dtype == np.dtype("V2")


def test_what_is_not_read_is_said():
    with pytest.raises(ValueError, match="no HDF5 file"):
        read_hdf5(b"")
    compound = np.zeros(3, [("x", "f4"), ("y", "i4")])
    file = read_hdf5(file_bytes(lambda file: file.create_dataset("x", data=compound)))
    with pytest.raises(ValueError, match="neither numbers nor texts"):
        file["x"]
    file = read_hdf5(
        file_bytes(lambda f: f.create_dataset("x", data=np.zeros(9), chunks=(3,), compression="lzf"))
    )
    with pytest.raises(ValueError, match="filter 32000; only gzip"):
        file["x"]
    file = read_hdf5(file_bytes(lambda file: file.create_dataset("x", (3,), "f4")))
    with pytest.raises(ValueError, match="never written"):
        file["x"]
    data = file_bytes(lambda file: file.create_dataset("x", data=np.zeros(100)))
    with pytest.raises(ValueError, match=f"ends after {len(data) - 1} of {len(data)} bytes"):
        read_hdf5(data[:-1])


def changed(data, old, new):
    """Replace numbers in a file."""
    assert data.count(struct.pack("<Q", old)) > 0
    return data.replace(struct.pack("<Q", old), struct.pack("<Q", new))


def test_a_bomb_does_not_go_off():
    zeros = np.zeros(7_654_321, np.uint8)
    data = file_bytes(lambda f: f.create_dataset("x", data=zeros, chunks=zeros.shape, compression="gzip"))
    assert len(data) < 20_000

    def read(content):
        read_hdf5(content)["x"]

    # As it is, and with a shape or a chunk that says less than what is compressed.
    small = changed(data, len(zeros), 10)
    copies = [data, small, small.replace(struct.pack("<I", len(zeros)), struct.pack("<I", 10))]
    assert check_harmless(read, copies) == (0, 3)


def test_texts_that_share_their_place_are_bounded():
    data = file_bytes(lambda file: file.attrs.update(x=["x" * 60_000] + ["y"] * 3000))
    first = data.find(struct.pack("<I", 60_000))
    one = data[first : first + 16]
    shared = data.replace(data[first + 16 : first + 16 * 3001], one * 3000)
    assert shared != data
    assert check_harmless(lambda content: read_hdf5(content).attributes, [shared]) == (0, 1)


def test_arrays_that_share_their_place_are_bounded():
    def fill(file):
        file["x"] = np.zeros(10_000)
        places.append(file["x"].id.get_offset())
        for number in range(100):
            file[f"same {number}"] = file["x"]
            file.create_dataset(f"other {number}", (10_000,), "f8")  # nowhere, as nothing is written

    places = []
    data = file_bytes(fill)
    file = read_hdf5(data)
    assert all(file[f"same {number}"] is file["x"] for number in range(100))
    nowhere, there = (struct.pack("<BBQ", 3, 1, place) for place in (2**64 - 1, *places))
    assert data.count(nowhere) == 100
    file = read_hdf5(data.replace(nowhere, there))
    assert file["other 0"].shape == (10_000,)
    with pytest.raises(ValueError, match="more than 16 times as large as the file"):
        sum(file[name].size for name in file)


def test_chunks_may_skip_filters():
    def fill(file):
        chunks = file.create_dataset("x", (4,), "f4", chunks=(2,), compression="gzip", shuffle=True)
        chunks[:] = np.arange(4)
        chunks.id.write_direct_chunk((2,), np.array([5, 7], np.float32).tobytes(), filter_mask=3)

    assert read_hdf5(file_bytes(fill))["x"].tolist() == [0, 1, 5, 7]


def test_a_chunk_that_is_there_twice_is_refused():
    data = file_bytes(lambda file: file.create_dataset("x", data=np.arange(6.0), chunks=(3,)))
    key = struct.pack("<IIQQ", 24, 0, 3, 0)
    assert data.count(key) == 1
    with pytest.raises(ValueError, match="not whole"):
        read_hdf5(data.replace(key, struct.pack("<IIQQ", 24, 0, 0, 0)))["x"]


def test_many_ways_to_few_groups_end():
    def fill(file):
        for _ in range(18):  # of which each holds the next one twice
            file = file.create_group("a")
            file.parent["b"] = file

    def walk(group):
        for name in group:
            walk(group[name])

    assert check_harmless(lambda data: walk(read_hdf5(data)), [file_bytes(fill)]) == (0, 1)


def test_groups_in_themselves_end():
    data = file_bytes(lambda file: file.create_group("a/b"))
    with h5py.File(io.BytesIO(data)) as file:
        root, inner = (h5py.h5o.get_info(one.id).addr for one in (file, file["a/b"]))
    assert check_harmless(lambda d: read_all(read_hdf5(d)), [changed(data, inner, root)]) == (0, 1)
    # A node of a tree that is its own child.
    tree = data.find(b"TREE")
    data = bytearray(data)
    data[tree + 5] = 1
    data[tree + 32 : tree + 40] = struct.pack("<Q", tree)
    assert check_harmless(lambda d: read_all(read_hdf5(d)), [bytes(data)]) == (0, 1)


def small_model(file):
    """A file like those of Keras, of every structure."""
    file.attrs["model_config"] = '{"class_name": "Sequential"}'
    for number in range(12):
        group = file.create_group(f"weights/dense_{number}")
        group.attrs["weight_names"] = np.array([f"dense_{number}/kernel:0", "bias:0"], "S")
        group.create_dataset(f"dense_{number}/kernel:0", data=np.ones((3, 4), np.float32))
        group.create_dataset("bias:0", data=np.ones(40), chunks=(9,), compression="gzip", shuffle=True)


OPTIONS = [{}, {"track_order": True}, {"libver": "latest"}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_damaged_files_are_refused(options):
    copies = mutated(file_bytes(small_model, **options), 100, marks=MARKS)
    fine, refused = check_harmless(lambda data: read_all(read_hdf5(data)), copies)
    assert min(fine, refused) > 15


def test_checks_of_damaged_files_can_fail():
    def wrong(data):
        raise KeyError

    with pytest.raises(KeyError):
        check_harmless(wrong, [b""])
    with pytest.raises(AssertionError, match="bytes"):
        check_harmless(lambda data: bytearray(2**22), [b""])
    assert zlib.crc32(b"".join(mutated(bytes(100), 5))) == zlib.crc32(b"".join(mutated(bytes(100), 5)))
