"""let schedules archive and wait

Revision: 52d1e8f3b6c2, after 41c0d7e2a5b1.

An action may put its item into the archive, may ask what to do where its moment was missed, and
may wait for the answer. The checks of the old words make room for checks of the new ones, which the
next step holds against the rows that are there. Downgrade deletes the actions that archive, counts
what waits as missed, and skips where it would have asked.
"""

from alembic import op

revision: str = "52d1e8f3b6c2"
down_revision: str | tuple[str, ...] | None = "41c0d7e2a5b1"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None
contract = "the new checks allow all that the old ones did"
contract_since = "7d2b41f0c9a6"

OLD = {
    "action_is_known": "action IN ('publish', 'unpublish')",
    "if_missed_is_known": "if_missed IN ('run', 'skip')",
    "state_is_known": "state IN ('pending', 'handed', 'fired', 'missed', 'failed', 'cancelled')",
    "publish_pins_a_version": "action = 'unpublish' OR version_id IS NOT NULL",
}
NEW = {
    "action_is_known": "action IN ('publish', 'unpublish', 'archive')",
    "if_missed_is_known": "if_missed IN ('run', 'skip', 'ask')",
    "state_is_known": "state IN"
    " ('pending', 'handed', 'waiting', 'fired', 'missed', 'failed', 'cancelled')",
    "publish_pins_a_version": "action <> 'publish' OR version_id IS NOT NULL",
}
NEWER = {
    "wall_time_is_whole": "(zone IS NULL) = (local_time IS NULL)",
    "fold_is_known": "fold IN ('earlier', 'later')",
    "late_limit_is_positive": "late_limit_seconds > 0",
}


def upgrade() -> None:
    for name in OLD:
        op.drop_constraint(op.f(f"ck_schedules_{name}"), "schedules", type_="check")
    for name, condition in {**NEW, **NEWER}.items():
        op.create_check_constraint(
            op.f(f"ck_schedules_{name}"), "schedules", condition, postgresql_not_valid=True
        )


def downgrade() -> None:
    op.execute("DELETE FROM schedules WHERE action = 'archive'")
    op.execute("UPDATE schedules SET state = 'missed' WHERE state = 'waiting'")
    op.execute("UPDATE schedules SET if_missed = 'skip' WHERE if_missed = 'ask'")
    for name in {**NEW, **NEWER}:
        op.drop_constraint(op.f(f"ck_schedules_{name}"), "schedules", type_="check")
    for name, condition in OLD.items():
        op.create_check_constraint(op.f(f"ck_schedules_{name}"), "schedules", condition)
