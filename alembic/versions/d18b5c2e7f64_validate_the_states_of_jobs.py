"""validate the states of jobs

Revision: d18b5c2e7f64, after c9e07b3a5d41.

The table is read beside running writes. Downgrade makes the check one again that was not held
against old rows.
"""

from alembic import op

revision: str = "d18b5c2e7f64"
down_revision: str | tuple[str, ...] | None = "c9e07b3a5d41"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute("ALTER TABLE jobs VALIDATE CONSTRAINT ck_jobs_state_is_known")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_jobs_state_is_known"), "jobs", type_="check")
    op.create_check_constraint(
        op.f("ck_jobs_state_is_known"),
        "jobs",
        "state IN ('ready', 'held', 'running', 'done', 'failed', 'discarded')",
        postgresql_not_valid=True,
    )
