"""A run's record as rows, built job by job and written in batches."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError

from kroma_nb.errors import RecordInvalid
from kroma_nb.model.asset import AssetKind
from kroma_nb.store import schema
from kroma_nb.store.ids import named, run_key, stamp
from kroma_nb.store.linking import link_run
from kroma_nb.store.rows import Writing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kroma_nb.model.notebook import NotebookRecord
    from kroma_nb.model.runlog import JobRecord, RunLog

# Rows wait until there are this many jobs: long enough for executemany, short enough for any run to fit in memory.
BATCH_JOBS = 256


@dataclass(frozen=True)
class Beside:
    """What is known of a run beside its record.

    Attributes
    ----------
    seen : str
        What its files looked like when they were read.
    archived_at : datetime or None
        When it was put away.
    notebook : NotebookRecord or None
        The notebook that made it.
    """

    seen: str = ""
    archived_at: datetime | None = None
    notebook: NotebookRecord | None = None


def put_run(rows: sa.Connection, project_id: str, head: RunLog, jobs: Iterable[JobRecord], beside: Beside) -> str:
    """Write a run in place of what was known of it, and give its id.

    The same record always gives the same rows, ids and times included, whatever stood there before.

    Parameters
    ----------
    rows : Connection
        In a write transaction.
    project_id : str
        A project that is there.
    head : RunLog
        Everything but the jobs.
    jobs : iterable of JobRecord
        Read one after the other.
    beside : Beside
        What is known of the run beside its record.

    Raises
    ------
    RecordInvalid
        If the record contradicts itself; then nothing of the run is written.
    """
    try:
        with rows.begin_nested():
            return _put_run(Writing(rows, project_id, head), jobs, beside)
    except (IntegrityError, OverflowError) as cause:
        said = cause.orig if isinstance(cause, IntegrityError) else cause
        problem = f"the record of run {head.run_id} contradicts itself: {said}"
        raise RecordInvalid(head.run_id, "", problem, "restore the run's files from a copy") from cause


def _put_run(writing: Writing, jobs: Iterable[JobRecord], beside: Beside) -> str:
    rows, project_id, head = writing.rows, writing.project_id, writing.head
    drop_run(rows, project_id, head.run_id)
    archived_at = stamp(beside.archived_at) if beside.archived_at else None
    rows.execute(sa.insert(schema.runs), _run_row(writing) | {"archived_at": archived_at})
    rows.execute(sa.insert(schema.run_files), {"run_id": writing.run, "seen": beside.seen})
    if beside.notebook is not None:
        rows.execute(sa.insert(schema.run_notebooks), _notebook_row(writing.run, beside.notebook))
    _put_inputs(writing)
    for position, job in enumerate(jobs):
        writing.add_job(job, position)
        if (position + 1) % BATCH_JOBS == 0:
            writing.flush()
    writing.flush()
    _put_costs(writing)
    counted = {name: getattr(writing, name) for name in ("jobs", "winners", "pictures", "size_bytes")}
    rows.execute(sa.update(schema.runs).where(schema.runs.c.id == writing.run).values(counted))
    link_run(rows, writing.run)
    return writing.run


def drop_run(rows: sa.Connection, project_id: str, run_id: str) -> bool:
    """Remove a run's rows, and the inputs that no other run has read; tell whether there was one."""
    run, inputs, assets = run_key(project_id, run_id), schema.run_inputs, schema.assets
    read = rows.scalars(sa.select(inputs.c.asset_id).where(inputs.c.run_id == run)).all()
    if not rows.execute(sa.delete(schema.runs).where(schema.runs.c.id == run)).rowcount:
        return False
    first = sa.select(sa.func.min(inputs.c.at)).where(inputs.c.asset_id == assets.c.id).scalar_subquery()
    for start in range(0, len(read), 500):
        those = assets.c.id.in_(read[start : start + 500])
        rows.execute(sa.delete(assets).where(those, first.is_(None)))
        rows.execute(sa.update(assets).where(those).values(created_at=first))
    return True


