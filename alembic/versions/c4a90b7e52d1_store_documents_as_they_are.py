"""store documents as they are

Revision: c4a90b7e52d1, after b8e14f62c9d3.

PostgreSQL compressed each public document when it was written, which was a third of what publishing
cost it. What is published from now on is stored as it is, at some 4 KB more for an article; what is
stored stays as it is, and is read as before. Downgrade lets new ones be compressed again.
"""

from alembic import op

revision: str = "c4a90b7e52d1"
down_revision: str | tuple[str, ...] | None = "b8e14f62c9d3"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE publications ALTER COLUMN document SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.execute("ALTER TABLE publications ALTER COLUMN document SET STORAGE EXTENDED")
