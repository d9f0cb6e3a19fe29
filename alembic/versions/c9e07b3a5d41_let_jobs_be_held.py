"""let jobs be held

Revision: c9e07b3a5d41, after b2d4f68a1c37.

The state of a job that a pause has set aside. The check of the old states makes room for the check
of the new ones, which the next step holds against the rows that are there. Downgrade makes what is
held ready.
"""

from alembic import op

revision: str = "c9e07b3a5d41"
down_revision: str | tuple[str, ...] | None = "b2d4f68a1c37"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None
contract = "the new check allows all that the old one did"
contract_since = "bb432bfd7d94"

CHECK = "ck_jobs_state_is_known"


def upgrade() -> None:
    op.drop_constraint(op.f(CHECK), "jobs", type_="check")
    op.create_check_constraint(
        op.f(CHECK),
        "jobs",
        "state IN ('ready', 'held', 'running', 'done', 'failed', 'discarded')",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.execute("UPDATE jobs SET state = 'ready' WHERE state = 'held'")
    op.drop_constraint(op.f(CHECK), "jobs", type_="check")
    op.create_check_constraint(
        op.f(CHECK), "jobs", "state IN ('ready', 'running', 'done', 'failed', 'discarded')"
    )
