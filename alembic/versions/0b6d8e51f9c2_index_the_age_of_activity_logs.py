"""index the age of activity_logs

Revision: 0b6d8e51f9c2, after e7f40a92c6b8.

They are deleted by their age. The index is made beside running writes; one that an interrupted run
left behind is dropped first.
"""

from alembic import op

revision: str = "0b6d8e51f9c2"
down_revision: str | tuple[str, ...] | None = "e7f40a92c6b8"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_activity_logs_created_at")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_activity_logs_created_at ON activity_logs (created_at)"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_activity_logs_created_at"), table_name="activity_logs")
