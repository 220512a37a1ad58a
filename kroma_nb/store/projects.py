"""Projects as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from kroma_nb.model.asset import AssetKind
from kroma_nb.model.money import Budget, Money
from kroma_nb.model.project import ProjectCard, ProjectStatus
from kroma_nb.model.rows import ProjectRow
from kroma_nb.model.words import RunStatus
from kroma_nb.store.ids import moment, stamp
from kroma_nb.store.schema import assets, ledger_files, project_files, project_storage, projects, run_files, runs

if TYPE_CHECKING:
    from collections.abc import Collection


def put_project(rows: sa.Connection, card: ProjectCard, root: str) -> None:
    """Write what a project's card says.

    Parameters
    ----------
    root : str
        The project's folder, relative to the workspace.
    """
    said = {
        "slug": card.slug,
        "name": card.name,
        "description": card.description,
        "status": card.status.value,
        "founded_as": card.founded_as,
        "created_at": stamp(card.created_at),
        "updated_at": stamp(card.updated_at) if card.updated_at else None,
        "budget_run_micro": _micro(card.budget.per_run),
        "budget_month_micro": _micro(card.budget.per_month),
    }
    key = str(card.id)
    # A project that was deleted and made again under its slug is another one.
    rows.execute(sa.delete(projects).where(projects.c.slug == card.slug, projects.c.id != key))
    new = insert(projects).values(id=key, **said)
    rows.execute(new.on_conflict_do_update(index_elements=["id"], set_=said))
    storage = insert(project_storage).values(project_id=key, local_root=root)
    rows.execute(storage.on_conflict_do_update(index_elements=["project_id"], set_={"local_root": root}))


def drop_projects(rows: sa.Connection, slugs: Collection[str]) -> None:
    """Remove projects with all their rows."""
    for slug in slugs:
        rows.execute(sa.delete(projects).where(projects.c.slug == slug))


def clear_project(rows: sa.Connection, project_id: str) -> None:
    """Remove everything that is known of a project."""
    rows.execute(sa.delete(projects).where(projects.c.id == project_id))


class KnownProject(NamedTuple):
    """A project as its rows have it.

    Attributes
    ----------
    card : ProjectCard
    list_seen : str
        What its list of imported pictures looked like.
    ledger_bytes : int
        How far its ledger was read.
    """

    card: ProjectCard
    list_seen: str
    ledger_bytes: int


def known_projects(rows: sa.Connection) -> dict[str, KnownProject]:
    """Give every project that has rows, by its id."""
    wanted = (
        sa.select(projects, project_files.c.seen, ledger_files.c.read_bytes)
        .outerjoin(project_files, project_files.c.project_id == projects.c.id)
        .outerjoin(ledger_files, ledger_files.c.project_id == projects.c.id)
    )
    return {row.id: KnownProject(_card(row), row.seen or "", row.read_bytes or 0) for row in rows.execute(wanted)}


def _card(row: Any) -> ProjectCard:
    return ProjectCard(
        id=UUID(row.id),
        slug=row.slug,
        name=row.name,
        description=row.description,
        status=ProjectStatus(row.status),
        founded_as=row.founded_as,
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at) if row.updated_at else None,
        budget=Budget(per_run=_money(row.budget_run_micro), per_month=_money(row.budget_month_micro)),
    )


def _micro(amount: Money | None) -> int | None:
    # Nothing is an amount too: a project that may cost nothing.
    return amount.micro_usd if amount is not None else None


def _money(micro_usd: int | None) -> Money | None:
    return Money(micro_usd=micro_usd) if micro_usd is not None else None


class KnownRun(NamedTuple):
    """How a run stood, and what its files looked like, when its rows were made."""

    status: RunStatus
    seen: str


def known_runs(rows: sa.Connection, project_ids: Collection[str]) -> dict[str, dict[str, KnownRun]]:
    """Give every run of some projects that has rows."""
    found: dict[str, dict[str, KnownRun]] = {key: {} for key in project_ids}
    wanted = (
        sa.select(runs.c.project_id, runs.c.run_id, runs.c.status, run_files.c.seen)
        .outerjoin(run_files, run_files.c.run_id == runs.c.id)
        .where(runs.c.project_id.in_(project_ids))
    )
    for project_id, run_id, status, seen in rows.execute(wanted):
        found[project_id][run_id] = KnownRun(RunStatus(status), seen or "")
    return found


def list_projects(rows: sa.Connection, project_id: str | None = None) -> tuple[ProjectRow, ...]:
    """Give every project, sorted by slug; or only one."""
    meant = sa.true() if project_id is None else projects.c.id == project_id
    counted = (
        sa.select(
            runs.c.project_id,
            sa.func.count().label("runs"),
            sa.func.sum(runs.c.pictures).label("pictures"),
            sa.func.sum(runs.c.size_bytes).label("made_bytes"),
        )
        .where(runs.c.project_id.in_(sa.select(projects.c.id).where(meant)))
        .group_by(runs.c.project_id)
        .subquery()
    )
    beside = [kind.value for kind in AssetKind if kind is not AssetKind.PICTURE]
    kept = (
        sa.select(assets.c.project_id, sa.func.sum(assets.c.size_bytes).label("kept_bytes"))
        .where(assets.c.kind.in_(beside), assets.c.project_id.in_(sa.select(projects.c.id).where(meant)))
        .group_by(assets.c.project_id)
        .subquery()
    )
    wanted = (
        sa.select(projects, counted, kept.c.kept_bytes)
        .outerjoin(counted, counted.c.project_id == projects.c.id)
        .outerjoin(kept, kept.c.project_id == projects.c.id)
        .where(meant)
        .order_by(projects.c.slug)
    )
    return tuple(
        ProjectRow(
            slug=row.slug,
            name=row.name,
            status=ProjectStatus(row.status),
            description=row.description,
            runs=row.runs or 0,
            pictures=row.pictures or 0,
            used_bytes=(row.made_bytes or 0) + (row.kept_bytes or 0),
            created_at=moment(row.created_at),
        )
        for row in rows.execute(wanted)
    )
