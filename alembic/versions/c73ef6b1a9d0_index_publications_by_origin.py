"""index publications by origin

Revision: c73ef6b1a9d0, after b62de5a0f8c9.

For lists of public items by their origin.
The index is made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "c73ef6b1a9d0"
down_revision: str | tuple[str, ...] | None = "b62de5a0f8c9"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_publications_origin")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_publications_origin "
            "ON publications (origin, published_at, content_id) WHERE origin IS NOT NULL"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_publications_origin"), table_name="publications")
