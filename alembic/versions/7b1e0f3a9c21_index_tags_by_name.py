"""index tags by name

Revision: 7b1e0f3a9c21, after b46e0d9a1c37.

A slug cannot tell two names apart that are alike in Latin letters, so tags are looked up by their
names, without regard to case and Unicode form. The index is made beside running writes; one that an
interrupted run left behind is dropped first.
"""

from alembic import op

revision: str = "7b1e0f3a9c21"
down_revision: str | tuple[str, ...] | None = "b46e0d9a1c37"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_tags_key_of_name")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_tags_key_of_name ON tags (lower(normalize(name, NFKC)))"
        )
        op.execute("SET statement_timeout = '15s'")


def downgrade() -> None:
    op.drop_index(op.f("ix_tags_key_of_name"), table_name="tags")
