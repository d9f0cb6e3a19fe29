"""index schedules by their zones

Revision: a7c6d3e8a1b7, after 96b5c2d7f0a6.

What has to be reckoned anew when the rules of a zone change. The index is made beside running
writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "a7c6d3e8a1b7"
down_revision: str | tuple[str, ...] | None = "96b5c2d7f0a6"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_schedules_zone_open")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_schedules_zone_open ON schedules (zone, zone_rules, id) "
            "WHERE zone IS NOT NULL AND state IN ('pending', 'handed', 'waiting')"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_schedules_zone_open"), table_name="schedules")
