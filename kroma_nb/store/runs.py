"""Runs and candidates, found again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kroma_nb.errors import RequestInvalid
from kroma_nb.model.project import ProjectStatus
from kroma_nb.model.rows import CandidateRow, RunRow
from kroma_nb.model.words import CandidateStatus, Gate, RunStatus, Stage, TimeOfDay, Weather
from kroma_nb.store.ids import moment
from kroma_nb.store.schema import (
    assets,
    cost_events,
    projects,
    quality_reports,
    run_candidates,
    run_jobs,
    run_notebooks,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_MEASURES = ("chroma_delta", "sharpness", "clipping", "noise", "contrast", "ink", "drawn", "fidelity")


def list_runs(
    rows: sa.Connection,
    project_id: str,
    *,
    after: str | None = None,
    limit: int | None = None,
    archived: bool = False,
) -> tuple[RunRow, ...]:
    """Give the runs of a project, newest first.

    Parameters
    ----------
    after : str, optional
        Only those that come after this run.
    limit : int, optional
        At most so many.
    archived : bool
        Also those that are put away.

    Raises
    ------
    RequestInvalid
        If the run that they should come after is not there.
    """
    spent = sa.select(sa.func.sum(cost_events.c.total_micro)).where(
        cost_events.c.run_id == runs.c.id, cost_events.c.currency == "USD"
    )
    wanted = (
        sa.select(runs, run_notebooks.c.name.label("notebook"), spent.scalar_subquery().label("cost"))
        .outerjoin(run_notebooks, run_notebooks.c.run_id == runs.c.id)
        .where(runs.c.project_id == project_id)
    )
    if not archived:
        wanted = wanted.where(runs.c.archived_at.is_(None))
    if after is not None:
        wanted = wanted.where(sa.tuple_(runs.c.created_at, runs.c.id) < _place_of(rows, project_id, after))
    wanted = wanted.order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
    return tuple(_run(row) for row in rows.execute(wanted))


def _place_of(rows: sa.Connection, project_id: str, run_id: str) -> sa.Tuple:
    place = rows.execute(
        sa.select(runs.c.created_at, runs.c.id).where(runs.c.project_id == project_id, runs.c.run_id == run_id)
    ).one_or_none()
    if place is None:
        problem = f"run {run_id} is not in the index, so nothing can come after it"
        raise RequestInvalid("request", "after", problem, "begin with the first page again")
    return sa.tuple_(sa.literal(place.created_at), sa.literal(place.id))


def _run(row: Any) -> RunRow:
    started, finished = moment(row.created_at), _moment(row.finished_at)
    return RunRow(
        run_id=row.run_id,
        status=RunStatus(row.status),
        stage=Stage(row.stage),
        time=TimeOfDay(row.time),
        weather=Weather(row.weather),
        gate=Gate(row.gate),
        provider=row.provider,
        model=row.model,
        seed=row.seed,
        max_chroma_delta=row.max_chroma_delta,
        paper=row.paper,
        ink=row.ink,
        jobs=row.jobs,
        winners=row.winners,
        pictures=row.pictures,
        size_bytes=row.size_bytes,
        created_at=started,
        finished_at=finished,
        seconds=(finished - started).total_seconds() if finished else None,
        cost_micro_usd=(row.cost or 0) + row.spent_micro,
        spend_limit_micro_usd=row.spend_limit_micro,
        resumed=row.resumed,
        failure_code=row.failure_code,
        kroma_nb=row.kroma_nb,
        python=row.python,
        platform=row.platform,
        imported_from=row.imported_from,
        notebook=row.notebook,
        archived=row.archived_at is not None,
        says=row.next_step,
    )


def list_cut_short(rows: sa.Connection) -> tuple[tuple[str, str], ...]:
    """Give project and id of every run that was cut short and is not put away, newest first."""
    wanted = (
        sa.select(projects.c.slug, runs.c.run_id)
        .join(projects, projects.c.id == runs.c.project_id)
        .where(
            runs.c.status == RunStatus.INTERRUPTED.value,
            runs.c.archived_at.is_(None),
            projects.c.status == ProjectStatus.ACTIVE.value,
        )
        .order_by(runs.c.created_at.desc(), runs.c.id.desc())
    )
    return tuple((slug, run_id) for slug, run_id in rows.execute(wanted))


def list_candidates(rows: sa.Connection, project_id: str) -> Iterator[CandidateRow]:
    """Give every candidate of a project's runs, oldest run first, in the order of its scenes."""
    wanted = (
        sa.select(
            runs.c.run_id.label("run_name"),
            runs.c.stage.label("run_stage"),
            *(run_jobs.c[name] for name in ("job_key", "name", "stage", "time", "weather", "prompt")),
            *(run_jobs.c[name] for name in ("scene_sha256", "selected_candidate")),
            *(column for column in run_candidates.c if column.name not in {"id", "job_id"}),
            *(quality_reports.c[name] for name in (*_MEASURES, "hard_reasons")),
            quality_reports.c.soft_warnings.label("warnings"),
            *(assets.c[name] for name in ("path", "sha256", "size_bytes", "width", "height")),
            *(run_jobs.c[name] for name in ("styles", "follows_run", "follows_job", "follows_candidate")),
        )
        .select_from(runs)
        .join(run_jobs, run_jobs.c.run_id == runs.c.id)
        .join(run_candidates, run_candidates.c.job_id == run_jobs.c.id)
        .outerjoin(quality_reports, quality_reports.c.candidate_id == run_candidates.c.id)
        .outerjoin(assets, (assets.c.candidate_id == run_candidates.c.id) & assets.c.is_last)
        .where(runs.c.project_id == project_id)
        .order_by(runs.c.created_at, runs.c.id, run_jobs.c.position, run_candidates.c.candidate_index)
    )
    return (_candidate(row) for row in rows.execute(wanted))


def _candidate(row: Any) -> CandidateRow:
    started, finished = _moment(row.started_at), _moment(row.finished_at)
    seeds = {Stage.TIME.value: row.seed_time, Stage.WEATHER.value: row.seed_weather}
    return CandidateRow(
        run_id=row.run_name,
        scene=row.name,
        job=row.job_key,
        stage=Stage(row.stage),
        time=TimeOfDay(row.time),
        weather=Weather(row.weather),
        candidate=row.candidate_index,
        status=CandidateStatus(row.status),
        winner=row.candidate_index == row.selected_candidate,
        position=row.position,
        quality=row.quality,
        **{name: getattr(row, name) for name in _MEASURES},
        reasons=tuple((row.hard_reasons or "").split()),
        warnings=tuple((row.warnings or "").split()),
        tied_with=tuple(int(index) for index in row.tied_with.split()),
        seed=seeds.get(row.run_stage, row.seed_style),
        seed_style=row.seed_style,
        seed_time=row.seed_time,
        seed_weather=row.seed_weather,
        width=row.width,
        height=row.height,
        output=row.path,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        scene_sha256=row.scene_sha256,
        prompt=row.prompt,
        provider=row.provider,
        model=row.model,
        started_at=started,
        seconds=(finished - started).total_seconds() if started and finished else None,
        styles=tuple(row.styles.split()),
        follows_run=row.follows_run,
        follows_job=row.follows_job,
        follows_candidate=row.follows_candidate,
        failure=row.failure_message or "",
        reused=row.reused,
        attempts=row.attempts,
        retry_of=row.retry_of,
        cost_micro_usd=row.spent_micro,
        request_id=row.request_id,
    )


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text is not None else None
