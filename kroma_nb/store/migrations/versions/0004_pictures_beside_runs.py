"""Rows of pictures beside the runs know which state of their list they were made from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what a project's own lists looked like."""
    op.create_table(
        "project_files",
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("project_files_project_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("project_files_pkey")),
    )
