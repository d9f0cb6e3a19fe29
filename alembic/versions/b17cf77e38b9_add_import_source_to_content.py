"""add import_source to content

Revision: b17cf77e38b9, after 0c23176b9867.

Where an imported item came from; empty for the others. Downgrade drops the column.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "b17cf77e38b9"
down_revision: str | tuple[str, ...] | None = "0c23176b9867"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("content", sa.Column("import_source", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("content", "import_source")
