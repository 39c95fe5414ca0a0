"""A reader of flatbuffers that knows nothing of how tinynet writes them: tables by their fields' numbers.

https://flatbuffers.dev/internals: a table begins with how far before it its vtable lies, and the vtable says
how far into the table each field lies; a field that is not a number says how far after it its content lies.
"""

from __future__ import annotations

import struct

import numpy as np


class Table:
    """A table at a place in a buffer."""

    def __init__(self, data: bytes, place: int | None = None) -> None:
        self.data = data
        self.place = self.number_at(0, "<I") if place is None else place
        vtable = self.place - self.number_at(self.place, "<i")
        size = self.number_at(vtable, "<H")
        self.fields = [self.number_at(vtable + 4 + 2 * n, "<H") for n in range((size - 4) // 2)]

    def number_at(self, place, kind):
        return struct.unpack_from(kind, self.data, place)[0]

    def has(self, field):
        return field < len(self.fields) and self.fields[field] > 0

    def number(self, field, kind="<i", default=0):
        return self.number_at(self.place + self.fields[field], kind) if self.has(field) else default

    def refers(self, field):
        place = self.place + self.fields[field]
        return place + self.number_at(place, "<I")

    def table(self, field):
        return Table(self.data, self.refers(field))

    def tables(self, field):
        place = self.refers(field)
        starts = [place + 4 + 4 * n for n in range(self.number_at(place, "<I"))]
        return [Table(self.data, start + self.number_at(start, "<I")) for start in starts]

    def array(self, field, dtype="<i4"):
        if not self.has(field):
            return np.empty(0, dtype)
        place = self.refers(field)
        return np.frombuffer(self.data, dtype, self.number_at(place, "<I"), place + 4)

    def text(self, field):
        return self.array(field, "u1").tobytes().decode()
