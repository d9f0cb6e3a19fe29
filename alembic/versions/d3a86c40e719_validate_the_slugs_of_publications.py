"""validate the slugs of publications

Revision: d3a86c40e719, after c2f7a51b8d04.

The table is read beside running writes. Downgrade makes the check one again that was not held
against old rows.
"""

from alembic import op

revision: str = "d3a86c40e719"
down_revision: str | tuple[str, ...] | None = "c2f7a51b8d04"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None

CHECK = "ck_publications_slug_is_given"


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(f"ALTER TABLE publications VALIDATE CONSTRAINT {CHECK}")


def downgrade() -> None:
    op.drop_constraint(op.f(CHECK), "publications", type_="check")
    op.create_check_constraint(op.f(CHECK), "publications", "slug <> ''", postgresql_not_valid=True)
