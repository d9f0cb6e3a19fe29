"""create job kinds table

Revision: 0a6b3c8e51f9, after f6037ad4e985.

When a worker last started a job of each kind, to some seconds. Downgrade drops the table with its
rows, which the next starts write anew.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "0a6b3c8e51f9"
down_revision: str | tuple[str, ...] | None = "f6037ad4e985"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "job_kinds",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("last_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_job_kinds")),
    )


def downgrade() -> None:
    op.drop_table("job_kinds")
