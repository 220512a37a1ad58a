"""The first tables: projects, runs, jobs, candidates, pictures and their descent, quality, costs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "projects",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("founded_as", sa.String(length=100), nullable=True),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=True),
        sa.CheckConstraint("status IN ('active', 'archived')", name=op.f("projects_status_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("projects_pkey")),
        sa.UniqueConstraint("slug", name=op.f("projects_slug_unique")),
    )
    op.create_table(
        "project_storage",
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("local_root", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("project_storage_project_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("project_storage_pkey")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("time", sa.String(length=8), nullable=False),
        sa.Column("weather", sa.String(length=8), nullable=False),
        sa.Column("gate", sa.String(length=16), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("plan_sha256", sa.String(length=64), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("max_chroma_delta", sa.Float(), nullable=False),
        sa.Column("paper", sa.String(length=7), nullable=True),
        sa.Column("ink", sa.String(length=7), nullable=True),
        sa.Column("kroma_nb", sa.Text(), nullable=True),
        sa.Column("python", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("imported_from", sa.Text(), nullable=True),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("finished_at", sa.String(length=24), nullable=True),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("winners", sa.Integer(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.CheckConstraint("gate IN ('baseline', 'off')", name=op.f("runs_gate_known")),
        sa.CheckConstraint("stage IN ('style', 'time', 'weather', 'character')", name=op.f("runs_stage_known")),
        sa.CheckConstraint(
            "status IN ('planned', 'running', 'ok', 'partial', 'failed', 'interrupted')", name=op.f("runs_status_known")
        ),
        sa.CheckConstraint("time IN ('day', 'night')", name=op.f("runs_time_known")),
        sa.CheckConstraint("weather IN ('clear', 'rain')", name=op.f("runs_weather_known")),
        sa.CheckConstraint(
            "imported_from IS NOT NULL OR plan_sha256 IS NOT NULL", name=op.f("runs_planned_or_imported")
        ),
        sa.CheckConstraint("jobs >= 0", name=op.f("runs_jobs_not_negative")),
        sa.CheckConstraint("pictures >= 0", name=op.f("runs_pictures_not_negative")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("runs_size_bytes_not_negative")),
        sa.CheckConstraint("winners >= 0", name=op.f("runs_winners_not_negative")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("runs_project_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("runs_pkey")),
        sa.UniqueConstraint("project_id", "run_id", name=op.f("runs_project_id_run_id_unique")),
    )
    op.create_index(op.f("runs_project_id_created_at_id"), "runs", ["project_id", "created_at", "id"], unique=False)
    op.create_table(
        "cost_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("job_key", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("units", sa.Float(), nullable=False),
        sa.Column("unit_micro", sa.BigInteger(), nullable=False),
        sa.Column("total_micro", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.CheckConstraint("total_micro >= 0", name=op.f("cost_events_total_micro_not_negative")),
        sa.CheckConstraint("unit_micro >= 0", name=op.f("cost_events_unit_micro_not_negative")),
        sa.CheckConstraint("units >= 0", name=op.f("cost_events_units_not_negative")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("cost_events_project_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("cost_events_run_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("cost_events_pkey")),
    )
    op.create_index(
        op.f("cost_events_project_id_created_at_id"), "cost_events", ["project_id", "created_at", "id"], unique=False
    )
    op.create_index(op.f("cost_events_run_id"), "cost_events", ["run_id"], unique=False)
    op.create_table(
        "run_jobs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("job_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("time", sa.String(length=8), nullable=False),
        sa.Column("weather", sa.String(length=8), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("scene_ref", sa.Text(), nullable=False),
        sa.Column("scene_sha256", sa.String(length=64), nullable=True),
        sa.Column("planned_candidates", sa.Integer(), nullable=False),
        sa.Column("selected_candidate", sa.Integer(), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("styles", sa.Text(), nullable=False),
        sa.Column("follows_run", sa.String(length=100), nullable=True),
        sa.Column("follows_job", sa.Text(), nullable=True),
        sa.Column("follows_candidate", sa.Integer(), nullable=True),
        sa.Column("follows_candidate_id", sa.String(length=36), nullable=True),
        sa.CheckConstraint("stage IN ('style', 'time', 'weather', 'character')", name=op.f("run_jobs_stage_known")),
        sa.CheckConstraint("status IN ('planned', 'done', 'partial', 'failed')", name=op.f("run_jobs_status_known")),
        sa.CheckConstraint("time IN ('day', 'night')", name=op.f("run_jobs_time_known")),
        sa.CheckConstraint("weather IN ('clear', 'rain')", name=op.f("run_jobs_weather_known")),
        sa.CheckConstraint("planned_candidates >= 0", name=op.f("run_jobs_planned_candidates_not_negative")),
        sa.CheckConstraint("position >= 0", name=op.f("run_jobs_position_not_negative")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("run_jobs_run_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("run_jobs_pkey")),
        sa.UniqueConstraint("run_id", "job_key", name=op.f("run_jobs_run_id_job_key_unique")),
        sa.UniqueConstraint("run_id", "position", name=op.f("run_jobs_run_id_position_unique")),
    )
    op.create_index(op.f("run_jobs_follows_candidate_id"), "run_jobs", ["follows_candidate_id"], unique=False)
    op.create_table(
        "run_candidates",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("candidate_index", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hard_failures", sa.Integer(), nullable=False),
        sa.Column("soft_warnings", sa.Integer(), nullable=False),
        sa.Column("avg_chroma_exceed", sa.Float(), nullable=False),
        sa.Column("quality", sa.Float(), nullable=True),
        sa.Column("tied_with", sa.Text(), nullable=False),
        sa.Column("seed_style", sa.BigInteger(), nullable=True),
        sa.Column("seed_time", sa.BigInteger(), nullable=True),
        sa.Column("seed_weather", sa.BigInteger(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("started_at", sa.String(length=24), nullable=True),
        sa.Column("finished_at", sa.String(length=24), nullable=True),
        sa.Column("failure_kind", sa.Text(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('done', 'failed_output_guard', 'failed_provider', 'skipped_budget', 'in_doubt', 'canceled')",
            name=op.f("run_candidates_status_known"),
        ),
        sa.CheckConstraint("candidate_index >= 1", name=op.f("run_candidates_candidate_index_from_1")),
        sa.CheckConstraint("hard_failures >= 0", name=op.f("run_candidates_hard_failures_not_negative")),
        sa.CheckConstraint("position >= 0", name=op.f("run_candidates_position_not_negative")),
        sa.CheckConstraint(
            "quality IS NULL OR quality BETWEEN 0 AND 1", name=op.f("run_candidates_quality_is_a_share")
        ),
        sa.CheckConstraint("soft_warnings >= 0", name=op.f("run_candidates_soft_warnings_not_negative")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["run_jobs.id"], name=op.f("run_candidates_job_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("run_candidates_pkey")),
        sa.UniqueConstraint("job_id", "candidate_index", name=op.f("run_candidates_job_id_candidate_index_unique")),
    )
    op.create_table(
        "assets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=True),
        sa.Column("candidate_id", sa.String(length=36), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("pass_name", sa.String(length=16), nullable=True),
        sa.Column("backend", sa.Text(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("is_last", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.CheckConstraint("(kind = 'picture') = (run_id IS NOT NULL)", name=op.f("assets_pictures_have_a_run")),
        sa.CheckConstraint("kind IN ('input', 'picture', 'imported')", name=op.f("assets_kind_known")),
        sa.CheckConstraint(
            "pass_name IN ('generate', 'bg_remove', 'bg_refine', 'upscale', 'color')",
            name=op.f("assets_pass_name_known"),
        ),
        sa.CheckConstraint("(sha256 IS NULL) = (size_bytes IS NULL)", name=op.f("assets_known_or_missing")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("assets_sha256_whole")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("assets_size_bytes_not_negative")),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["run_candidates.id"], name=op.f("assets_candidate_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("assets_project_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("assets_run_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("assets_pkey")),
        sa.UniqueConstraint("project_id", "id", name=op.f("assets_project_id_id_unique")),
        sa.UniqueConstraint("project_id", "path", name=op.f("assets_project_id_path_unique")),
    )
    op.create_index(op.f("assets_candidate_id"), "assets", ["candidate_id"], unique=False)
    op.create_index(op.f("assets_project_id_created_at_id"), "assets", ["project_id", "created_at", "id"], unique=False)
    op.create_index(
        op.f("assets_project_id_kind_created_at_id"), "assets", ["project_id", "kind", "created_at", "id"], unique=False
    )
    op.create_index(
        op.f("assets_project_id_sha256_created_at_id"),
        "assets",
        ["project_id", "sha256", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("assets_run_id_created_at_id"), "assets", ["run_id", "created_at", "id"], unique=False)
    op.create_table(
        "quality_reports",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("candidate_id", sa.String(length=36), nullable=False),
        sa.Column("report_type", sa.String(length=32), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("chroma_delta", sa.Float(), nullable=True),
        sa.Column("grayscale_like", sa.Boolean(), nullable=True),
        sa.Column("hard_reasons", sa.Text(), nullable=False),
        sa.Column("soft_warnings", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sharpness", sa.Float(), nullable=True),
        sa.Column("clipping", sa.Float(), nullable=True),
        sa.Column("noise", sa.Float(), nullable=True),
        sa.Column("contrast", sa.Float(), nullable=True),
        sa.Column("ink", sa.Float(), nullable=True),
        sa.Column("drawn", sa.Float(), nullable=True),
        sa.Column("fidelity", sa.Float(), nullable=True),
        sa.Column("blank", sa.Boolean(), nullable=True),
        sa.Column("created_at", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["run_candidates.id"], name=op.f("quality_reports_candidate_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("quality_reports_pkey")),
        sa.UniqueConstraint(
            "candidate_id", "report_type", name=op.f("quality_reports_candidate_id_report_type_unique")
        ),
    )
    op.create_table(
        "asset_links",
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=False),
        sa.Column("child_id", sa.String(length=36), nullable=False),
        sa.Column("link_type", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "link_type IN ('derived_from', 'variant_of', 'mask_for', 'reference_of')",
            name=op.f("asset_links_link_type_known"),
        ),
        sa.CheckConstraint("parent_id <> child_id", name=op.f("asset_links_not_its_own_parent")),
        sa.ForeignKeyConstraint(
            ["project_id", "child_id"],
            ["assets.project_id", "assets.id"],
            name=op.f("asset_links_project_id_child_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "parent_id"],
            ["assets.project_id", "assets.id"],
            name=op.f("asset_links_project_id_parent_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "parent_id", "child_id", "link_type", name=op.f("asset_links_pkey")),
    )
    op.create_index(op.f("asset_links_project_id_child_id"), "asset_links", ["project_id", "child_id"], unique=False)
    op.create_table(
        "run_inputs",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.String(length=36), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name=op.f("run_inputs_asset_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("run_inputs_run_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("run_inputs_pkey")),
    )
    op.create_index(op.f("run_inputs_asset_id_at"), "run_inputs", ["asset_id", "at"], unique=False)
