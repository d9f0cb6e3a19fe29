"""create job attempts table

Revision: 2c0e6a8f31d5, after 1b9d5f7e20c4.

The starts of jobs that ended otherwise than well. Downgrade drops the table with its rows.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "2c0e6a8f31d5"
down_revision: str | tuple[str, ...] | None = "1b9d5f7e20c4"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "job_attempts",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("release", sa.Text(), nullable=True),
        sa.Column("ended_as", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "ended_as IN ('retried', 'failed', 'declined', 'lease_ended', 'cut_off')",
            name=op.f("ck_job_attempts_ended_as_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_attempts_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_job_attempts")),
    )


def downgrade() -> None:
    op.drop_table("job_attempts")
