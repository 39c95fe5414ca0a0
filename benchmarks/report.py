"""Rows of measurements, and how they are shown: medians, ratios, goals, tables, files."""

from __future__ import annotations

import json
import statistics
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from common import interleave
from quiet import Moment, reasons

OURS = "tinynet"
RESULTS = Path(__file__).parent / "results"
SLOW = 0.5  # of the best peer's rate: slower ones are measured twice
TIMES = "\N{MULTIPLICATION SIGN}"
COLORS = {
    OURS: "#d62728",
    "PyTorch": "#4d4d4d",
    "PyTorch channels_last": "#969696",
    "PyTorch compiled": "#c9c9c9",
    "Keras/TensorFlow": "#1f77b4",
    "Keras/JAX": "#9ecae1",
    "ONNX Runtime": "#2ca02c",
    "OpenVINO": "#9467bd",
    "scikit-learn": "#ff7f0e",
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
        moments: what the machine was like before and after.
        group: of rows that belong together.

    A peer that is much slower than the others may have fewer rounds than they have.
    """

    name: str
    unit: str
    rounds: dict[str, list[float]]
    more_is_better: bool = False
    goal: float | None = None
    limit: float | None = None
    first: dict[str, float] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    group: str = ""

    def median(self, name: str) -> float:
        """Return a contestant's median."""
        return statistics.median(self.rounds[name])

    def best(self, name: str) -> float:
        """Return a contestant's best round: the highest rate, or the least time."""
        return max(self.rounds[name]) if self.more_is_better else min(self.rounds[name])

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
        pairs = zip(self.rounds[name], self.rounds[best], strict=False)
        return statistics.median(self._times(own, other) for own, other in pairs)

    def ratio_of_bests(self) -> float | None:
        """Return how many times as good tinynet's best round is as the best round of any peer."""
        peers = [self.best(name) for name in self.rounds if name != OURS]
        if not peers or OURS not in self.rounds:
            return None
        return self._times(self.best(OURS), max(peers) if self.more_is_better else min(peers))

    def _times(self, own: float, other: float) -> float:
        return own / other if self.more_is_better else other / own

    def doubts(self, sgemm: float) -> list[str]:
        """Return why not to believe the row, where matrix products reach so many GFLOP/s when it is quiet."""
        return reasons(self.moments, sgemm)

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
        derived = {
            "best_peer": self.best_peer(),
            "ratio": self.ratio(),
            "ratio of best rounds": self.ratio_of_bests(),
            "reached": self.reached(),
        }
        return asdict(self) | {"medians": {name: self.median(name) for name in self.rounds}} | derived


def slow_peers(rounds: Mapping[str, list[float]], more_is_better: bool) -> list[str]:
    """Return the peers whose best rounds are so much slower than another's that more would tell nothing."""
    best = Row("", "", {name: [*values] for name, values in rounds.items() if name != OURS}, more_is_better)
    bests = replace(best, rounds={name: [best.best(name)] for name in best.rounds})
    return [name for name in bests.rounds if (bests.ratio(name) or 1) < SLOW]


def in_rounds(
    functions: Mapping[str, Callable[[], float]], rounds: int, more_is_better: bool
) -> dict[str, list[float]]:
    """Call the contestants' functions, which are warm, in turn for some rounds; those of slow peers twice.

    Args:
        functions: by contestant; they return what is measured.
        rounds: how many.
        more_is_better: whether they return rates.

    Returns:
        By contestant, the results.
    """
    values = interleave(functions, 1)
    for name in slow_peers(values, more_is_better):  # once more, so that no accident decides
        values[name] += interleave({name: functions[name]}, 1)[name]
    slow = slow_peers(values, more_is_better)
    fast = {name: function for name, function in functions.items() if name not in slow}
    more = interleave(fast, rounds)
    return {name: more.get(name, values[name]) for name in functions}


def row_of(record: dict[str, Any]) -> Row:
    """Return the row of a record."""
    values = {field.name: record[field.name] for field in fields(Row)}
    return Row(**values | {"moments": [Moment(**moment) for moment in record["moments"]]})


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
