"""validate the checks of schedules

Revision: 63e2f9a4c7d3, after 52d1e8f3b6c2.

The table is read beside running writes. Downgrade makes the checks ones again that were not held
against old rows.
"""

from alembic import op

revision: str = "63e2f9a4c7d3"
down_revision: str | tuple[str, ...] | None = "52d1e8f3b6c2"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None

CHECKS = {
    "action_is_known": "action IN ('publish', 'unpublish', 'archive')",
    "if_missed_is_known": "if_missed IN ('run', 'skip', 'ask')",
    "state_is_known": "state IN"
    " ('pending', 'handed', 'waiting', 'fired', 'missed', 'failed', 'cancelled')",
    "publish_pins_a_version": "action <> 'publish' OR version_id IS NOT NULL",
    "wall_time_is_whole": "(zone IS NULL) = (local_time IS NULL)",
    "fold_is_known": "fold IN ('earlier', 'later')",
    "late_limit_is_positive": "late_limit_seconds > 0",
}


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    for name in CHECKS:
        op.execute(f"ALTER TABLE schedules VALIDATE CONSTRAINT ck_schedules_{name}")


def downgrade() -> None:
    for name, condition in CHECKS.items():
        op.drop_constraint(op.f(f"ck_schedules_{name}"), "schedules", type_="check")
        op.create_check_constraint(
            op.f(f"ck_schedules_{name}"), "schedules", condition, postgresql_not_valid=True
        )
