"""Boxes and arrows of a picture of a model."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from ..models.diagram import Box, Diagram
from ..models.layout import Point, lay_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FONT = 9.0  # points, as all sizes in pictures of models
MARGIN = 6.0
INK = "#445566"


class Drawing:
    """Draws diagrams, one inside of a box of another."""

    def __init__(self, axes: Axes, lines_of: Callable[[Box], list[str]], direction: str) -> None:
        self.axes, self.lines_of = axes, lines_of
        self.sideways, self.reverse = direction in ("LR", "RL"), direction in ("BT", "RL")

    def measure(self, lines: list[str]) -> Point:
        """Return the size of a box with these lines."""
        from matplotlib.textpath import TextPath

        widths = [TextPath((0, 0), line.replace("$", r"\$"), size=FONT).get_extents().width for line in lines]
        return 1.05 * max(widths) + 2 * MARGIN, len(lines) * FONT * 1.35 + 2 * MARGIN

    def turned(self, point: Point) -> Point:
        """Return a point, or a size, with its axes swapped if the arrows go sideways."""
        return point[::-1] if self.sideways else point

    def sizes(self, diagram: Diagram) -> list[Point]:
        """Return the sizes of the boxes."""
        found = []
        for box in diagram.boxes:
            width, height = self.measure(self.lines_of(box))
            if box.inner is not None:
                inner = self.turned(lay_out([*map(self.turned, self.sizes(box.inner))], box.inner.edges).size)
                width, height = max(width, inner[0] + 2 * MARGIN), height + inner[1] + MARGIN
            found.append((width, height))
        return found

    def draw(self, diagram: Diagram, left: float = 0.0, top: float = 0.0, depth: int = 0) -> Point:
        """Draw a diagram, and return its width and height."""
        from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
        from matplotlib.path import Path as Route

        sizes = self.sizes(diagram)
        layout = lay_out([*map(self.turned, sizes)], diagram.edges)

        def placed(point: Point) -> Point:
            x, y = self.turned((point[0], layout.size[1] - point[1] if self.reverse else point[1]))
            return left + x, top + y

        for box, (width, height), centre in zip(diagram.boxes, sizes, layout.centres, strict=True):
            x, y = placed(centre)
            lines = self.lines_of(box)
            colour = "#f4f4f4" if not box.layer.parameters else "#dce9f7"
            frame = FancyBboxPatch(
                (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=3",
                facecolor="none" if box.inner else colour, edgecolor=INK, linewidth=0.8,
                linestyle="--" if box.inner else "-", zorder=2 * depth + 1,
            )  # fmt: skip
            self.axes.add_patch(frame)
            text_top = y - height / 2 + MARGIN
            for number, line in enumerate(lines):
                self.axes.text(
                    x, text_top + (number + 0.5) * FONT * 1.35, line, size=FONT, parse_math=False,
                    ha="center", va="center", color="black" if number == 0 else INK, zorder=99,
                )  # fmt: skip
            if box.inner:
                inner = self.turned(lay_out([*map(self.turned, self.sizes(box.inner))], box.inner.edges).size)
                self.draw(box.inner, x - inner[0] / 2, y + height / 2 - MARGIN - inner[1], depth + 1)
        for route in layout.routes:
            points, codes = [placed(route[0])], [Route.MOVETO]
            for number, (start, end) in enumerate(pairwise(route)):
                middle = (start[1] + end[1]) / 2
                bend = [(start[0], middle), (end[0], middle), end] if number % 2 else [end]
                points += map(placed, bend)
                codes += [Route.CURVE4] * 3 if number % 2 else [Route.LINETO]
            arrow = PathPatch(Route(points, codes), facecolor="none", edgecolor=INK, linewidth=0.9)
            x, y = route[-1]
            tip = Polygon([placed((x + side, y - up)) for side, up in ((0, 0), (-2, 5), (2, 5))], color=INK)
            for patch in (arrow, tip):
                patch.set_zorder(2 * depth + 2)
                self.axes.add_patch(patch)
        return self.turned(layout.size)
