"""create job pauses table

Revision: a7c3e91d5b20, after c4a90b7e52d1.

One row for each queue, kind or event whose jobs shall wait. Downgrade drops the table with its
rows: what was paused goes on.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "a7c3e91d5b20"
down_revision: str | tuple[str, ...] | None = "c4a90b7e52d1"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "job_pauses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "scope IN ('queue', 'kind', 'event')", name=op.f("ck_job_pauses_scope_is_known")
        ),
        sa.CheckConstraint(
            "char_length(reason) BETWEEN 1 AND 500", name=op.f("ck_job_pauses_reason_is_given")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_pauses")),
        sa.UniqueConstraint("scope", "target", name=op.f("uq_job_pauses_scope_target")),
    )


def downgrade() -> None:
    op.drop_table("job_pauses")
