"""Tables of what `compare.py` has measured: to print, and for docs/speed.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from report import OURS, Row, markdown, number, spread, table, times

VERDICTS = {True: "reached", False: "missed", None: ""}


def best_sgemm(rows: Iterable[Row]) -> float | None:
    """Return the GFLOP/s that matrix products reached at best, before, between and after the rows."""
    return max((moment.sgemm for row in rows for moment in row.moments), default=None)


def doubts(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return the rows that are not to be believed, and why."""
    best = best_sgemm(rows)
    found = {} if best is None else {row.name: row.doubts(best) for row in rows}
    return {name: reasons for name, reasons in found.items() if reasons}


def quietness(rows: Sequence[Row]) -> str:
    """Return in words whether the machine was quiet enough for the rows to be believed."""
    moments = [moment for row in rows for moment in row.moments]
    if not moments:
        return "Nobody looked whether the machine was quiet."
    seen = (
        f"Before, between and after the rows, matrix products reached {spread(m.sgemm for m in moments)} "
        f"GFLOP/s, others took at most {max(m.others for m in moments):.0%} of the processor, and the load "
        f"was {spread(m.load for m in moments)}"
    )
    doubtful = doubts(rows)
    if not doubtful:
        return f"The machine was quiet. {seen}."
    told = "; ".join(f"{name} ({', '.join(why)})" for name, why in doubtful.items())
    return f"THE MACHINE WAS NOT QUIET: do not believe {told}. {seen}."


def long_table(rows: Iterable[Row]) -> str:
    """Return a line for each row and contestant."""
    lines = []
    for row in rows:
        for i, name in enumerate(row.rounds):
            first = number(row.first[name]) if name in row.first else ""
            measured = [number(row.median(name)), spread(row.rounds[name]), first]
            ratios = [times(row.ratio()), times(row.ratio_of_bests()), row.aims(), VERDICTS[row.reached()]]
            ours = ratios if name == OURS else [""] * 4
            lines.append([f"{row.name}, {row.unit}" if i == 0 else "", name, *measured, *ours])
    header = [
        "",
        "",
        "median",
        "least to most",
        "first result, s",
        "/ best peer",
        "of best rounds",
        "goal",
        "",
    ]
    return table(header, lines)


def long_tables(rows: Sequence[Row], names: Sequence[str], machine: dict[str, Any]) -> str:
    """Return docs/speed.md's tables: one for each group of rows, with a line for each contestant."""
    made = []
    for group, members in groupby(rows, lambda row: row.group):
        made.append(f"**{group}** (`benchmarks/compare.py`)\n\n{group_table(list(members), names)}")
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    made.append(
        f"Medians; the least and the most below. {quietness(rows)} {machine['processor']}, "
        f"{machine['threads']} threads; {versions}.\n"
    )
    return "\n".join(made)


def group_table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Return a table with a column for each row, and a line for each contestant that takes part."""
    lines = []
    for name in names:
        if any(name in row.rounds for row in rows):
            cells = [measured(row, name) for row in rows]
            lines.append([name, *cells])
    lines.append(["**tinynet / best peer**", *(f"**{times(row.ratio())}**" for row in rows)])
    lines.append(["the same of best rounds", *(times(row.ratio_of_bests()) for row in rows)])
    lines.append(["goal", *(row.aims() for row in rows)])
    return markdown(["", *(f"{row.name}, {row.unit}" for row in rows)], lines)


def measured(row: Row, name: str) -> str:
    """Return a contestant's median, with the least and the most below."""
    if name not in row.rounds:
        return ""
    return f"{number(row.median(name))}<br><sub>{spread(row.rounds[name])}</sub>"
