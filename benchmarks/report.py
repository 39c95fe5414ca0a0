"""Rows of measurements, and how they are shown: medians, ratios, goals, tables, files."""

from __future__ import annotations

import json
import statistics
from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

OURS = "tinynet"
RESULTS = Path(__file__).parent / "results"
TIMES = "\N{MULTIPLICATION SIGN}"
COLORS = {
    OURS: "#d62728",
    "PyTorch": "#4d4d4d",
    "PyTorch channels_last": "#969696",
    "PyTorch compiled": "#c9c9c9",
    "Keras/TensorFlow": "#1f77b4",
    "Keras/JAX": "#9ecae1",
}


@dataclass
class Row:
    """What was measured of tinynet and its peers in interleaved rounds.

    Args:
        name: of what was measured.
        unit: of the numbers.
        rounds: by contestant, one number a round.
        more_is_better: whether the numbers are rates, and not seconds or bytes.
        goal: the ratio to the best peer that tinynet should reach, if there is one.
        limit: what tinynet's median should reach or stay below, if there is a limit.
        first: by contestant, the seconds from nothing to a first result, which no round contains.
    """

    name: str
    unit: str
    rounds: dict[str, list[float]]
    more_is_better: bool = False
    goal: float | None = None
    limit: float | None = None
    first: dict[str, float] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Return a contestant's median."""
        return statistics.median(self.rounds[name])

    def best_peer(self) -> str | None:
        """Return the peer with the best median."""
        peers = [name for name in self.rounds if name != OURS]
        best = max if self.more_is_better else min
        return best(peers, key=self.median, default=None)

    def ratio(self, name: str = OURS) -> float | None:
        """Return how many times as good as the best peer a contestant is: the median over the rounds."""
        best = self.best_peer()
        if best is None or name not in self.rounds:
            return None
        pairs = list(zip(self.rounds[name], self.rounds[best], strict=True))
        return statistics.median(own / other if self.more_is_better else other / own for own, other in pairs)

    def reached(self) -> bool | None:
        """Return whether tinynet reaches the goal and keeps the limit; None where there is neither."""
        ratio, verdicts = self.ratio(), []
        if self.goal is not None and ratio is not None:
            verdicts.append(ratio >= self.goal)
        if self.limit is not None and OURS in self.rounds:
            own = self.median(OURS)
            verdicts.append(own >= self.limit if self.more_is_better else own <= self.limit)
        return all(verdicts) if verdicts else None

    def aims(self) -> str:
        """Return the goal and the limit as text."""
        sign = "≥" if self.more_is_better else "≤"
        goal = [] if self.goal is None else [f"≥ {self.goal:g}{TIMES}"]
        return ", ".join(goal + ([] if self.limit is None else [f"{sign} {self.limit:g} {self.unit}"]))

    def record(self) -> dict[str, Any]:
        """Return everything about the row, as JSON can hold it."""
        derived = {"best_peer": self.best_peer(), "ratio": self.ratio(), "reached": self.reached()}
        return asdict(self) | {"medians": {name: self.median(name) for name in self.rounds}} | derived


def number(value: float | None) -> str:
    """Return a number with three digits or more, or a dash for none."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def spread(values: Iterable[float]) -> str:
    """Return the smallest and the largest of some numbers."""
    values = list(values)
    return f"{number(min(values))} to {number(max(values))}"


def times(ratio: float | None) -> str:
    """Return a ratio as text."""
    return "-" if ratio is None else f"{ratio:.2f}{TIMES}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return lines of aligned columns: the first to the left, the others to the right."""
    columns = []
    for i, column in enumerate(zip(header, *rows, strict=True)):
        width = max(map(len, column))
        columns.append([cell.rjust(width) if i else cell.ljust(width) for cell in column])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown: the first column to the left, the others to the right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "".join(f"| {' | '.join(line)} |\n" for line in [header, rule, *rows])


def settings(options: Namespace) -> dict[str, Any]:
    """Return what the command line says, but for where the results go."""
    return {name: value for name, value in vars(options).items() if name != "output"}


def write(path: Path, content: Any) -> None:
    """Write a text as it is, or anything else as JSON, and say where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1) + "\n", "utf-8")
    print(f"Wrote {path}")


def long_table(rows: Iterable[Row]) -> str:
    """Return a line for each row and contestant."""
    lines = []
    for row in rows:
        verdict = {True: "reached", False: "missed", None: ""}[row.reached()]
        for i, name in enumerate(row.rounds):
            first = number(row.first[name]) if name in row.first else ""
            measured = [number(row.median(name)), spread(row.rounds[name]), first]
            aims = [times(row.ratio()), row.aims(), verdict] if name == OURS else [""] * 3
            lines.append([f"{row.name}, {row.unit}" if i == 0 else "", name, *measured, *aims])
    header = ["", "", "median", "least to most", "first result, s", "tinynet / best peer", "goal", ""]
    return table(header, lines)


def short_table(rows: Iterable[Row], names: list[str], machine: dict[str, Any]) -> str:
    """Return docs/speed.md's table: a line for each row, medians with the spread below."""
    lines = []
    for row in rows:
        cells = [f"{row.name}, {row.unit}"]
        for name in names:
            values = row.rounds.get(name)
            cells.append(f"{number(row.median(name))}<br><sub>{spread(values)}</sub>" if values else "")
        best = row.best_peer()
        lines.append([*cells, f"**{times(row.ratio())}**" if best else "", row.aims()])
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return markdown(["", *names, "tinynet / best peer", "goal"], lines) + (
        f"\nMedians; the least and the most below. {machine['processor']}, {machine['threads']} threads; "
        f"SGEMM {number(machine['SGEMM, GFLOP/s'])} GFLOP/s; {versions}.\n"
    )


def draw(rows: list[Row], names: list[str], path: Path, most: float = 5) -> None:
    """Draw every contestant of every row relative to the best peer."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 0.4 + 0.62 * len(rows)), layout="constrained")
    height = 0.84 / len(names)
    for i, name in enumerate(names):
        places = [(row, j) for j, row in enumerate(rows) if name in row.rounds]
        ratios = [row.ratio(name) or 0 for row, _ in places]
        heights = [j + (i - (len(names) - 1) / 2) * height for _, j in places]
        axes.barh(heights, np.minimum(ratios, most), 0.9 * height, color=COLORS.get(name), label=name)
        for ratio, y in zip(ratios, heights, strict=True):
            if name == OURS:
                axes.text(min(ratio, most) + 0.03, y, times(ratio), va="center", fontsize=7, weight="bold")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.set(xlim=(0, most + 0.4), ylim=(len(rows) - 0.4, -0.6), xlabel="times as good as the best peer")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower center", ncols=len(names), frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    print(f"Wrote {path}")
