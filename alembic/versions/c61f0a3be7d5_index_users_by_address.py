"""index users by address

Revision: c61f0a3be7d5, after 2f71ac05be98.

Accounts are looked up by an address that several may claim.
The index is made beside running writes; one that an interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "c61f0a3be7d5"
down_revision: str | tuple[str, ...] | None = "2f71ac05be98"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_email_hash")
        op.execute("CREATE INDEX CONCURRENTLY ix_users_email_hash ON users (email_hash)")
        op.execute("SET lock_timeout = '1s'")
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_users_email_hash"), table_name="users")
