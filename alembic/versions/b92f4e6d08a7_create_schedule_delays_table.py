"""create schedule delays table

Revision: b92f4e6d08a7, after 5e0c7a19d3b4.

How many schedules fired how late, one row for each bound. Downgrade drops the table with its rows:
the counts begin anew.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "b92f4e6d08a7"
down_revision: str | tuple[str, ...] | None = "5e0c7a19d3b4"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "schedule_delays",
        sa.Column("up_to_seconds", sa.Double(), nullable=False),
        sa.Column("schedules", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("up_to_seconds", name=op.f("pk_schedule_delays")),
    )


def downgrade() -> None:
    op.drop_table("schedule_delays")
