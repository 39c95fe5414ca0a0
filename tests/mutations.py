"""Damaged files: what readers of them may do with them."""

from __future__ import annotations

import random
import struct
import time
import tracemalloc
import warnings

SECONDS = 2.0


def mutated(data, count, seed=0, marks=()):
    """Yield damaged copies: cut off, with changed bits, swapped and copied blocks, and huge numbers.

    Args:
        data: the bytes of a whole file.
        count: how many copies.
        seed: of the damages.
        marks: bytes near which most damages are to be, such as names of structures.
    """
    draw = random.Random(seed)
    places = [place for mark in marks for place in range(len(data)) if data.startswith(mark, place)]

    def place():
        if places and draw.random() < 0.7:
            return min(max(draw.choice(places) + draw.randrange(-4, 48), 0), len(data) - 9)
        return draw.randrange(len(data) - 8)

    for _ in range(count):
        copy = bytearray(data)
        kind = draw.choice(["bits", "bytes", "cut", "swap", "copy", "zero", "number"])
        if kind == "bits":
            for _ in range(draw.choice([1, 2, 8, 64])):
                copy[place()] ^= 1 << draw.randrange(8)
        elif kind == "bytes":
            for _ in range(draw.choice([1, 2, 8])):
                copy[place()] = draw.choice([0, 1, 2, 127, 128, 255, draw.randrange(256)])
        elif kind == "cut":
            del copy[draw.randrange(len(data)) :]
        elif kind in ("swap", "copy", "zero"):
            size = draw.choice([4, 8, 64, 512])
            one, two = sorted((place() // 8 * 8, place() // 8 * 8))
            size = min(size, two - one, len(data) - two)
            copy[one : one + size], block = copy[two : two + size], copy[one : one + size]
            if kind != "copy":
                copy[two : two + size] = block if kind == "swap" else bytes(size)
        else:
            for _ in range(draw.choice([1, 1, 3])):
                form = draw.choice(["<B", "<H", "<I", "<Q", ">I"])
                bits = 8 * struct.calcsize(form)
                at = place()
                numbers = [
                    2**bits - 1,
                    2 ** (bits - 1),
                    2 ** (bits // 2),
                    2**30,
                    len(data),
                    len(data) - 1,
                    at,
                ]
                copy[at : at + bits // 8] = struct.pack(form, draw.choice(numbers) % 2**bits)
        yield bytes(copy)


def check_harmless(read, copies, multiple=40, longest=SECONDS):
    """Check that reading damaged files raises nothing but ValueErrors, in little time and memory.

    Args:
        read: a function of a file's bytes.
        copies: the damaged files.
        multiple: how many times as much memory as the file has bytes may be used, besides a megabyte.
        longest: how many seconds of CPU time, while memory is traced.

    Returns:
        How many were read without an error, and how many were refused.
    """
    fine = 0
    for number, copy in enumerate(copies):
        for again in (True, False):  # what else runs in the process may take time and memory once
            whole, seconds, peak = measured(read, copy)
            if seconds < longest and peak < multiple * len(copy) + 2**20:
                break
            assert again, f"damaged file {number} took {seconds:.1f} s and {peak} bytes"
        fine += whole
    return fine, number + 1 - fine


def measured(read, copy):
    """Return whether a file is read without a ValueError, in how many seconds, and in how many bytes."""
    tracemalloc.start()
    start = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(copy)
        whole = True
    except ValueError:
        whole = False
    seconds = time.process_time() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return whole, seconds, peak
