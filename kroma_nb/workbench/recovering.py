"""Runs whose process is gone, closed by whoever opens the project next."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kroma_nb import run
from kroma_nb.errors import InUse, KromaError
from kroma_nb.model.money import Money
from kroma_nb.run import RunFolder
from kroma_nb.workbench.bookkeeping import ProjectPurse
from kroma_nb.workbench.caching import trim_when_due

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kroma_nb.workbench.project import Project


def recover_all(project: Project) -> tuple[str, ...]:
    """Close every run of a project whose process is gone, and give their ids; what cannot be closed stays open."""
    closed = []
    for path in run.run_folders(project.root):
        # What is wrong with its files is said by whoever reads it.
        with contextlib.suppress(KromaError):
            if recover_one(project, path.name):
                closed.append(path.name)
    return tuple(closed)


def recover_one(project: Project, run_id: str) -> bool:
    """Close a run whose process is gone; tell whether there was something to close.

    Raises
    ------
    RecordInvalid, WriteFailed
        If its files are not what was written, or cannot be written.
    """
    folder = RunFolder(project.root, run_id)
    return run.is_abandoned(folder) and _closed(project, folder)


def end_orphans(project: Project, calls: Iterable[tuple[str, str]]) -> None:
    """Give open calls an end whose runs are gone, or have ended without one.

    Parameters
    ----------
    project : Project
    calls : iterable of tuple of str
        Each an open call's id, and its run's.
    """
    for call_id, run_id in calls:
        # What is wrong with its files is said by whoever reads it.
        with contextlib.suppress(KromaError, KeyError):
            if RunFolder(project.root, run_id).journal_path.exists():
                account_for(project, run_id)
            else:
                call = run.Ledger(project.root).call(call_id)
                ProjectPurse(project, Money()).end(run.end_of(project.root, call))


def account_for(project: Project, run_id: str) -> None:
    """Close a run whose process is gone, and give every call of a run that nobody plays the end that it lacks.

    Raises
    ------
    RecordInvalid, WriteFailed
        If its files are not what was written, or cannot be written.
    """
    folder = RunFolder(project.root, run_id)
    if not run.is_played(folder.journal_path) and (run.is_abandoned(folder) or run.is_unaccounted(folder)):
        _closed(project, folder)


def _closed(project: Project, folder: RunFolder) -> bool:
    with contextlib.suppress(InUse):
        # Somebody else may be closing it, or going on with it, at this very moment.
        closed = run.recover(folder, ProjectPurse(project, Money()))
        if closed:
            # A run that was killed has not done it.
            trim_when_due(project)
        return closed
    return False
