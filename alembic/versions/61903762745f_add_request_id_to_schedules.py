"""add request_id to schedules

Revision: 61903762745f, after f5eec48854b2.

The id of the request that made a schedule goes on into the log lines of its firing. Schedules that
are there keep none. The downgrade drops the ids.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "61903762745f"
down_revision: str | tuple[str, ...] | None = "f5eec48854b2"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("schedules", sa.Column("request_id", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("schedules", "request_id")
