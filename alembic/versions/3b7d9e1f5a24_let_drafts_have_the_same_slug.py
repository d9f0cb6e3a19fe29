"""let drafts have the same slug

Revision: 3b7d9e1f5a24, after d3f81c62ab07.

That a slug is taken told of the draft that has it. A name belongs to one item once it is public or
scheduled, which the table of slugs holds; what a draft would like to be called is its own business.
Downgrade numbers what has become equal by the items' ids: the owner of the public name keeps it. A
numbered one may be what another draft has, so it goes on until all differ.
"""

from alembic import op

revision: str = "3b7d9e1f5a24"
down_revision: str | tuple[str, ...] | None = "d3f81c62ab07"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None
contract = "no release relies on this key alone: each keeps public names apart elsewhere"
contract_since = "65d77c833802"

TELL_APART = """
DO $$ BEGIN LOOP
UPDATE content SET slug = content.slug || '-' || content.id
FROM (
    SELECT content.id, row_number() OVER (
        PARTITION BY content.slug ORDER BY slugs.content_id IS NULL, content.id) AS turn
    FROM content LEFT JOIN slugs ON slugs.slug = content.slug AND slugs.content_id = content.id
) AS named
WHERE named.id = content.id AND named.turn > 1;
EXIT WHEN NOT FOUND;
END LOOP; END $$
"""


def upgrade() -> None:
    op.drop_constraint(op.f("uq_content_slug"), "content", type_="unique")


def downgrade() -> None:
    op.execute(TELL_APART)
    op.create_unique_constraint(op.f("uq_content_slug"), "content", ["slug"])
