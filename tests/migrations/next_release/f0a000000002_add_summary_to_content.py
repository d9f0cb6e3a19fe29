"""add summary to content

Revision: f0a000000002, after f0a000000001.

Expand: excerpt gets a second name, kept equal whichever of the two is written. Downgrade drops it.
"""

from alembic import op

revision = "f0a000000002"
down_revision = "f0a000000001"

KEEP_EQUAL = """
    CREATE FUNCTION keep_summary_equal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND NEW.summary IS DISTINCT FROM OLD.summary THEN
            NEW.excerpt := NEW.summary;
        ELSE
            NEW.summary := NEW.excerpt;
        END IF;
        RETURN NEW;
    END
    $$
"""


def upgrade() -> None:
    op.execute("ALTER TABLE content ADD COLUMN summary text")
    op.execute(KEEP_EQUAL)
    op.execute(
        "CREATE TRIGGER keep_summary_equal BEFORE INSERT OR UPDATE ON content"
        " FOR EACH ROW EXECUTE FUNCTION keep_summary_equal()"
    )
    op.execute(
        "ALTER TABLE content ADD CONSTRAINT ck_content_summary_is_set"
        " CHECK (summary IS NOT NULL) NOT VALID"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE content DROP CONSTRAINT ck_content_summary_is_set")
    op.execute("DROP TRIGGER keep_summary_equal ON content")
    op.execute("DROP FUNCTION keep_summary_equal()")
    op.execute("ALTER TABLE content DROP COLUMN summary")
