"""add metadata to content and its versions

Revision: 8ee24068d1ae, after 3a7b0b241cb5.

Present rows get an empty object. Downgrade drops the two columns.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "8ee24068d1ae"
down_revision: str | tuple[str, ...] | None = "3a7b0b241cb5"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None

# checklist: one-change - an item and its copies hold the same fields, in every revision


def upgrade() -> None:
    op.add_column(
        "content", sa.Column("metadata", postgresql.JSONB(), server_default="{}", nullable=False)
    )
    op.add_column(
        "content_versions",
        sa.Column("metadata", postgresql.JSONB(), server_default="{}", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("content_versions", "metadata")
    op.drop_column("content", "metadata")
