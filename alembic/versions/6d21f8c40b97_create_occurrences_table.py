"""create occurrences table

Revision: 6d21f8c40b97, after 5b90e2d7f314.

One row for each moment of a recurrence. Downgrade drops the table with its rows; the schedules that
were made stay.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "6d21f8c40b97"
down_revision: str | tuple[str, ...] | None = "5b90e2d7f314"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "occurrences",
        sa.Column("recurrence_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("local_time", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=True),
        sa.Column("skipped", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "skipped IS NULL OR schedule_id IS NULL",
            name=op.f("ck_occurrences_skipped_has_no_schedule"),
        ),
        sa.ForeignKeyConstraint(
            ["recurrence_id"],
            ["recurrences.id"],
            name=op.f("fk_occurrences_recurrence_id_recurrences"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedules.id"],
            name=op.f("fk_occurrences_schedule_id_schedules"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("recurrence_id", "local_time", name=op.f("pk_occurrences")),
    )
    op.create_index("ix_occurrences_schedule_id", "occurrences", ["schedule_id"])
    op.create_index(
        "ix_occurrences_due_at_expected",
        "occurrences",
        ["due_at", "recurrence_id"],
        postgresql_where=sa.text("schedule_id IS NULL AND skipped IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("occurrences")
