"""validate origins of versions

Revision: a51cd4f9e7b8, after f40bc3e8d6a7.

Every row is checked beside running writes. Downgrade puts the unchecked rule back.
"""

from alembic import op

revision: str = "a51cd4f9e7b8"
down_revision: str | tuple[str, ...] | None = "f40bc3e8d6a7"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


CHECK = "ck_content_versions_origin_is_known"


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(f"ALTER TABLE content_versions VALIDATE CONSTRAINT {CHECK}")


def downgrade() -> None:
    op.drop_constraint(op.f(CHECK), "content_versions", type_="check")
    op.create_check_constraint(
        op.f(CHECK),
        "content_versions",
        "origin IN ('human', 'assisted', 'generated')",
        postgresql_not_valid=True,
    )
