"""add was_public to tags

Revision: 9f5a7b3c2d48, after 2c8d4e6f1a35.

Whether something public has, or has had, the tag. The list of tags asked that of every tag that any
draft has.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "9f5a7b3c2d48"
down_revision: str | tuple[str, ...] | None = "2c8d4e6f1a35"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "tags", sa.Column("was_public", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("tags", "was_public")
