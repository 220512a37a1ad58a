"""What a project's files say, written as rows: a run, the pictures beside the runs, and what cannot be read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kroma_nb import run, store
from kroma_nb.errors import KromaError, RecordInvalid
from kroma_nb.model.imported import ImportedAssets
from kroma_nb.model.rows import Unreadable
from kroma_nb.model.words import RunStatus
from kroma_nb.run import RunFolder
from kroma_nb.workbench.founding import card_path
from kroma_nb.workbench.imported_list import FOLDER, INDEX, read_assets
from kroma_nb.workbench.marking import beside, state

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.store import Rows
    from kroma_nb.workbench.project import Project

STARTING_S = 10.0
"""How long a run's folder may be without a journal before something must have gone wrong."""


def put_run_rows(rows: Rows, project: Project, key: str, run_id: str) -> None:
    """Write a run in place of what was known of it.

    Raises
    ------
    RecordInvalid
        If its files are not what was written.
    """
    folder = RunFolder(project.root, run_id).path
    # Looked at first: what changes while it is read is then read again.
    known = beside(folder)
    with run.open_record(folder, project=project.slug) as record:
        # Of a run that is still played, its candidates are only in its journal: they come when it has ended.
        jobs = () if record.head.status is RunStatus.RUNNING else record.jobs
        store.put_run(rows, key, record.head, jobs, known)


def put_imported_rows(rows: Rows, project: Project, key: str) -> list[Unreadable]:
    """Write the pictures that an import has left beside the runs; without a list there are none."""
    now_seen = seen_list(project.root)
    try:
        store.put_imported(rows, key, read_assets(project.root), now_seen)
    except RecordInvalid as error:
        store.put_imported(rows, key, ImportedAssets(), "")
        return [unreadable_of(project, error)]
    return []


def place_of(project: Project) -> str:
    """Give a project's folder, relative to its workspace."""
    return project.root.relative_to(project.bench.home).as_posix()


def seen_list(root: Path) -> str:
    """Say what a project's list of imported pictures looks like; empty where there is none."""
    return state(root / FOLDER / INDEX)


def looks_of(project: Project) -> str:
    """Say what a project looks like from outside: another text where a run has come or gone."""
    files = (project.root / "runs", card_path(project.root), project.root / "ledger.jsonl")
    return "; ".join((*map(state, files), seen_list(project.root)))


def look_at(project: Project, run_id: str) -> Unreadable | None:
    """Read a run that cannot be written into the index, for what is wrong with it."""
    try:
        with run.open_record(RunFolder(project.root, run_id).path, project=project.slug) as record:
            for _ in record.jobs:
                pass
    except RecordInvalid as error:
        return refusal(project, run_id, error)
    return None


def refusal(project: Project, run_id: str, error: RecordInvalid) -> Unreadable | None:
    """Say that a run cannot be read; None where it has only just begun."""
    return None if _is_starting(RunFolder(project.root, run_id)) else unreadable_of(project, error, run_id)


def unreadable_of(project: Project, error: KromaError, run_id: str = "") -> Unreadable:
    """Say that a run, or the project itself, cannot be read."""
    return Unreadable(project=project.slug, run_id=run_id, error_code=error.error_code, says=str(error))


def _is_starting(folder: RunFolder) -> bool:
    """Tell whether a run is about to write the first line of its journal: it cannot be read yet, and is not damaged."""
    if folder.log_path.exists():
        return False
    if folder.journal_path.exists():
        return run.is_played(folder.journal_path)
    try:
        return time.time() - folder.path.stat().st_mtime < STARTING_S
    except OSError:
        return True
