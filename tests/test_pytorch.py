"""The reader of PyTorch's files, on bytes that were written by hand."""

from __future__ import annotations

import io
import random
import struct
import tarfile
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from state_dicts import (
    archive,
    called,
    integer,
    mapping,
    name,
    pickles,
    row,
    saved,
    storage,
    tensor,
    tensors,
    text,
)

from tinynet.files import opcodes
from tinynet.files.pytorch import is_pytorch, read_state_dict

ARRAYS = {
    "0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "0.bias": np.array([1.5, -2], np.float64),
    "1.weight": np.array([[0.5]], np.float16),
    "1.num_batches_tracked": np.array(7, np.int64),
}


def same(found, arrays):
    """Whether the arrays are those, with their names, order, dtypes and numbers."""
    assert [*found] == [*arrays]
    for own, array in arrays.items():
        assert found[own].dtype == np.asarray(array).dtype
        np.testing.assert_array_equal(found[own], array)
        assert not found[own].flags.writeable


@pytest.mark.parametrize("legacy", [False, True])
def test_a_state_dict(legacy):
    data = saved(ARRAYS, legacy)
    assert is_pytorch(data)
    same(read_state_dict(data), ARRAYS)


def test_what_is_no_file_of_pytorchs():
    for data in (b"", b"PK", b"\x89HDF\r\n\x1a\n" + bytes(600), b"\x80\x02}.", saved(ARRAYS)[:-30]):
        assert is_pytorch(data) == (len(data) > 1000)
        with pytest.raises(ValueError, match="it is no"):
            read_state_dict(data)


def test_views_of_one_storage():
    numbers = np.arange(12, dtype=np.float32)
    note = storage("5", "Float", 12)
    parts = {
        "transposed": (tensor(note, 0, (4, 3), (1, 4)), numbers.reshape(3, 4).T),
        "part": (tensor(note, 5, (2, 2), (4, 1)), numbers.reshape(3, 4)[1:, 1:3]),
        "tied": (tensor(note, 0, (3, 4), (4, 1)), numbers.reshape(3, 4)),
        "one": (tensor(note, 7, (), ()), numbers[7]),
        "none": (tensor(note, 0, (0, 4), (4, 1)), np.empty((0, 4), np.float32)),
    }
    content = mapping([(key, opcodes) for key, (opcodes, _) in parts.items()])
    found = read_state_dict(archive(content, {"5": numbers.tobytes()}))
    assert np.shares_memory(found["tied"], found["transposed"])
    for key, (_, array) in parts.items():
        np.testing.assert_array_equal(found[key], array)


def test_bfloat16_and_the_other_order_of_bytes():
    ones = np.array([1.0, -2.5, 3e38], np.float32)
    note = storage("0", "BFloat16", 3)
    bits = (ones.view(np.uint32) >> 16).astype(np.uint16)
    found = read_state_dict(archive(mapping([("w", tensor(note, 0, (3,), (1,)))]), {"0": bits.tobytes()}))
    np.testing.assert_allclose(found["w"], ones, rtol=2**-7)
    assert not found["w"].flags.writeable
    assert found["w"].dtype == np.float32
    note = storage("0", "Float", 3)
    content = mapping([("w", tensor(note, 0, (3,), (1,)))])
    found = read_state_dict(archive(content, {"0": ones.byteswap().tobytes()}, byteorder=b"big"))
    np.testing.assert_array_equal(found["w"], ones)


def parameter(opcodes):
    return called(
        name("torch._utils", "_rebuild_parameter"),
        opcodes,
        b"\x88",
        called(name("collections", "OrderedDict")),
    )


def module(own, parameters=(), modules=(), buffers=(), more=()):
    """A whole nn.Module as pickle writes it."""
    groups = [
        ("_parameters", mapping(parameters)),
        ("_buffers", mapping(buffers)),
        ("_modules", mapping(modules)),
    ]
    return name(own, "Net") + b")\x81" + mapping([*groups, *more], b"}") + b"b"


