"""make import_source unique

Revision: 91510fbf9bf6, after b17cf77e38b9.

The index is made beside running writes. One that an interrupted run left behind is dropped first.
Downgrade drops the constraint with its index.
"""

from alembic import op

revision: str = "91510fbf9bf6"
down_revision: str | tuple[str, ...] | None = "b17cf77e38b9"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_content_import_source")
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY uq_content_import_source ON content (import_source)"
        )
        op.execute("SET statement_timeout = '15s'")
    op.execute(
        "ALTER TABLE content ADD CONSTRAINT uq_content_import_source"
        " UNIQUE USING INDEX uq_content_import_source"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("uq_content_import_source"), "content", type_="unique")
