"""add was_public to categories

Revision: 5a1e7c94d208, after 7d2e9c40b6f1.

Whether the public may know of a category. Those that there are keep their publicity, and so does
what the old code makes. A category that the old code makes public after this step, and that the new
code's import has made, is marked by the next publication in it.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "5a1e7c94d208"
down_revision: str | tuple[str, ...] | None = "7d2e9c40b6f1"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "categories",
        sa.Column("was_public", sa.Boolean(), server_default=sa.true(), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("categories", "was_public")
