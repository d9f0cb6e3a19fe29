"""create email_verifications table

Revision: 5b0e93d7c184, after fb615c83ce65.

One row each time that an account is to show that an address is its own. Downgrade drops the table
with its rows, and so ends every verification that is under way.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "5b0e93d7c184"
down_revision: str | tuple[str, ...] | None = "fb615c83ce65"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "email_verifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_hash", sa.LargeBinary(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("minted_at", moment, nullable=True),
        sa.Column("expires_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("former_email", sa.Text(), nullable=True),
        sa.Column("former_email_proven_at", moment, nullable=True),
        sa.CheckConstraint(
            "octet_length(token_hash) = 32",
            name=op.f("ck_email_verifications_token_hash_is_sha256"),
        ),
        sa.CheckConstraint(
            "octet_length(email_hash) = 32",
            name=op.f("ck_email_verifications_email_hash_is_sha256"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_email_verifications_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_verifications")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_email_verifications_token_hash")),
    )
    op.create_index(
        "ix_email_verifications_user_id_id", "email_verifications", ["user_id", "id"], unique=False
    )
    op.create_index(
        "ix_email_verifications_email_hash_minted_at",
        "email_verifications",
        ["email_hash", "minted_at"],
        unique=False,
    )
    op.create_index(
        "ix_email_verifications_created_at", "email_verifications", ["created_at"], unique=False
    )


def downgrade() -> None:
    op.drop_table("email_verifications")
