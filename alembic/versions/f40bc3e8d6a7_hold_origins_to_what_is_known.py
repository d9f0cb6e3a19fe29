"""hold origins to what is known

Revision: f40bc3e8d6a7, after e39ab2d7c5f6.

For new rows; the next step looks at those that are there.
"""

from alembic import op

revision: str = "f40bc3e8d6a7"
down_revision: str | tuple[str, ...] | None = "e39ab2d7c5f6"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


KNOWN = "origin IN ('human', 'assisted', 'generated')"
TABLES = ("content_versions", "content", "publications")


def upgrade() -> None:
    for table in TABLES:
        op.create_check_constraint(
            op.f(f"ck_{table}_origin_is_known"), table, KNOWN, postgresql_not_valid=True
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_constraint(op.f(f"ck_{table}_origin_is_known"), table, type_="check")
