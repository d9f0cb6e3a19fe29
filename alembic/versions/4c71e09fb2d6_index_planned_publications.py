"""index planned publications

Revision: 4c71e09fb2d6, after d27f58a1e930.

What will be public by a moment is walked backwards from it. The index is made beside running
writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "4c71e09fb2d6"
down_revision: str | tuple[str, ...] | None = "d27f58a1e930"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_schedules_due_at_content_id_publish")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_schedules_due_at_content_id_publish"
            " ON schedules (due_at, content_id)"
            " WHERE action = 'publish' AND state IN ('pending', 'handed')"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_schedules_due_at_content_id_publish"), table_name="schedules")
