"""create activity_blocks table

Revision: c83e2f509b32, after b72d1e4f8a21.

Downgrade drops the table with its rows: the lines stay, and are sealed anew after an upgrade.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "c83e2f509b32"
down_revision: str | tuple[str, ...] | None = "b72d1e4f8a21"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "activity_blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("after_id", sa.BigInteger(), nullable=False),
        sa.Column("until_id", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("last_created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("rows_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_activity_blocks")),
        sa.UniqueConstraint("until_id", name=op.f("uq_activity_blocks_until_id")),
    )


def downgrade() -> None:
    op.drop_table("activity_blocks")
