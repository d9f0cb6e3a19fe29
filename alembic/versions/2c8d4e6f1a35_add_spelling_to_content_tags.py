"""add spelling to content_tags

Revision: 2c8d4e6f1a35, after 1a6f3e8d5c70.

A draft's spelling of a tag is nobody else's business, so each item keeps its own. Where it is
empty, the tag's name counts.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "2c8d4e6f1a35"
down_revision: str | tuple[str, ...] | None = "1a6f3e8d5c70"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("content_tags", sa.Column("spelling", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("content_tags", "spelling")
