"""index who follows subtrees

Revision: c71e06b8d5a3, after 8e3f5a20c9d4.

A fan-out reads them in the order of their ids, whatever the number of those who follow a category
alone. The index is made beside running writes; one that an interrupted run left behind is dropped
first.
"""

from alembic import op

revision: str = "c71e06b8d5a3"
down_revision: str | tuple[str, ...] | None = "8e3f5a20c9d4"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_follows_category_id_user_id_subtree")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_follows_category_id_user_id_subtree"
            " ON follows (category_id, user_id) WHERE include_subtree"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_follows_category_id_user_id_subtree"), table_name="follows")
