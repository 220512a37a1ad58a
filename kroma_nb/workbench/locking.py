"""The lock of a project: runs hold it together, whoever deletes the project holds it alone; a crash lets it go."""

from __future__ import annotations

import contextlib
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import ValidationError

from kroma_nb import run
from kroma_nb.blobs import lockable, take_lock
from kroma_nb.errors import InUse, RecordInvalid, WriteFailed
from kroma_nb.model.marks import Holder
from kroma_nb.model.run import now
from kroma_nb.run import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

    from kroma_nb.workbench.project import Project

LOCK = ".kroma/lock"


@contextmanager
def held_together(project: Project) -> Iterator[None]:
    """Hold a project as every run of it does, so that nobody takes it away meanwhile.

    Raises
    ------
    InUse
        If somebody holds it alone; it says who.
    WriteFailed
        If its lock can be neither made nor opened.
    """
    path = project.root / LOCK
    if not os.access(path, os.F_OK) and not _can_be_written(project):
        # A project that cannot be written is not run in; what only reads needs no lock.
        yield
        return
    with lockable(lambda: _opened_to_share(path)) as file:
        if not take_lock(file, shared=True):
            raise InUse(f"project {project.slug}", _alone(file), "wait for its end")
        # Whoever held it alone is gone, and a name that a crash has left says nothing any more.
        _write(file, b"")
        yield


@contextmanager
def held_alone(project: Project, what: str) -> Iterator[None]:
    """Hold a project alone, and say who does and why to whoever wants it.

    Parameters
    ----------
    project : Project
    what : str
        What it is held for, such as ``deletes it``.

    Raises
    ------
    InUse
        If runs of it are being played, or somebody else holds it alone.
    """
    with lockable(lambda: _opened(project.root / LOCK)) as file:
        if not take_lock(file):
            # Where runs hold it together, a name in the file is one that a crash has left.
            who = _together(project) if take_lock(file, shared=True) else _alone(file)
            raise InUse(f"project {project.slug}", who, "wait for its end, or stop it")
        holder = Holder(pid=os.getpid(), host=socket.gethostname(), what=what, since=now())
        _write(file, holder.model_dump_json(by_alias=True).encode() + b"\n")
        try:
            yield
        finally:
            _write(file, b"")


def _can_be_written(project: Project) -> bool:
    return any(os.access(folder, os.W_OK) for folder in (project.root, project.root / "runs"))


def _opened(path: Path) -> FileIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never truncated on opening: somebody's name may stand in it.
        return open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)  # noqa: PTH123
    except OSError as cause:
        raise WriteFailed(path, cause.strerror or str(cause)) from cause


def _opened_to_share(path: Path) -> FileIO:
    try:
        return _opened(path)
    except WriteFailed:
        # It may be another user's file: reading is enough for a lock that is shared.
        with contextlib.suppress(OSError):
            return path.open("rb", buffering=0)
        raise


def _alone(file: FileIO) -> str:
    """Say who holds a project alone, as the file has it."""
    with contextlib.suppress(OSError, ValidationError):
        file.seek(0)
        holder = Holder.model_validate_json(file.read(4096))
        return f"process {holder.pid} on {holder.host} {holder.what} since {holder.since:%H:%M:%S} UTC"
    return "another process holds it alone"


def _together(project: Project) -> str:
    """Say who holds a project with others: the players of its runs, as their journals have it."""
    players = []
    with contextlib.suppress(RecordInvalid):
        for path in run.run_folders(project.root):
            journal = RunFolder(project.root, path.name).journal_path
            if journal.exists() and run.is_played(journal):
                players.append(f"{run.player_of(journal)} plays run {path.name}")
    return ", ".join(players) or "a run of it is being played"


def _write(file: FileIO, data: bytes) -> None:
    with contextlib.suppress(OSError):
        file.seek(0)
        file.truncate(0)
        file.write(data)
