"""add bio to users

Revision: 40ab1f67dbba, after 70523c657630.

Present users get an empty one. Downgrade drops the column.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "40ab1f67dbba"
down_revision: str | tuple[str, ...] | None = "70523c657630"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("users", sa.Column("bio", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("users", "bio")
