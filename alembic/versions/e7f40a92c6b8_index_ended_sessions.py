"""index ended sessions

Revision: e7f40a92c6b8, after c93b6e10d7a5.

They are deleted by the time at which they ended. The index is made beside running writes; one that
an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "e7f40a92c6b8"
down_revision: str | tuple[str, ...] | None = "c93b6e10d7a5"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_access_tokens_revoked_at")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_access_tokens_revoked_at ON access_tokens (revoked_at) "
            "WHERE revoked_at IS NOT NULL"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_access_tokens_revoked_at"), table_name="access_tokens")
