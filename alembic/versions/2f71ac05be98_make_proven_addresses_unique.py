"""make proven addresses unique

Revision: 2f71ac05be98, after 5b0e93d7c184.

The first account to prove an address has it, however many say that it is theirs.
No two rows can stand against it: so far an address is in one account at most, proven or not.
The index is made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "2f71ac05be98"
down_revision: str | tuple[str, ...] | None = "5b0e93d7c184"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_users_email_hash_proven")
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY uq_users_email_hash_proven ON users (email_hash) "
            "WHERE email_proven_at IS NOT NULL"
        )
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("uq_users_email_hash_proven"), table_name="users")
