"""create account_usages table

Revision: 84c5f2a9d017, after 6d10b7e3c582.

Downgrade drops the table with its rows: what accounts saved today is then not counted.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "84c5f2a9d017"
down_revision: str | tuple[str, ...] | None = "6d10b7e3c582"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "account_usages",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day_began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saves", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("saved_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_account_usages_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_account_usages")),
    )


def downgrade() -> None:
    op.drop_table("account_usages")
