"""add counters to content

Revision: 4c6772ff29db, after 8a1f66f80420.

The newest version's number, the count of changes and the count of publications. Downgrade drops
the three columns.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "4c6772ff29db"
down_revision: str | tuple[str, ...] | None = "8a1f66f80420"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "content", sa.Column("version", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "content", sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False)
    )
    op.add_column(
        "content",
        sa.Column("publish_sequence", sa.BigInteger(), server_default="0", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("content", "publish_sequence")
    op.drop_column("content", "revision")
    op.drop_column("content", "version")
