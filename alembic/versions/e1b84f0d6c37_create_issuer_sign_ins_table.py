"""create issuer_sign_ins table

Revision: e1b84f0d6c37, after d7a2c95e4b10.

One row for each sign-in through an issuer that a client has begun. Downgrade drops the table with
its rows: who is at an issuer's page just then has to begin anew.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "e1b84f0d6c37"
down_revision: str | tuple[str, ...] | None = "d7a2c95e4b10"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "issuer_sign_ins",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("handle_hash", sa.LargeBinary(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column(
            "created_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("used_at", moment, nullable=True),
        sa.CheckConstraint(
            "octet_length(state_hash) = 32", name=op.f("ck_issuer_sign_ins_state_hash_is_sha256")
        ),
        sa.CheckConstraint(
            "octet_length(handle_hash) = 32", name=op.f("ck_issuer_sign_ins_handle_hash_is_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issuer_sign_ins")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_issuer_sign_ins_state_hash")),
    )
    op.create_index("ix_issuer_sign_ins_expires_at", "issuer_sign_ins", ["expires_at"])


def downgrade() -> None:
    op.drop_table("issuer_sign_ins")
