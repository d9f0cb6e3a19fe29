"""index the live sessions of an account

Revision: c93b6e10d7a5, after a58e0c47b1f3.

They are looked through at each login. The index is made beside running writes; one that an
interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "c93b6e10d7a5"
down_revision: str | tuple[str, ...] | None = "a58e0c47b1f3"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_access_tokens_user_id_live")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_access_tokens_user_id_live ON access_tokens (user_id) "
            "WHERE revoked_at IS NULL"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_access_tokens_user_id_live"), table_name="access_tokens")
