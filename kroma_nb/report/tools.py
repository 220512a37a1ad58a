"""What the tools for single files have done, as a table: one row a file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb.model.printing import PrintSize
from kroma_nb.model.quality import HardReason, SoftWarning
from kroma_nb.model.tools import FileState, PrintRow, Tool
from kroma_nb.model.value import Value
from kroma_nb.report.phrases import counted, sentence
from kroma_nb.report.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kroma_nb.model.quality import FileReport, GuardReport
    from kroma_nb.model.tools import ToolRow

_DID = {
    Tool.BGREMOVE: "Cut out",
    Tool.UPSCALE: "Enlarged",
    Tool.COLOR: "Coloured",
    Tool.QA: "Judged",
    Tool.PRINT: "Prepared for print",
}
_COLUMNS = ("from", "to", "by", "before", "after", "guard", "")
_PRINT_COLUMNS = ("from", "to", "pixels", "on paper", "dpi", "as", "")
_STATE = {FileState.FAILED: "failed", FileState.LEFT: "not begun"}
NAMED = 5
"""How many files that were left out are named."""


class JudgedRow(Value):
    """The guard's word on one file, flat; ``docs/quality.md`` says what each measure is.

    Attributes
    ----------
    reasons, warnings : tuple
        Hard and soft.
    """

    file: str
    quality: float
    reasons: tuple[HardReason, ...]
    warnings: tuple[SoftWarning, ...]
    chroma_delta: float | None
    grayscale_like: bool | None
    width: int | None
    height: int | None
    sharpness: float | None
    clipping: float | None
    noise: float | None
    contrast: float | None
    ink: float | None
    drawn: float | None
    error: str


def judged_table(report: GuardReport) -> tuple[JudgedRow, ...]:
    """Give the guard's word on several files as rows."""
    return tuple(_judged(one) for one in report.files)


def _judged(one: FileReport) -> JudgedRow:
    names = ("width", "height", "sharpness", "clipping", "noise", "contrast", "ink", "drawn")
    return JudgedRow(
        file=one.file,
        quality=one.quality,
        reasons=one.hard_fail_reasons,
        warnings=one.soft_warnings,
        chroma_delta=one.chroma_delta,
        grayscale_like=one.grayscale_like,
        error=one.error or "",
        **{name: getattr(one.measures, name, None) for name in names},
    )


def tool_view(tool: Tool, rows: Sequence[ToolRow], left_out: Sequence[str] = ()) -> View:
    """Show what a tool has done, or would do.

    Parameters
    ----------
    tool : Tool
    rows : sequence of ToolRow
    left_out : sequence of str
        Paths that were passed over.
    """
    start = _folder_of([row.source for row in rows])
    end = _folder_of([row.target for row in rows if row.target])
    by = {row.backend for row in rows if row.backend}
    title = _title(tool, rows, f" by {next(iter(by))}" if len(by) == 1 else "")
    notes = (f"From {start} into {end}.", *_notes(rows), *_left(left_out))
    if tool is Tool.PRINT:
        return View(title, _PRINT_COLUMNS, tuple(_print_row(row, start, end) for row in rows), notes)
    return View(title, _COLUMNS, tuple(_row(row, start, end, one_backend=len(by) == 1) for row in rows), notes)


def judged_view(report: GuardReport, left: int = 0, left_out: Sequence[str] = ()) -> View:
    """Show the guard's word on several files.

    Parameters
    ----------
    left : int
        Files that nobody came to look at.
    """
    columns = ("file", "quality", "chroma", "reasons", "warnings")
    rows = tuple(
        (
            row.file,
            "" if row.error else f"{row.quality:.2f}",
            "" if row.chroma_delta is None else f"{row.chroma_delta:.2f}",
            ", ".join(row.reasons),
            ", ".join(row.warnings),
        )
        for row in judged_table(report)
    )
    said = report.summary
    title = f"{_DID[Tool.QA]} {counted(said.total_files, 'file')} of {report.input}"
    counts = f"{said.hard_failures:,} with a reason not to be used, {said.soft_warnings:,} with a warning."
    errors = (row.error for row in judged_table(report) if row.error)
    stopped = (f"Stopped: {counted(left, 'file')} not looked at.",) if left else ()
    return View(title, columns, rows, (counts, *errors, *stopped, *_left(left_out)))


