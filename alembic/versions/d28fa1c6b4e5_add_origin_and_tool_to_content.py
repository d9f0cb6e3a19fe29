"""add origin and tool to content

Revision: d28fa1c6b4e5, after c17e90b5a3d4.

The same of the working copy, so that a save knows what it changes. Downgrade drops both.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "d28fa1c6b4e5"
down_revision: str | tuple[str, ...] | None = "c17e90b5a3d4"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("content", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("content", sa.Column("tool", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("content", "tool")
    op.drop_column("content", "origin")
