"""add email_proven_at to users

Revision: d41c7be20a95, after 7d2b41f0c9a6.

When the owner of an account has shown that its address is theirs; empty where nobody has. Downgrade
drops the column, and addresses have to be proven again.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "d41c7be20a95"
down_revision: str | tuple[str, ...] | None = "7d2b41f0c9a6"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("users", sa.Column("email_proven_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "email_proven_at")
