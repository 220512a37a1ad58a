"""A run read back from its folder: its head at once, its jobs one by one."""

from __future__ import annotations

import mmap
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from kroma_nb.errors import RecordInvalid
from kroma_nb.model.parsing import dotted
from kroma_nb.model.runlog import JobRecord, RunLog
from kroma_nb.run.folder import RESTORE, RunFolder, is_run_id
from kroma_nb.run.journal import is_played
from kroma_nb.run.runlog import folded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

V = TypeVar("V", RunLog, JobRecord)

_JOBS = b'\n  "jobs": ['
_OPENS, _CLOSES = b"\n    {", b"\n    }"


@dataclass(frozen=True)
class RunRecord:
    """A run as its folder tells it.

    Attributes
    ----------
    head : RunLog
        Everything but the jobs.
    jobs : iterator of JobRecord
        In order; each is read when it is asked for, once.
    """

    head: RunLog
    jobs: Iterator[JobRecord]


@contextmanager
def open_record(path: Path, *, project: str | None = None) -> Iterator[RunRecord]:
    """Open a run's record, to be read job by job; one that was killed is folded from its journal.

    Parameters
    ----------
    path : Path
        The run's folder.
    project : str, optional
        Whose run it must be.

    Raises
    ------
    RecordInvalid
        If a file of the run is missing, damaged or was changed, or it is another project's run. What is wrong with a
        job is found when it is read.
    """
    folder = RunFolder(path.parent.parent, path.name)
    if not folder.log_path.exists():
        head, jobs = folded(folder, folder.plan(), played=is_played(folder.journal_path))
        _refuse_stranger(path, head, project)
        yield RunRecord(head, jobs)
        return
    with _written(folder) as (head, jobs):
        _refuse_stranger(path, head, project)
        yield RunRecord(head, jobs)


def read_run(path: Path, *, project: str | None = None) -> RunLog:
    """Read a run from its folder; one that was killed is folded from its journal and shown as ``interrupted``.

    Parameters
    ----------
    path : Path
        The run's folder.
    project : str, optional
        Whose run it must be.

    Raises
    ------
    RecordInvalid
        If a file of the run is missing, damaged or was changed, or it is another project's run.
    """
    with open_record(path, project=project) as record:
        return record.head.model_copy(update={"jobs": tuple(record.jobs)})


def _refuse_stranger(path: Path, head: RunLog, project: str | None) -> None:
    """Refuse what is not the run of this folder, as it was planned."""
    if head.run_id != path.name:
        problem = f"the run calls itself {head.run_id}"
        raise RecordInvalid(str(path), "run_id", problem, "give the folder its old name back, or restore its files")
    if project not in {None, head.project}:
        problem = f"it is a run of project {head.project}"
        raise RecordInvalid(str(path), "project", problem, f"move the folder to the runs of {head.project}")
    folder = RunFolder(path.parent.parent, path.name)
    if head.plan_sha256 is not None and folder.plan_sha256() != head.plan_sha256:
        raise RecordInvalid(str(folder.plan_path), "", "it was changed after the run had started", RESTORE)


@contextmanager
def _written(folder: RunFolder) -> Iterator[tuple[RunLog, Iterator[JobRecord]]]:
    """Read ``run.json`` in the layout in which it was written: its jobs come last, one entry each."""
    with _mapped(folder) as text:
        start = text.find(_JOBS)
        try:
            head = RunLog.model_validate_json(text[: max(start, 0)] + b'\n  "jobs": []\n}')
        except ValidationError:
            # Somebody has laid it out in another way, or it is damaged; reading it whole tells which.
            log = _parsed(folder, RunLog, text[:])
            yield log.model_copy(update={"jobs": ()}), iter(log.jobs)
            return
        yield head, _entries(folder, text, start + len(_JOBS))


@contextmanager
def _mapped(folder: RunFolder) -> Iterator[mmap.mmap]:
    try:
        with folder.log_path.open("rb") as file:
            text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as cause:
        problem = f"cannot be read: {getattr(cause, 'strerror', None) or cause}"
        raise RecordInvalid(str(folder.log_path), "", problem, _way_out(folder)) from cause
    with text:
        yield text


def _entries(folder: RunFolder, text: mmap.mmap, place: int) -> Iterator[JobRecord]:
    if text[place : place + 1] == b"]":
        return
    while True:
        start = text.find(_OPENS, place)
        end = text.find(_CLOSES, start)
        if start < 0 or end < 0:
            raise RecordInvalid(str(folder.log_path), "jobs", "the list breaks off", _way_out(folder))
        place = end + len(_CLOSES)
        yield _parsed(folder, JobRecord, text[start:place])
        if text[place : place + 1] != b",":
            return


def _parsed(folder: RunFolder, kind: type[V], text: bytes) -> V:
    try:
        return kind.model_validate_json(text)
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        raise RecordInvalid(str(folder.log_path), dotted(first["loc"]), first["msg"], _way_out(folder)) from None


def _way_out(folder: RunFolder) -> str:
    if folder.journal_path.exists():
        return f"delete the file: it is made again from {folder.plan_path.name} and {folder.journal_path.name}"
    return RESTORE


def run_folders(root: Path) -> Iterator[Path]:
    """Give the run folders of a project, newest first; other folders beside them are passed over.

    Raises
    ------
    RecordInvalid
        If the project's folder of runs cannot be read.
    """
    runs = root / "runs"
    try:
        found = [path for path in runs.iterdir() if is_run_id(path.name)] if runs.is_dir() else []
    except OSError as cause:
        way_out = "check the folder's permissions"
        raise RecordInvalid(str(runs), "", f"cannot be read: {cause.strerror}", way_out) from cause
    yield from sorted(found, reverse=True)
