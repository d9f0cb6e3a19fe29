"""index content by summary

Revision: f0a000000003, after f0a000000002.

Expand: made beside running writes. Downgrade drops the index.
"""

from alembic import op

revision = "f0a000000003"
down_revision = "f0a000000002"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_content_summary")
        op.execute("CREATE INDEX CONCURRENTLY ix_content_summary ON content (summary)")
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.execute("DROP INDEX ix_content_summary")
