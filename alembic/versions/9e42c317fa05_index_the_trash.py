"""index the trash

Revision: 9e42c317fa05, after 8d31b206e9f4.

What was thrown away is listed among what was archived. The index is
made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "9e42c317fa05"
down_revision: str | tuple[str, ...] | None = "8d31b206e9f4"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_content_trashed")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_content_trashed ON content (id) "
            "WHERE status = 'trashed' AND (trashed_at IS NOT NULL OR archived_at IS NULL)"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_content_trashed"), table_name="content")
