"""The index of a workspace: what its files say, as rows of a database that can be made again at any time."""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from kroma_nb import store
from kroma_nb.errors import DatabaseUnwritable, InfraFailed, RecordInvalid
from kroma_nb.workbench.catching_up import CatchUp
from kroma_nb.workbench.founding import cards_of
from kroma_nb.workbench.rebuilding import Reindexed, rebuilt
from kroma_nb.workbench.rows_of import looks_of, place_of, put_imported_rows, put_run_rows, seen_list, unreadable_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from kroma_nb.model.project import ProjectCard
    from kroma_nb.model.rows import Unreadable
    from kroma_nb.store import Rows
    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.workbench import Workbench

FRESH_S = 1.0
"""How long a look at every run's files counts, while no run has come or gone: pages are turned faster than that."""


class IndexBehind(UserWarning):
    """What is in the folders, and what the database knows of it, are not the same for now."""


class Index:
    """The database of a workspace, opened when it is first needed."""

    def __init__(self, bench: Workbench, *, busy_s: float = store.BUSY_S) -> None:
        self.bench, self.busy_s = bench, busy_s
        self._one_at_a_time = Lock()
        self._store: store.Store | None = None
        self._looked: dict[Project, tuple[str, float]] = {}
        self._file = 0

    @property
    def path(self) -> Path:
        """The database's file."""
        return self.bench.home / "var" / "kroma.db"

    @property
    def store(self) -> store.Store:
        """The open database.

        Raises
        ------
        DatabaseUnusable
            With the file, what is wrong and the way out.
        """
        # Calls are paid on several threads.
        with self._one_at_a_time:
            if self._store is not None and _number_of(self.path) != self._file:
                # Somebody has deleted it, or made it anew: what this process still holds open is nobody's any more.
                self._store.close()
                self._store = None
                self._looked.clear()
            if self._store is None:
                self._store = store.open_store(self.path, busy_s=self.busy_s)
                self._file = _number_of(self.path)
            return self._store

    @contextmanager
    def rows(self, project: Project, *, fresh: bool = True) -> Iterator[tuple[Rows, str]]:
        """Read a project's rows in one transaction, after what its folders say; gives the project's id beside them.

        Raises
        ------
        DatabaseUnusable
            With the file, what is wrong and the way out.
        """
        if (fresh and not self._is_fresh(project)) or not self.path.exists():
            self._refuse_copy(project)
            self.catch_up([project])
        with self.store.reading() as rows:
            yield rows, str(project.card.id)

    def _refuse_copy(self, project: Project) -> None:
        """Raise why a project cannot be told who it is; its rows would be another one's."""
        _, refused = cards_of(self.bench)
        if project in refused:
            raise refused[project]

    def _is_fresh(self, project: Project) -> bool:
        looks, at = self._looked.get(project, ("", 0.0))
        return looks == looks_of(project) and time.monotonic() - at < FRESH_S

    def catch_up(
        self, projects: Collection[Project], *, every: bool = False, strict: bool = False
    ) -> tuple[Unreadable, ...]:
        """Write what the folders of projects say and the rows do not, and give what cannot be read.

        Where nothing can be written, a warning says that the rows may be behind, and reading goes on.

        Parameters
        ----------
        projects : collection of Project
        every : bool
            Whether these are all there are: the rows of others are removed.
        strict : bool
            Whether rows that may be behind are an error: for those who delete what no row names.

        Raises
        ------
        DatabaseUnusable
            With the file, what is wrong and the way out.
        """
        cards, refused = cards_of(self.bench)
        unreadable = [unreadable_of(project, refused[project]) for project in projects if project in refused]
        mine = {project: cards[project] for project in projects if project in cards}
        with self.store.reading() as rows:
            known = store.known_projects(rows)
            runs = store.known_runs(rows, [str(card.id) for card in mine.values()])
        gone = {lost.project for lost in unreadable} & {one.card.slug for one in known.values()}
        if every:
            gone = {one.card.slug for one in known.values()} - {project.slug for project in mine}
        behind: DatabaseUnwritable | None = None
        if gone:
            behind = self._dropped(gone)
            known = {key: one for key, one in known.items() if one.card.slug not in gone}
        for project, card in mine.items():
            looks, before = looks_of(project), known.get(str(card.id))
            found = CatchUp(project, card, before, runs[str(card.id)] if before else {}).caught()
            unreadable += found.unreadable
            behind = found.behind or behind
            if found.behind is None:
                self._looked[project] = looks, time.monotonic()
        if behind is not None and strict:
            raise behind
        if behind is not None:
            warnings.warn(f"what is listed may be behind the files: {behind}", IndexBehind, stacklevel=4)
        return tuple(unreadable)

    def _dropped(self, slugs: set[str]) -> DatabaseUnwritable | None:
        """Remove the rows of projects; give why that could not be written, where it could not."""
        try:
            with self.store.writing() as rows:
                store.drop_projects(rows, slugs)
        except DatabaseUnwritable as error:
            return error
        return None

    def put_card(self, rows: Rows, project: Project, card: ProjectCard) -> None:
        """Write what a project's card says.

        Raises
        ------
        RecordInvalid
            If the project is a copy of another one.
        """
        self._refuse_copy(project)
        store.put_project(rows, card, place_of(project))

    def note(self, project: Project, run_id: str) -> None:
        """Write a run that has ended; what cannot be written is said, and is no loss to the run."""
        try:
            self._refuse_copy(project)
            card = project.card
            with self.store.writing() as rows:
                store.put_project(rows, card, place_of(project))
                put_run_rows(rows, project, str(card.id), run_id)
                if seen_list(project.root):
                    put_imported_rows(rows, project, str(card.id))
        except (InfraFailed, RecordInvalid) as error:
            said = f"run {run_id} is not in the index yet, and its files stay as they are: {error}"
            warnings.warn(said, IndexBehind, stacklevel=3)

    def forget(self, key: str, run_id: str) -> None:
        """Remove the rows of a run whose folder is gone."""
        with self.store.writing() as rows:
            store.drop_run(rows, key, run_id)

    def forget_deleted(self, project: Project, card: ProjectCard, run_id: str = "") -> None:
        """Remove the rows of a run, or of a whole project, that was just deleted; what cannot be removed is said."""
        try:
            if run_id:
                self.forget(str(card.id), run_id)
            elif self.path.exists():
                with self.store.writing() as rows:
                    store.clear_project(rows, str(card.id))
        except InfraFailed as error:
            said = f"{run_id or project.slug} is deleted, and its rows are not yet: {error}"
            warnings.warn(said, IndexBehind, stacklevel=4)

    def rebuild(self) -> Reindexed:
        """Make every row of projects and runs again from the files; a project at a time, all of it or nothing."""
        made = rebuilt(self.bench)
        self._looked.clear()
        return made


def _number_of(path: Path) -> int:
    """Give the number by which the system knows a file; 0 where there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0
