"""The tables: what each row is, and what it may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from kroma_nb.model.asset import AssetKind, LinkType
from kroma_nb.model.notebook import NotebookStatus
from kroma_nb.model.project import ProjectStatus
from kroma_nb.model.words import (
    CallState,
    CandidateStatus,
    Gate,
    JobStatus,
    PassName,
    RunStatus,
    Stage,
    TimeOfDay,
    Weather,
)

if TYPE_CHECKING:
    from enum import StrEnum

HEAD = "0005"
"""The newest migration; a test holds it equal to what ``migrations/versions`` says."""

ID = sa.String(36)
MOMENT = sa.String(24)  # 2026-01-31T09:15:02.417Z: fixed width, so that text order is time order

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


def _one_of(column: str, words: type[StrEnum]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word.value}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _not_negative(*columns: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative") for column in columns]


def _belongs_to(table: str, *, nullable: bool = False) -> sa.Column[str]:
    name = {"projects": "project_id", "runs": "run_id", "run_jobs": "job_id", "run_candidates": "candidate_id"}[table]
    return sa.Column(name, ID, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=nullable)


projects = sa.Table(
    "projects",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("slug", sa.String(100), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("founded_as", sa.String(100)),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Column("budget_run_micro", sa.BigInteger),
    sa.Column("budget_month_micro", sa.BigInteger),
    _one_of("status", ProjectStatus),
)

project_storage = sa.Table(
    "project_storage",
    metadata,
    sa.Column("project_id", ID, sa.ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("local_root", sa.Text, nullable=False),  # relative to the workspace, which may be moved
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", ID, primary_key=True),
    _belongs_to("projects"),
    sa.Column("run_id", sa.String(100), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("time", sa.String(8), nullable=False),
    sa.Column("weather", sa.String(8), nullable=False),
    sa.Column("gate", sa.String(16), nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("plan_sha256", sa.String(64)),
    sa.Column("seed", sa.BigInteger),
    sa.Column("max_chroma_delta", sa.Float, nullable=False),
    sa.Column("paper", sa.String(7)),  # as #rrggbb
    sa.Column("ink", sa.String(7)),
    sa.Column("kroma_nb", sa.Text),  # the version that made it
    sa.Column("python", sa.Text),
    sa.Column("platform", sa.Text),
    sa.Column("imported_from", sa.Text),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("finished_at", MOMENT),
    sa.Column("jobs", sa.Integer, nullable=False),
    sa.Column("winners", sa.Integer, nullable=False),
    sa.Column("pictures", sa.Integer, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("next_step", sa.Text, nullable=False),
    sa.Column("archived_at", MOMENT),
    sa.Column("spent_micro", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("spend_limit_micro", sa.BigInteger),  # what a person has confirmed
    sa.Column("resumed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failure_code", sa.Text),
    sa.UniqueConstraint("project_id", "run_id"),
    sa.Index(None, "project_id", "created_at", "id"),
    _one_of("status", RunStatus),
    _one_of("stage", Stage),
    _one_of("time", TimeOfDay),
    _one_of("weather", Weather),
    _one_of("gate", Gate),
    *_not_negative("jobs", "winners", "pictures", "size_bytes"),
    sa.CheckConstraint("imported_from IS NOT NULL OR plan_sha256 IS NOT NULL", name="planned_or_imported"),
)

# What the run's files looked like when its rows were made. It tells whether they must be made again, and is no fact of
# the project: a copied workspace has other times.
run_files = sa.Table(
    "run_files",
    metadata,
    sa.Column("run_id", ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("seen", sa.Text, nullable=False),
)

# The same of the list of pictures that an import has left beside the runs.
project_files = sa.Table(
    "project_files",
    metadata,
    sa.Column("project_id", ID, sa.ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("seen", sa.Text, nullable=False),
)

run_notebooks = sa.Table(
    "run_notebooks",
    metadata,
    sa.Column("run_id", ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source_sha256", sa.String(64), nullable=False),
    sa.Column("executed_sha256", sa.String(64), nullable=False),
    sa.Column("parameters", sa.Text, nullable=False),  # a JSON object
    sa.Column("changed", sa.Text, nullable=False),  # names, with a space between them
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("started_at", MOMENT, nullable=False),
    sa.Column("finished_at", MOMENT, nullable=False),
    sa.Column("failure_code", sa.Text),
    sa.Index(None, "name"),
    _one_of("status", NotebookStatus),
)

run_jobs = sa.Table(
    "run_jobs",
    metadata,
    sa.Column("id", ID, primary_key=True),
    _belongs_to("runs"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("job_key", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("time", sa.String(8), nullable=False),
    sa.Column("weather", sa.String(8), nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("scene_ref", sa.Text, nullable=False),
    sa.Column("scene_sha256", sa.String(64)),
    sa.Column("planned_candidates", sa.Integer, nullable=False),
    sa.Column("selected_candidate", sa.Integer),
    sa.Column("failure_reason", sa.Text),
    sa.Column("styles", sa.Text, nullable=False),  # paths of style references, with a space between them
    sa.Column("follows_run", sa.String(100)),
    sa.Column("follows_job", sa.Text),
    sa.Column("follows_candidate", sa.Integer),
    sa.Column("follows_candidate_id", ID),  # no foreign key: the run that is followed may be deleted, or come later
    sa.UniqueConstraint("run_id", "job_key"),
    sa.UniqueConstraint("run_id", "position"),
    sa.Index(None, "follows_candidate_id"),
    _one_of("status", JobStatus),
    _one_of("stage", Stage),
    _one_of("time", TimeOfDay),
    _one_of("weather", Weather),
    *_not_negative("position", "planned_candidates"),
)

run_candidates = sa.Table(
    "run_candidates",
    metadata,
    sa.Column("id", ID, primary_key=True),
    _belongs_to("run_jobs"),
    sa.Column("candidate_index", sa.Integer, nullable=False),
    sa.Column("status", sa.String(24), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("hard_failures", sa.Integer, nullable=False),
    sa.Column("soft_warnings", sa.Integer, nullable=False),
    sa.Column("avg_chroma_exceed", sa.Float, nullable=False),
    sa.Column("quality", sa.Float),
    sa.Column("tied_with", sa.Text, nullable=False),  # indexes, with a space between them
    sa.Column("seed_style", sa.BigInteger),
    sa.Column("seed_time", sa.BigInteger),
    sa.Column("seed_weather", sa.BigInteger),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("started_at", MOMENT),
    sa.Column("finished_at", MOMENT),
    sa.Column("failure_kind", sa.Text),
    sa.Column("failure_code", sa.Text),
    sa.Column("failure_message", sa.Text),
    sa.Column("retry_of", sa.Integer),
    sa.Column("reused", sa.Boolean, nullable=False, server_default="0"),  # its drawing was made or bought before
    sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
    sa.Column("spent_micro", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("request_id", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("job_id", "candidate_index"),
    _one_of("status", CandidateStatus),
    sa.CheckConstraint("candidate_index >= 1", name="candidate_index_from_1"),
    sa.CheckConstraint("quality IS NULL OR quality BETWEEN 0 AND 1", name="quality_is_a_share"),
    *_not_negative("position", "hard_failures", "soft_warnings"),
)

assets = sa.Table(
    "assets",
    metadata,
    sa.Column("id", ID, primary_key=True),
    _belongs_to("projects"),
    _belongs_to("runs", nullable=True),
    _belongs_to("run_candidates", nullable=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("size_bytes", sa.BigInteger),
    sa.Column("media_type", sa.String(64), nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("pass_name", sa.String(16)),
    sa.Column("backend", sa.Text),
    sa.Column("version", sa.Text),
    sa.Column("seconds", sa.Float),  # that its pass took
    sa.Column("is_last", sa.Boolean, nullable=False),  # that its candidate has reached
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("reused", sa.Boolean, nullable=False, server_default="0"),  # not computed, but made or bought before
    sa.UniqueConstraint("project_id", "path"),
    sa.UniqueConstraint("project_id", "id"),  # what links refer to, so that none leads into another project
    sa.Index(None, "project_id", "created_at", "id"),
    sa.Index(None, "project_id", "kind", "created_at", "id"),
    sa.Index(None, "run_id", "created_at", "id"),
    sa.Index(None, "candidate_id"),
    sa.Index(None, "project_id", "sha256", "created_at", "id"),
    # Of several runs that have made equal pictures, none is looked at to find the input that has the same bytes.
    sa.Index(None, "project_id", "sha256", sqlite_where=sa.text("kind = 'input'")),
    _one_of("kind", AssetKind),
    _one_of("pass_name", PassName),
    sa.CheckConstraint("(kind = 'picture') = (run_id IS NOT NULL)", name="pictures_have_a_run"),
    sa.CheckConstraint("length(sha256) = 64", name="sha256_whole"),
    sa.CheckConstraint("(sha256 IS NULL) = (size_bytes IS NULL)", name="known_or_missing"),
    *_not_negative("size_bytes"),
)

run_inputs = sa.Table(
    "run_inputs",
    metadata,
    _belongs_to("runs"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("asset_id", ID, sa.ForeignKey("assets.id", ondelete="CASCADE"), nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "position"),
    sa.Index(None, "asset_id", "at"),
)

asset_links = sa.Table(
    "asset_links",
    metadata,
    sa.Column("project_id", ID, nullable=False),
    sa.Column("parent_id", ID, nullable=False),
    sa.Column("child_id", ID, nullable=False),
    sa.Column("link_type", sa.String(16), nullable=False),
    sa.PrimaryKeyConstraint("project_id", "parent_id", "child_id", "link_type"),
    sa.ForeignKeyConstraint(["project_id", "parent_id"], ["assets.project_id", "assets.id"], ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["project_id", "child_id"], ["assets.project_id", "assets.id"], ondelete="CASCADE"),
    # The primary key turned round, with all columns: the way to parents costs no more than the way to children.
    sa.Index(None, "project_id", "child_id", "parent_id", "link_type"),
    _one_of("link_type", LinkType),
    sa.CheckConstraint("parent_id <> child_id", name="not_its_own_parent"),
)

quality_reports = sa.Table(
    "quality_reports",
    metadata,
    sa.Column("id", ID, primary_key=True),
    _belongs_to("run_candidates"),
    sa.Column("report_type", sa.String(32), nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("chroma_delta", sa.Float),
    sa.Column("grayscale_like", sa.Boolean),
    sa.Column("hard_reasons", sa.Text, nullable=False),  # words, with a space between them
    sa.Column("soft_warnings", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    *(sa.Column(name, sa.Float) for name in ("sharpness", "clipping", "noise", "contrast", "ink", "drawn", "fidelity")),
    sa.Column("blank", sa.Boolean),
    sa.Column("created_at", MOMENT),
    sa.UniqueConstraint("candidate_id", "report_type"),
)

cost_events = sa.Table(
    "cost_events",
    metadata,
    sa.Column("id", ID, primary_key=True),
    _belongs_to("projects"),
    _belongs_to("runs"),
    sa.Column("job_key", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("units", sa.Float, nullable=False),
    sa.Column("unit_micro", sa.BigInteger, nullable=False),
    sa.Column("total_micro", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(8), nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Index(None, "project_id", "created_at", "id"),
    sa.Index(None, "run_id"),
    *_not_negative("units", "unit_micro", "total_micro"),
)

# A paid call each, as the project's ledger says. It outlives its run: what was paid stays paid.
reservations = sa.Table(
    "reservations",
    metadata,
    _belongs_to("projects"),
    sa.Column("call_id", sa.String(32), nullable=False),
    sa.Column("run_name", sa.String(100), nullable=False),
    sa.Column("job_key", sa.Text, nullable=False),
    sa.Column("candidate_index", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("key_sha256", sa.String(64), nullable=False),
    sa.Column("units", sa.Integer, nullable=False),
    sa.Column("month", sa.String(7), nullable=False),  # 2026-01, in UTC
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("upper_micro", sa.BigInteger, nullable=False),
    sa.Column("charged_micro", sa.BigInteger, nullable=False),
    sa.Column("reported", sa.Boolean, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("answered_by", sa.Text, nullable=False),
    sa.Column("usage", sa.Text, nullable=False),  # a JSON object
    sa.Column("original", sa.Text),  # its path in the project
    sa.Column("error_code", sa.Text, nullable=False),
    sa.Column("says", sa.Text, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("ended_at", MOMENT),
    sa.PrimaryKeyConstraint("project_id", "call_id"),
    sa.Index(None, "project_id", "month", "charged_micro"),
    sa.Index(None, "project_id", "run_name", "charged_micro"),
    sa.Index(None, "project_id", "created_at", "call_id"),
    sa.Index(None, "project_id", "key_sha256", "state"),
    _one_of("state", CallState),
    _one_of("stage", Stage),
    *_not_negative("upper_micro", "charged_micro"),
)

# How far a project's ledger was read: it is only ever appended to.
ledger_files = sa.Table(
    "ledger_files",
    metadata,
    sa.Column("project_id", ID, sa.ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("read_bytes", sa.BigInteger, nullable=False),
    sa.Column("tail_sha256", sa.String(64), nullable=False),
)
