"""add address to access_tokens

Revision: a70d2f94be31, after e93b75d2c0f1.

From where a session was opened or last used; empty for those of before. Downgrade drops the column.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "a70d2f94be31"
down_revision: str | tuple[str, ...] | None = "e93b75d2c0f1"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "access_tokens", sa.Column("address", sa.Text(), server_default="", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("access_tokens", "address")
