"""let follows include subtrees

Revision: 2b94d7c1e6f0, after a5d8016e9c37.

Whoever follows a category follows what stands in it alone, until they ask for more.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "2b94d7c1e6f0"
down_revision: str | tuple[str, ...] | None = "a5d8016e9c37"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "follows",
        sa.Column("include_subtree", sa.Boolean(), server_default="false", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("follows", "include_subtree")
