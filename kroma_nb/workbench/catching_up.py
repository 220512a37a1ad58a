"""A project's rows brought to what its folder says, as far as anything can be written."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kroma_nb import run, store
from kroma_nb.errors import DatabaseUnwritable, RecordInvalid
from kroma_nb.model.words import RunStatus
from kroma_nb.run import RunFolder
from kroma_nb.workbench.bookkeeping import read_ledger
from kroma_nb.workbench.marking import seen
from kroma_nb.workbench.recovering import end_orphans, recover_all
from kroma_nb.workbench.rows_of import (
    look_at,
    place_of,
    put_imported_rows,
    put_run_rows,
    refusal,
    seen_list,
    unreadable_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kroma_nb.model.project import ProjectCard
    from kroma_nb.model.rows import Unreadable
    from kroma_nb.store import KnownProject, KnownRun, Rows
    from kroma_nb.workbench.project import Project


class Caught(NamedTuple):
    """What catching up with a project has found.

    Attributes
    ----------
    unreadable : tuple of Unreadable
    behind : DatabaseUnwritable or None
        Why its rows may be behind, where something could not be written.
    """

    unreadable: tuple[Unreadable, ...]
    behind: DatabaseUnwritable | None


@dataclass
class CatchUp:
    """One look at one project.

    Attributes
    ----------
    before : KnownProject or None
        What its rows said of it.
    known : dict
        What they said of its runs, by their ids.
    """

    project: Project
    card: ProjectCard
    before: KnownProject | None
    known: dict[str, KnownRun]
    behind: DatabaseUnwritable | None = None

    @property
    def key(self) -> str:
        """The project's id, as the rows have it."""
        return str(self.card.id)

    def caught(self) -> Caught:
        """Close runs whose process is gone, and write what the folder says and the rows do not."""
        if self.before is None or self.before.card != self.card:
            with self._writing() as rows:
                store.put_project(rows, self.card, place_of(self.project))
        recover_all(self.project)
        unreadable = self._ledger()
        self._end_orphans()
        folders = {path.name for path in run.run_folders(self.project.root)}
        gone = sorted(self.known.keys() - folders)
        for run_id in gone:
            with self._writing() as rows:
                store.drop_run(rows, self.key, run_id)
        stale = sorted(name for name in folders if self._is_stale(name))
        unreadable += [lost for name in stale if (lost := self._run(name)) is not None]
        unreadable += self._imported(anew=bool(stale or gone))
        return Caught(tuple(unreadable), self.behind)

    @contextmanager
    def _writing(self) -> Iterator[Rows]:
        """Write in one transaction; where that cannot be, remember that the rows are behind."""
        try:
            # Asked for anew each time: somebody may delete the database meanwhile.
            with self.project.bench.index.store.writing() as rows:
                yield rows
        except DatabaseUnwritable as error:
            self.behind = error

    def _is_stale(self, run_id: str) -> bool:
        folder, known = RunFolder(self.project.root, run_id), self.known.get(run_id)
        if known is not None and known.status is RunStatus.RUNNING and folder.journal_path.exists():
            return not run.is_played(folder.journal_path)
        return known is None or known.seen != seen(folder.path)

    def _run(self, run_id: str) -> Unreadable | None:
        with self._writing() as rows:
            try:
                put_run_rows(rows, self.project, self.key, run_id)
            except RecordInvalid as error:
                # What its files no longer say is not kept either.
                store.drop_run(rows, self.key, run_id)
                return refusal(self.project, run_id, error)
            return None
        return look_at(self.project, run_id)

    def _ledger(self) -> list[Unreadable]:
        if (self.before.ledger_bytes if self.before else 0) == run.Ledger(self.project.root).size_bytes():
            return []
        try:
            with self._writing() as rows:
                read_ledger(rows, self.key, self.project.root)
        except RecordInvalid as error:
            return [unreadable_of(self.project, error)]
        return []

    def _end_orphans(self) -> None:
        # Without a ledger nothing was ever paid for.
        if self.behind is None and run.Ledger(self.project.root).path.exists():
            with self.project.bench.index.store.reading() as rows:
                calls = store.open_calls(rows, self.key)
            end_orphans(self.project, calls)

    def _imported(self, *, anew: bool) -> list[Unreadable]:
        """Write the pictures beside the runs; runs that are gone, or written anew, have taken their links along."""
        if not anew and (self.before.list_seen if self.before else "") == seen_list(self.project.root):
            return []
        with self._writing() as rows:
            return put_imported_rows(rows, self.project, self.key)
        return []
