"""The file of `compare.py`'s results, which runs of some of its rows join."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chart import chart
from networks import CNN
from report import Row, row_of, settings, write
from tables import doubts, long_tables, quietness

SHARE = ", share of SGEMM's rate"
SAME = ("processor", "threads", "system", "register tile", "versions")  # in runs that may be joined


@dataclass(frozen=True)
class Run:
    """What a run is about, apart from its rows.

    Args:
        machine: as described by `machine.describe`.
        options: the command line's.
        contestants: their versions.
        missing: the peers that are not installed.
        order: the names of all rows there can be, in their order.
    """

    machine: dict[str, Any]
    options: argparse.Namespace
    contestants: dict[str, str]
    missing: list[str]
    order: Sequence[str]

    @property
    def path(self) -> Path:
        """Return the file of the results."""
        return Path(self.options.output).with_suffix(".json")

    def before(self) -> list[Row]:
        """Return the rows on record that this run does not measure, if it is told which to measure.

        Raises:
            SystemExit: they are of another machine, or of other versions or settings.
        """
        if not self.options.rows or not self.path.exists():
            return []
        record = json.loads(self.path.read_text("utf-8"))
        for there, here in ((record["machine"], self.machine), (record["options"], settings(self.options))):
            for name in (*SAME, "batch_size", "quick"):
                if there.get(name) != here.get(name):
                    raise SystemExit(f"{self.path} has rows of another {name}; name another file: --output")
        rows = [row_of(row) for row in record["rows"] if not row["name"].endswith(SHARE)]
        return [row for row in rows if not chosen(row.name, self.options.rows)]

    def save(self, rows: Iterable[Row]) -> list[Row]:
        """Write all rows, and what follows from them, in their order; return them."""
        rows = with_shares(sorted(rows, key=lambda row: self.order.index(row.name)))
        names = list(self.contestants)
        record = {
            "machine": self.machine,
            "options": settings(self.options),
            "contestants": self.contestants,
            "missing": self.missing,
            "quiet": quietness(rows),
            "doubts": doubts(rows),
            "rows": [row.record() for row in rows],
        }
        write(self.path, record)
        write(self.path.with_suffix(".md"), long_tables(rows, names, self.machine))
        drawn = [row for row in rows if not row.name.endswith(SHARE)]
        note = "" if not doubts(rows) else "not a quiet machine"
        write(self.path.with_suffix(".svg"), chart(drawn, note))
        return rows


def chosen(name: str, wanted: Sequence[str]) -> bool:
    """Return whether a row's name contains one of some texts, or there are none."""
    return not wanted or any(text in name for text in wanted)


def with_shares(rows: Iterable[Row]) -> list[Row]:
    """Return the rows, those of training the CNN followed by their share of the rate of matrix products."""
    found = []
    for row in rows:
        found.append(row)
        if row.name.startswith("CNN training") and row.moments:
            found.append(share_of_sgemm(row))
    return found


def share_of_sgemm(training: Row) -> Row:
    """Return what share of the rate of matrix products around it training the CNN reaches."""
    best = max(moment.sgemm for moment in training.moments)
    percent = 100e-9 * CNN.flops(training=True) / best
    shares = {name: [percent * rate for rate in rates] for name, rates in training.rounds.items()}
    moments, name = training.moments, training.name + SHARE
    return Row(name, "%", shares, True, limit=110, moments=moments, group=training.group)
