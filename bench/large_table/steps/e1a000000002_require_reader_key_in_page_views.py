"""require reader_key in page_views

Revision: e1a000000002, after e1a000000001.

Every row is looked at beside running writes; then NOT NULL needs no look at them. Downgrade lets
the column be empty again.
"""

from alembic import op

revision = "e1a000000002"
down_revision = "e1a000000001"
after_backfill = "copy-visitor"


def upgrade() -> None:
    """Prove that the backfill left nothing out, and require the column."""
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute("ALTER TABLE page_views VALIDATE CONSTRAINT ck_page_views_reader_key_is_set")
    op.execute("ALTER TABLE page_views ALTER COLUMN reader_key SET NOT NULL")
    op.execute("ALTER TABLE page_views DROP CONSTRAINT ck_page_views_reader_key_is_set")


def downgrade() -> None:
    """Go back to the unchecked rule."""
    op.execute("ALTER TABLE page_views ALTER COLUMN reader_key DROP NOT NULL")
    op.execute("""
        ALTER TABLE page_views ADD CONSTRAINT ck_page_views_reader_key_is_set
        CHECK (reader_key IS NOT NULL) NOT VALID
    """)
