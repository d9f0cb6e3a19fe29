"""keep slugs of categories apart

Revision: 6d20b8f4e1a7, after 51c7e0a9d3b2.

No index spans two tables. The triggers run behind the unique indexes: whoever waited there for
another transaction sees what that one has written.
"""

from alembic import op

revision: str = "6d20b8f4e1a7"
down_revision: str | tuple[str, ...] | None = "51c7e0a9d3b2"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None

KEEP = """
CREATE FUNCTION keep_slugs_apart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_taken boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I WHERE slug = $1)',
                   TG_TABLE_SCHEMA, TG_ARGV[0]) INTO is_taken USING NEW.slug;
    IF is_taken THEN
        RAISE unique_violation
            USING MESSAGE = format('%s has this slug already', TG_ARGV[0]), CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$
"""

# An update of slugs alone asks; the other columns of a category change more often.
OF_CATEGORIES = """
CREATE TRIGGER keep_category_slugs_apart AFTER INSERT OR UPDATE OF slug ON categories
FOR EACH ROW EXECUTE FUNCTION keep_slugs_apart('category_aliases')
"""
OF_ALIASES = """
CREATE TRIGGER keep_category_aliases_apart AFTER INSERT OR UPDATE OF slug ON category_aliases
FOR EACH ROW EXECUTE FUNCTION keep_slugs_apart('categories')
"""


def upgrade() -> None:
    op.execute(KEEP)
    op.execute(OF_CATEGORIES)
    op.execute(OF_ALIASES)


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_category_aliases_apart ON category_aliases")
    op.execute("DROP TRIGGER keep_category_slugs_apart ON categories")
    op.execute("DROP FUNCTION keep_slugs_apart()")
