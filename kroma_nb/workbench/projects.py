"""The projects of a workspace in a notebook's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb import report, store
from kroma_nb.errors import DatabaseUnusable, RecordInvalid
from kroma_nb.model.project import ProjectStatus
from kroma_nb.model.rows import ProjectRow, Unreadable
from kroma_nb.workbench.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from kroma_nb.workbench.workbench import Workbench


class Projects:
    """The projects of a workspace, by slug: ``bench.projects["harbour"]``, or ``bench.projects.harbour``."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def rows(self, *, archived: bool = False) -> tuple[ProjectRow, ...]:
        """Give one row a project, sorted by slug; those that cannot be read are in `unreadable`.

        Parameters
        ----------
        archived : bool
            Also those that are put away.

        Raises
        ------
        DatabaseUnusable
            With the file, what is wrong and the way out.
        """
        return self._look(archived=archived)[0]

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """Projects and runs whose files are damaged, changed or another project's, each with its cause."""
        return self._look()[1]

    def _look(self, *, archived: bool = False) -> tuple[tuple[ProjectRow, ...], tuple[Unreadable, ...]]:
        if not self._bench.slugs and not self._bench.index.path.exists():
            return (), ()
        unreadable = self._bench.index.catch_up(list(self), every=True)
        with self._bench.index.store.reading() as rows:
            found = store.list_projects(rows)
        return tuple(row for row in found if archived or row.status is ProjectStatus.ACTIVE), unreadable

    def row(self, slug: str) -> ProjectRow:
        """Give one project's row.

        Raises
        ------
        RecordInvalid
            If it cannot be read.
        DatabaseUnusable
            With the file, what is wrong and the way out.
        """
        project = self._bench.project(slug)
        with self._bench.index.rows(project) as (rows, key):
            (row,) = store.list_projects(rows, key) or (None,)
        if row is None:
            raise RecordInvalid(str(project.root), "", "the project has no rows", "`kroma status` says why")
        return row

    def frame(self) -> pd.DataFrame:
        """Give one row a project, also those that are put away."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        return frame_of(self.rows(archived=True), ProjectRow)

    def __len__(self) -> int:
        return len(self._bench.slugs)

    def __iter__(self) -> Iterator[Project]:
        return (Project(self._bench, slug) for slug in self._bench.slugs)

    def __getitem__(self, slug: str) -> Project:
        return self._bench.project(slug)

    def __getattr__(self, slug: str) -> Project:
        if slug.startswith("_") or slug not in self._bench.slugs:
            raise AttributeError(f"there is no project {slug!r} in {self._bench.home}")
        return self._bench.project(slug)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._bench.slugs]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._bench.slugs)

    def __repr__(self) -> str:
        return self.view.text()

    def _repr_html_(self) -> str:
        return self.view.html()

    @property
    def view(self) -> report.View:
        """What it shows of itself; without the database, the slugs and why there is no more."""
        home = str(self._bench.home)
        try:
            rows, unreadable = self._look(archived=True)
            return report.projects_view(home, rows, unreadable)
        except DatabaseUnusable as error:
            names = tuple((slug,) for slug in self._bench.slugs)
            return report.View(f"Projects in {home}", ("project",), names, (str(error),))
