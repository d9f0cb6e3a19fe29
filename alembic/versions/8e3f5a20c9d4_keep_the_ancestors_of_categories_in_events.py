"""keep the ancestors of categories in events

Revision: 8e3f5a20c9d4, after 2b94d7c1e6f0.

Events of before, and those of the release before, have none: they are told to who follows the
category itself.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "8e3f5a20c9d4"
down_revision: str | tuple[str, ...] | None = "2b94d7c1e6f0"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "events",
        sa.Column(
            "ancestor_ids",
            sa.ARRAY(sa.BigInteger()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )


def downgrade() -> None:
    op.drop_column("events", "ancestor_ids")
