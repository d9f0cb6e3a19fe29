"""add origin to publications

Revision: e39ab2d7c5f6, after d28fa1c6b4e5.

That of the version which is public, for lists of the public. Downgrade drops it.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "e39ab2d7c5f6"
down_revision: str | tuple[str, ...] | None = "d28fa1c6b4e5"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("publications", sa.Column("origin", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("publications", "origin")
