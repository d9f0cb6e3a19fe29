"""index renderings without words

Revision: d81a37f5b0c6, after 9b4f60c2e17d.

They are looked for apart, and there are none once they have been filled.
The index is made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "d81a37f5b0c6"
down_revision: str | tuple[str, ...] | None = "9b4f60c2e17d"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_renderings_wordless")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_renderings_wordless ON renderings (version_id)"
            " WHERE words IS NULL"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_renderings_wordless"), table_name="renderings")
