"""add retracted_sequence to content

Revision: 5a7d1f0c93e2, after 5b7d13e0a9c4.

The count of publications at which an item was retracted; nothing that is there was. Downgrade drops
the column: what was retracted is unpublished from then on.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "5a7d1f0c93e2"
down_revision: str | tuple[str, ...] | None = "5b7d13e0a9c4"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("content", sa.Column("retracted_sequence", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("content", "retracted_sequence")
