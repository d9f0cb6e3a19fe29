"""add declines to jobs

Revision: b8e14f62c9d3, after 6c2f8da5e319.

How many workers in turn had to leave a job to another release, so that it waits longer each time.
Downgrade drops the column, and each such job waits as if for the first time.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "b8e14f62c9d3"
down_revision: str | tuple[str, ...] | None = "6c2f8da5e319"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("declines", sa.BigInteger(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("jobs", "declines")
