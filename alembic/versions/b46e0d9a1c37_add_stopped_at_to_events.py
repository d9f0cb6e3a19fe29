"""add stopped_at to events

Revision: b46e0d9a1c37, after c8e25f91b6d3.

When a withdrawal of the item ended the telling of an event before everybody had heard of it. Events
that are there were not stopped. The downgrade drops the moments: such events stay told, as
`fanned_out_at` says, and mails of theirs that still wait go out.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "b46e0d9a1c37"
down_revision: str | tuple[str, ...] | None = "c8e25f91b6d3"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("events", sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("events", "stopped_at")
