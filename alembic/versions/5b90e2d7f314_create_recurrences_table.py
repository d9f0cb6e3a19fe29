"""create recurrences table

Revision: 5b90e2d7f314, after 4c71e09fb2d6.

One row for each action that recurs. Downgrade drops the table with its rows, so nothing recurs any
more; the schedules that were made stay.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "5b90e2d7f314"
down_revision: str | tuple[str, ...] | None = "4c71e09fb2d6"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "recurrences",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("which", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("start", sa.DateTime(), nullable=False),
        sa.Column("in_gap", sa.Text(), nullable=False),
        sa.Column("in_fold", sa.Text(), nullable=False),
        sa.Column("if_missed", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.Column("planned_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by_id", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
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
        sa.CheckConstraint(
            "action IN ('publish', 'unpublish')", name=op.f("ck_recurrences_action_is_known")
        ),
        sa.CheckConstraint(
            "which IN ('newest', 'newest_approved')", name=op.f("ck_recurrences_which_is_known")
        ),
        sa.CheckConstraint(
            "if_missed IN ('run', 'skip')", name=op.f("ck_recurrences_if_missed_is_known")
        ),
        sa.CheckConstraint(
            "in_gap IN ('after', 'skip')", name=op.f("ck_recurrences_in_gap_is_known")
        ),
        sa.CheckConstraint(
            "in_fold IN ('earlier', 'later')", name=op.f("ck_recurrences_in_fold_is_known")
        ),
        sa.CheckConstraint(
            "state IN ('active', 'paused', 'ended')", name=op.f("ck_recurrences_state_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["content.id"],
            name=op.f("fk_recurrences_content_id_content"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"],
            ["users.id"],
            name=op.f("fk_recurrences_made_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recurrences")),
    )
    op.create_index("ix_recurrences_content_id_id", "recurrences", ["content_id", "id"])
    op.create_index("ix_recurrences_made_by_id", "recurrences", ["made_by_id"])


def downgrade() -> None:
    op.drop_table("recurrences")
