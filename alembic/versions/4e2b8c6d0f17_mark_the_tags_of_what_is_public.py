"""mark the tags of what is public

Revision: 4e2b8c6d0f17, after 9f5a7b3c2d48.

A tag that the old code makes public after this step is marked by the next publication that has it.
Downgrade changes nothing: the marks stay true.
"""

from alembic import op

revision: str = "4e2b8c6d0f17"
down_revision: str | tuple[str, ...] | None = "9f5a7b3c2d48"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute(
        "UPDATE tags SET was_public = true FROM (SELECT DISTINCT unnest(tags) AS slug"
        " FROM publications) AS public WHERE tags.slug = public.slug AND NOT was_public"
    )


def downgrade() -> None:
    """Change nothing; the marks go with the step before this one."""
