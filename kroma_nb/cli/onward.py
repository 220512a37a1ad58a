"""The commands that go on with a run, exactly as they are typed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.errors import BudgetExceeded, KromaError
from kroma_nb.model.words import CandidateStatus, JobStatus, RunStatus

if TYPE_CHECKING:
    from kroma_nb.model.runlog import RunLog
    from kroma_nb.workbench import Project, Run

OPEN = frozenset({RunStatus.INTERRUPTED, RunStatus.PARTIAL, RunStatus.FAILED})
"""How a run ends that can be gone on with."""
CUT_SHORT = frozenset({RunStatus.INTERRUPTED})
LOOKED_AT, NAMED = 60, 3


def next_commands(one: Run) -> tuple[str, ...]:
    """Give the commands that go on with a run; none where nothing is left of it."""
    from kroma_nb.batch.leading import command

    if one.status not in OPEN:
        return ()
    try:
        words = _words(one)
    except KromaError:
        return ()  # whoever tries it is told why it cannot go on
    return tuple(command(said, one.project) for said in words)


def _words(one: Run) -> list[str]:
    from kroma_nb.workbench.resuming import left_to_do

    left, log = left_to_do(one), one.log
    words = _budgets(log)
    if left.rest.turns or log.status is RunStatus.INTERRUPTED:
        words.append(f"resume {one.run_id}")
    if left.rest.in_doubt:
        words.append(f"resume {one.run_id} --pay-again")
    if left.rest.turns or left.rest.in_doubt:
        return words
    return words + [f"retry {one.run_id} {job.id}" for job in log.jobs if job.status is JobStatus.FAILED]


def _budgets(log: RunLog) -> list[str]:
    """Give the commands that raise a project's budget, where one stood in the way."""
    skipped = [c for job in log.jobs for c in job.candidates if c.status is CandidateStatus.SKIPPED_BUDGET]
    said = {c.failure.message for c in skipped if c.failure and c.failure.error_code == BudgetExceeded.error_code}
    a_run = any(message.startswith("the project's budget for a run") for message in said)
    a_month = any(message.startswith("the project's budget for 2") for message in said)
    return ["budget --per-run USD"] * a_run + ["budget --per-month USD"] * a_month


def unfinished(project: Project, *, beside: str = "", of: frozenset[RunStatus] = OPEN) -> tuple[str, ...]:
    """Give a sentence for each of the newest runs that are not whole, with the command that goes on with it.

    Parameters
    ----------
    project : Project
    beside : str
        The id of a run that is left out.
    of : frozenset of RunStatus
        What counts as not whole.
    """
    from kroma_nb.batch.leading import command

    rows = [row for row in project.runs.rows(limit=LOOKED_AT) if row.status in of and row.run_id != beside]
    return tuple(
        f"Run {row.run_id} is {row.status.value}: {command(f'resume {row.run_id}', project)}" for row in rows[:NAMED]
    )
