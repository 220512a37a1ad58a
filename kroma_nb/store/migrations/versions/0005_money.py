"""What projects may cost, what runs have cost, and every paid call as the ledgers say it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# A picture that was given to a later run as scene or reference is what that run's input was made of.
GIVEN_ON = """
INSERT OR IGNORE INTO asset_links (project_id, parent_id, child_id, link_type)
SELECT child.project_id, parent.id, child.id, 'derived_from'
FROM assets AS child JOIN assets AS parent ON parent.project_id = child.project_id AND parent.sha256 = child.sha256
WHERE child.kind = 'input' AND parent.kind <> 'input'
AND NOT EXISTS (SELECT * FROM run_inputs WHERE asset_id = child.id AND run_id = parent.run_id)
"""


def upgrade() -> None:
    """Add budgets, the paid calls, and how far each ledger was read."""
    op.add_column("projects", sa.Column("budget_run_micro", sa.BigInteger(), nullable=True))
    op.add_column("projects", sa.Column("budget_month_micro", sa.BigInteger(), nullable=True))
    op.add_column("runs", sa.Column("spent_micro", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("spend_limit_micro", sa.BigInteger(), nullable=True))
    op.add_column("runs", sa.Column("resumed", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("failure_code", sa.Text(), nullable=True))
    op.add_column("run_candidates", sa.Column("retry_of", sa.Integer(), nullable=True))
    op.add_column("run_candidates", sa.Column("reused", sa.Boolean(), nullable=False, server_default="0"))
    op.add_column("run_candidates", sa.Column("attempts", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("run_candidates", sa.Column("spent_micro", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("run_candidates", sa.Column("request_id", sa.Text(), nullable=False, server_default=""))
    op.add_column("assets", sa.Column("reused", sa.Boolean(), nullable=False, server_default="0"))
    op.drop_index(op.f("asset_links_project_id_child_id"), "asset_links")
    op.create_index(
        op.f("asset_links_project_id_child_id_parent_id_link_type"),
        "asset_links",
        ["project_id", "child_id", "parent_id", "link_type"],
    )
    op.create_index(
        op.f("assets_project_id_sha256"), "assets", ["project_id", "sha256"], sqlite_where=sa.text("kind = 'input'")
    )
    op.execute(GIVEN_ON)
    op.create_table(
        "reservations",
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("run_name", sa.String(length=100), nullable=False),
        sa.Column("job_key", sa.Text(), nullable=False),
        sa.Column("candidate_index", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("upper_micro", sa.BigInteger(), nullable=False),
        sa.Column("charged_micro", sa.BigInteger(), nullable=False),
        sa.Column("reported", sa.Boolean(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("usage", sa.Text(), nullable=False),
        sa.Column("original", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("ended_at", sa.String(length=24), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'settled', 'released', 'in_doubt')", name=op.f("reservations_state_known")
        ),
        sa.CheckConstraint("stage IN ('style', 'time', 'weather', 'character')", name=op.f("reservations_stage_known")),
        sa.CheckConstraint("upper_micro >= 0", name=op.f("reservations_upper_micro_not_negative")),
        sa.CheckConstraint("charged_micro >= 0", name=op.f("reservations_charged_micro_not_negative")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("reservations_project_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "call_id", name=op.f("reservations_pkey")),
    )
    for columns in (
        ("month", "charged_micro"),
        ("run_name", "charged_micro"),
        ("created_at", "call_id"),
        ("key_sha256", "state"),
    ):
        op.create_index(op.f(f"reservations_project_id_{'_'.join(columns)}"), "reservations", ["project_id", *columns])
    op.create_table(
        "ledger_files",
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("read_bytes", sa.BigInteger(), nullable=False),
        sa.Column("tail_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("ledger_files_project_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("ledger_files_pkey")),
    )
