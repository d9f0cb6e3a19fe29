"""add words to renderings

Revision: 5e2c91d7a4b8, after c71e06b8d5a3.

What public items are found by, and in which language; older rows have none and are found by
`search`, until `flask db backfill index-renderings` has run. Downgrade drops the columns: the words
can be made again.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "5e2c91d7a4b8"
down_revision: str | tuple[str, ...] | None = "c71e06b8d5a3"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("renderings", sa.Column("words", postgresql.TSVECTOR(), nullable=True))
    op.add_column("renderings", sa.Column("language", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("renderings", "language")
    op.drop_column("renderings", "words")
