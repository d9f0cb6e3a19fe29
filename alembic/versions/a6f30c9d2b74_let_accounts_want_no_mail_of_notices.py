"""let accounts want no mail of notices

Revision: a6f30c9d2b74, after 6d21f8c40b97.

Everybody gets them until they say otherwise. Downgrade forgets who has said so.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "a6f30c9d2b74"
down_revision: str | tuple[str, ...] | None = "6d21f8c40b97"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column(
        "notification_preferences",
        sa.Column("notices_by_mail", sa.Boolean(), server_default="true", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("notification_preferences", "notices_by_mail")
