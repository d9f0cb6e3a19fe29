"""create recovery codes table

Revision: b95e27c46d1f, after 3c81d5f0a7e2.

One row for each code that opens an account whose second factor is lost. Downgrade drops the table
with its rows: the codes of before open nothing any more.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "b95e27c46d1f"
down_revision: str | tuple[str, ...] | None = "3c81d5f0a7e2"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "octet_length(code_hash) = 32", name=op.f("ck_recovery_codes_code_hash_is_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_recovery_codes_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(
        "uq_recovery_codes_user_id_code_hash", "recovery_codes", ["user_id", "code_hash"],
        unique=True,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("recovery_codes")
