"""A run that kroma_nb has begun and that nobody plays: what can be gone on with, made again and proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb import run
from kroma_nb.errors import RecordInvalid, RequestInvalid
from kroma_nb.run import RunFolder

if TYPE_CHECKING:
    from kroma_nb.workbench.run_handle import Run


def begun(one: Run) -> RunFolder:
    """Give the folder of a run that was begun here and is not being played.

    Raises
    ------
    RequestInvalid
        If another program has made it, or nothing was made yet.
    RecordInvalid
        If its journal is lost.
    InUse
        If a living process plays it.
    """
    folder = RunFolder(one.project.root, one.run_id)
    if not folder.plan_path.exists() and not folder.journal_path.exists():
        problem = (
            f"run {one.run_id} has no plan and no journal: another program has made it, and only that can go on with it"
        )
        raise RequestInvalid("request", "run", problem, "plan its scenes anew")
    if folder.journal_path.exists():
        run.refuse_played(folder.journal_path)
        if run.has_begun(folder):
            return folder
    if folder.log_path.exists():
        problem = "it is lost, and only it says what was done"
        raise RecordInvalid(str(folder.journal_path), "", problem, "restore the file from a copy")
    problem = f"run {one.run_id} was cut short before it began, so nothing was made yet"
    raise RequestInvalid("request", "run", problem, "plan it again, and delete this one")


def unaltered(one: Run) -> RunFolder:
    """Give the folder of such a run, if it is this project's and as it was planned.

    Raises
    ------
    RequestInvalid
        If another program has made it, or nothing was made yet.
    RecordInvalid
        If its journal is lost, its plan was altered, or it is a run of another project.
    InUse
        If a living process plays it.
    """
    folder = begun(one)
    with run.open_record(folder.path, project=one.project.slug):
        return folder
