"""PyTorch's files written by hand, opcode by opcode, for tests without PyTorch."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
KINDS = {"f4": "Float", "f8": "Double", "f2": "Half", "i8": "Long", "i4": "Int", "u1": "Byte", "b1": "Bool"}


def text(value):
    """A text."""
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def integer(value):
    """An integer of any size."""
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def name(module, own):
    """The name of a function or class."""
    return f"c{module}\n{own}\n".encode()


def row(*items):
    """A tuple."""
    return b"(" + b"".join(items) + b"t"


def called(function, *arguments):
    """What calling a function would make."""
    return function + row(*arguments) + b"R"


def mapping(pairs, empty=None):
    """A dict, by default collections.OrderedDict; its values are opcodes."""
    empty = called(name("collections", "OrderedDict")) if empty is None else empty
    return empty + b"(" + b"".join(text(key) + value for key, value in pairs) + b"u"


def storage(key, kind, count, legacy=False):
    """What says where a tensor's numbers lie."""
    more = [b"N"] if legacy else []
    return (
        row(text("storage"), name("torch", f"{kind}Storage"), text(key), text("cpu"), integer(count), *more)
        + b"Q"
    )


def tensor(numbers, begin, shape, strides):
    """A tensor: a view of a storage."""
    sizes, steps = (row(*map(integer, values)) for values in (shape, strides))
    hooks = called(name("collections", "OrderedDict"))
    rebuild = name("torch._utils", "_rebuild_tensor_v2")
    return called(rebuild, numbers, integer(begin), sizes, steps, b"\x89", hooks)


def tensors(arrays, legacy=False):
    """The opcodes of arrays by their names, each with a storage of its own, and the storages' bytes."""
    pairs, storages = [], {}
    for number, (own, array) in enumerate(arrays.items()):
        array = np.asarray(array, order="C")
        steps = [step // array.itemsize for step in array.strides]
        note = storage(str(number), KINDS[array.dtype.str[1:]], array.size, legacy)
        pairs.append((own, tensor(note, 0, array.shape, steps)))
        storages[str(number)] = array.tobytes()
    return pairs, storages


def archive(content, storages, root="archive", **records):
    """A file as `torch.save` writes it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for path, data in {"data.pkl": b"\x80\x02" + content + b".", "byteorder": b"little"}.items():
            zipped.writestr(f"{root}/{path}", records.pop(path.split(".")[0], data))
        for key, data in storages.items():
            zipped.writestr(f"{root}/data/{key}", data)
    return file.getvalue()


def pickles(content, storages, sizes=None, system=None):
    """A file as `torch.save` wrote it before PyTorch 1.6."""
    system = {"protocol_version": 1001, "little_endian": True} if system is None else system
    parts = [pickle.dumps(one, 2) for one in (MAGIC, 1001, system)]
    parts += [b"\x80\x02" + content + b".", pickle.dumps([*storages], 2)]
    for key, data in storages.items():
        count = len(data) // (4 if sizes is None else sizes[key])
        parts += [struct.pack("<q", count), data]
    return b"".join(parts)


def saved(arrays, legacy=False):
    """A state dict's file, by the arrays' names."""
    pairs, storages = tensors(arrays, legacy)
    if not legacy:
        return archive(mapping(pairs), storages)
    sizes = {str(number): np.asarray(array).itemsize for number, array in enumerate(arrays.values())}
    return pickles(mapping(pairs), storages, sizes)
