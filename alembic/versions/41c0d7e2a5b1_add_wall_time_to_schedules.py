"""add wall time to schedules

Revision: 41c0d7e2a5b1, after 4c7e19a3d5f0.

The wall time that an editor meant and its zone, beside the instant that it is; which of the two it
is where clocks show it twice; and by which rules of the zone it was reckoned. Further how late an
action may come, and whether it rests upon the approval of its version, which a review could say of
one action alone. Without a wall time an action has only its instant, as all have so far. The
downgrade drops all of it.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "41c0d7e2a5b1"
down_revision: str | tuple[str, ...] | None = "4c7e19a3d5f0"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.add_column("schedules", sa.Column("late_limit_seconds", sa.BigInteger(), nullable=True))
    op.add_column("schedules", sa.Column("zone", sa.Text(), nullable=True))
    op.add_column("schedules", sa.Column("local_time", sa.DateTime(timezone=False), nullable=True))
    op.add_column("schedules", sa.Column("fold", sa.Text(), nullable=True))
    op.add_column("schedules", sa.Column("zone_rules", sa.Text(), nullable=True))
    op.add_column(
        "schedules",
        sa.Column("rests_on_approval", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    for name in (
        "rests_on_approval", "zone_rules", "fold", "local_time", "zone", "late_limit_seconds",
    ):  # fmt: skip
        op.drop_column("schedules", name)
