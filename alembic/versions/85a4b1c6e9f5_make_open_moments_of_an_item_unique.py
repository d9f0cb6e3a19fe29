"""make open moments of an item unique

Revision: 85a4b1c6e9f5, after 74f3a0b5d8e4.

At one moment one thing happens to an item; the index is also in the order of its timeline.
It is made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "85a4b1c6e9f5"
down_revision: str | tuple[str, ...] | None = "74f3a0b5d8e4"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_schedules_content_id_due_at_open")
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY uq_schedules_content_id_due_at_open "
            "ON schedules (content_id, due_at) WHERE state IN ('pending', 'handed', 'waiting')"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("uq_schedules_content_id_due_at_open"), table_name="schedules")
