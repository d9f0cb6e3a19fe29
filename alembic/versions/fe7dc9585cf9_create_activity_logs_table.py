"""create activity_logs table

Revision: fe7dc9585cf9, after 8ee24068d1ae.

An entry outlives its actor. Downgrade drops the table with its rows.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "fe7dc9585cf9"
down_revision: str | tuple[str, ...] | None = "8ee24068d1ae"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "activity_logs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["users.id"],
            name=op.f("fk_activity_logs_actor_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_logs")),
    )
    op.create_index(
        "ix_activity_logs_actor_id_id", "activity_logs", ["actor_id", "id"], unique=False
    )
    op.create_index(
        "ix_activity_logs_subject_kind_subject_id_id",
        "activity_logs",
        ["subject_kind", "subject_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("activity_logs")
