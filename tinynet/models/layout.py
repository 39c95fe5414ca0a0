"""Where the boxes and arrows of a graph lie on paper: in rows, each box below those that lead to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP = 14.0  # between boxes of a row
ROW_GAP = 26.0
SWEEPS = 8

Point = tuple[float, float]


@dataclass
class Layout:
    """Where everything lies; y grows downward, from 0.

    Args:
        centres: of the boxes.
        routes: of the arrows: points, between which straight and curved pieces alternate, straight first.
        size: the width and height of it all.
    """

    centres: list[Point]
    routes: list[list[Point]]
    size: Point


def lay_out(sizes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> Layout:
    """Return where boxes lie, so that arrows go down and cross no box.

    Args:
        sizes: the width and height of each box.
        edges: which box goes to which, by their numbers; always from a lower to a higher one.

    Returns:
        The layout.

    Example:
        >>> lay_out([(40, 10), (40, 10)], [(0, 1)]).centres
        [(20.0, 5.0), (20.0, 41.0)]
    """
    rank = [0] * len(sizes)
    for start, end in sorted(edges, key=lambda edge: edge[1]):
        rank[end] = max(rank[end], rank[start] + 1)
    widths = [width for width, _ in sizes]
    chains = []  # for each edge, its two boxes and what keeps a way free between, a place in each row
    for start, end in edges:
        between = list(range(rank[start] + 1, rank[end]))
        chains.append([start, *range(len(rank), len(rank) + len(between)), end])
        rank += between
        widths += [0.0] * len(between)
    rows: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for node, number in enumerate(rank):
        rows[number].append(node)
    above: list[list[int]] = [[] for _ in rank]
    below: list[list[int]] = [[] for _ in rank]
    for chain in chains:
        for upper, lower in pairwise(chain):
            above[lower].append(upper)
            below[upper].append(lower)
    _order(rows, above, below)
    x = _columns(rows, above, below, widths)
    left = min((x[node] - widths[node] / 2 for node in range(len(x))), default=0.0)
    x = [place - left for place in x]
    tops, bottoms, y = [], [], 0.0
    for row in rows:
        tops.append(y)
        bottoms.append(y + max(sizes[node][1] for node in row if node < len(sizes)))
        y = bottoms[-1] + ROW_GAP
    centres = [(x[n], (tops[rank[n]] + bottoms[rank[n]]) / 2) for n in range(len(sizes))]
    routes = []
    for chain in chains:
        start, end = chain[0], chain[-1]
        route = [(x[start], centres[start][1] + sizes[start][1] / 2), (x[start], bottoms[rank[start]])]
        for node in chain[1:-1]:
            route += [(x[node], tops[rank[node]]), (x[node], bottoms[rank[node]])]
        routes.append([*route, (x[end], tops[rank[end]]), (x[end], centres[end][1] - sizes[end][1] / 2)])
    width = max((x[node] + widths[node] / 2 for node in range(len(x))), default=0.0)
    return Layout(centres, routes, (width, max(bottoms, default=0.0)))


def _order(rows: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Sort each row by where its neighbours are, so that few arrows cross."""
    place = {node: number for row in rows for number, node in enumerate(row)}
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            near = above if down else below
            mean = {n: _mean([place[m] for m in near[n]], place[n]) for n in row}
            row.sort(key=mean.__getitem__)
            place |= {node: number for number, node in enumerate(row)}


def _columns(
    rows: list[list[int]], above: list[list[int]], below: list[list[int]], widths: list[float]
) -> list[float]:
    """Return the x of each box: near those that it is joined to, and apart from its neighbours."""
    x = [0.0] * len(widths)
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            near = above if down else below
            wanted = [_mean([x[m] for m in near[n]], x[n]) for n in row]
            steps = [0.0] + [(widths[a] + widths[b]) / 2 + GAP for a, b in pairwise(row)]
            rightward, leftward = [*wanted], [*wanted]
            for i in range(1, len(row)):
                rightward[i] = max(wanted[i], rightward[i - 1] + steps[i])
            for i in range(len(row) - 2, -1, -1):
                leftward[i] = min(wanted[i], leftward[i + 1] - steps[i + 1])
            for i, node in enumerate(row):
                x[node] = (rightward[i] + leftward[i]) / 2
    return x


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default
