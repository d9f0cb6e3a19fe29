"""validate origins of publications

Revision: b3c96e81d7f0, after 7fb2450d9e36.

Every row is checked beside running writes. Downgrade puts the unchecked rule back.
"""

from alembic import op

revision: str = "b3c96e81d7f0"
down_revision: str | tuple[str, ...] | None = "7fb2450d9e36"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


CHECK = "ck_publications_origin_is_known"


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(f"ALTER TABLE publications VALIDATE CONSTRAINT {CHECK}")


def downgrade() -> None:
    op.drop_constraint(op.f(CHECK), "publications", type_="check")
    op.create_check_constraint(
        op.f(CHECK),
        "publications",
        "origin IN ('human', 'assisted', 'generated')",
        postgresql_not_valid=True,
    )
