"""What nothing needs any more: found, counted, and removed."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from kroma_nb import report, run, store
from kroma_nb.errors import DatabaseUnwritable, RecordInvalid, ValidationFailed, WriteFailed
from kroma_nb.model.asset import AssetFilter, AssetKind
from kroma_nb.model.value import Value
from kroma_nb.run import RunFolder
from kroma_nb.workbench.caching import cache_of
from kroma_nb.workbench.ending import DELETED, remove_tree

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

    @property
    def view(self) -> report.View:
        """What it shows of itself."""
        did = "Removed" if self.removed else "Would go"
        things = report.counted(len(self.found), "thing")
        title = f"{did}: {things}, {report.size(self.size_bytes)}" if self.found else "Nothing is needless here."
        rows = tuple((one.path, report.size(one.size_bytes), one.why) for one in self.found)
        return report.View(title, ("what", "size", "why nothing needs it") if rows else (), rows, self.kept)

    def __repr__(self) -> str:
        return self.view.text()

    def _repr_html_(self) -> str:
        return self.view.html()


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
    found = []
    for path, why in _needless(bench, kept):
        size_bytes = size_of(path)
        if dry_run or _removed(path):
            found.append(Leftover(path=path.relative_to(bench.home).as_posix(), size_bytes=size_bytes, why=why))
    found += _cached(bench, kept, dry_run=dry_run)
    return CleanUp(removed=not dry_run, found=tuple(found), kept=tuple(kept))


def _cached(bench: Workbench, kept: list[str], *, dry_run: bool) -> Iterator[Leftover]:
    """Trim the pass caches of all projects, and give what is gone of each."""
    for project in bench.projects:
        try:
            cache = cache_of(project)
        except ValidationFailed as error:
            kept.append(f"The pass cache of {project.slug} stays, because its size is not known: {error}")
            continue
        if size_bytes := cache.excess_bytes() if dry_run else cache.trim():
            why = f"passes beyond the {report.size(cache.limit_bytes)} that `cache_mb` allows, used longest ago"
            path = cache.root.relative_to(bench.home).as_posix()
            yield Leftover(path=path, size_bytes=size_bytes, why=why)


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
    index = project.bench.index
    try:
        # Before the rows: a run that ends meanwhile is then in the one or in the other.
        planned = _planned(project)
        unreadable = index.catch_up([project], strict=True)
    except (RecordInvalid, DatabaseUnwritable) as error:
        kept.append(f"Inputs of {project.slug} stay, because what its runs need is not known: {error}")
        return
    if unreadable:
        names = ", ".join(one.run_id or "the project itself" for one in unreadable)
        kept.append(f"Inputs of {project.slug} stay, because these cannot be read: {names}.")
        return
    with index.rows(project, fresh=False) as (rows, key):
        read = store.list_assets(rows, key, AssetFilter(kind=AssetKind.INPUT), limit=None)
    needed = {asset.path for asset in read}
    for path in sorted((project.root / "inputs").glob("[0-9a-f][0-9a-f]/[0-9a-f]*")):
        stored = path.relative_to(project.root).as_posix()
        if stored not in needed and path.stem not in planned and _is_old(path):
            yield path, "an input that no run has read"


def _planned(project: Project) -> set[str]:
    """Give the content of what runs without an end may still store.

    Raises
    ------
    RecordInvalid
        If one of them has no plan yet.
    """
    folders = (RunFolder(project.root, path.name) for path in run.run_folders(project.root))
    return {file.sha256 for folder in folders if not folder.log_path.exists() for file in folder.plan().inputs}


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > YOUNG_S
    except OSError:
        return False


def size_of(path: Path) -> int:
    """Add up the bytes of a file, or of a folder's files; what goes meanwhile counts nothing."""
    files = [path] if not path.is_dir() else [file for file in path.rglob("*") if not file.is_symlink()]
    size_bytes = 0
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            size_bytes += file.stat().st_size if file.is_file() else 0
    return size_bytes


def _removed(path: Path) -> bool:
    """Remove a file or folder; tell whether it is gone, and not one that somebody has just put there.

    A run that takes up an input writes it anew. So a file is first moved aside, and looked at again where nobody can
    reach it.
    """
    try:
        if path.is_dir():
            remove_tree(path)
            return True
        aside = path.with_name(f".{path.name}.gone.part")
        path.rename(aside)
        if not _is_old(aside):
            aside.rename(path)
            return False
        aside.unlink()
    except FileNotFoundError:
        return False
    except OSError as cause:
        raise WriteFailed(path, f"it cannot be removed: {cause.strerror or cause}") from cause
    return True
