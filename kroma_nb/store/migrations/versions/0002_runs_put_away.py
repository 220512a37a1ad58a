"""Runs can be put away; rows know which state of a run's files they were made from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the time at which a run was put away, and what its files looked like."""
    op.add_column("runs", sa.Column("archived_at", sa.String(length=24), nullable=True))
    op.create_table(
        "run_files",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("run_files_run_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("run_files_pkey")),
    )
