"""A view that is a table, as a page and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .page import bar, columns, note, page, table


@dataclass(frozen=True)
class View:
    """A title, a table, and notes below it: what the page says, the text says.

    Args:
        title: what is shown.
        head: what stands above the columns.
        rows: the cells, as texts.
        align: a letter for each column, l for left and r for right.
        notes: lines below.
        shares: a bar for each row, by which the page shows a share from 0 to 1; default: none.
        above: lines above the table; default: none.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str
    notes: Sequence[str] = ()
    shares: Sequence[float] = ()
    above: Sequence[str] = ()

    def text(self) -> str:
        """Return the view as text."""
        lines = columns(self.head, self.rows, self.align) if self.rows else []
        return "\n".join([self.title, *self.above, *lines, *self.notes])

    def html(self) -> str:
        """Return the view as a page."""
        head, rows, align = list(self.head), [list(row) for row in self.rows], self.align
        if self.shares:
            head, align = [*head, ""], f"{align}l"
            rows = [[*row, bar(share)] for row, share in zip(rows, self.shares, strict=True)]
        inside = [table(head, rows, align)] if rows else []
        return page(self.title, *map(note, self.above), *inside, *map(note, self.notes))

    def bundle(self) -> dict[str, str]:
        """Return both, as notebooks ask for them."""
        return {"text/plain": self.text(), "text/html": self.html()}
