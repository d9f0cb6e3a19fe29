"""index the categories that were public

Revision: 6c2f8da5e319, after 5a1e7c94d208.

The index is made beside running writes. One that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "6c2f8da5e319"
down_revision: str | tuple[str, ...] | None = "5a1e7c94d208"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_categories_id_was_public")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_categories_id_was_public ON categories (id)"
            " WHERE was_public"
        )
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_categories_id_was_public"), table_name="categories")
