"""take the key of actors from activity_logs

Revision: b72d1e4f8a21, after a61c0d3e7f10.

A line is never changed, and ON DELETE SET NULL is a change. Downgrade forgets the actors that there
are no more, as the key would have done.
"""

from alembic import op

revision: str = "b72d1e4f8a21"
down_revision: str | tuple[str, ...] | None = "a61c0d3e7f10"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


contract = "no code relies on the key: it only emptied the column"
contract_since = "fe7dc9585cf9"

KEY = "fk_activity_logs_actor_id_users"


def upgrade() -> None:
    op.drop_constraint(op.f(KEY), "activity_logs", type_="foreignkey")


def downgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(
        "UPDATE activity_logs SET actor_id = NULL WHERE actor_id IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM users WHERE users.id = actor_id)"
    )
    op.create_foreign_key(
        op.f(KEY), "activity_logs", "users", ["actor_id"], ["id"], ondelete="SET NULL"
    )
