"""create familiar_networks table

Revision: 92c5f7e31b04, after 4e8b1c60da97.

From where the owner of an account has proven to be the owner. Downgrade drops the table with its
rows: every network is unfamiliar again.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "92c5f7e31b04"
down_revision: str | tuple[str, ...] | None = "4e8b1c60da97"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "familiar_networks",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_familiar_networks_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "network", name=op.f("pk_familiar_networks")),
    )
    op.create_index("ix_familiar_networks_seen_at", "familiar_networks", ["seen_at"], unique=False)


def downgrade() -> None:
    op.drop_table("familiar_networks")
