"""create passkey challenges table

Revision: 07c5d39e8b16, after e41f7a09c2d5.

What passkeys are to sign, each once. Downgrade drops the table with its rows: who is about to use a
passkey begins anew.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "07c5d39e8b16"
down_revision: str | tuple[str, ...] | None = "e41f7a09c2d5"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "passkey_challenges",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("challenge_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "octet_length(challenge_hash) = 32",
            name=op.f("ck_passkey_challenges_challenge_hash_is_sha256"),
        ),
        sa.CheckConstraint(
            "purpose IN ('add', 'prove', 'sign_in')",
            name=op.f("ck_passkey_challenges_purpose_is_known"),
        ),
        sa.CheckConstraint(
            "(user_id IS NULL) = (purpose = 'sign_in')",
            name=op.f("ck_passkey_challenges_whose_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_passkey_challenges_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey_challenges")),
        sa.UniqueConstraint("challenge_hash", name=op.f("uq_passkey_challenges_challenge_hash")),
    )
    op.create_index("ix_passkey_challenges_user_id", "passkey_challenges", ["user_id"])
    op.create_index("ix_passkey_challenges_expires_at", "passkey_challenges", ["expires_at"])


def downgrade() -> None:
    op.drop_table("passkey_challenges")
