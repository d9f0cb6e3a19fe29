"""hold origins of publications to what is known

Revision: 7fb2450d9e36, after 4d18c6f3a0e9.

For new rows; the next step looks at those that are there.
"""

from alembic import op

revision: str = "7fb2450d9e36"
down_revision: str | tuple[str, ...] | None = "4d18c6f3a0e9"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


CHECK = "ck_publications_origin_is_known"


def upgrade() -> None:
    op.create_check_constraint(
        op.f(CHECK),
        "publications",
        "origin IN ('human', 'assisted', 'generated')",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.drop_constraint(op.f(CHECK), "publications", type_="check")
