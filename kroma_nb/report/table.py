"""Runs and plans as rows, for a data frame: every number that a gallery shows, under a name of its own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from kroma_nb.model.value import Value
from kroma_nb.model.words import CandidateStatus, Stage, TimeOfDay, Weather
from kroma_nb.report.journey import shown_file

if TYPE_CHECKING:
    from kroma_nb.model.plan import Plan
    from kroma_nb.model.quality import FileReport
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog


class RunRow(Value):
    """One candidate of one job; ``docs/tables.md`` says what each field means and where the gallery shows it.

    Attributes
    ----------
    position : int
        1 is the winner; 0 stands outside the ranking.
    quality : float, 0 to 1, or None
        None where the picture was never measured.
    tied_with : tuple of int
        Candidates that cannot be told apart from this one.
    seed : int or None
        The one that the run's stage varies; the three below are all that the picture was drawn with.
    output : str or None
        The last picture that the candidate reached, relative to the project root.
    seconds : float or None
        How long it took, from start to judgement.
    failure : str
        What went wrong, as a sentence; empty for a candidate that is done.
    """

    run_id: str
    scene: str
    job: str
    stage: Stage
    time: TimeOfDay
    weather: Weather
    candidate: int
    status: CandidateStatus
    winner: bool
    position: int
    quality: float | None
    chroma_delta: float | None
    sharpness: float | None
    clipping: float | None
    noise: float | None
    contrast: float | None
    ink: float | None
    drawn: float | None
    fidelity: float | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    tied_with: tuple[int, ...]
    seed: int | None
    seed_style: int | None
    seed_time: int | None
    seed_weather: int | None
    width: int | None
    height: int | None
    output: str | None
    sha256: str | None
    size_bytes: int | None
    scene_sha256: str | None
    prompt: str
    provider: str
    model: str
    started_at: datetime | None
    seconds: float | None
    follows_run: str | None
    failure: str


_MEASURES = ("sharpness", "clipping", "noise", "contrast", "ink", "drawn", "fidelity")


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
    return tuple(run_row(log, job, candidate) for job in log.jobs for candidate in job.candidates)


def run_row(log: RunLog, job: JobRecord, candidate: CandidateRecord) -> RunRow:
    """Give one candidate as a row."""
    seeds, file = candidate.seeds, shown_file(candidate)
    return RunRow(
        run_id=log.run_id,
        scene=job.name,
        job=job.id,
        stage=job.mode,
        time=job.time,
        weather=job.weather,
        candidate=candidate.candidate_index,
        status=candidate.status,
        winner=candidate.candidate_index == job.selected_candidate,
        position=candidate.rank.position,
        **_measured(candidate.output_guard, candidate.rank.quality),
        tied_with=candidate.rank.tied_with,
        seed=seeds.of(log.stage) if seeds else None,
        seed_style=seeds.style if seeds else None,
        seed_time=seeds.time if seeds else None,
        seed_weather=seeds.weather if seeds else None,
        output=file.path if file else None,
        sha256=file.sha256 if file else None,
        size_bytes=file.size_bytes if file else None,
        scene_sha256=job.scene_sha256,
        prompt=job.prompt,
        provider=candidate.provider,
        model=candidate.model,
        started_at=candidate.started_at,
        seconds=_seconds(candidate),
        follows_run=job.follows.run_id if job.follows else None,
        failure=candidate.failure.message if candidate.failure else "",
    )


def _measured(guard: FileReport | None, quality: float) -> dict[str, Any]:
    measures = guard.measures if guard else None
    return {
        "quality": quality if measures else None,
        "chroma_delta": guard.chroma_delta if guard else None,
        "reasons": tuple(reason.value for reason in guard.hard_fail_reasons) if guard else (),
        "warnings": tuple(warning.value for warning in guard.soft_warnings) if guard else (),
        "width": measures.width if measures else None,
        "height": measures.height if measures else None,
        **{name: getattr(measures, name) if measures else None for name in _MEASURES},
    }


def _seconds(candidate: CandidateRecord) -> float | None:
    if candidate.started_at is None or candidate.finished_at is None:
        return None
    return (candidate.finished_at - candidate.started_at).total_seconds()


class PlanRow(Value):
    """One candidate before it is made."""

    scene: str
    job: str
    stage: Stage
    candidate: int
    width: int
    height: int
    seed_style: int
    seed_time: int
    seed_weather: int
    scene_sha256: str
    prompt: str
    follows_run: str | None


def plan_table(plan: Plan) -> tuple[PlanRow, ...]:
    """Give a plan's candidates as rows, in the order of its jobs."""
    return tuple(
        PlanRow(
            scene=job.name,
            job=job.id,
            stage=job.mode,
            candidate=candidate.index,
            width=job.size.width,
            height=job.size.height,
            seed_style=candidate.seeds.style,
            seed_time=candidate.seeds.time,
            seed_weather=candidate.seeds.weather,
            scene_sha256=job.scene.sha256,
            prompt=job.prompt,
            follows_run=job.follows.run_id if job.follows else None,
        )
        for job in plan.jobs
        for candidate in job.candidates
    )
