"""create sign_in_throttles table

Revision: 4e8b1c60da97, after a70d2f94be31.

One row for each thing that failed logins are counted by. Downgrade drops the table with its rows,
and so begins all counts anew.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "4e8b1c60da97"
down_revision: str | tuple[str, ...] | None = "a70d2f94be31"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "sign_in_throttles",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", moment, nullable=False),
        sa.Column("blocked_until", moment, nullable=False),
        sa.CheckConstraint(
            "octet_length(key_hash) = 32", name=op.f("ck_sign_in_throttles_key_hash_is_sha256")
        ),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_sign_in_throttles")),
    )
    op.create_index(
        "ix_sign_in_throttles_failed_at", "sign_in_throttles", ["failed_at"], unique=False
    )


def downgrade() -> None:
    op.drop_table("sign_in_throttles")
