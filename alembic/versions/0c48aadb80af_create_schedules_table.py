"""create schedules table

Revision: 0c48aadb80af, after e02b3f9955e5.

Downgrade drops the table with its rows: what was to happen is forgotten.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "0c48aadb80af"
down_revision: str | tuple[str, ...] | None = "e02b3f9955e5"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("if_missed", sa.Text(), server_default="run", nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "action IN ('publish', 'unpublish')", name=op.f("ck_schedules_action_is_known")
        ),
        sa.CheckConstraint(
            "if_missed IN ('run', 'skip')", name=op.f("ck_schedules_if_missed_is_known")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'handed', 'fired', 'missed', 'failed', 'cancelled')",
            name=op.f("ck_schedules_state_is_known"),
        ),
        sa.CheckConstraint(
            "action = 'unpublish' OR version_id IS NOT NULL",
            name=op.f("ck_schedules_publish_pins_a_version"),
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_schedules_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["content_versions.id"],
            name=op.f("fk_schedules_version_id_content_versions"),
            ondelete="NO ACTION",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_schedules_created_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    op.create_index(
        "uq_schedules_content_id_action_open",
        "schedules",
        ["content_id", "action"],
        unique=True,
        postgresql_where=sa.text("state IN ('pending', 'handed')"),
    )
    op.create_index(
        "ix_schedules_due_at_pending",
        "schedules",
        ["due_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_schedules_due_at_id", "schedules", ["due_at", "id"], unique=False)
    op.create_index("ix_schedules_content_id_id", "schedules", ["content_id", "id"], unique=False)
    op.create_index("ix_schedules_version_id", "schedules", ["version_id"], unique=False)
    op.create_index("ix_schedules_created_by_id", "schedules", ["created_by_id"], unique=False)


def downgrade() -> None:
    op.drop_table("schedules")
