"""A run as rows, for a terminal or a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb.model.quality import HardReason, SoftWarning
from kroma_nb.model.value import Value
from kroma_nb.model.words import CandidateStatus
from kroma_nb.report.journey import shown_file

if TYPE_CHECKING:
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog


class RunRow(Value):
    """One candidate of one job.

    Attributes
    ----------
    position : int
        1 is the winner; 0 stands outside the ranking.
    quality : float, 0 to 1, or None
        None for a picture that was never measured.
    tied_with : tuple of int
        Candidates that cannot be told apart from this one.
    seed : int or None
        The seed that the run's stage varies; None in an imported run.
    output : str or None
        The last picture that the candidate reached, relative to the project root.
    failure : str
        What went wrong, as a sentence; empty for a candidate that is done.
    """

    scene: str
    job: str
    candidate: int
    status: CandidateStatus
    position: int
    quality: float | None
    reasons: tuple[HardReason, ...]
    warnings: tuple[SoftWarning, ...]
    tied_with: tuple[int, ...]
    seed: int | None
    output: str | None
    failure: str


def run_table(log: RunLog) -> tuple[RunRow, ...]:
    """Give a run's candidates as rows, jobs and candidates in the order of the log.

    Parameters
    ----------
    log : RunLog

    Returns
    -------
    tuple of RunRow
        ``[row.model_dump() for row in run_table(log)]`` is what a pandas DataFrame takes.
    """
    return tuple(_row(log, job, candidate) for job in log.jobs for candidate in job.candidates)


def _row(log: RunLog, job: JobRecord, candidate: CandidateRecord) -> RunRow:
    report, file = candidate.output_guard, shown_file(candidate)
    return RunRow(
        scene=job.name,
        job=job.id,
        candidate=candidate.candidate_index,
        status=candidate.status,
        position=candidate.rank.position,
        quality=candidate.quality,
        reasons=report.hard_fail_reasons if report else (),
        warnings=report.soft_warnings if report else (),
        tied_with=candidate.rank.tied_with,
        seed=candidate.seeds.of(log.stage) if candidate.seeds else None,
        output=file.path if file else None,
        failure=candidate.failure.message if candidate.failure else "",
    )
