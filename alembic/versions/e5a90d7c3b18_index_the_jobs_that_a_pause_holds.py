"""index the jobs that a pause holds

Revision: e5a90d7c3b18, after d18b5c2e7f64.

When a pause ends its jobs are found by it. The index is made beside running writes; one that an
interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "e5a90d7c3b18"
down_revision: str | tuple[str, ...] | None = "d18b5c2e7f64"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_jobs_held_by_id_id_held")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_jobs_held_by_id_id_held ON jobs (held_by_id, id)"
            " WHERE state = 'held'"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_jobs_held_by_id_id_held"), table_name="jobs")
