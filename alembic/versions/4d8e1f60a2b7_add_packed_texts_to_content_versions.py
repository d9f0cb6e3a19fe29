"""add packed texts to content_versions

Revision: 4d8e1f60a2b7, after 7a0c52e9d1b8.

The frame of a text, and the version that it is the delta from. Frames are compressed already, so
PostgreSQL is not to try it again. Downgrade drops both; the steps after it see to it that no text
is packed by then.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "4d8e1f60a2b7"
down_revision: str | tuple[str, ...] | None = "7a0c52e9d1b8"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("content_versions", sa.Column("packed", sa.LargeBinary(), nullable=True))
    op.add_column("content_versions", sa.Column("reference_id", sa.BigInteger(), nullable=True))
    op.execute("ALTER TABLE content_versions ALTER COLUMN packed SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_column("content_versions", "reference_id")
    op.drop_column("content_versions", "packed")
