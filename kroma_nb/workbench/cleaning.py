"""What nothing needs any more: found, counted, and removed."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from kroma_nb import run, store
from kroma_nb.errors import WriteFailed
from kroma_nb.model.asset import AssetFilter, AssetKind
from kroma_nb.model.value import Value
from kroma_nb.run import RunFolder
from kroma_nb.workbench.ending import DELETED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.workbench import Workbench

YOUNG_S = 3600.0
"""What is younger than this may belong to a process at work, and stays."""
INCOMING = ".incoming-"


class Leftover(Value):
    """Something that nothing needs.

    Attributes
    ----------
    path : str
        Relative to the workspace.
    why : str
        Why nothing needs it.
    """

    path: str
    size_bytes: int
    why: str


class CleanUp(Value):
    """What `Workbench.gc` found.

    Attributes
    ----------
    removed : bool
        Whether it is gone; False for a dry run.
    kept : tuple of str
        What was left alone although it might be needless, as whole sentences.
    """

    removed: bool
    found: tuple[Leftover, ...]
    kept: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """How much disk it took, or takes."""
        return sum(leftover.size_bytes for leftover in self.found)


def clean_up(bench: Workbench, *, dry_run: bool) -> CleanUp:
    """Find what nothing needs in a workspace, and remove it.

    Raises
    ------
    DatabaseUnusable
        With the file, what is wrong and the way out.
    WriteFailed
        If something cannot be removed; what was removed before it is gone.
    """
    kept: list[str] = []
    found = [
        Leftover(path=path.relative_to(bench.home).as_posix(), size_bytes=size_of(path), why=why)
        for path, why in _needless(bench, kept)
    ]
    if not dry_run:
        for leftover in found:
            _remove(bench.home / leftover.path)
    return CleanUp(removed=not dry_run, found=tuple(found), kept=tuple(kept))


def _needless(bench: Workbench, kept: list[str]) -> Iterator[tuple[Path, str]]:
    for path in sorted((bench.home / "var" / "projects").glob(f"{DELETED}*")):
        yield path, "a project that was being deleted"
    for project in bench.projects:
        yield from _of_runs(project)
        yield from _inputs(project, kept)


def _of_runs(project: Project) -> Iterator[tuple[Path, str]]:
    runs = project.root / "runs"
    for path in sorted(runs.glob(f"{DELETED}*")):
        yield path, "a run that was being deleted"
    for path in sorted(runs.glob(f"{INCOMING}*")):
        if _is_old(path):
            yield path, "an import that was cut off"
    for path in sorted(project.root.rglob(".*.part")):
        if _is_old(path):
            yield path, "half a file of a killed process"


def _inputs(project: Project, kept: list[str]) -> Iterator[tuple[Path, str]]:
    unreadable = project.runs.unreadable
    if unreadable:
        names = ", ".join(one.run_id for one in unreadable)
        kept.append(f"Inputs of {project.slug} stay, because these runs cannot be read: {names}.")
        return
    with project.bench.index.rows(project, fresh=False) as (rows, key):
        read = store.list_assets(rows, key, AssetFilter(kind=AssetKind.INPUT), limit=None)
    needed = {asset.path for asset in read}
    planned = _planned(project)
    for path in sorted((project.root / "inputs").glob("[0-9a-f][0-9a-f]/[0-9a-f]*")):
        stored = path.relative_to(project.root).as_posix()
        if stored not in needed and path.stem not in planned and _is_old(path):
            yield path, "an input that no run has read"


def _planned(project: Project) -> set[str]:
    """Give the content of what runs without an end may still store."""
    folders = (RunFolder(project.root, path.name) for path in run.run_folders(project.root))
    return {file.sha256 for folder in folders if not folder.log_path.exists() for file in folder.plan().inputs}


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > YOUNG_S
    except OSError:
        return False


def size_of(path: Path) -> int:
    """Add up the bytes of a file, or of a folder's files."""
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def _remove(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as cause:
        raise WriteFailed(path, f"it cannot be removed: {cause.strerror or cause}") from cause
