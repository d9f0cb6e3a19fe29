"""keep slugs of tags apart

Revision: d05b7c28f4e9, after 94a1d3e7b05c.

A tag cannot have the slug under which another one is still found, as categories cannot.
"""

from alembic import op

revision: str = "d05b7c28f4e9"
down_revision: str | tuple[str, ...] | None = "94a1d3e7b05c"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute(
        "CREATE TRIGGER keep_tag_slugs_apart AFTER INSERT OR UPDATE OF slug ON tags"
        " FOR EACH ROW EXECUTE FUNCTION keep_slugs_apart('tag_aliases')"
    )
    op.execute(
        "CREATE TRIGGER keep_tag_aliases_apart AFTER INSERT OR UPDATE OF slug ON tag_aliases"
        " FOR EACH ROW EXECUTE FUNCTION keep_slugs_apart('tags')"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_tag_aliases_apart ON tag_aliases")
    op.execute("DROP TRIGGER keep_tag_slugs_apart ON tags")
