"""index the references of packed versions

Revision: 9b3c6e7d10f5, after 4d8e1f60a2b7.

A version that others are deltas from cannot go without them, and the key looks for those.
The index is made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "9b3c6e7d10f5"
down_revision: str | tuple[str, ...] | None = "4d8e1f60a2b7"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_content_versions_reference_id")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_content_versions_reference_id "
            "ON content_versions (reference_id)"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_content_versions_reference_id"), table_name="content_versions")
