"""A run's record as rows, built job by job and written in batches."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError

from kroma_nb.errors import RecordInvalid
from kroma_nb.model.asset import AssetKind, LinkType
from kroma_nb.model.marks import Marks
from kroma_nb.model.words import CandidateStatus, PassName
from kroma_nb.store import schema
from kroma_nb.store.ids import asset_key, candidate_key, job_key, named, run_key, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kroma_nb.model.run import PassRecord
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog

# Rows wait until there are this many jobs: long enough for executemany, short enough for any run to fit in memory.
BATCH_JOBS = 256
MEDIA_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "tiff": "image/tiff",
}
# Parents before their children.
_ORDER = (schema.run_jobs, schema.run_candidates, schema.assets, schema.asset_links, schema.quality_reports)

UNMARKED = Marks()

Row = tuple[Any, ...]


@dataclass
class Writing:
    """A run while its rows are written.

    Attributes
    ----------
    known : set of str
        Ids of the pictures that links may start from.
    """

    rows: sa.Connection
    project_id: str
    head: RunLog
    marks: Marks
    known: set[str] = field(default_factory=set)
    waiting: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    jobs: int = 0
    winners: int = 0
    pictures: int = 0
    size_bytes: int = 0

    @property
    def run(self) -> str:
        """The run's id."""
        return run_key(self.project_id, self.head.run_id)

    def flush(self) -> None:
        """Write what waits."""
        for table in _ORDER:
            if waiting := self.waiting.pop(table.name, None):
                self.rows.exec_driver_sql(INSERTS[table.name], waiting)


def _statement(table: sa.Table) -> str:
    columns = ", ".join(table.columns.keys())
    return f"INSERT INTO {table.name} ({columns}) VALUES ({', '.join('?' * len(table.columns))})"  # noqa: S608 - our names


# Values go to the driver as they are: what Core would do to each of them takes longer than writing it does.
INSERTS = {table.name: _statement(table) for table in _ORDER}


