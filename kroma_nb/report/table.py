"""Runs and plans as rows, for a data frame: every number that a gallery shows, under a name of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kroma_nb.model.rows import CandidateRow, PlanRow
from kroma_nb.report.journey import shown_file

if TYPE_CHECKING:
    from kroma_nb.model.plan import Plan
    from kroma_nb.model.quality import FileReport
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog


_MEASURES = ("sharpness", "clipping", "noise", "contrast", "ink", "drawn", "fidelity")


def run_table(log: RunLog) -> tuple[CandidateRow, ...]:
    """Give a run's candidates as rows, jobs and candidates in the order of the log.

    Parameters
    ----------
    log : RunLog

    Returns
    -------
    tuple of CandidateRow
        ``[row.model_dump() for row in run_table(log)]`` is what a pandas DataFrame takes.
    """
    return tuple(candidate_row(log, job, candidate) for job in log.jobs for candidate in job.candidates)


def candidate_row(log: RunLog, job: JobRecord, candidate: CandidateRecord) -> CandidateRow:
    """Give one candidate as a row."""
    seeds, file = candidate.seeds, shown_file(candidate)
    width, height = _size(candidate)
    return CandidateRow(
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
        quality=candidate.quality,
        **_measured(candidate.output_guard),
        tied_with=candidate.rank.tied_with,
        seed=seeds.of(log.stage) if seeds else None,
        seed_style=seeds.style if seeds else None,
        seed_time=seeds.time if seeds else None,
        seed_weather=seeds.weather if seeds else None,
        width=width,
        height=height,
        output=file.path if file else None,
        sha256=file.sha256 if file else None,
        size_bytes=file.size_bytes if file else None,
        scene_sha256=job.scene_sha256,
        prompt=job.prompt,
        provider=candidate.provider,
        model=candidate.model,
        started_at=candidate.started_at,
        seconds=_seconds(candidate),
        styles=log.styles_of(job),
        follows_run=job.follows.run_id if job.follows else None,
        follows_job=job.follows.job_id if job.follows else None,
        follows_candidate=job.follows.candidate if job.follows else None,
        failure=candidate.failure.message if candidate.failure else "",
        reused=candidate.reused,
        attempts=len(candidate.earlier) + 1,
        retry_of=candidate.retry_of,
        cost_micro_usd=candidate.spent.micro_usd,
        request_id=candidate.request,
    )


def _measured(guard: FileReport | None) -> dict[str, Any]:
    measures = guard.measures if guard else None
    return {
        "chroma_delta": guard.chroma_delta if guard else None,
        "reasons": tuple(reason.value for reason in guard.hard_fail_reasons) if guard else (),
        "warnings": tuple(warning.value for warning in guard.soft_warnings) if guard else (),
        **{name: getattr(measures, name) if measures else None for name in _MEASURES},
    }


def _size(candidate: CandidateRecord) -> tuple[int | None, int | None]:
    last = candidate.passes[-1] if candidate.passes else None
    measures = candidate.output_guard.measures if candidate.output_guard else None
    if last is not None and last.width is None and measures is not None:
        return measures.width, measures.height
    return (last.width, last.height) if last else (None, None)


def _seconds(candidate: CandidateRecord) -> float | None:
    if candidate.started_at is None or candidate.finished_at is None:
        return None
    return (candidate.finished_at - candidate.started_at).total_seconds()


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