def test_checkpoints_wrappers_and_whole_modules():
    arrays = {key: array for key, array in ARRAYS.items() if key != "1.num_batches_tracked"}
    pairs, storages = tensors(arrays)
    state = mapping(pairs)
    metadata = state + mapping([("_metadata", mapping([]))], b"}") + b"b"  # an attribute of the OrderedDict
    wrapped = mapping([(f"module.{key}", parameter(opcodes)) for key, opcodes in pairs])
    optimizer = mapping([("state", b"}"), ("param_groups", b"]")], b"}")
    inner = module("x", [("weight", parameter(pairs[0][1])), ("bias", pairs[1][1])])
    other = module("y", [("weight", parameter(pairs[2][1])), ("bias", b"N")])
    linears = [
        name("__torch__.nn", "Linear") + b")\x81" + mapping(held, b"}") + b"b"
        for held in ([("weight", pairs[0][1]), ("bias", pairs[1][1])], [("weight", pairs[2][1])])
    ]
    attributes = [("0", linears[0]), ("training", b"\x88"), ("1", linears[1])]
    script = name("__torch__", "Net") + b")\x81" + mapping(attributes, b"}") + b"b"
    for content in (
        metadata,
        wrapped,
        mapping(pairs, b"}"),
        mapping([("epoch", integer(3)), ("state_dict", state), ("optimizer", optimizer)], b"}"),
        mapping([("model_state_dict", wrapped), ("loss", b"G" + bytes(8)), ("ema", state)], b"}"),
        mapping([("epoch", integer(3)), ("anything", state)], b"}"),
        mapping([("model", mapping([("state_dict", state)], b"}"))], b"}"),
        module("__main__", (), [("0", inner), ("1", other), ("2", b"N")]),
        mapping(
            [("net", module("__main__", (), [("module", module("z", (), [("0", inner), ("1", other)]))]))],
            b"}",
        ),
        script,
    ):
        same(read_state_dict(archive(content, storages)), arrays)


def test_buffers_that_a_module_does_not_save():
    pairs, storages = tensors({"kept": np.ones(1, np.float32), "passing": np.ones(2, np.float32)})
    passing = called(name("__builtin__", "set"), b"](" + text("passing") + b"e")
    content = module("__main__", buffers=pairs, more=[("_non_persistent_buffers_set", passing)])
    assert [*read_state_dict(archive(content, storages))] == ["kept"]


def test_older_files_may_name_a_class_by_its_source():
    pairs, storages = tensors({"weight": np.ones(2, np.float32)}, legacy=True)
    own = row(text("module"), name("__main__", "Net"), text("net.py"), text("class Net: ...")) + b"Q"
    content = module("__main__", pairs).replace(name("__main__", "Net"), own)
    assert [*read_state_dict(pickles(content, storages))] == ["weight"]


def test_files_of_python_2():
    numbers = np.arange(4, dtype=np.float32)
    short = lambda value: b"U" + bytes([len(value)]) + value  # noqa: E731
    note = (
        row(short(b"storage"), name("torch", "FloatStorage"), short(b"12"), short(b"cpu"), integer(4), b"N")
        + b"Q"
    )
    pair = b"](" + short(b"weight") + tensor(note, 0, (4,), (1,)) + b"e"
    content = called(name("collections", "OrderedDict"), b"](" + pair + b"e")
    data = pickles(content, {"12": numbers.tobytes()})
    same(read_state_dict(data), {"weight": numbers})


# What is refused


def bad(opcodes):
    """A state dict with something else in it."""
    pairs, storages = tensors({"weight": np.ones(4, np.float32)})
    return archive(mapping([*pairs, ("bad", opcodes)]), storages)


def one(note_count=4, begin=0, shape=(4,), strides=(1,), kind="Float", stored=16, key="0"):
    """A state dict of one tensor, whose numbers may not fit."""
    content = mapping([("weight", tensor(storage("0", kind, note_count), begin, shape, strides))])
    return archive(content, {key: bytes(stored)})


ONE = {"weight": np.ones(1, np.float32)}
RUN = called(name("os", "system"), text("touch /tmp/run"))
SEVERAL = [(own, mapping(tensors(ONE)[0])) for own in ("generator", "critic")]

