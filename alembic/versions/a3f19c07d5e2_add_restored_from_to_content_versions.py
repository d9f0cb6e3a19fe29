"""add restored_from to content_versions

Revision: a3f19c07d5e2, after 6d20b8f4e1a7.

The number of the version that a restore brought back. Downgrade drops it; which version it was, is
told by the digests, which are alike, unless the name had gone to another item meanwhile.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "a3f19c07d5e2"
down_revision: str | tuple[str, ...] | None = "6d20b8f4e1a7"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("content_versions", sa.Column("restored_from", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("content_versions", "restored_from")
