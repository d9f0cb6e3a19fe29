"""index the words of renderings

Revision: 9b4f60c2e17d, after 5e2c91d7a4b8.

What is inserted waits in a short list, because every search reads that list through.
The index is made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "9b4f60c2e17d"
down_revision: str | tuple[str, ...] | None = "5e2c91d7a4b8"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_renderings_words")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_renderings_words ON renderings USING gin (words)"
            " WITH (gin_pending_list_limit = 256)"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_renderings_words"), table_name="renderings")
