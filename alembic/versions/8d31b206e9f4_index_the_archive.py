"""index the archive

Revision: 8d31b206e9f4, after 7c20a1f5d8e3.

An archive grows for years. The index is
made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "8d31b206e9f4"
down_revision: str | tuple[str, ...] | None = "7c20a1f5d8e3"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_content_archived")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_content_archived ON content (id) "
            "WHERE status = 'trashed' AND trashed_at IS NULL AND archived_at IS NOT NULL"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_content_archived"), table_name="content")
