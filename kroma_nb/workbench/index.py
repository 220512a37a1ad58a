"""The index of a workspace: what its files say, as rows of a database that can be made again at any time."""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from kroma_nb import run, store
from kroma_nb.errors import DatabaseUnwritable, InfraFailed, KromaError, RecordInvalid
from kroma_nb.model.imported import ImportedAssets
from kroma_nb.model.rows import Unreadable
from kroma_nb.model.value import Value
from kroma_nb.model.words import RunStatus
from kroma_nb.run import RunFolder
from kroma_nb.workbench.bookkeeping import read_ledger
from kroma_nb.workbench.founding import card_path, cards_of
from kroma_nb.workbench.imported_list import FOLDER, INDEX, read_assets
from kroma_nb.workbench.marking import beside, seen, state
from kroma_nb.workbench.recovering import recover_all

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from kroma_nb.model.project import ProjectCard
    from kroma_nb.store import KnownProject, KnownRun, Rows
    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.workbench import Workbench

STARTING_S = 10.0
"""How long a run's folder may be without a journal before something must have gone wrong."""
FRESH_S = 1.0
"""How long a look at every run's files counts, while no run has come or gone: pages are turned faster than that."""


class IndexBehind(UserWarning):
    """What is in the folders, and what the database knows of it, are not the same for now."""


class Reindexed(Value):
    """What `Workbench.reindex` found.

    Attributes
    ----------
    projects, runs : int
        How many have rows now.
    gone : tuple of str
        Projects whose rows were removed, because they have no folder any more.
    unreadable : tuple of Unreadable
    """

    projects: int
    runs: int
    gone: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


