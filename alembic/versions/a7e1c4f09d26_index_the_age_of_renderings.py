"""index the age of renderings

Revision: a7e1c4f09d26, after 17d3b9a05e6c.

Housekeeping deletes old ones that nothing public or scheduled needs.
The index is made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "a7e1c4f09d26"
down_revision: str | tuple[str, ...] | None = "17d3b9a05e6c"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_renderings_rendered_at")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_renderings_rendered_at ON renderings (rendered_at)"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_renderings_rendered_at"), table_name="renderings")
