"""add pinned_at to schedules

Revision: 7d2b41f0c9a6, after 5e9cf17db792.

When an editor last chose the version that a schedule pins, which tells a return to an older version
that was meant from one that was overtaken. For schedules that are there it is when they were made,
and so they need none. The downgrade drops the moments.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "7d2b41f0c9a6"
down_revision: str | tuple[str, ...] | None = "5e9cf17db792"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("schedules", sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("schedules", "pinned_at")
