"""add origin and tool to content_versions

Revision: c17e90b5a3d4, after 7c2e94d1f6b8.

Who wrote a version: a person, one with a tool, or a tool. NULL is what nobody has said, as in all
rows that are there. Downgrade drops both.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "c17e90b5a3d4"
down_revision: str | tuple[str, ...] | None = "7c2e94d1f6b8"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("content_versions", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("content_versions", sa.Column("tool", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("content_versions", "tool")
    op.drop_column("content_versions", "origin")
