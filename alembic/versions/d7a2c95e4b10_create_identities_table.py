"""create identities table

Revision: d7a2c95e4b10, after f92c7a41d8e6.

One row for each person whom an issuer of OpenID Connect signs in as an account. Downgrade drops the
table with its rows: who has no password needs one by mail.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "d7a2c95e4b10"
down_revision: str | tuple[str, ...] | None = "f92c7a41d8e6"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    now = sa.text("clock_timestamp()")
    op.create_table(
        "identities",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", moment, server_default=now, nullable=False),
        sa.Column("last_used_at", moment, server_default=now, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_identities_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
    )
    op.create_index(
        "uq_identities_issuer_subject", "identities", ["issuer", "subject"], unique=True
    )
    op.create_index(
        "uq_identities_user_id_issuer", "identities", ["user_id", "issuer"], unique=True
    )
    op.create_index("ix_identities_user_id_id", "identities", ["user_id", "id"])


def downgrade() -> None:
    op.drop_table("identities")
