"""Everything above and below a picture, each answered by one recursive query that costs what it finds."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kroma_nb.errors import RequestInvalid
from kroma_nb.model.asset import AssetKind, AssetLink, LinkType
from kroma_nb.model.lineage import AffectedRow, CutOff, LineageRecord, LostParent, Relative
from kroma_nb.model.words import PassName, Stage
from kroma_nb.store.ids import moment
from kroma_nb.store.schema import asset_links, assets, run_candidates, run_inputs, run_jobs, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from uuid import UUID

# Of what the statements are given by name.
PROJECT, ASKED = sa.bindparam("project", type_=sa.String), sa.bindparam("asked", type_=sa.String)
FOLLOWS, KEPT = ("follows_run", "follows_job", "follows_candidate"), ("seed_style", "seed_time")

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


def read_affected(
    rows: sa.Connection, project_id: str, asset_id: UUID
) -> tuple[tuple[AffectedRow, ...], tuple[CutOff, ...]]:
    """Give what must be made again if a picture changes: candidates by run and scene, then pictures outside runs.

    The picture itself is not among them, and its candidate is only where later passes of it were made. What nobody can
    tell, because a run between is gone, is given beside them.
    """
    found = rows.execute(_affected(), {"project": project_id, "asked": str(asset_id)}).all()
    again = tuple(_affected_row(row) for row in found if row.follows_run is None)
    return again, tuple(_cut_off(row) for row in found if row.follows_run is not None)


@cache
def _affected() -> sa.CompoundSelect[Any]:
    order = ("outside", "run_at", "run_key", "position", "candidate_index", "path")
    below = _below()
    return sa.union_all(_made_again(below), _maybe_made_again(below)).order_by(*order)


def _below() -> sa.CTE:
    """Give the asked picture and every one below it, each with its candidate, job and run."""
    reached = _reached("reached", asset_links.c.parent_id, asset_links.c.child_id)
    found = (
        sa.select(
            *(assets.c[name] for name in ("id", "project_id", "kind", "sha256", "path")),
            *(assets.c[name] for name in ("pass_name", "is_last", "candidate_id")),
            *(run_candidates.c[name] for name in ("candidate_index", "provider", "model", *KEPT)),
            run_jobs.c.scene_sha256,
            *_of_a_job(),
        )
        .select_from(reached)
        .join(assets, (assets.c.id == reached.c.id) & (assets.c.project_id == PROJECT))
        .outerjoin(run_candidates, run_candidates.c.id == assets.c.candidate_id)
        .outerjoin(run_jobs, run_jobs.c.id == run_candidates.c.job_id)
        .outerjoin(runs, runs.c.id == run_jobs.c.run_id)
    )
    return found.cte("below")


def _of_a_job() -> list[sa.ColumnElement[Any]]:
    return [
        *(runs.c.id.is_(None).label("outside"), runs.c.created_at.label("run_at"), runs.c.id.label("run_key")),
        runs.c.run_id.label("run_name"),
        *(run_jobs.c[name] for name in ("position", "job_key", "name", "stage", "selected_candidate")),
        run_jobs.c.planned_candidates,
    ]


def _made_again(below: sa.CTE) -> sa.Select[Any]:
    direct, one = asset_links.alias("direct"), below.c
    made = sa.case((one.pass_name == PassName.GENERATE.value, 1), else_=0)
    last = sa.func.max(sa.case((one.is_last, one.path)))
    linked = (direct.c.project_id == PROJECT) & (direct.c.parent_id == ASKED) & (direct.c.child_id == one.id)
    return (
        sa.select(
            *(one[column.name] for column in _of_a_job()),
            *(one[name] for name in ("candidate_index", "provider", "model")),
            sa.func.max(made).label("drawn"),
            sa.func.min(direct.c.link_type).label("link_type"),
            sa.func.coalesce(last, sa.func.max(one.path)).label("path"),
            *(sa.null().label(name) for name in FOLLOWS),
        )
        .select_from(below)
        .outerjoin(direct, linked)
        .where(one.id != ASKED, ~_is_given_on(below))
        .group_by(sa.func.coalesce(one.candidate_id, one.id))
    )


def _is_given_on(below: sa.CTE) -> sa.ColumnElement[bool]:
    """Tell whether a picture is only the copy of another one that a run has read: that is not made, but given again."""
    link, twin = asset_links.alias("given"), assets.alias("twin")
    same = (twin.c.id == link.c.parent_id) & (twin.c.sha256 == below.c.sha256)
    given = sa.exists().where(link.c.project_id == PROJECT, link.c.child_id == below.c.id, same)
    return (below.c.kind == AssetKind.INPUT.value) & given


def _maybe_made_again(below: sa.CTE) -> sa.Select[Any]:
    """Give the jobs that followed a picture which is gone, and which may have come from one of those.

    Whoever follows a picture draws the same scene in a later stage, with the seeds that it had.
    """
    facts = [below.c[name] for name in ("project_id", "scene_sha256", "stage", *KEPT)]
    hands = sa.select(*facts).where(below.c.is_last, below.c.candidate_id.is_not(None)).distinct().cte("hands")
    pages = _pages_cut_off(below, hands)
    same = sa.func.coalesce(pages.c.seed_style == hands.c.seed_style, sa.true())
    light = sa.func.coalesce(pages.c.seed_time == hands.c.seed_time, sa.true()) | (hands.c.stage == Stage.STYLE.value)
    keeps = (same & light) | (run_jobs.c.stage == Stage.CHARACTER.value)
    later = _place(run_jobs.c.stage) > _place(hands.c.stage)
    nothing = ("candidate_index", "provider", "model", "drawn", "link_type", "path")
    return (
        sa.select(*_of_a_job(), *(sa.null().label(name) for name in nothing), *(run_jobs.c[name] for name in FOLLOWS))
        .select_from(pages)
        .join(hands, hands.c.scene_sha256 == pages.c.scene_sha256)
        .join(run_jobs, run_jobs.c.id == pages.c.job_id)
        .join(runs, runs.c.id == run_jobs.c.run_id)
        .where(later, keeps)
        .group_by(run_jobs.c.id)
    )


def _pages_cut_off(below: sa.CTE, hands: sa.CTE) -> sa.CTE:
    """Give the pages of these scenes that are not below, and that have followed a picture which is gone."""
    scenes, link, page = _scenes(hands), asset_links.alias("down"), assets.alias("page")
    drawn, followed = run_candidates.alias("drawn"), run_candidates.alias("followed")
    from_scene = (link.c.project_id == scenes.c.project_id) & (link.c.parent_id == scenes.c.id)
    there = sa.exists().where(followed.c.id == run_jobs.c.follows_candidate_id)
    return (
        sa.select(scenes.c.scene_sha256, drawn.c.job_id, *(drawn.c[name] for name in KEPT))
        .select_from(scenes)
        .join(link, from_scene & (link.c.link_type == LinkType.DERIVED_FROM.value))
        .join(page, (page.c.id == link.c.child_id) & (page.c.pass_name == PassName.GENERATE.value))
        .join(drawn, drawn.c.id == page.c.candidate_id)
        .join(run_jobs, run_jobs.c.id == drawn.c.job_id)
        .where(run_jobs.c.follows_candidate_id.is_not(None), ~there, page.c.id.not_in(sa.select(below.c.id)))
        .cte("pages")
    )


def _scenes(hands: sa.CTE) -> sa.CTE:
    scene = assets.alias("scene")
    is_input = scene.c.kind == sa.literal_column(f"'{AssetKind.INPUT.value}'")
    # The project as pictures have it: by the one that is asked for, SQLite would look through all that it holds.
    kept = (scene.c.project_id == hands.c.project_id) & (scene.c.sha256 == hands.c.scene_sha256) & is_input
    found = sa.select(scene.c.project_id, scene.c.id, hands.c.scene_sha256).select_from(hands).join(scene, kept)
    return found.distinct().cte("scenes")


def _place(stage: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    return sa.case({one.value: number for number, one in enumerate(Stage)}, value=stage)


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


def _cut_off(row: Any) -> CutOff:
    return CutOff(
        run_id=row.run_name,
        stage=Stage(row.stage),
        job_id=row.job_key,
        scene=row.name,
        lost_run=row.follows_run,
        lost_job=row.follows_job,
        lost_candidate=row.follows_candidate,
    )
