"""add second factor at to users

Revision: d27b8c135fa6, after 6a0f4e92d8b3.

Since when an account has a second factor; nobody has one yet. Downgrade drops the column: passwords
alone open every account again.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "d27b8c135fa6"
down_revision: str | tuple[str, ...] | None = "6a0f4e92d8b3"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("users", sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "second_factor_at")
