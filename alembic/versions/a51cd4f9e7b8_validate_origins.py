"""validate origins

Revision: a51cd4f9e7b8, after f40bc3e8d6a7.

Every row is checked beside running writes. Downgrade puts the unchecked rules back.
"""

from alembic import op

revision: str = "a51cd4f9e7b8"
down_revision: str | tuple[str, ...] | None = "f40bc3e8d6a7"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


KNOWN = "origin IN ('human', 'assisted', 'generated')"
TABLES = ("content_versions", "content", "publications")


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_origin_is_known")


def downgrade() -> None:
    for table in TABLES:
        name = op.f(f"ck_{table}_origin_is_known")
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, KNOWN, postgresql_not_valid=True)