def _run_row(writing: Writing) -> dict[str, Any]:
    head = writing.head
    return {
        "id": writing.run,
        "project_id": writing.project_id,
        "run_id": head.run_id,
        "status": head.status.value,
        "spent_micro": head.spent.micro_usd,
        "spend_limit_micro": head.spend_limit.micro_usd if head.spend_limit else None,
        "resumed": head.resumed,
        "failure_code": head.failure.error_code if head.failure else None,
        "stage": head.stage.value,
        "time": head.time.value,
        "weather": head.weather.value,
        "gate": head.gate.value,
        "provider": head.provider,
        "model": head.model,
        "plan_sha256": head.plan_sha256,
        "seed": head.generation.seed if head.generation else None,
        "max_chroma_delta": head.guard.max_chroma_delta,
        "paper": _hex(head.palette.paper) if head.palette else None,
        "ink": _hex(head.palette.ink) if head.palette else None,
        "kroma_nb": head.environment.kroma_nb if head.environment else None,
        "python": head.environment.python if head.environment else None,
        "platform": head.environment.platform if head.environment else None,
        "imported_from": head.imported.source if head.imported else None,
        "created_at": stamp(head.timestamp),
        "finished_at": stamp(head.finished_at) if head.finished_at else None,
        "jobs": 0,
        "winners": 0,
        "pictures": 0,
        "size_bytes": 0,
        "next_step": head.next_step,
    }


def _hex(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def _notebook_row(run: str, notebook: NotebookRecord) -> dict[str, Any]:
    return {
        "run_id": run,
        "name": notebook.name,
        "source_sha256": notebook.source_sha256,
        "executed_sha256": notebook.executed_sha256,
        "parameters": json.dumps(notebook.parameters, ensure_ascii=False, sort_keys=True),
        "changed": " ".join(notebook.changed),
        "status": notebook.status.value,
        "started_at": stamp(notebook.started_at),
        "finished_at": stamp(notebook.finished_at),
        "failure_code": notebook.failure.error_code if notebook.failure else None,
    }


def _put_inputs(writing: Writing) -> None:
    at = stamp(writing.head.timestamp)
    assets: list[dict[str, Any]] = []
    read: list[dict[str, Any]] = []
    for position, entry in enumerate(writing.head.inputs):
        key = writing.asset(entry.file.path)
        if not entry.file.path.startswith("inputs/"):
            problem = f"it names {entry.file.path} as an input, which is not in inputs/"
            raise RecordInvalid(writing.head.run_id, "inputs", problem, "restore the run's files from a copy")
        writing.known.add(key)
        assets.append(
            {
                "id": key,
                "project_id": writing.project_id,
                "kind": AssetKind.INPUT.value,
                "path": entry.file.path,
                "sha256": entry.file.sha256,
                "size_bytes": entry.file.size_bytes,
                "media_type": entry.media_type,
                "width": entry.width,
                "height": entry.height,
                "is_last": False,
                "created_at": at,
            }
        )
        read.append({"run_id": writing.run, "position": position, "asset_id": key, "ref": entry.ref, "at": at})
    if assets:
        new = insert(schema.assets)
        earlier = sa.func.min(schema.assets.c.created_at, new.excluded.created_at)
        writing.rows.execute(new.on_conflict_do_update(index_elements=["id"], set_={"created_at": earlier}), assets)
        writing.rows.execute(sa.insert(schema.run_inputs), read)


def _put_costs(writing: Writing) -> None:
    events = [
        {
            "id": named(writing.run, f"cost/{number}"),
            "project_id": writing.project_id,
            "run_id": writing.run,
            "job_key": cost.job_id,
            "provider": cost.provider,
            "model": cost.model,
            "operation": cost.operation,
            "units": cost.units,
            "unit_micro": cost.unit_cost.micro_usd,
            "total_micro": cost.total_cost.micro_usd,
            "currency": cost.currency,
            "created_at": stamp(writing.head.timestamp),
        }
        for number, cost in enumerate(writing.head.costs)
    ]
    if events:
        writing.rows.execute(sa.insert(schema.cost_events), events)