def _title(tool: Tool, rows: Sequence[ToolRow], by: str) -> str:
    count = Counter(row.state for row in rows)
    if count[FileState.PLANNED]:
        whole = f"{_DID[tool]} would be {count[FileState.PLANNED]:,} of {counted(len(rows), 'file')}"
    else:
        whole = f"{_DID[tool]} {count[FileState.DONE]:,} of {counted(len(rows), 'file')}"
    failed = f", {count[FileState.FAILED]:,} failed" if count[FileState.FAILED] else ""
    left = f", {count[FileState.LEFT]:,} not begun" if count[FileState.LEFT] else ""
    return f"{whole}{by}{failed}{left}"


def _row(row: ToolRow, start: Path, end: Path, *, one_backend: bool) -> tuple[str, ...]:
    return (
        *_names(row, start, end),
        "" if one_backend else row.backend,
        _size(row.width_before, row.height_before),
        _size(row.width, row.height),
        ", ".join((*row.reasons, *row.warnings)) or ("ok" if row.state is FileState.DONE else ""),
        _STATE.get(row.state, ""),
    )


def _print_row(row: ToolRow, start: Path, end: Path) -> tuple[str, ...]:
    state = _STATE.get(row.state, "")
    if not isinstance(row, PrintRow) or row.dpi is None or row.width_cm is None or row.height_cm is None:
        return (*_names(row, start, end), *[""] * 4, state)
    size = str(PrintSize(width_cm=row.width_cm, height_cm=row.height_cm))
    dpi = f"{row.dpi:.1f}".removesuffix(".0")
    held = f"{row.bits}-bit {row.profile}".strip()
    return (*_names(row, start, end), _size(row.width, row.height), size, dpi, held, state)


def _names(row: ToolRow, start: Path, end: Path) -> tuple[str, str]:
    target = Path(row.target).relative_to(end).as_posix() if row.target else ""
    return Path(row.source).relative_to(start).as_posix(), target


def _notes(rows: Sequence[ToolRow]) -> Iterator[str]:
    yield from (row.error for row in rows if row.error)
    fell = Counter((row.backend, one.backend, one.says) for row in rows if row.backend for one in row.tries)
    for (backend, before, says), times in sorted(fell.items()):
        said = says.removeprefix(f"{before}: ")
        yield sentence(f"{counted(times, 'file')} by {backend}, as {before} gave nothing: {said}")
    for note, times in sorted(Counter(note for row in rows for note in _said(row)).items()):
        yield f"{counted(times, 'file')}: {note}"
    places = sorted({str(Path(row.replaced).parent) for row in rows if row.replaced})
    for place in places:
        times = sum(row.replaced is not None and str(Path(row.replaced).parent) == place for row in rows)
        yield f"{counted(times, 'file')} that stood there before: now in {place}."


def _said(row: ToolRow) -> tuple[str, ...]:
    return (*row.notes, *row.cautions) if isinstance(row, PrintRow) else row.notes


def _left(left_out: Sequence[str]) -> Iterator[str]:
    if left_out:
        more = f" and {len(left_out) - NAMED:,} more" if len(left_out) > NAMED else ""
        yield f"Left out, as links, archives or results of before: {', '.join(left_out[:NAMED])}{more}."


def _folder_of(paths: Sequence[str]) -> Path:
    """Find the nearest folder that all files lie in."""
    first, *_ = folders = [Path(path).parent for path in paths]
    return next(folder for folder in (first, *first.parents) if all(one.is_relative_to(folder) for one in folders))


def _size(width: int | None, height: int | None) -> str:
    return "" if width is None else f"{width} × {height}"
