"""Pictures and their descent, found again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from kroma_nb.model.asset import AssetFilter, AssetKind, AssetLink, AssetRecord, LinkType
from kroma_nb.model.words import PassName, Stage
from kroma_nb.store.ids import asset_key, moment, run_key, stamp
from kroma_nb.store.linking import link_imported
from kroma_nb.store.schema import asset_links, assets, project_files, run_candidates, run_jobs, runs

if TYPE_CHECKING:
    from kroma_nb.model.imported import ImportedAsset, ImportedAssets

# When a picture was made whose record does not say it: before everything else.
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
WHOLE = 64
"""How many digits a sha256 has; fewer are its beginning."""
HISTORY = 5
"""How many of a project's newest runs a forecast looks at."""


def list_assets(
    rows: sa.Connection,
    project_id: str,
    which: AssetFilter,
    *,
    after: AssetRecord | None = None,
    limit: int | None = 60,
) -> tuple[AssetRecord, ...]:
    """Give a page of a project's pictures, newest first; as fast at any depth.

    Parameters
    ----------
    which : AssetFilter
    after : AssetRecord, optional
        The last one of the page before.
    limit : int or None
        How many; None gives all of them.
    """
    page = (
        sa.select(assets, runs.c.run_id.label("run_name"), run_jobs.c.job_key, run_candidates.c.candidate_index)
        .select_from(assets)
        .outerjoin(runs, runs.c.id == assets.c.run_id)
        .outerjoin(run_candidates, run_candidates.c.id == assets.c.candidate_id)
        .outerjoin(run_jobs, run_jobs.c.id == run_candidates.c.job_id)
        .where(*_fits(project_id, which))
    )
    if after is not None:
        place = sa.tuple_(sa.literal(stamp(after.created_at)), sa.literal(str(after.id)))
        created_at: sa.ColumnElement[str] = assets.c.created_at
        if which.sha256 is not None and len(which.sha256) < WHOLE:
            created_at = created_at.concat("")  # the digits find a handful, this must not choose the index
        page = page.where(sa.tuple_(created_at, assets.c.id) < place)
    page = page.order_by(assets.c.created_at.desc(), assets.c.id.desc()).limit(limit)
    return tuple(_asset(row) for row in rows.execute(page))


def _asset(row: Any) -> AssetRecord:
    return AssetRecord(
        id=UUID(row.id),
        kind=AssetKind(row.kind),
        path=row.path,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        run_id=row.run_name,
        job_id=row.job_key,
        candidate=row.candidate_index,
        pass_name=PassName(row.pass_name) if row.pass_name else None,
        backend=row.backend,
        version=row.version,
        seconds=row.seconds,
        created_at=moment(row.created_at),
    )


def count_assets(rows: sa.Connection, project_id: str, which: AssetFilter) -> int:
    """Count the pictures of a project."""
    return rows.scalar(sa.select(sa.func.count()).select_from(assets).where(*_fits(project_id, which))) or 0


def _fits(project_id: str, which: AssetFilter) -> list[sa.ColumnElement[bool]]:
    fits = [assets.c.project_id == project_id]
    if which.run_id is not None:
        fits.append(assets.c.run_id == run_key(project_id, which.run_id))
    if which.path is not None:
        fits.append(assets.c.path == which.path)
    if which.sha256 is not None and len(which.sha256) == WHOLE:
        fits.append(assets.c.sha256 == which.sha256)
    elif which.sha256 is not None:
        # Hexadecimal digits end with f: what begins with these stands between them and the letter after it.
        fits += [assets.c.sha256 >= which.sha256, assets.c.sha256 < f"{which.sha256}g"]
    if which.kind is not None:
        # Beside something that finds a few rows, the kind only passes over some: it must not choose the index.
        alone = which == AssetFilter(kind=which.kind)
        fits.append((assets.c.kind if alone else assets.c.kind.concat("")) == which.kind.value)
    return fits


def list_links(rows: sa.Connection, project_id: str, asset_id: UUID) -> tuple[AssetLink, ...]:
    """Give the links that lead to and from a picture: from its parents first."""
    parent, child = assets.alias("parent"), assets.alias("child")
    wanted = (
        sa.select(parent.c.path, child.c.path, asset_links.c.link_type)
        .join(parent, parent.c.id == asset_links.c.parent_id)
        .join(child, child.c.id == asset_links.c.child_id)
        .where(asset_links.c.project_id == project_id)
        .order_by(asset_links.c.link_type, parent.c.path, child.c.path)
    )
    key = str(asset_id)
    found = [
        *rows.execute(wanted.where(asset_links.c.child_id == key)),
        *rows.execute(wanted.where(asset_links.c.parent_id == key)),
    ]
    return tuple(AssetLink(parent=up, child=down, type=LinkType(kind)) for up, down, kind in found)


