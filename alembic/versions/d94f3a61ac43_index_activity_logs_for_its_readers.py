"""index activity_logs for its readers

Revision: d94f3a61ac43, after c83e2f509b32.

Each thing to look for has an index in the order of a list. They are made beside running writes, in
the place of those that were; what an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "d94f3a61ac43"
down_revision: str | tuple[str, ...] | None = "c83e2f509b32"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


NEW = {
    "ix_activity_logs_created_at_id": "(created_at, id)",
    "ix_activity_logs_actor_id_created_at_id": "(actor_id, created_at, id)",
    "ix_activity_logs_subject_kind_subject_id_created_at_id": (
        "(subject_kind, subject_id, created_at, id)"
    ),
    "ix_activity_logs_action_created_at_id": "(action, created_at, id)",
    "ix_activity_logs_noun": "(split_part(action, '.', 1), created_at, id)",
    "ix_activity_logs_session_id_created_at_id": (
        "(session_id, created_at, id) WHERE session_id IS NOT NULL"
    ),
    "ix_activity_logs_api_key_id_created_at_id": (
        "(api_key_id, created_at, id) WHERE api_key_id IS NOT NULL"
    ),
    "ix_activity_logs_agent_session_created_at_id": (
        "(agent_session, created_at, id) WHERE agent_session IS NOT NULL"
    ),
    "ix_activity_logs_address_created_at_id": "(address, created_at, id) WHERE address IS NOT NULL",
}
OLD = {
    "ix_activity_logs_created_at": "(created_at)",
    "ix_activity_logs_actor_id_id": "(actor_id, id)",
    "ix_activity_logs_subject_kind_subject_id_id": "(subject_kind, subject_id, id)",
}


def exchange(made: dict[str, str], dropped: dict[str, str]) -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        for name, columns in made.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON activity_logs {columns}")
        for name in dropped:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def upgrade() -> None:
    exchange(NEW, OLD)


def downgrade() -> None:
    exchange(OLD, NEW)
