"""add archived_at to content

Revision: 6b1f0e94c7d2, after b3e70a5c9d14.

When an item was archived; empty where it is not. To a release that does not know the column an
archived item is one in the trash, and that is what the downgrade makes of it.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "6b1f0e94c7d2"
down_revision: str | tuple[str, ...] | None = "b3e70a5c9d14"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("content", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute(
        "UPDATE content SET trashed_at = archived_at"
        " WHERE status = 'trashed' AND trashed_at IS NULL AND archived_at IS NOT NULL"
    )
    op.drop_column("content", "archived_at")
