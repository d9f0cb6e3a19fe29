"""create erasures table

Revision: b3d07f5e92a1, after 07c5d39e8b16.

One row for each account that was erased, without anything personal. Downgrade drops the table with
its rows: keep what `flask accounts erasures` prints before.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "b3d07f5e92a1"
down_revision: str | tuple[str, ...] | None = "07c5d39e8b16"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heir_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "began_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["heir_id"], ["users.id"], name=op.f("fk_erasures_heir_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_erasures")),
    )
    op.create_index("ix_erasures_heir_id", "erasures", ["heir_id"])


def downgrade() -> None:
    op.drop_table("erasures")
