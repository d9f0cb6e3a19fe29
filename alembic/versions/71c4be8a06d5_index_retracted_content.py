"""index retracted content

Revision: 71c4be8a06d5, after 5a7d1f0c93e2.

For the list of what is retracted. Built beside running writes. Downgrade drops it.
"""

from alembic import op

revision: str = "71c4be8a06d5"
down_revision: str | tuple[str, ...] | None = "5a7d1f0c93e2"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_content_retracted")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_content_retracted ON content (id) "
            "WHERE status = 'draft' AND retracted_sequence = publish_sequence"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index("ix_content_retracted", table_name="content")
