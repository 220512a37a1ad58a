"""Putting runs and projects away, and deleting them."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from kroma_nb import run
from kroma_nb.blobs import write_atomic
from kroma_nb.errors import InUse, KromaError, NotConfirmed, RequestInvalid, WriteFailed
from kroma_nb.model.marks import Archived
from kroma_nb.model.run import now
from kroma_nb.run import RunFolder
from kroma_nb.workbench.founding import read_card
from kroma_nb.workbench.locking import held_alone
from kroma_nb.workbench.marking import ARCHIVED
from kroma_nb.workbench.recovering import account_for

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.run_handle import Run

DELETED = ".deleted-"
"""How the name of a folder begins that is on its way out; a kill leaves it, and `gc` removes it."""


def archive_run(one: Run, *, undo: bool) -> None:
    """Mark a run's folder as put away, or take the mark off."""
    mark = one.folder / ARCHIVED
    if not one.folder.is_dir():
        problem = f"run {one.run_id} has no folder any more"
        raise RequestInvalid("request", "run", problem, "see the runs that there are")
    if undo:
        try:
            mark.unlink(missing_ok=True)
        except OSError as cause:
            raise WriteFailed(mark, f"it cannot be removed: {cause.strerror or cause}") from cause
    elif not mark.exists():
        write_atomic(mark, (Archived(at=now()).model_dump_json(indent=2, by_alias=True) + "\n").encode())
    one.project.bench.index.note(one.project, one.run_id)


def delete_run(one: Run, *, force: bool) -> None:
    """Delete a run: its folder first, in one step, then its rows.

    Raises
    ------
    InUse
        If it is being played, or other runs have followed it and that is not forced.
    """
    _refuse_played(one.project, one.run_id)
    card = one.project.card
    followers = _followers(one)
    if followers and not force:
        way_out = "delete those first, or force it: their lineage then ends here"
        raise InUse(f"run {one.run_id}", f"{', '.join(followers)} followed its winners", way_out)
    # What cannot be accounted for stays charged; a full disk or a damaged run does not keep it from being deleted.
    with contextlib.suppress(KromaError):
        account_for(one.project, one.run_id)
    _remove(one.folder)
    one.project.bench.index.forget_deleted(one.project, card, one.run_id)


def _followers(one: Run) -> list[str]:
    """Give the runs that follow this one, as their plans say: also those that are still made, or cannot be read."""
    followers = []
    for path in run.run_folders(one.project.root):
        if path.name == one.run_id:
            continue
        with contextlib.suppress(OSError):
            plan = RunFolder(one.project.root, path.name).plan_path.read_bytes()
            if one.run_id.encode() in plan:
                followers.append(path.name)
    return followers


def delete_project(project: Project, confirm: str) -> None:
    """Delete a project: its folder first, in one step, then its rows.

    Raises
    ------
    NotConfirmed
        If the slug is not given once more.
    InUse
        If one of its runs is being played.
    """
    if confirm != project.slug:
        raise NotConfirmed(f"deleting {project.root}", f"give the slug once more: {project.slug}")
    for path in run.run_folders(project.root):
        _refuse_played(project, path.name)
    with held_alone(project, "deletes it"):
        card = read_card(project.root)
        _remove(project.root)
    if card is not None:
        project.bench.index.forget_deleted(project, card)


def _refuse_played(project: Project, run_id: str) -> None:
    journal = RunFolder(project.root, run_id).journal_path
    if journal.exists():
        run.refuse_played(journal)


def remove_tree(folder: Path) -> None:
    """Delete a folder with all that is in it; somebody else may be at the same."""
    while folder.exists():
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)


def _remove(folder: Path) -> None:
    gone = folder.with_name(f"{DELETED}{folder.name}-{os.urandom(3).hex()}")
    try:
        folder.rename(gone)
        remove_tree(gone)
    except OSError as cause:
        raise WriteFailed(folder, f"it cannot be deleted: {cause.strerror or cause}") from cause
