"""add frozen_at to users

Revision: 4f8c1d6e2a93, after e1b84f0d6c37.

When the owner of an account has said that what happened to it was not their doing; empty where
nobody has. Downgrade drops the column, and frozen accounts work again, with the password and the
address that they have.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "4f8c1d6e2a93"
down_revision: str | tuple[str, ...] | None = "e1b84f0d6c37"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("users", sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "frozen_at")