def density(rows: sa.Connection, project_id: str, stage: Stage) -> float | None:
    """Give the bytes a pixel of the pictures in a project's newest runs of a stage; None where there are none."""
    newest = (
        sa.select(runs.c.id)
        .where(runs.c.project_id == project_id, runs.c.stage == stage.value, _drew_something())
        .order_by(runs.c.created_at.desc(), runs.c.id.desc())
        .limit(HISTORY)
    )
    known = assets.c.run_id.in_(newest) & assets.c.width.is_not(None) & assets.c.size_bytes.is_not(None)
    sums = sa.select(sa.func.sum(assets.c.size_bytes), sa.func.sum(assets.c.width * assets.c.height)).where(known)
    size_bytes, pixels = rows.execute(sums).one()
    return size_bytes / pixels if pixels else None


def pace(rows: sa.Connection, project_id: str, stage: Stage, provider: str, model: str) -> float | None:
    """Give the mean seconds of a candidate in a project's newest runs of a stage; None where there are none.

    Candidates that were taken from what was made before do not count.
    """
    newest = (
        sa.select(runs.c.id)
        .where(
            runs.c.project_id == project_id,
            runs.c.stage == stage.value,
            runs.c.provider == provider,
            runs.c.model == model,
            _drew_something(),
        )
        .order_by(runs.c.created_at.desc(), runs.c.id.desc())
        .limit(HISTORY)
    )
    lasted = sa.func.julianday(run_candidates.c.finished_at) - sa.func.julianday(run_candidates.c.started_at)
    drawn = assets.c.pass_name == PassName.GENERATE.value
    computed = sa.select(assets.c.candidate_id).where(assets.c.run_id.in_(newest), drawn, ~assets.c.reused)
    days = rows.scalar(sa.select(sa.func.avg(lasted)).where(run_candidates.c.id.in_(computed)))
    return days * 86_400 if days is not None else None


def _drew_something() -> sa.ColumnElement[bool]:
    """Tell runs that drew from those that took all their pages from before, as one that only finishes does."""
    drawn = assets.c.pass_name == PassName.GENERATE.value
    return sa.exists().where(assets.c.run_id == runs.c.id, drawn, ~assets.c.reused)


def put_imported(rows: sa.Connection, project_id: str, found: ImportedAssets, seen: str) -> None:
    """Write the pictures that an import left beside the runs, in place of those that were known.

    Parameters
    ----------
    found : ImportedAssets
    seen : str
        What their list looked like when it was read.
    """
    rows.execute(sa.delete(assets).where(assets.c.project_id == project_id, assets.c.kind == AssetKind.IMPORTED.value))
    # A list may name one picture by several sources: the oldest is the one that is meant.
    by_path: dict[str, ImportedAsset] = {}
    for one in sorted(found.assets, key=lambda one: (one.created_at or UNDATED, one.source_id), reverse=True):
        by_path[one.path] = one
    if by_path:
        rows.execute(sa.insert(assets), [_imported_row(project_id, one) for one in by_path.values()])
    _put_links(rows, project_id, found)
    link_imported(rows, project_id)
    files = insert(project_files).values(project_id=project_id, seen=seen)
    rows.execute(files.on_conflict_do_update(index_elements=["project_id"], set_={"seen": seen}))


def _put_links(rows: sa.Connection, project_id: str, found: ImportedAssets) -> None:
    """Write the links whose two pictures are there: one of a run that was deleted since then leads nowhere."""
    for link in found.links:
        ends = asset_key(project_id, link.parent), asset_key(project_id, link.child)
        there = rows.scalar(sa.select(sa.func.count()).select_from(assets).where(assets.c.id.in_(ends)))
        if there == len(ends) and ends[0] != ends[1]:
            row = {"project_id": project_id, "parent_id": ends[0], "child_id": ends[1], "link_type": link.type}
            rows.execute(insert(asset_links).values(row).on_conflict_do_nothing())


def _imported_row(project_id: str, one: ImportedAsset) -> dict[str, Any]:
    return {
        "id": asset_key(project_id, one.path),
        "project_id": project_id,
        "kind": AssetKind.IMPORTED.value,
        "path": one.path,
        "sha256": one.sha256,
        "size_bytes": one.size_bytes,
        "media_type": one.media_type,
        "width": one.width,
        "height": one.height,
        "is_last": False,
        "created_at": stamp(one.created_at or UNDATED),
    }
