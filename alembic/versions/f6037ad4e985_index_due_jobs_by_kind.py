"""index due jobs by kind

Revision: f6037ad4e985, after e5a90d7c3b18.

The oldest job of each kind is looked up in a backlog of any size. The index is made beside running
writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "f6037ad4e985"
down_revision: str | tuple[str, ...] | None = "e5a90d7c3b18"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_jobs_queue_kind_run_at_ready")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_jobs_queue_kind_run_at_ready"
            " ON jobs (queue, kind, run_at) WHERE state = 'ready'"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_jobs_queue_kind_run_at_ready"), table_name="jobs")
