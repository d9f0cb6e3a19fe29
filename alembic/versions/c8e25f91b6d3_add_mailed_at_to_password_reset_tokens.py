"""add mailed_at to password_reset_tokens

Revision: c8e25f91b6d3, after d41c7be20a95.

When the mail server took the mail with the token. Downgrade drops the column.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "c8e25f91b6d3"
down_revision: str | tuple[str, ...] | None = "d41c7be20a95"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "password_reset_tokens", sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("password_reset_tokens", "mailed_at")
