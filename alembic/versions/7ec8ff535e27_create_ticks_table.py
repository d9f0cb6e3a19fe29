"""create ticks table

Revision: 7ec8ff535e27, after bb432bfd7d94.

Downgrade drops the table with its rows: a periodic task may run a second time in its slot.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "7ec8ff535e27"
down_revision: str | tuple[str, ...] | None = "bb432bfd7d94"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "ticks",
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("task", "slot", name=op.f("pk_ticks")),
    )
    op.create_index("ix_ticks_slot", "ticks", ["slot"], unique=False)


def downgrade() -> None:
    op.drop_table("ticks")