class Index:
    """The database of a workspace, opened when it is first needed."""

    def __init__(self, bench: Workbench, *, busy_s: float = store.BUSY_S) -> None:
        self.bench, self.busy_s = bench, busy_s
        self._one_at_a_time = Lock()
        self._store: store.Store | None = None
        self._looked: dict[Project, tuple[str, float]] = {}
        self._behind: DatabaseUnwritable | None = None
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
        return looks == _looks(project) and time.monotonic() - at < FRESH_S

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
        unreadable = [_unreadable(project, refused[project]) for project in projects if project in refused]
        mine = {project: cards[project] for project in projects if project in cards}
        with self.store.reading() as rows:
            known = store.known_projects(rows)
            runs = store.known_runs(rows, [str(card.id) for card in mine.values()])
        gone = {lost.project for lost in unreadable} & {one.card.slug for one in known.values()}
        if every:
            gone = {one.card.slug for one in known.values()} - {project.slug for project in mine}
        self._behind = None
        if gone:
            with self._or_behind(), self.store.writing() as rows:
                store.drop_projects(rows, gone)
            known = {key: one for key, one in known.items() if one.card.slug not in gone}
        for project, card in mine.items():
            before = known.get(str(card.id))
            unreadable += self._catch_up(project, card, before, runs[str(card.id)] if before else {})
        if self._behind is not None and strict:
            raise self._behind
        if self._behind is not None:
            warnings.warn(f"what is listed may be behind the files: {self._behind}", IndexBehind, stacklevel=4)
        return tuple(unreadable)

    @contextmanager
    def _or_behind(self) -> Iterator[None]:
        """Remember that the rows are behind, where what is done in the block cannot be written."""
        try:
            yield
        except DatabaseUnwritable as error:
            self._behind = error

    def _catch_up(
        self, project: Project, card: ProjectCard, before: KnownProject | None, known: dict[str, KnownRun]
    ) -> list[Unreadable]:
        looks, key = _looks(project), str(card.id)
        if before is None or before.card != card:
            with self._or_behind(), self.store.writing() as rows:
                store.put_project(rows, card, self._place(project))
        recover_all(project)
        unreadable: list[Unreadable] = []
        folders = {path.name for path in run.run_folders(project.root)}
        for run_id in sorted(known.keys() - folders):
            with self._or_behind():
                self.forget(key, run_id)
        stale = sorted(name for name in folders if self._is_stale(project, name, known.get(name)))
        unreadable += [lost for name in stale if (lost := self._catch_up_run(project, key, name)) is not None]
        if (before.ledger_bytes if before else 0) != run.Ledger(project.root).size_bytes():
            unreadable += self._catch_up_ledger(project, key)
        if stale or known.keys() - folders or (before.list_seen if before else "") != seen_list(project.root):
            # Runs that were written anew, or are gone, have taken the links of an import with them.
            with self._or_behind(), self.store.writing() as rows:
                unreadable += self._put_imported(rows, project, key)
        if self._behind is None:
            self._looked[project] = looks, time.monotonic()
        return unreadable

    def _catch_up_ledger(self, project: Project, key: str) -> list[Unreadable]:
        try:
            with self._or_behind(), self.store.writing() as rows:
                read_ledger(rows, key, project.root)
        except RecordInvalid as error:
            return [_unreadable(project, error)]
        return []

    def _is_stale(self, project: Project, run_id: str, known: KnownRun | None) -> bool:
        folder = RunFolder(project.root, run_id)
        if known is not None and known.status is RunStatus.RUNNING and folder.journal_path.exists():
            return not run.is_played(folder.journal_path)
        return known is None or known.seen != seen(folder.path)

    def _catch_up_run(self, project: Project, key: str, run_id: str) -> Unreadable | None:
        with self._or_behind(), self.store.writing() as rows:
            try:
                self._put(rows, project, key, run_id)
            except RecordInvalid as error:
                # What its files no longer say is not kept either.
                store.drop_run(rows, key, run_id)
                return _refusal(project, run_id, error)
            return None
        return _look_at(project, run_id)

    def _put(self, rows: Rows, project: Project, key: str, run_id: str) -> None:
        folder = RunFolder(project.root, run_id).path
        # Looked at first: what changes while it is read is then read again.
        known = beside(folder)
        with run.open_record(folder, project=project.slug) as record:
            # Of a run that is still played, its candidates are only in its journal: they come when it has ended.
            jobs = () if record.head.status is RunStatus.RUNNING else record.jobs
            store.put_run(rows, key, record.head, jobs, known)

    def _put_imported(self, rows: Rows, project: Project, key: str) -> list[Unreadable]:
        """Write the pictures that an import has left beside the runs; without a list there are none."""
        now_seen = seen_list(project.root)
        try:
            store.put_imported(rows, key, read_assets(project.root), now_seen)
        except RecordInvalid as error:
            store.put_imported(rows, key, ImportedAssets(), "")
            return [_unreadable(project, error)]
        return []

    def put_card(self, rows: Rows, project: Project, card: ProjectCard) -> None:
        """Write what a project's card says.

        Raises
        ------
        RecordInvalid
            If the project is a copy of another one.
        """
        self._refuse_copy(project)
        store.put_project(rows, card, self._place(project))

    def _place(self, project: Project) -> str:
        return project.root.relative_to(self.bench.home).as_posix()

    def note(self, project: Project, run_id: str) -> None:
        """Write a run that has ended; what cannot be written is said, and is no loss to the run."""
        try:
            self._refuse_copy(project)
            card = project.card
            with self.store.writing() as rows:
                store.put_project(rows, card, self._place(project))
                self._put(rows, project, str(card.id), run_id)
                if seen_list(project.root):
                    self._put_imported(rows, project, str(card.id))
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
        cards, refused = cards_of(self.bench)
        unreadable = [_unreadable(project, error) for project, error in refused.items()]
        runs = 0
        for project, card in cards.items():
            made, lost = self._rebuild_project(project, card)
            runs, unreadable = runs + made, unreadable + lost
        slugs = {project.slug for project in cards}
        with self.store.writing() as rows:
            known = {known.card.slug for known in store.known_projects(rows).values()}
            store.drop_projects(rows, known - slugs)
        gone = sorted(known - slugs - {project.slug for project in refused})
        self._looked.clear()
        return Reindexed(projects=len(cards), runs=runs, gone=tuple(gone), unreadable=tuple(unreadable))

    def _rebuild_project(self, project: Project, card: ProjectCard) -> tuple[int, list[Unreadable]]:
        recover_all(project)
        unreadable: list[Unreadable] = []
        folders = sorted(path.name for path in run.run_folders(project.root))
        with self.store.writing() as rows:
            store.clear_project(rows, str(card.id))
            store.put_project(rows, card, self._place(project))
            for run_id in folders:
                try:
                    self._put(rows, project, str(card.id), run_id)
                except RecordInvalid as error:
                    unreadable.append(_unreadable(project, error, run_id))
            unreadable += self._put_imported(rows, project, str(card.id))
            try:
                with rows.begin_nested():
                    read_ledger(rows, str(card.id), project.root)
            except RecordInvalid as error:
                unreadable.append(_unreadable(project, error))
        return len(folders) - sum(bool(lost.run_id) for lost in unreadable), unreadable


def _look_at(project: Project, run_id: str) -> Unreadable | None:
    """Read a run that cannot be written into the index, for what is wrong with it."""
    try:
        with run.open_record(RunFolder(project.root, run_id).path, project=project.slug) as record:
            for _ in record.jobs:
                pass
    except RecordInvalid as error:
        return _refusal(project, run_id, error)
    return None


def _refusal(project: Project, run_id: str, error: RecordInvalid) -> Unreadable | None:
    return None if _is_starting(RunFolder(project.root, run_id)) else _unreadable(project, error, run_id)


def seen_list(root: Path) -> str:
    """Say what a project's list of imported pictures looks like; empty where there is none."""
    return state(root / FOLDER / INDEX)


def _number_of(path: Path) -> int:
    """Give the number by which the system knows a file; 0 where there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _looks(project: Project) -> str:
    """Say what a project looks like from outside: another text where a run has come or gone."""
    files = (project.root / "runs", card_path(project.root), project.root / "ledger.jsonl")
    return "; ".join((*map(state, files), seen_list(project.root)))


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


def _unreadable(project: Project, error: KromaError, run_id: str = "") -> Unreadable:
    return Unreadable(project=project.slug, run_id=run_id, error_code=error.error_code, says=str(error))
