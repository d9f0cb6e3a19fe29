"""add held by id to jobs

Revision: b2d4f68a1c37, after a7c3e91d5b20.

By which pause a job is held that was set aside. Downgrade drops the column; no job is set aside
any more by then.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "b2d4f68a1c37"
down_revision: str | tuple[str, ...] | None = "a7c3e91d5b20"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("held_by_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "held_by_id")