REFUSED = {
    "a call": (bad(RUN), "'os.system' to be called"),
    "a call by eval": (bad(called(name("builtins", "eval"), text("1"))), "'builtins.eval'"),
    "a call within arguments": (bad(called(name("argparse", "Namespace"), RUN)), "'os.system'"),
    "a call in a chain": (bad(called(name("os", "getcwd")) + row() + b"R"), "damaged"),
    "a call where it is not looked for": (
        archive(mapping([("state_dict", mapping(tensors(ONE)[0])), ("args", RUN)]), {}),
        "'os.system'",
    ),
    "a call in an older file": (pickles(mapping([("w", RUN)]), {}), "'os.system'"),
    "a call instead of the version": (pickles(b"}", {})[:15] + RUN + b".", "'os.system'"),
    "a place outside that is none": (pickles(mapping([("w", b"NQ")]), {}), "no storage"),
    "an object with a state": (bad(name("subprocess", "Popen") + b")\x81}b"), "'subprocess.Popen'"),
    "a pickled extension": (bad(b"\x82\x01"), "opcode"),
    "a class's source": (bad(b"(i" + b"os\nsystem\n"), "opcode"),
    "another tensor": (bad(called(name("torch._utils", "_rebuild_sparse_tensor"), b"N")), "sparse"),
    "pickled by pickle": (bad(called(name("torch.storage", "_load_from_bytes"), b"C\x00")), "_load_from"),
    "quantized": (one(kind="QInt8"), "kind 'QInt8Storage'"),
    "ten billion numbers": (one(note_count=10**12), "has 16 bytes, and should have 1000000000000"),
    "negative": (one(note_count=-1), "kind"),
    "too short": (one(stored=12), "has 12 bytes"),
    "no record": (one(key="1"), "no record 'archive/data/0'"),
    "outside": (one(begin=1), "damaged"),
    "strides outside": (one(strides=(2,)), "damaged"),
    "negative strides": (one(begin=3, strides=(-1,)), "damaged"),
    "a huge view": (one(shape=(10**6, 10**6), strides=(0, 0)), "damaged"),
    "a huge shape": (one(shape=(2**200,), strides=(0,)), "damaged"),
    "expanded": (one(shape=(2, 4), strides=(0, 1)), "damaged"),
    "strides of another length": (one(shape=(4,), strides=(1, 1)), "damaged"),
    "many axes": (one(shape=(1,) * 40, strides=(1,) * 40), "damaged"),
    "no tensors": (archive(mapping([("a", integer(1))]), {}), "no state dict, .* but a dict of 'a'"),
    "a list": (archive(b"]", {}), "holds no state dict"),
    "empty": (archive(b"}", {}), "a dict of nothing"),
    "two networks": (archive(mapping(SEVERAL), {"0": bytes(4)}), "several networks, 'generator', 'critic'"),
    "a module in itself": (
        archive(name("a", "Net") + b")\x81q\x01}" + text("_modules") + b"}" + text("a") + b"h\x01ssb", {}),
        "too deep",
    ),
    "another archive": (archive(b"}", {}).replace(b"data.pkl", b"data.pkk"), "without data.pkl"),
    "another order": (archive(b"}", {}, byteorder=b"middle"), "byte order"),
    "another system": (pickles(b"}", {}, system={"little_endian": False}), "other order of bytes"),
    "damaged pickle": (archive(b"}(", {}), "it holds no|damaged"),
    "nothing on the stack": (archive(b"R", {}), "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data, reason = REFUSED[case]
    with pytest.raises(ValueError, match=reason):
        read_state_dict(data)
    assert not [*tmp_path.iterdir()]


def test_tar_archives_are_refused():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as written:
        for own in ("sys_info", "pickle", "tensors", "storages"):
            written.addfile(tarfile.TarInfo(own))
    assert is_pytorch(file.getvalue())
    with pytest.raises(ValueError, match=r"before version 0.2"):
        read_state_dict(file.getvalue())


def test_damaged_numbers_are_found_by_their_checksum():
    data = bytearray(saved({"weight": np.ones(9, np.float32)}))
    data[data.find(np.ones(9, np.float32).tobytes())] ^= 1
    with pytest.raises(ValueError, match="checksum"):
        read_state_dict(bytes(data))


def test_records_that_lie_in_the_same_place_are_refused():
    arrays = {f"{i}.weight": np.ones(1000, np.float32) for i in range(9)}
    data = saved(arrays)
    assert len(read_state_dict(data)) == 9
    begin = data.find(b"PK\x01\x02")
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        places = [info.header_offset for info in zipped.infolist() if "/data/" in info.filename]
    changed = data[begin:]
    for place in places[1:]:  # all of them the first one
        changed = changed.replace(struct.pack("<I", place), struct.pack("<I", places[0]))
    others = data[: places[1]] + changed
    shift = places[1] - begin  # what lay between is gone
    end = others.rfind(b"PK\x05\x06")
    others = others[: end + 16] + struct.pack("<I", begin + shift) + others[end + 20 :]
    with pytest.raises(ValueError, match="lies where another one does"):
        read_state_dict(others)


def compressed():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("a/data.pkl", bytes(10**7))
    return file.getvalue()


def bombs():
    deep = b"]" * 9_000 + b"a" * 8_999
    twice = [b"h" + bytes([i]) + b"h" + bytes([i]) for i in range(99)]
    laughs = b"(]q\x00" + b"".join(b"](" + one + b"eq" + bytes([i + 1]) for i, one in enumerate(twice)) + b"t"
    tuples = b"()q\x00" + b"".join(one + b"\x86q" + bytes([i + 1]) for i, one in enumerate(twice)) + b"t"
    empty = name("a", "N") + b")\x81}" + text("_modules") + b"}"
    modules = (
        empty
        + b"sbq\x00"
        + b"".join(
            empty
            + b"("
            + text("a")
            + b"h"
            + bytes([i])
            + text("b")
            + b"h"
            + bytes([i])
            + b"usbq"
            + bytes([i + 1])
            for i in range(60)
        )
    )
    view = storage("0", "Float", 4)
    yield "compressed", "compressed", compressed()
    yield "deep", "no state dict", archive(mapping([("w", deep)]), {})
    yield "billion laughs", "no state dict", archive(mapping([("w", laughs)]), {})
    yield "billion laughs of tuples", "no state dict", archive(mapping([("w", tuples)]), {})
    yield "such a tuple as key", "damaged", archive(b"}" + tuples + b"Ns", {})
    yield "many steps", "opcodes", archive(b"N" * 20_000, {})
    yield "many marks", "opcodes", archive(b"(" * 20_000, {})
    yield "many lists", "opcodes", archive(b"]" * 20_000, {})
    yield (
        "equal hashes",
        "damaged",
        archive(b"}(" + b"".join(integer((2**61 - 1) * i) + b"N" for i in range(6000)) + b"u", {}),
    )
    yield "modules in modules", "too many", archive(modules, {})
    yield (
        "views",
        "",
        archive(mapping([(str(i), tensor(view, 0, (4,), (1,))) for i in range(300)]), {"0": bytes(16)}),
    )


BOMBS = {case: (message, data) for case, message, data in bombs()}


@pytest.mark.parametrize("case", BOMBS)
def test_bombs_take_neither_time_nor_memory(case, monkeypatch):
    monkeypatch.setattr(opcodes, "MOST_STEPS", 19_000)
    message, data = BOMBS[case]
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        if case == "views":
            assert len(read_state_dict(data)) == 300
        else:
            with pytest.raises(ValueError, match=message):
                read_state_dict(data)
        assert time.perf_counter() - begin < 5  # while memory is watched, which takes most of it
        assert tracemalloc.get_traced_memory()[1] < 2e7
    finally:
        tracemalloc.stop()


def mutated(data, chance):
    """A file with bytes changed, left out or doubled, mostly where its structure lies."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        place = chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                data[place] ^= 1 << chance.randrange(8)
            case 2:
                data[place] = chance.choice(b"(.QRabceghjqrstu\x80\x81\x85\x86\x87\x8a\x94")
            case 3:
                del data[place : place + chance.choice((1, 4, 30))]
            case 4:
                data[place:place] = data[place : place + chance.choice((1, 4, 30))]
        if not data:
            break
    return bytes(data)


def attack(count, seed=0):
    pairs, storages = tensors(ARRAYS)
    files = [saved(ARRAYS), saved(ARRAYS, legacy=True), archive(module("__main__", pairs), storages)]
    chance, opened = random.Random(seed), 0
    for number in range(count):
        data = mutated(files[number % 3], chance)
        begin = time.perf_counter()
        try:
            found = read_state_dict(data)
            opened += 1
            assert sum(array.size for array in found.values()) <= len(data)
        except ValueError:
            pass
        assert time.perf_counter() - begin < 2
    assert 0 < opened < count


def test_mutated_files_raise_value_errors():
    attack(600)
