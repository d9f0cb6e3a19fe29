"""create freeze tokens table

Revision: b3e70a5c9d14, after 4f8c1d6e2a93.

One row for each token that went out with a notice and freezes an account. Downgrade drops the table
with its rows: the links in those mails lead nowhere.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "b3e70a5c9d14"
down_revision: str | tuple[str, ...] | None = "4f8c1d6e2a93"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "freeze_tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("verification_id", sa.BigInteger(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "octet_length(token_hash) = 32", name=op.f("ck_freeze_tokens_token_hash_is_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_freeze_tokens_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["verification_id"],
            ["email_verifications.id"],
            name=op.f("fk_freeze_tokens_verification_id_email_verifications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freeze_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_freeze_tokens_token_hash")),
    )
    op.create_index("ix_freeze_tokens_user_id", "freeze_tokens", ["user_id"])
    op.create_index("ix_freeze_tokens_verification_id", "freeze_tokens", ["verification_id"])
    op.create_index("ix_freeze_tokens_expires_at", "freeze_tokens", ["expires_at"])


def downgrade() -> None:
    op.drop_table("freeze_tokens")
