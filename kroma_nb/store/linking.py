"""Links between pictures of different runs, the same in whatever order the runs are met."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from kroma_nb.model.asset import AssetKind, LinkType
from kroma_nb.model.words import PassName
from kroma_nb.store.schema import asset_links, assets, run_candidates, run_inputs, run_jobs

_COLUMNS = ["project_id", "parent_id", "child_id", "link_type"]


def link_run(rows: sa.Connection, run: str) -> None:
    """Link a run's pictures with those of other runs that they come from, and that come from them."""
    _link_followed(rows, run)
    parent, child = assets.alias("parent"), assets.alias("child")
    read = sa.select(run_inputs.c.asset_id).where(run_inputs.c.run_id == run)
    given = _given_on(parent, child)
    _insert(rows, sa.union_all(given.where(child.c.id.in_(read)), given.where(parent.c.run_id == run)))


def link_imported(rows: sa.Connection, project_id: str) -> None:
    """Link the pictures beside the runs of a project to the inputs that were made of them."""
    parent, child = assets.alias("parent"), assets.alias("child")
    beside = (parent.c.project_id == project_id) & (parent.c.kind == AssetKind.IMPORTED.value)
    _insert(rows, _given_on(parent, child).where(beside))


def _link_followed(rows: sa.Connection, run: str) -> None:
    """Link the winners that this run follows to its pictures, and its own winners to those that followed them."""
    jobs, candidates = run_jobs, run_candidates
    parent, child = assets.alias("parent"), assets.alias("child")
    found = (
        sa.select(child.c.project_id, parent.c.id, child.c.id, sa.literal(LinkType.VARIANT_OF.value))
        .select_from(jobs)
        .join(parent, (parent.c.candidate_id == jobs.c.follows_candidate_id) & parent.c.is_last)
        .join(candidates, candidates.c.job_id == jobs.c.id)
        .join(child, (child.c.candidate_id == candidates.c.id) & (child.c.pass_name == PassName.GENERATE.value))
    )
    own = sa.select(candidates.c.id).join(jobs, candidates.c.job_id == jobs.c.id).where(jobs.c.run_id == run)
    followers = jobs.c.follows_candidate_id.in_(own) & (jobs.c.run_id != run)
    for which in (jobs.c.run_id == run, followers):
        _insert(rows, found.where(which))


def _given_on(parent: sa.FromClause, child: sa.FromClause) -> sa.Select[Any]:
    """Give the pictures whose very bytes are an input: a page that was given to a later run as scene or reference.

    Nothing tells which of several equal pictures was given, so the input comes from each. A run that gives back what it
    has read is not where that came from: a picture would be its own source.
    """
    read = sa.exists().where(run_inputs.c.asset_id == child.c.id, run_inputs.c.run_id == parent.c.run_id)
    # As a literal: SQLite looks into the index of inputs only where it reads that inputs are meant.
    is_input = child.c.kind == sa.literal_column(f"'{AssetKind.INPUT.value}'")
    same = (child.c.project_id == parent.c.project_id) & (child.c.sha256 == parent.c.sha256) & is_input
    return (
        sa.select(child.c.project_id, parent.c.id, child.c.id, sa.literal(LinkType.DERIVED_FROM.value))
        .select_from(parent)
        .join(child, same)
        .where(parent.c.kind != AssetKind.INPUT.value, ~read)
    )


def _insert(rows: sa.Connection, found: sa.SelectBase) -> None:
    rows.execute(insert(asset_links).from_select(_COLUMNS, found).on_conflict_do_nothing())
