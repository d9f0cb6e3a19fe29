"""index what was unpublished

Revision: 7c20a1f5d8e3, after 6b1f0e94c7d2.

They are listed among many drafts. The index is
made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "7c20a1f5d8e3"
down_revision: str | tuple[str, ...] | None = "6b1f0e94c7d2"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_content_unpublished")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_content_unpublished ON content (id) "
            "WHERE status = 'draft' AND publish_sequence > 0"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_content_unpublished"), table_name="content")
