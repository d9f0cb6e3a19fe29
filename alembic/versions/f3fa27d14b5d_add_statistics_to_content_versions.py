"""add statistics to content_versions

Revision: f3fa27d14b5d, after 9aedc8bdecd2.

What is counted when a version is sealed; present versions are not sealed yet. Downgrade drops the
four columns.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "f3fa27d14b5d"
down_revision: str | tuple[str, ...] | None = "9aedc8bdecd2"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "content_versions", sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("content_versions", sa.Column("words", sa.BigInteger(), nullable=True))
    op.add_column("content_versions", sa.Column("words_added", sa.BigInteger(), nullable=True))
    op.add_column("content_versions", sa.Column("words_removed", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("content_versions", "words_removed")
    op.drop_column("content_versions", "words_added")
    op.drop_column("content_versions", "words")
    op.drop_column("content_versions", "sealed_at")