def put_run(
    rows: sa.Connection, project_id: str, head: RunLog, jobs: Iterable[JobRecord], *, marks: Marks = UNMARKED
) -> str:
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
    marks : Marks
        What is said of the run beside its record.

    Raises
    ------
    RecordInvalid
        If the record contradicts itself; then nothing of the run is written.
    """
    try:
        with rows.begin_nested():
            return _put_run(Writing(rows, project_id, head, marks), jobs)
    except (IntegrityError, OverflowError) as cause:
        said = cause.orig if isinstance(cause, IntegrityError) else cause
        problem = f"the record of run {head.run_id} contradicts itself: {said}"
        raise RecordInvalid(head.run_id, "", problem, "restore the run's files from a copy") from cause


def _put_run(writing: Writing, jobs: Iterable[JobRecord]) -> str:
    rows, project_id, head = writing.rows, writing.project_id, writing.head
    drop_run(rows, project_id, head.run_id)
    rows.execute(sa.insert(schema.runs), _run_row(writing))
    _put_inputs(writing)
    for position, job in enumerate(jobs):
        _add_job(writing, job, position)
        if (position + 1) % BATCH_JOBS == 0:
            writing.flush()
    writing.flush()
    _put_costs(writing)
    counted = {name: getattr(writing, name) for name in ("jobs", "winners", "pictures", "size_bytes")}
    rows.execute(sa.update(schema.runs).where(schema.runs.c.id == writing.run).values(counted))
    _link_followed(writing)
    count_bytes(rows, project_id)
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
    count_bytes(rows, project_id)
    return True


def count_bytes(rows: sa.Connection, project_id: str) -> None:
    """Bring the number of bytes that a project keeps up to date."""
    runs, assets, storage = schema.runs, schema.assets, schema.project_storage
    made = sa.select(sa.func.coalesce(sa.func.sum(runs.c.size_bytes), 0)).where(runs.c.project_id == project_id)
    kept = sa.select(sa.func.coalesce(sa.func.sum(assets.c.size_bytes), 0)).where(
        assets.c.project_id == project_id, assets.c.kind != AssetKind.PICTURE.value
    )
    used = made.scalar_subquery() + kept.scalar_subquery()
    rows.execute(sa.update(storage).where(storage.c.project_id == project_id).values(used_bytes=used))


def _run_row(writing: Writing) -> dict[str, Any]:
    head = writing.head
    return {
        "id": writing.run,
        "project_id": writing.project_id,
        "run_id": head.run_id,
        "status": head.status.value,
        "stage": head.stage.value,
        "time": head.time.value,
        "weather": head.weather.value,
        "gate": head.gate.value,
        "provider": head.provider,
        "model": head.model,
        "plan_sha256": head.plan_sha256,
        "seed": head.generation.seed if head.generation else None,
        "kroma_nb": head.environment.kroma_nb if head.environment else None,
        "imported_from": head.imported.source if head.imported else None,
        "created_at": stamp(head.timestamp),
        "finished_at": stamp(head.finished_at) if head.finished_at else None,
        "jobs": 0,
        "winners": 0,
        "pictures": 0,
        "size_bytes": 0,
        "next_step": head.next_step,
        "archived_at": stamp(writing.marks.archived.at) if writing.marks.archived else None,
    }


def _put_inputs(writing: Writing) -> None:
    at = stamp(writing.head.timestamp)
    assets: list[dict[str, Any]] = []
    read: list[dict[str, Any]] = []
    for position, entry in enumerate(writing.head.inputs):
        key = asset_key(writing.project_id, entry.file.path)
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


def _add_job(writing: Writing, job: JobRecord, position: int) -> None:
    key = job_key(writing.run, job.id)
    writing.jobs += 1
    writing.winners += job.selected_candidate is not None
    follows = job.follows
    followed = None
    if follows is not None:
        followed_job = job_key(run_key(writing.project_id, follows.run_id), follows.job_id)
        followed = candidate_key(followed_job, follows.candidate)
    writing.waiting["run_jobs"].append(
        (
            key,
            writing.run,
            position,
            job.id,
            job.name,
            job.status.value,
            job.mode.value,
            job.time.value,
            job.weather.value,
            job.prompt,
            job.size.width if job.size else None,
            job.size.height if job.size else None,
            job.scene_ref,
            job.scene_sha256,
            job.planned_candidates,
            job.selected_candidate,
            job.failure_reason,
            followed,
        )
    )
    for candidate in job.candidates:
        _add_candidate(writing, job, key, candidate)


def _add_candidate(writing: Writing, job: JobRecord, job_id: str, candidate: CandidateRecord) -> None:
    key = candidate_key(job_id, candidate.candidate_index)
    rank, seeds, failure, guard = candidate.rank, candidate.seeds, candidate.failure, candidate.output_guard
    measures = guard.measures if guard else None
    started = stamp(candidate.started_at) if candidate.started_at else None
    finished = stamp(candidate.finished_at) if candidate.finished_at else None
    writing.pictures += candidate.status is CandidateStatus.DONE
    writing.waiting["run_candidates"].append(
        (
            key,
            job_id,
            candidate.candidate_index,
            candidate.status.value,
            rank.position,
            rank.hard_failures,
            rank.soft_warnings,
            rank.avg_chroma_exceed,
            rank.quality if measures else None,
            " ".join(map(str, rank.tied_with)),
            seeds.style if seeds else None,
            seeds.time if seeds else None,
            seeds.weather if seeds else None,
            candidate.provider,
            candidate.model,
            started,
            finished,
            failure.error_kind if failure else None,
            failure.error_code if failure else None,
            failure.message if failure else None,
        )
    )
    if guard is not None:
        writing.waiting["quality_reports"].append(
            (
                named(key, "output_guard"),
                key,
                "output_guard",
                not guard.hard_fail_reasons,
                guard.chroma_delta,
                guard.grayscale_like,
                " ".join(guard.hard_fail_reasons),
                " ".join(guard.soft_warnings),
                guard.error,
                measures.sharpness if measures else None,
                measures.clipping if measures else None,
                measures.noise if measures else None,
                measures.contrast if measures else None,
                measures.ink if measures else None,
                measures.drawn if measures else None,
                measures.fidelity if measures else None,
                measures.blank if measures else None,
                finished,
            )
        )
    for asset in _pictures(writing, job, key, candidate):
        writing.waiting["assets"].append(asset)


def _pictures(writing: Writing, job: JobRecord, key: str, candidate: CandidateRecord) -> Iterator[Row]:
    """Give the pictures of a candidate, and note the links that lead to each."""
    seen = set()
    for record in candidate.passes:
        seen.add(record.output.path)
        last = record is candidate.passes[-1]
        width, height = _size(record, candidate) if last else (record.width, record.height)
        made = asset_key(writing.project_id, record.output.path)
        _note_links(writing, job, record, made)
        writing.known.add(made)
        writing.size_bytes += record.output.size_bytes
        at = record.finished_at or candidate.finished_at or writing.head.timestamp
        yield (
            *(made, writing.project_id, writing.run, key, AssetKind.PICTURE.value, record.output.path),
            *(record.output.sha256, record.output.size_bytes, _media_type(record.output.path)),
            *(width, height, record.name.value, record.backend, record.version),
            *(last, stamp(at)),
        )
    ended = stamp(candidate.finished_at or writing.head.timestamp)
    for path in dict.fromkeys((candidate.output, candidate.final_output)):
        if path is not None and path not in seen:
            # A picture that an imported record names and whose file was not there.
            lost = asset_key(writing.project_id, path)
            kind = AssetKind.PICTURE.value
            yield (
                *(lost, writing.project_id, writing.run, key, kind, path, None, None, _media_type(path)),
                *(None, None, None, None, None, False, ended),
            )


def _size(record: PassRecord, candidate: CandidateRecord) -> tuple[int | None, int | None]:
    measures = candidate.output_guard.measures if candidate.output_guard else None
    if record.width is None and measures is not None:
        return measures.width, measures.height
    return record.width, record.height


def _note_links(writing: Writing, job: JobRecord, record: PassRecord, made: str) -> None:
    links = writing.waiting["asset_links"]
    if record.input is not None and record.input.path != record.output.path:
        _note(writing, links, asset_key(writing.project_id, record.input.path), made, LinkType.DERIVED_FROM)
    if record.name is PassName.GENERATE:
        scene = record.input.path if record.input else None
        for path in job.input_images:
            if path != scene:
                _note(writing, links, asset_key(writing.project_id, path), made, LinkType.REFERENCE_OF)


def _note(writing: Writing, links: list[Row], parent: str, child: str, kind: LinkType) -> None:
    if parent in writing.known:
        links.append((writing.project_id, parent, child, kind.value))


def _media_type(path: str) -> str:
    return MEDIA_TYPES.get(path.rpartition(".")[2].lower(), "")


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


def _link_followed(writing: Writing) -> None:
    """Link the winners that this run follows to its pictures, and its own winners to those that followed them."""
    jobs, candidates, links = schema.run_jobs, schema.run_candidates, schema.asset_links
    parent, child = schema.assets.alias("parent"), schema.assets.alias("child")
    found = (
        sa.select(child.c.project_id, parent.c.id, child.c.id, sa.literal(LinkType.VARIANT_OF.value))
        .select_from(jobs)
        .join(parent, (parent.c.candidate_id == jobs.c.follows_candidate_id) & parent.c.is_last)
        .join(candidates, candidates.c.job_id == jobs.c.id)
        .join(child, (child.c.candidate_id == candidates.c.id) & (child.c.pass_name == PassName.GENERATE.value))
    )
    own = sa.select(candidates.c.id).join(jobs, candidates.c.job_id == jobs.c.id).where(jobs.c.run_id == writing.run)
    names = ["project_id", "parent_id", "child_id", "link_type"]
    followers = jobs.c.follows_candidate_id.in_(own) & (jobs.c.run_id != writing.run)
    for which in (jobs.c.run_id == writing.run, followers):
        writing.rows.execute(sa.insert(links).from_select(names, found.where(which)))
