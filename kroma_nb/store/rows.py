"""What the rows of jobs, candidates, pictures and their links hold, gathered until they are written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kroma_nb.errors import RecordInvalid
from kroma_nb.model.asset import AssetKind, LinkType
from kroma_nb.model.words import CandidateStatus, PassName
from kroma_nb.store import schema
from kroma_nb.store.ids import asset_key, candidate_key, job_key, named, run_key, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from kroma_nb.model.plan import Followed
    from kroma_nb.model.run import PassRecord
    from kroma_nb.model.runlog import CandidateRecord, JobRecord, RunLog

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

Row = tuple[Any, ...]


@dataclass
class Writing:
    """A run while its rows are written.

    Attributes
    ----------
    run : str
        The run's id.
    known : set of str
        Ids of the pictures that links may start from.
    """

    rows: sa.Connection
    project_id: str
    head: RunLog
    known: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    jobs: int = 0
    winners: int = 0
    pictures: int = 0
    size_bytes: int = 0

    def __post_init__(self) -> None:
        self.run = run_key(self.project_id, self.head.run_id)

    def asset(self, path: str) -> str:
        """Give the id of a picture; scenes and style sheets are asked for with every candidate."""
        key = self.keys.get(path)
        if key is None:
            key = self.keys[path] = asset_key(self.project_id, path)
        return key

    def add_job(self, job: JobRecord, position: int) -> None:
        """Gather a job's rows, and those of everything in it."""
        _add_job(self, job, position)

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


def _add_job(writing: Writing, job: JobRecord, position: int) -> None:
    key = job_key(writing.run, job.id)
    writing.jobs += 1
    writing.winners += job.selected_candidate is not None
    follows = job.follows
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
            " ".join(writing.head.styles_of(job)),
            follows.run_id if follows else None,
            follows.job_id if follows else None,
            follows.candidate if follows else None,
            _followed(writing, follows) if follows else None,
        )
    )
    for candidate in job.candidates:
        _add_candidate(writing, job, key, candidate)


def _followed(writing: Writing, follows: Followed) -> str:
    job = job_key(run_key(writing.project_id, follows.run_id), follows.job_id)
    return candidate_key(job, follows.candidate)


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
            candidate.quality,
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
            candidate.retry_of,
            candidate.reused,
            len(candidate.earlier) + 1,
            candidate.spent.micro_usd,
            candidate.request,
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
    """Give the pictures of a candidate, and note the links that lead to each.

    Raises
    ------
    RecordInvalid
        If one of them lies in another run's folder: two runs cannot have made it.
    """
    _refuse_others(writing, candidate)
    seen = set()
    for record in candidate.passes:
        seen.add(record.output.path)
        last = record is candidate.passes[-1]
        width, height = _size(record, candidate) if last else (record.width, record.height)
        made = writing.asset(record.output.path)
        _note_links(writing, job, record, made)
        writing.known.add(made)
        writing.size_bytes += record.output.size_bytes
        at = record.finished_at or candidate.finished_at or writing.head.timestamp
        yield (
            *(made, writing.project_id, writing.run, key, AssetKind.PICTURE.value, record.output.path),
            *(record.output.sha256, record.output.size_bytes, _media_type(record.output.path)),
            *(width, height, record.name.value, record.backend, record.version, _seconds(record)),
            *(last, stamp(at), record.reused),
        )
    ended = stamp(candidate.finished_at or writing.head.timestamp)
    for path in dict.fromkeys((candidate.output, candidate.final_output)):
        if path is not None and path not in seen:
            # A picture that an imported record names and whose file was not there.
            lost = writing.asset(path)
            kind = AssetKind.PICTURE.value
            yield (
                *(lost, writing.project_id, writing.run, key, kind, path, None, None, _media_type(path)),
                *(None, None, None, None, None, None, False, ended, False),
            )


def _seconds(record: PassRecord) -> float | None:
    if record.started_at is None or record.finished_at is None:
        return None
    return (record.finished_at - record.started_at).total_seconds()


def _refuse_others(writing: Writing, candidate: CandidateRecord) -> None:
    own = f"runs/{writing.head.run_id}/"
    named = (*(record.output.path for record in candidate.passes), candidate.output, candidate.final_output)
    for path in named:
        if path is not None and not path.startswith(own):
            problem = f"it names {path} as a picture that it has made, which is not in {own}"
            raise RecordInvalid(writing.head.run_id, "", problem, "restore the run's files from a copy")


def _size(record: PassRecord, candidate: CandidateRecord) -> tuple[int | None, int | None]:
    measures = candidate.output_guard.measures if candidate.output_guard else None
    if record.width is None and measures is not None:
        return measures.width, measures.height
    return record.width, record.height


def _note_links(writing: Writing, job: JobRecord, record: PassRecord, made: str) -> None:
    links = writing.waiting["asset_links"]
    if record.input is not None and record.input.path != record.output.path:
        _note(writing, links, writing.asset(record.input.path), made, LinkType.DERIVED_FROM)
    if record.name is PassName.GENERATE:
        scene = record.input.path if record.input else None
        for path in writing.head.styles_of(job):
            if path != scene:
                _note(writing, links, writing.asset(path), made, LinkType.REFERENCE_OF)


def _note(writing: Writing, links: list[Row], parent: str, child: str, kind: LinkType) -> None:
    if parent in writing.known:
        links.append((writing.project_id, parent, child, kind.value))


def _media_type(path: str) -> str:
    return MEDIA_TYPES.get(path.rpartition(".")[2].lower(), "")
