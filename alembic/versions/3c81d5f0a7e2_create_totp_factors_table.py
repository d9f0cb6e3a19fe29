"""create totp factors table

Revision: 3c81d5f0a7e2, after c6e1d84b09a7.

The sealed secrets of authenticator apps. Downgrade drops the table with its rows: who has enrolled
an app enrols it anew after the next upgrade.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "3c81d5f0a7e2"
down_revision: str | tuple[str, ...] | None = "c6e1d84b09a7"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "totp_factors",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_totp_factors_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_totp_factors")),
    )


def downgrade() -> None:
    op.drop_table("totp_factors")
