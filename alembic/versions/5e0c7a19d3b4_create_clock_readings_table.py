"""create clock readings table

Revision: 5e0c7a19d3b4, after a6f30c9d2b74.

The clocks of machines against PostgreSQL's, one row for each host and kind of process. Downgrade
drops the table with its rows, which the processes write anew.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "5e0c7a19d3b4"
down_revision: str | tuple[str, ...] | None = "a6f30c9d2b74"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "clock_readings",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("ahead_seconds", sa.Double(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("host", "role", name=op.f("pk_clock_readings")),
    )
    op.create_index("ix_clock_readings_read_at", "clock_readings", ["read_at"])


def downgrade() -> None:
    op.drop_table("clock_readings")
