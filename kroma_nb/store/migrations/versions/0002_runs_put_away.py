"""Runs can be put away; the newest that are not are found without passing over the others."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the time at which a run was put away."""
    op.add_column("runs", sa.Column("archived_at", sa.String(length=24), nullable=True))
