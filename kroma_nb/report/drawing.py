"""The drawing of a contact sheet: cells, frames and what is written under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from kroma_nb import images
from kroma_nb.errors import KromaError
from kroma_nb.report.lettering import Font, cut, fonts, label
from kroma_nb.report.previews import Gap, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GROUND, MAT, TEXT, SOFT = (32, 32, 32), (45, 45, 45), (236, 236, 233), (180, 180, 176)
ACCENT, BAD = (230, 189, 85), (242, 154, 143)
EDGE_PX, GAP_PX, FRAME_PX = 32, 20, 4
TEXT_PX, HEAD_PX, LEADING_PX = 15, 20, 21
TITLE_HEIGHT_PX, HEAD_HEIGHT_PX, LABEL_HEIGHT_PX = 80, 40, 2 * LEADING_PX + 10

Ink = tuple[int, int, int]
Corner = tuple[int, int]


@dataclass(frozen=True)
class Cell:
    """One place of the sheet: a file to show and what is written under it."""

    path: str | None
    first: str
    second: str
    wins: bool = False
    fails: bool = False


@dataclass(frozen=True)
class Row:
    """One job: its name and its cells."""

    name: str
    job_id: str
    stage: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Grid:
    """Where everything is on the sheet, in pixels."""

    cell: tuple[int, int]
    columns: int

    def lines(self, row: Row) -> int:
        """Count the lines of cells that a row takes."""
        return max(1, -(-len(row.cells) // self.columns))

    def row_height(self, row: Row) -> int:
        """Give the height of a row with its heading."""
        return HEAD_HEIGHT_PX + self.lines(row) * self.line_height

    @property
    def line_height(self) -> int:
        """Give the height of one line of cells with what is written under them."""
        return self.cell[1] + LABEL_HEIGHT_PX + GAP_PX

    @property
    def width(self) -> int:
        """Give the width of the sheet."""
        return 2 * EDGE_PX + self.columns * (self.cell[0] + GAP_PX) - GAP_PX


@dataclass(frozen=True)
class Drawing:
    """A sheet that is being drawn."""

    sheet: Image.Image
    grid: Grid
    pictures: Callable[[str], bytes]

    @classmethod
    def blank(cls, grid: Grid, rows: Sequence[Row], pictures: Callable[[str], bytes]) -> Drawing:
        """Give an empty sheet that has room for the rows."""
        height = 2 * EDGE_PX - GAP_PX + TITLE_HEIGHT_PX + sum(grid.row_height(row) for row in rows)
        return cls(Image.new("RGB", (grid.width, height), GROUND), grid, pictures)

    @property
    def pen(self) -> ImageDraw.ImageDraw:
        """Give what draws on the sheet."""
        return ImageDraw.Draw(self.sheet)

    def png(self) -> bytes:
        """Give the sheet as a file."""
        return images.encode_png(np.asarray(self.sheet))

    def title(self, name: str, fallback: str, under: str) -> None:
        """Write what the sheet shows, above its rows."""
        width = self.grid.width - 2 * EDGE_PX
        self._write((EDGE_PX, EDGE_PX), label(name, fallback, HEAD_PX), TEXT, width)
        self._write((EDGE_PX, EDGE_PX + 28), (under, fonts(TEXT_PX)[0]), SOFT, width)

    def row(self, row: Row, top: int) -> None:
        """Draw one job's row."""
        width = self.grid.width - 2 * EDGE_PX
        used = self._write((EDGE_PX, top), label(row.name, row.job_id, HEAD_PX), TEXT, width * 2 // 3) + 14
        self._write((EDGE_PX + used, top + 4), (row.stage, fonts(TEXT_PX)[0]), SOFT, width - used)
        for place, cell in enumerate(row.cells):
            line, column = divmod(place, self.grid.columns)
            left = EDGE_PX + column * (self.grid.cell[0] + GAP_PX)
            self._cell(cell, (left, top + HEAD_HEIGHT_PX - 6 + line * self.grid.line_height))

    def _cell(self, cell: Cell, corner: Corner) -> None:
        (left, top), (width, height) = corner, self.grid.cell
        self.pen.rectangle((left, top, left + width - 1, top + height - 1), fill=MAT)
        picture = _small(self.pictures, cell.path, self.grid.cell)
        if isinstance(picture, Gap):
            self._explain(picture, corner)
        else:
            self.sheet.paste(picture, (left + (width - picture.width) // 2, top + (height - picture.height) // 2))
        self._frame(cell, corner)
        for number, text in enumerate((cell.first, cell.second)):
            color = BAD if cell.fails else (TEXT, SOFT)[number]
            self._write((left, top + height + 8 + number * LEADING_PX), label(text, " ", TEXT_PX), color, width)

    def _frame(self, cell: Cell, corner: Corner) -> None:
        thickness = FRAME_PX if cell.wins else int(cell.fails)
        if thickness:
            (left, top), (width, height) = corner, self.grid.cell
            box = (left - thickness, top - thickness, left + width - 1 + thickness, top + height - 1 + thickness)
            self.pen.rectangle(box, outline=ACCENT if cell.wins else BAD, width=thickness)

    def _explain(self, gap: Gap, corner: Corner) -> None:
        lines = filter(None, ("no picture", gap.path.rsplit("/", 1)[-1], gap.cause))
        for number, text in enumerate(lines):
            place = (corner[0] + 10, corner[1] + 10 + number * LEADING_PX)
            self._write(place, label(text, " ", TEXT_PX), SOFT, self.grid.cell[0] - 20)

    def _write(self, corner: Corner, lettered: tuple[str, Font], color: Ink, width_px: int) -> int:
        text, font = lettered
        shortened = cut(self.pen, text, font, width_px)
        self.pen.text(corner, shortened, font=font, fill=color)
        return int(self.pen.textlength(shortened, font=font))


def _small(pictures: Callable[[str], bytes], path: str | None, size: tuple[int, int]) -> Image.Image | Gap:
    if path is None:
        return Gap("", "")
    data = read(pictures, path)
    if isinstance(data, Gap):
        return data
    try:
        picture = images.load(data, name=path)
    except KromaError as error:
        return Gap(path, str(error))
    height, width = picture.shape[:2]
    share = min(size[0] / width, size[1] / height)
    fitted = (max(1, int(width * share)), max(1, int(height * share)))
    return Image.fromarray(images.as_rgb(images.resize(picture, fitted), ground=MAT))
