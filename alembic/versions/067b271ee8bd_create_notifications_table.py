"""create notifications table

Revision: 067b271ee8bd, after ecf30fceb2ea.

There are no foreign keys on purpose: to check two for each row of a large fan-out would lock
every reader. Downgrade drops the table with its rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "067b271ee8bd"
down_revision: str | tuple[str, ...] | None = "ecf30fceb2ea"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "event_id", name=op.f("pk_notifications")),
    )
    op.create_index(
        "ix_notifications_user_id_unread",
        "notifications",
        ["user_id"],
        unique=False,
        postgresql_where=sa.text("read_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("notifications")
