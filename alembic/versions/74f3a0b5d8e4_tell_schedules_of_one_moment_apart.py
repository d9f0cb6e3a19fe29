"""tell schedules of one moment apart

Revision: 74f3a0b5d8e4, after 63e2f9a4c7d3.

So far an item might have one action to publish it and one to unpublish it at the very same moment,
and the one that was made first came first. At one moment one thing happens from now on: the other
comes a microsecond later, which keeps their order. Downgrade leaves them as they are.
"""

from alembic import op

revision: str = "74f3a0b5d8e4"
down_revision: str | tuple[str, ...] | None = "63e2f9a4c7d3"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute(
        """
        UPDATE schedules SET due_at = schedules.due_at + turn.place * interval '1 microsecond'
        FROM (
            SELECT id, row_number() OVER (PARTITION BY content_id, due_at ORDER BY id) - 1 AS place
            FROM schedules WHERE state IN ('pending', 'handed')
        ) AS turn
        WHERE turn.id = schedules.id AND turn.place > 0
        """
    )


def downgrade() -> None:
    pass
