"""add viewed_at to page_views

Revision: e1a000000004, after e1a000000003.

Expand: the time that viewed holds as text gets a column of its proper type. Whichever of the two is
written, the other follows. Downgrade drops the new column.
"""

from alembic import op

revision = "e1a000000004"
down_revision = "e1a000000003"


def upgrade() -> None:
    """Add the column, keep the two equal, and let no new row be without it."""
    op.execute("ALTER TABLE page_views ADD COLUMN viewed_at timestamptz")
    op.execute("""
        CREATE FUNCTION keep_viewed_at_equal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.viewed IS NULL
                OR (TG_OP = 'UPDATE' AND NEW.viewed_at IS DISTINCT FROM OLD.viewed_at)
            THEN
                NEW.viewed := to_char(
                    NEW.viewed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
            ELSE
                NEW.viewed_at := NEW.viewed::timestamptz;
            END IF;
            RETURN NEW;
        END
        $$
    """)
    op.execute("""
        CREATE TRIGGER keep_viewed_at_equal BEFORE INSERT OR UPDATE ON page_views
        FOR EACH ROW EXECUTE FUNCTION keep_viewed_at_equal()
    """)
    op.execute("""
        ALTER TABLE page_views ADD CONSTRAINT ck_page_views_viewed_at_is_set
        CHECK (viewed_at IS NOT NULL) NOT VALID
    """)


def downgrade() -> None:
    """Drop what the upgrade added; viewed holds everything."""
    op.execute("ALTER TABLE page_views DROP CONSTRAINT ck_page_views_viewed_at_is_set")
    op.execute("DROP TRIGGER keep_viewed_at_equal ON page_views")
    op.execute("DROP FUNCTION keep_viewed_at_equal()")
    op.execute("ALTER TABLE page_views DROP COLUMN viewed_at")
