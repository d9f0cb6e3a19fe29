"""add version to events

Revision: b84d2e6f1c09, after a3f19c07d5e2.

The number of the version that went public. Of an older event nobody has written it down. Downgrade
drops it.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "b84d2e6f1c09"
down_revision: str | tuple[str, ...] | None = "a3f19c07d5e2"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("events", sa.Column("version", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("events", "version")
