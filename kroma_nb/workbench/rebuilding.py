"""Every row of a workspace made again from its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kroma_nb import run, store
from kroma_nb.errors import RecordInvalid
from kroma_nb.model.rows import Unreadable
from kroma_nb.model.value import Value
from kroma_nb.workbench.bookkeeping import read_ledger
from kroma_nb.workbench.founding import cards_of
from kroma_nb.workbench.recovering import recover_all
from kroma_nb.workbench.rows_of import place_of, put_imported_rows, put_run_rows, unreadable_of

if TYPE_CHECKING:
    from kroma_nb.model.project import ProjectCard
    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.workbench import Workbench


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


def rebuilt(bench: Workbench) -> Reindexed:
    """Make every row of projects and runs again; a project at a time, all of it or nothing."""
    cards, refused = cards_of(bench)
    unreadable = [unreadable_of(project, error) for project, error in refused.items()]
    runs = 0
    for project, card in cards.items():
        made, lost = _rebuilt(project, card)
        runs, unreadable = runs + made, unreadable + lost
    slugs = {project.slug for project in cards}
    with bench.index.store.writing() as rows:
        known = {known.card.slug for known in store.known_projects(rows).values()}
        store.drop_projects(rows, known - slugs)
    gone = sorted(known - slugs - {project.slug for project in refused})
    return Reindexed(projects=len(cards), runs=runs, gone=tuple(gone), unreadable=tuple(unreadable))


def _rebuilt(project: Project, card: ProjectCard) -> tuple[int, list[Unreadable]]:
    recover_all(project)
    unreadable: list[Unreadable] = []
    folders = sorted(path.name for path in run.run_folders(project.root))
    with project.bench.index.store.writing() as rows:
        store.clear_project(rows, str(card.id))
        store.put_project(rows, card, place_of(project))
        for run_id in folders:
            try:
                put_run_rows(rows, project, str(card.id), run_id)
            except RecordInvalid as error:
                unreadable.append(unreadable_of(project, error, run_id))
        unreadable += put_imported_rows(rows, project, str(card.id))
        try:
            with rows.begin_nested():
                read_ledger(rows, str(card.id), project.root)
        except RecordInvalid as error:
            unreadable.append(unreadable_of(project, error))
    return len(folders) - sum(bool(lost.run_id) for lost in unreadable), unreadable
