"""claim the slugs of present content

Revision: 3c976dee2e0b, after 3ff7ec9829e9.

A slug in that table belongs to its item for good once the item has been public. Downgrade changes
nothing: the claims stay true.
"""

from alembic import op

revision: str = "3c976dee2e0b"
down_revision: str | tuple[str, ...] | None = "3ff7ec9829e9"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO slugs (slug, content_id, was_public)"
        " SELECT slug, id, published_at IS NOT NULL FROM content ON CONFLICT (slug) DO NOTHING"
    )


def downgrade() -> None:
    """Change nothing; the table goes with the step before this one."""
