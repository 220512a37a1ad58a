"""How a workspace stands, at a glance."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from kroma_nb import report, run, store
from kroma_nb.errors import InfraFailed
from kroma_nb.model.rows import ProjectRow, Unreadable
from kroma_nb.model.value import Value
from kroma_nb.run import RunFolder
from kroma_nb.workbench.caching import CACHE

if TYPE_CHECKING:
    from kroma_nb.workbench.workbench import Workbench

NAMED = 3
"""How many runs that were cut short are named."""


class Status(Value):
    """How a workspace stands.

    Attributes
    ----------
    home : str
    projects : tuple of ProjectRow
        As the database counts them; empty where it cannot be used.
    running : tuple of str
        Runs that a living process plays, as ``project/run``.
    cut_short : tuple of str
        Runs that were stopped or whose process was killed, as ``project/run``, newest first; not those put away.
    unreadable : tuple of Unreadable
        Runs and projects whose files are damaged, changed or another project's.
    database : str
        Why the database cannot be used; empty where it can.
    free_bytes : int
        Of the disk that the workspace lies on.
    cache_bytes : int
        What the pass caches of all projects hold; they may be deleted at any time.
    """

    home: str
    projects: tuple[ProjectRow, ...]
    running: tuple[str, ...]
    cut_short: tuple[str, ...]
    unreadable: tuple[Unreadable, ...]
    database: str
    free_bytes: int
    cache_bytes: int = 0

    def __repr__(self) -> str:
        return self.view.text()

    def _repr_html_(self) -> str:
        return self.view.html()

    @property
    def view(self) -> report.View:
        """What it shows of itself."""
        notes = (
            *(f"Running now: {name}." for name in self.running),
            *([self._cut_short()] if self.cut_short else []),
            *([f"The database cannot be used: {self.database}"] if self.database else []),
            f"{report.size(self.free_bytes)} free on this disk; {report.size(self.cache_bytes)} in pass caches.",
        )
        shown = report.projects_view(self.home, self.projects, self.unreadable)
        return report.View(shown.title, shown.columns, shown.rows, (*shown.notes, *notes))

    def _cut_short(self) -> str:
        were = "was" if len(self.cut_short) == 1 else "were"
        more = f" and {len(self.cut_short) - NAMED:,} more" if len(self.cut_short) > NAMED else ""
        named = ", ".join(self.cut_short[:NAMED])
        runs = report.counted(len(self.cut_short), "run")
        return f"{runs} {were} cut short: {named}{more}. `kroma resume`, or project.runs.resume(run_id), goes on."


def status_of(bench: Workbench) -> Status:
    """Look at a workspace; what is wrong with it is part of the answer."""
    projects: tuple[ProjectRow, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    cut_short: tuple[str, ...] = ()
    database = ""
    try:
        projects, unreadable = bench.projects.rows(archived=True), bench.projects.unreadable
        cut_short = _cut_short(bench)
    except InfraFailed as error:
        database = str(error)
    return Status(
        home=str(bench.home),
        projects=projects,
        running=_running(bench),
        cut_short=cut_short,
        unreadable=unreadable,
        database=database,
        free_bytes=shutil.disk_usage(bench.home).free if bench.home.exists() else 0,
        cache_bytes=sum(run.PassCache(project.root / CACHE).size_bytes() for project in bench.projects),
    )


def _cut_short(bench: Workbench) -> tuple[str, ...]:
    if not bench.index.path.exists():
        return ()
    with bench.index.store.reading() as rows:
        return tuple(f"{slug}/{run_id}" for slug, run_id in store.list_cut_short(rows))


def _running(bench: Workbench) -> tuple[str, ...]:
    begun = (
        (project.slug, RunFolder(project.root, path.name))
        for project in bench.projects
        for path in run.run_folders(project.root)
    )
    return tuple(
        f"{slug}/{folder.run_id}"
        for slug, folder in begun
        if folder.journal_path.exists() and not folder.log_path.exists() and run.is_played(folder.journal_path)
    )
