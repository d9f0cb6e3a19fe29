"""index the drafts of an author

Revision: a58e0c47b1f3, after 84c5f2a9d017.

They are counted at each save of a new item. The index is made beside running writes; one that an
interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "a58e0c47b1f3"
down_revision: str | tuple[str, ...] | None = "84c5f2a9d017"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_content_author_id_draft")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_content_author_id_draft ON content (author_id) "
            "WHERE status = 'draft'"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_content_author_id_draft"), table_name="content")
