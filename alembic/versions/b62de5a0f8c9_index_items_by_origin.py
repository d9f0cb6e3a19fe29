"""index items by origin

Revision: b62de5a0f8c9, after b3c96e81d7f0.

For editors who look for what a tool has written.
The index is made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "b62de5a0f8c9"
down_revision: str | tuple[str, ...] | None = "b3c96e81d7f0"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_content_origin_id")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_content_origin_id "
            "ON content (origin, id) WHERE origin IS NOT NULL"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_content_origin_id"), table_name="content")
