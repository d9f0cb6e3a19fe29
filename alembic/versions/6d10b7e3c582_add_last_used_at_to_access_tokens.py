"""add last_used_at to access_tokens

Revision: 6d10b7e3c582, after 3b7d9e1f5a24.

When a session was used, as far as it was noted; empty where it was not since the login. Downgrade
drops the column, and each session counts as used at its login.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "6d10b7e3c582"
down_revision: str | tuple[str, ...] | None = "3b7d9e1f5a24"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "access_tokens", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("access_tokens", "last_used_at")
