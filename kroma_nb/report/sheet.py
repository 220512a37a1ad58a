"""The contact sheet: scenes as rows; their source and the candidates of every stage as columns, in one PNG."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from kroma_nb import images
from kroma_nb.model.words import CandidateStatus, Gate
from kroma_nb.report import phrases, spending
from kroma_nb.report.drawing import EDGE_PX, TITLE_HEIGHT_PX, Cell, Drawing, Grid, Row
from kroma_nb.report.journey import Journey, Take, as_logs, journeys, shown_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kroma_nb.model.runlog import CandidateRecord, RunLog

LARGEST_CELL_PX, SMALLEST_CELL_PX = 420, 150
SHEET_PIXELS = 20_000_000
MOST_COLUMNS = 13


def contact_sheet(log: RunLog | Sequence[RunLog], pictures: Callable[[str], bytes]) -> bytes:
    """Draw every candidate of a run beside its source.

    Parameters
    ----------
    log : RunLog, or sequence of RunLog
        One run, or a chain of runs in the order in which they were made.
    pictures : callable, str -> bytes
        Gives a stored file by its path relative to the project root. A file that it cannot give (`KromaError`,
        `OSError`, `LookupError`) or that is no picture leaves a named gap.

    Returns
    -------
    bytes
        A PNG, sRGB; the winner of each row is framed. Pictures are the smaller the more there are, down to 150
        pixels. A name that no font at hand can write is replaced by its job's id.

    Raises
    ------
    ValueError
        If there is no run.
    """
    logs = as_logs(log)
    rows = [_row(journey) for journey in journeys(logs)]
    drawing = Drawing.blank(_grid(rows, logs), rows, pictures)
    stages = " → ".join(phrases.of_run(entry) for entry in logs)
    reviewed = "not reviewed" if any(entry.gate is Gate.OFF for entry in logs) else ""
    spent = [f"spent {said}" for log in logs if (said := spending.spent(log))]
    drawing.title(logs[-1].project, logs[-1].run_id, " · ".join(filter(None, (stages, reviewed, *spent))))
    top = EDGE_PX + TITLE_HEIGHT_PX
    for row in rows:
        drawing.row(row, top)
        top += drawing.grid.row_height(row)
    return drawing.png()


def _row(journey: Journey) -> Row:
    takes = journey.takes
    job, source = takes[0].job, takes[0].source
    first = Cell(source.file.path if source else None, "Source", job.scene_ref)
    stages = " → ".join(_stage(take) for take in takes)
    cells = (_cell(take, candidate, named=len(takes) > 1) for take in takes for candidate in take.job.candidates)
    return Row(job.name, job.id, stages, (first, *cells))


def _stage(take: Take) -> str:
    return phrases.of_job(take.job)


def _cell(take: Take, candidate: CandidateRecord, *, named: bool) -> Cell:
    """Give a candidate's cell; its stage is named where several stand in one row."""
    file, rank = shown_file(candidate), candidate.rank
    done = candidate.status is CandidateStatus.DONE
    wins = candidate.candidate_index == take.job.selected_candidate
    tied = phrases.tie(rank)
    quality = f"quality {phrases.quality(candidate)}" if done else ""
    status = "" if done else phrases.CANDIDATE_STATUS[candidate.status]
    facts = ("winner" if wins else "", status, quality, tied[:1].lower() + tied[1:])
    index = f"c{candidate.candidate_index}"
    heads = (_stage(take) if named else "", index, phrases.standing(rank, take.job), *spending.in_short(candidate))
    return Cell(
        file.path if file else None,
        " · ".join(filter(None, heads)),
        ", ".join(filter(None, facts)),
        wins=wins,
        fails=not done,
    )


def _grid(rows: Sequence[Row], logs: Sequence[RunLog]) -> Grid:
    sizes = [(job.size.width, job.size.height) for log in logs for job in log.jobs if job.size]
    size = max(set(sizes), key=sizes.count) if sizes else (1, 1)
    # A panorama or a tower of pages would leave no room to write under its cells.
    aspect = min(2.5, max(0.4, size[0] / size[1]))
    columns = min(MOST_COLUMNS, max((len(row.cells) for row in rows), default=1))
    lines = sum(-(-len(row.cells) // columns) for row in rows)
    side = sqrt(SHEET_PIXELS / max(1, lines * columns) / min(aspect, 1 / aspect))
    side = int(min(LARGEST_CELL_PX, max(SMALLEST_CELL_PX, side)))
    width, height = images.fit((round(1000 * aspect), 1000), side)
    return Grid((max(width, SMALLEST_CELL_PX), height), columns)
