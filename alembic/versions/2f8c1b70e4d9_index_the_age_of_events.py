"""index the age of events

Revision: 2f8c1b70e4d9, after 0b6d8e51f9c2.

The mails of events are deleted by the age of the events. The index is made beside running writes;
one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "2f8c1b70e4d9"
down_revision: str | tuple[str, ...] | None = "0b6d8e51f9c2"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_events_occurred_at")
        op.execute("CREATE INDEX CONCURRENTLY ix_events_occurred_at ON events (occurred_at)")
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_events_occurred_at"), table_name="events")
