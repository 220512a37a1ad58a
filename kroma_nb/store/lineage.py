"""Everything above and below a picture, each answered by one recursive query that costs what it finds."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kroma_nb.errors import RequestInvalid
from kroma_nb.model.asset import AssetKind, AssetLink, LinkType
from kroma_nb.model.lineage import AffectedRow, LineageRecord, LostParent, Relative
from kroma_nb.model.words import PassName, Stage
from kroma_nb.store.ids import moment
from kroma_nb.store.schema import asset_links, assets, run_candidates, run_inputs, run_jobs, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from uuid import UUID

# Of what the statements are given by name.
PROJECT, ASKED = sa.bindparam("project", type_=sa.String), sa.bindparam("asked", type_=sa.String)

Step = tuple[str, str, str]
"""A link as the table holds it: parent's id, child's id, type."""


def read_lineage(rows: sa.Connection, project_id: str, asset_id: UUID) -> LineageRecord:
    """Give everything that a picture was made of, and everything that was made of it.

    Pictures that an import has linked in a circle are given once each.

    Raises
    ------
    RequestInvalid
        If the picture is not there any more.
    """
    key = str(asset_id)
    found: dict[str, Any] = {}
    steps: dict[Step, None] = {}
    for row in rows.execute(_lineage(), {"project": project_id, "asked": key}):
        found[row.id] = row
        if row.parent_id is not None:
            steps[row.parent_id, row.child_id, row.link_type] = None
    if key not in found:
        raise RequestInvalid("request", "asset", "the picture is not in the project any more", "look for another one")
    up = _spread(key, ((child, parent, kind) for parent, child, kind in steps))
    down = _spread(key, steps)
    relatives = [_relative(found[key], 0, None, found)]
    for sign, reached, nearer in ((-1, up, down), (1, down, up)):
        relatives += [
            _relative(found[far], sign * depth, step, found)
            for far, (depth, step) in reached.items()
            # In a circle a picture lies on both sides: it is told where it is nearer.
            if far not in nearer or (depth, sign) < (nearer[far][0], -sign)
        ]
    relatives.sort(key=lambda one: (one.depth, one.created_at, one.path))
    links = sorted((found[parent].path, found[child].path, kind) for parent, child, kind in steps)
    return LineageRecord(
        pictures=tuple(relatives),
        links=tuple(AssetLink(parent=up, child=down, type=LinkType(kind)) for up, down, kind in links),
        lost=tuple(_lost(found, [key, *up], steps)),
    )


def _reached(name: str, near: sa.Column[str], far: sa.Column[str]) -> sa.CTE:
    """Give the ids that links lead to from the asked picture, that one first.

    UNION keeps each id once, so that a circle ends; breadth first, each link is followed once.
    """
    start = sa.select(ASKED.label("id")).cte(name, recursive=True)
    return start.union(_next(start, near, far))


def _next(start: sa.CTE, near: sa.Column[str], *wanted: sa.Column[str]) -> sa.Select[Any]:
    """Give the links that begin, or end, at pictures that were reached."""
    chosen: list[sa.ColumnElement[Any]] = list(wanted)
    steps = sa.select(*chosen).select_from(start).join(asset_links, near == start.c.id)
    return steps.where(asset_links.c.project_id == PROJECT)


@cache
def _lineage() -> sa.Select[Any]:
    parent, child, kind = asset_links.c.parent_id, asset_links.c.child_id, asset_links.c.link_type
    above, below = _reached("above", child, parent), _reached("below", parent, child)
    none = sa.literal(None, sa.String)
    both: sa.CompoundSelect[Any] = sa.union_all(
        sa.select(none.label("parent_id"), none.label("child_id"), none.label("link_type"), ASKED.label("far")),
        _next(above, child, parent, child, kind, parent),
        _next(below, parent, parent, child, kind, child),
    )
    steps = both.add_cte(above, below).subquery("steps")
    ref = sa.select(run_inputs.c.ref).where(run_inputs.c.asset_id == assets.c.id).order_by(run_inputs.c.at).limit(1)
    return (
        sa.select(
            *(steps.c.parent_id, steps.c.child_id, steps.c.link_type),
            *(assets.c[name] for name in ("id", "kind", "path", "sha256", "pass_name", "created_at")),
            *(run_jobs.c[name] for name in ("job_key", "name", "stage", "selected_candidate")),
            *(run_jobs.c[name] for name in ("follows_run", "follows_job", "follows_candidate")),
            runs.c.run_id.label("run_name"),
            run_candidates.c.candidate_index,
            ref.scalar_subquery().label("ref"),
        )
        .select_from(steps)
        .join(assets, (assets.c.id == steps.c.far) & (assets.c.project_id == PROJECT))
        .outerjoin(run_candidates, run_candidates.c.id == assets.c.candidate_id)
        .outerjoin(run_jobs, run_jobs.c.id == run_candidates.c.job_id)
        .outerjoin(runs, runs.c.id == assets.c.run_id)
    )


def _spread(start: str, steps: Iterable[Step]) -> dict[str, tuple[int, Step]]:
    """Give what can be reached from a picture along steps, each with its depth and the first shortest step to it."""
    leads: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        leads[step[0]].append(step)
    reached: dict[str, tuple[int, Step]] = {}
    edge, depth = [start], 0
    while edge:
        depth += 1
        new = [step for near in edge for step in leads[near] if step[1] != start and step[1] not in reached]
        reached |= {step[1]: (depth, step) for step in reversed(new)}
        edge = list(dict.fromkeys(step[1] for step in new))
    return reached


def _relative(row: Any, depth: int, step: Step | None, found: Mapping[str, Any]) -> Relative:
    stored = row.path.rpartition("/")[2]
    return Relative(
        depth=depth,
        path=row.path,
        name=row.ref.replace("\\", "/").rstrip("/").rpartition("/")[2] or stored if row.ref else stored,
        kind=AssetKind(row.kind),
        link_type=LinkType(step[2]) if step else None,
        via=found[step[0]].path if step else None,
        stage=Stage(row.stage) if row.stage else None,
        run_id=row.run_name,
        job_id=row.job_key,
        scene=row.name,
        candidate=row.candidate_index,
        winner=row.candidate_index is not None and row.candidate_index == row.selected_candidate,
        pass_name=PassName(row.pass_name) if row.pass_name else None,
        sha256=row.sha256,
        created_at=moment(row.created_at),
    )


def _lost(found: Mapping[str, Any], above: Iterable[str], steps: Iterable[Step]) -> Iterator[LostParent]:
    """Name what pictures followed that is gone; only above the asked one is everything known that leads to them."""
    following = {child for _, child, kind in steps if kind == LinkType.VARIANT_OF}
    for key in above:
        row = found[key]
        if row.follows_run and row.pass_name == PassName.GENERATE and key not in following:
            yield LostParent(
                child=row.path, run_id=row.follows_run, job_id=row.follows_job, candidate=row.follows_candidate
            )


def read_affected(rows: sa.Connection, project_id: str, asset_id: UUID) -> tuple[AffectedRow, ...]:
    """Give what must be made again if a picture changes: candidates by run and scene, then pictures outside runs.

    The picture itself is not among them, and its candidate is only where later passes of it were made.
    """
    found = rows.execute(_affected(), {"project": project_id, "asked": str(asset_id)})
    return tuple(_affected_row(row) for row in found)


@cache
def _affected() -> sa.Select[Any]:
    below = _reached("below", asset_links.c.parent_id, asset_links.c.child_id)
    direct = asset_links.alias("direct")
    made = sa.case((assets.c.pass_name == PassName.GENERATE.value, 1), else_=0)
    last = sa.func.max(sa.case((assets.c.is_last, assets.c.path)))
    return (
        sa.select(
            runs.c.run_id.label("run_name"),
            *(run_jobs.c[name] for name in ("job_key", "name", "stage", "selected_candidate", "planned_candidates")),
            *(run_candidates.c[name] for name in ("candidate_index", "provider", "model")),
            sa.func.max(made).label("drawn"),
            sa.func.min(direct.c.link_type).label("link_type"),
            sa.func.coalesce(last, sa.func.max(assets.c.path)).label("path"),
        )
        .select_from(below)
        .join(assets, (assets.c.id == below.c.id) & (assets.c.project_id == PROJECT))
        .outerjoin(
            direct,
            (direct.c.project_id == PROJECT) & (direct.c.parent_id == ASKED) & (direct.c.child_id == below.c.id),
        )
        .outerjoin(run_candidates, run_candidates.c.id == assets.c.candidate_id)
        .outerjoin(run_jobs, run_jobs.c.id == run_candidates.c.job_id)
        .outerjoin(runs, runs.c.id == run_jobs.c.run_id)
        .where(below.c.id != ASKED, ~_is_given_on())
        .group_by(sa.func.coalesce(run_candidates.c.id, assets.c.id))
        .order_by(
            *(runs.c.id.is_(None), runs.c.created_at, runs.c.id, run_jobs.c.position),
            *(run_candidates.c.candidate_index, sa.func.max(assets.c.path)),
        )
    )


def _is_given_on() -> sa.ColumnElement[bool]:
    """Tell whether a picture is only the copy of another one that a run has read: that is not made, but given again."""
    link, twin = asset_links.alias("given"), assets.alias("twin")
    same = (twin.c.id == link.c.parent_id) & (twin.c.sha256 == assets.c.sha256)
    given = sa.exists().where(link.c.project_id == PROJECT, link.c.child_id == assets.c.id, same)
    return (assets.c.kind == AssetKind.INPUT.value) & given


def _affected_row(row: Any) -> AffectedRow:
    return AffectedRow(
        run_id=row.run_name,
        stage=Stage(row.stage) if row.stage else None,
        job_id=row.job_key,
        scene=row.name,
        candidate=row.candidate_index,
        winner=row.candidate_index is not None and row.candidate_index == row.selected_candidate,
        link_type=LinkType(row.link_type) if row.link_type else None,
        drawn=bool(row.drawn),
        planned_candidates=row.planned_candidates,
        provider=row.provider,
        model=row.model,
        path=row.path,
    )
