"""let the bodies of versions be empty

Revision: 17d3b9a05e6c, after e8f2607b4c93.

A packed version has none. The release before reads versions that are whole, as all are until an
operator starts the backfill `pack-versions`. Downgrade drops nothing: it is refused while versions
are packed, and says what unpacks them.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "17d3b9a05e6c"
down_revision: str | tuple[str, ...] | None = "e8f2607b4c93"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


REFUSE_PACKED = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM content_versions WHERE body IS NULL) THEN
        RAISE EXCEPTION 'There are packed versions: run `flask db backfill unpack-versions` first';
    END IF;
END
$$
"""


def upgrade() -> None:
    op.alter_column("content_versions", "body", existing_type=sa.Text(), nullable=True)


def downgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(REFUSE_PACKED)
    op.alter_column("content_versions", "body", existing_type=sa.Text(), nullable=False)
