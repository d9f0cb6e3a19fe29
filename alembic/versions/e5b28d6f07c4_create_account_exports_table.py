"""create account exports table

Revision: e5b28d6f07c4, after d84f1c6a03b7.

One row for each copy of their data that an owner has asked for. Downgrade drops the table with its
rows: a copy can be asked for again.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "e5b28d6f07c4"
down_revision: str | tuple[str, ...] | None = "d84f1c6a03b7"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "account_exports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "asked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("rows_done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("byte_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "octet_length(token_hash) = 32", name=op.f("ck_account_exports_token_hash_is_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_account_exports_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_exports")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_account_exports_token_hash")),
    )
    op.create_index("ix_account_exports_user_id_id", "account_exports", ["user_id", "id"])
    op.create_index(
        "uq_account_exports_user_id_unready", "account_exports", ["user_id"],
        unique=True, postgresql_where=sa.text("ready_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_account_exports_expires_at", "account_exports", ["expires_at"])


def downgrade() -> None:
    op.drop_table("account_exports")
