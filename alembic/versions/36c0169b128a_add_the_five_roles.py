"""add the five roles

Revision: 36c0169b128a, after b1bb4923cf87.

A role that is there already, by its name or by its rank, stays as it is. Downgrade takes the five
out again.
"""

from alembic import op

revision: str = "36c0169b128a"
down_revision: str | tuple[str, ...] | None = "b1bb4923cf87"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None

ROLES = "('reader', 1), ('author', 2), ('editor', 3), ('manager', 4), ('admin', 5)"


def upgrade() -> None:
    op.execute(f"INSERT INTO roles (name, rank) VALUES {ROLES} ON CONFLICT DO NOTHING")


def downgrade() -> None:
    op.execute(f"DELETE FROM roles WHERE (name, rank) IN ({ROLES})")
