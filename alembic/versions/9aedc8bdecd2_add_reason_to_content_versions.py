"""add reason to content_versions

Revision: 9aedc8bdecd2, after 91510fbf9bf6.

Present versions count as saves. Downgrade drops the column.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "9aedc8bdecd2"
down_revision: str | tuple[str, ...] | None = "91510fbf9bf6"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "content_versions", sa.Column("reason", sa.Text(), server_default="save", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("content_versions", "reason")
