"""create account deletions table

Revision: d84f1c6a03b7, after b3d07f5e92a1.

One row for each account whose owner has asked to be deleted. Downgrade drops the table with its
rows: nobody's account is deleted, and their owners have to ask again.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "d84f1c6a03b7"
down_revision: str | tuple[str, ...] | None = "b3d07f5e92a1"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "account_deletions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("heir_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "asked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["heir_id"],
            ["users.id"],
            name=op.f("fk_account_deletions_heir_id_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_account_deletions_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_deletions")),
        sa.UniqueConstraint("user_id", name=op.f("uq_account_deletions_user_id")),
    )
    op.create_index("ix_account_deletions_heir_id", "account_deletions", ["heir_id"])


def downgrade() -> None:
    op.drop_table("account_deletions")
