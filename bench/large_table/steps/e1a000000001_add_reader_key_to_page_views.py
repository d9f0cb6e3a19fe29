"""add reader_key to page_views

Revision: e1a000000001, the first.

Expand: visitor gets its new name. Whichever of the two is written, the other follows; a row that
was there stays empty until the backfill, and may. Downgrade drops the new column.
"""

from alembic import op

revision = "e1a000000001"
down_revision = None
branch_labels = ("large_table",)


def upgrade() -> None:
    """Add the column, keep the two equal, and let no new row be without it."""
    op.execute("ALTER TABLE page_views ADD COLUMN reader_key text")
    op.execute("""
        CREATE FUNCTION keep_reader_key_equal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.visitor IS NULL
                OR (TG_OP = 'UPDATE' AND NEW.reader_key IS DISTINCT FROM OLD.reader_key)
            THEN
                NEW.visitor := NEW.reader_key;
            ELSE
                NEW.reader_key := NEW.visitor;
            END IF;
            RETURN NEW;
        END
        $$
    """)
    op.execute("""
        CREATE TRIGGER keep_reader_key_equal BEFORE INSERT OR UPDATE ON page_views
        FOR EACH ROW EXECUTE FUNCTION keep_reader_key_equal()
    """)
    op.execute("""
        ALTER TABLE page_views ADD CONSTRAINT ck_page_views_reader_key_is_set
        CHECK (reader_key IS NOT NULL) NOT VALID
    """)


def downgrade() -> None:
    """Drop what the upgrade added; visitor holds everything."""
    op.execute("ALTER TABLE page_views DROP CONSTRAINT ck_page_views_reader_key_is_set")
    op.execute("DROP TRIGGER keep_reader_key_equal ON page_views")
    op.execute("DROP FUNCTION keep_reader_key_equal()")
    op.execute("ALTER TABLE page_views DROP COLUMN reader_key")
