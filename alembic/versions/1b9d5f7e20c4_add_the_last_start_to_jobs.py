"""add the last start to jobs

Revision: 1b9d5f7e20c4, after 0a6b3c8e51f9.

When a job last started, in which process of which release, and how often it has started in all.
Downgrade drops the columns with what they say.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "1b9d5f7e20c4"
down_revision: str | tuple[str, ...] | None = "0a6b3c8e51f9"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("jobs", sa.Column("started_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("jobs", sa.Column("worker", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("release", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "release")
    op.drop_column("jobs", "worker")
    op.drop_column("jobs", "started_at")
    op.drop_column("jobs", "attempts")
