"""let an item have many open schedules

Revision: 96b5c2d7f0a6, after 85a4b1c6e9f5.

The key that left an item one open action of each kind. Downgrade cancels all of them but the first
of each kind, which say why.
"""

import sqlalchemy as sa

from alembic import op

revision: str = "96b5c2d7f0a6"
down_revision: str | tuple[str, ...] | None = "85a4b1c6e9f5"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None
contract = "a release before it refuses to plan until it is replaced; nothing is lost"
contract_since = "7d2b41f0c9a6"

CANCEL_ALL_BUT_THE_FIRST = """
UPDATE schedules SET state = 'cancelled',
    failure = 'The release that was installed knows one open schedule of each kind.'
FROM (
    SELECT id, row_number() OVER (PARTITION BY content_id, action ORDER BY due_at, id) AS turn
    FROM schedules WHERE state IN ('pending', 'handed')
) AS ordered
WHERE ordered.id = schedules.id AND ordered.turn > 1
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_schedules_content_id_action_open")
        op.execute("SET lock_timeout = '1s'")


def downgrade() -> None:
    op.execute(CANCEL_ALL_BUT_THE_FIRST)
    op.create_index(
        "uq_schedules_content_id_action_open",
        "schedules",
        ["content_id", "action"],
        unique=True,
        postgresql_where=sa.text("state IN ('pending', 'handed')"),
    )
