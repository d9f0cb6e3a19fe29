"""add origin to activity_logs

Revision: a61c0d3e7f10, after 2c0e6a8f31d5.

From where a line comes, by which session or key, what it changed, and what it takes to erase it.
Lines that are there have no salt, so that no row is written anew. Downgrade drops the columns.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "a61c0d3e7f10"
down_revision: str | tuple[str, ...] | None = "2c0e6a8f31d5"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("changes", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("session_id", sa.BigInteger(), nullable=True),
        sa.Column("api_key_id", sa.BigInteger(), nullable=True),
        sa.Column("agent_session", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("personal_hash", sa.LargeBinary(), nullable=True),
    ]


def upgrade() -> None:
    for column in columns():
        op.add_column("activity_logs", column)
    # Not with the column: each row would get one of its own, and be written anew.
    op.alter_column("activity_logs", "salt", server_default=sa.text("uuid_send(gen_random_uuid())"))


def downgrade() -> None:
    for column in reversed(columns()):
        op.drop_column("activity_logs", column.name)
