"""require viewed_at in page_views

Revision: e1a000000005, after e1a000000004.

As with reader_key. Downgrade lets the column be empty again.
"""

from alembic import op

revision = "e1a000000005"
down_revision = "e1a000000004"
after_backfill = "parse-viewed"


def upgrade() -> None:
    """Prove that the backfill left nothing out, and require the column."""
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute("ALTER TABLE page_views VALIDATE CONSTRAINT ck_page_views_viewed_at_is_set")
    op.execute("ALTER TABLE page_views ALTER COLUMN viewed_at SET NOT NULL")
    op.execute("ALTER TABLE page_views DROP CONSTRAINT ck_page_views_viewed_at_is_set")


def downgrade() -> None:
    """Go back to the unchecked rule."""
    op.execute("ALTER TABLE page_views ALTER COLUMN viewed_at DROP NOT NULL")
    op.execute("""
        ALTER TABLE page_views ADD CONSTRAINT ck_page_views_viewed_at_is_set
        CHECK (viewed_at IS NOT NULL) NOT VALID
    """)
