"""index the tags that were public

Revision: 6d9c1f5e7b82, after 4e2b8c6d0f17.

The index is made beside running writes. One that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "6d9c1f5e7b82"
down_revision: str | tuple[str, ...] | None = "4e2b8c6d0f17"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_tags_slug_was_public")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_tags_slug_was_public ON tags (slug) WHERE was_public"
        )
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_tags_slug_was_public"), table_name="tags")
