"""create renderings table

Revision: a3d6cd322799, after 3c976dee2e0b.

The HTML and the search words of a version. Downgrade drops the table; its rows can be made again.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "a3d6cd322799"
down_revision: str | tuple[str, ...] | None = "3c976dee2e0b"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_table(
        "renderings",
        sa.Column("version_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.Column(
            "rendered_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["content_versions.id"],
            name=op.f("fk_renderings_version_id_content_versions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_renderings")),
    )
    op.create_index(
        "ix_renderings_search", "renderings", ["search"], unique=False, postgresql_using="gin"
    )


def downgrade() -> None:
    op.drop_table("renderings")
