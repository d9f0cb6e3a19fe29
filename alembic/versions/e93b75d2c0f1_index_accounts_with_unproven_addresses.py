"""index accounts with unproven addresses

Revision: e93b75d2c0f1, after 8d2c4e91f6ab.

Housekeeping looks for those that are old and did nothing.
The index is made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "e93b75d2c0f1"
down_revision: str | tuple[str, ...] | None = "8d2c4e91f6ab"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_created_at_unproven")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_users_created_at_unproven ON users (created_at) "
            "WHERE email_proven_at IS NULL"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_users_created_at_unproven"), table_name="users")
