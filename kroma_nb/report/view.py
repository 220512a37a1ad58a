"""A small table with a title and notes: plain for a terminal, HTML for a notebook."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kroma_nb.report.elements import Element, Inline, coded, el, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDEST = 60
MOST_ROWS = 60
SHORT = 20
"""Words of cells with so few signs are not broken for the sake of longer ones."""

# Colours come from the notebook's own theme, with a plain one where there is none.
_STYLE = """
.kroma{font:13px/1.45 system-ui,sans-serif;color:var(--jp-content-font-color1,inherit);max-width:100%;overflow-x:auto}
.kroma h4{margin:.2em 0 .4em;font-size:14px}
.kroma.kroma table{border-collapse:collapse;margin:0 0 .5em}
.kroma.kroma th,.kroma.kroma td{padding:.3em 1.2em .3em 0;text-align:left;vertical-align:top;border:0;background:none;
max-width:44em;overflow-wrap:anywhere}
.kroma.kroma th{font-weight:600;border-bottom:1px solid var(--jp-border-color1,#8888);overflow-wrap:normal}
.kroma.kroma td.s,.kroma.kroma td.n{overflow-wrap:normal}
.kroma.kroma td.n{text-align:right;font-variant-numeric:tabular-nums}
.kroma img{max-height:480px;width:auto;background:#fff;border:1px solid var(--jp-border-color1,#8886)}
.kroma p{margin:.2em 0;color:var(--jp-content-font-color2,inherit)}
"""


@dataclass(frozen=True, slots=True)
class View:
    """What a handle shows of itself.

    Attributes
    ----------
    title : str
    columns : tuple of str
    rows : tuple of tuple of str
    notes : tuple of str
        Whole sentences below the table.
    """

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

    def short(self, rows: int = MOST_ROWS) -> View:
        """Leave out what is too long to look at, saying how much that is, and columns in which nothing stands."""
        left = len(self.rows) - rows
        more = (f"… and {left:,} more.",) if left > 0 else ()
        told = [place for place in range(len(self.columns)) if not self.rows or any(row[place] for row in self.rows)]
        if not self.columns or len(told) == len(self.columns):
            return replace(self, rows=self.rows[:rows], notes=(*more, *self.notes))
        columns = tuple(self.columns[place] for place in told)
        shown = tuple(tuple(row[place] for place in told) for row in self.rows[:rows])
        return replace(self, columns=columns, rows=shown, notes=(*more, *self.notes))

    def text(self) -> str:
        """Give it for a terminal, in columns."""
        view = self.short()
        lines = [view.columns, *view.rows] if view.columns else list(view.rows)
        table = _aligned([[_cut(cell) for cell in line] for line in lines])
        return "\n".join([view.title, *(f"  {line}" for line in table), *view.notes])

    def html(self, *more: Element) -> str:
        """Give it for a notebook, every cell as text; more elements follow the table."""
        view = self.short()
        return str(
            el(
                "div",
                Inline("style", _STYLE),
                el("h4", el("bdi", view.title)),
                view.table() if view.rows else None,
                *more,
                *(el("p", *coded(note)) for note in view.notes),
                class_="kroma",
            )
        )

    def table(self) -> Element:
        """Give the rows alone, every cell as text, in the style of the element that holds them."""
        head = [el("thead", el("tr", *(el("th", name) for name in self.columns)))] if self.columns else []
        numbers = [all(map(_is_number, column)) for column in zip(*self.rows, strict=True)] if self.columns else []
        return el("table", *head, el("tbody", *(el("tr", *_cells(row, numbers)) for row in self.rows)))


def _cells(row: tuple[str, ...], numbers: list[bool]) -> list[Element]:
    aligned = numbers or [False] * len(row)
    kinds = ("n" if n else "s" if len(text) <= SHORT else None for text, n in zip(row, aligned, strict=True))
    return [el("td", el("bdi", text), class_=kind) for text, kind in zip(row, kinds, strict=True)]


def _is_number(text: str) -> bool:
    return text.removeprefix("$").replace(",", "").replace(".", "").isdigit()


def _cut(text: str) -> str:
    plain = readable(text).replace("\n", " ")
    # What tells two long texts apart stands at their ends: a path's file name, a sentence's way out.
    half = (WIDEST - 1) // 2
    return plain if len(plain) <= WIDEST else f"{plain[:half]}…{plain[-half:]}"


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    if not lines:
        return []
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
