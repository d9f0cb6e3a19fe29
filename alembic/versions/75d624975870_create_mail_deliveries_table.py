"""create mail_deliveries table

Revision: 75d624975870, after 901908ef519d.

There are no foreign keys on purpose, as in notifications. Downgrade drops the table with its rows:
mails that wait are not sent.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "75d624975870"
down_revision: str | tuple[str, ...] | None = "901908ef519d"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "mail_deliveries",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'failed', 'suppressed')",
            name=op.f("ck_mail_deliveries_state_is_known"),
        ),
        sa.PrimaryKeyConstraint("event_id", "user_id", name=op.f("pk_mail_deliveries")),
    )
    op.create_index(
        "ix_mail_deliveries_event_id_user_id_queued",
        "mail_deliveries",
        ["event_id", "user_id"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )


def downgrade() -> None:
    op.drop_table("mail_deliveries")
