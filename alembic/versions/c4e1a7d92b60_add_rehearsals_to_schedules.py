"""add rehearsals to schedules

Revision: c4e1a7d92b60, after 8e2f6a40c9d1.

What the last rehearsal of a schedule found, and when it was. Downgrade drops both; the next
rehearsal finds them again.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "c4e1a7d92b60"
down_revision: str | tuple[str, ...] | None = "8e2f6a40c9d1"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("schedules", sa.Column("rehearsed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("schedules", sa.Column("rehearsal", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("schedules", "rehearsal")
    op.drop_column("schedules", "rehearsed_at")
